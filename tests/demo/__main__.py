# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make demo``: the collection at work on emulated systems, with a real DNS server where BIND is installed.

Everything that is printed was done by the commands shown; what is claimed about calls is what the emulator logged.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.simulator.client import Simulator

from . import dns, promotion, staging
from .stage import Stage

OUTPUT = Path("tests") / "output" / "demo"


def main() -> int:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lockstep-demo.") as scratch, Simulator.start() as simulator:
        stage = Stage(simulator, Path(scratch), OUTPUT)
        stage.say(f"The four systems are emulated; the DNS server is {simulator['vinyldns']['dns']['kind'].upper()}.")
        dns.play(stage)
        staging.play(stage)
        promotion.play(stage)
    stage.title("Done")
    stage.say(f"The reports lie in {OUTPUT}{os.sep}:")
    for path in sorted(OUTPUT.iterdir()):
        stage.say(f"  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
