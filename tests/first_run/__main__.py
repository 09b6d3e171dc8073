# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.first_run`` takes the walk and prints the page; with ``--write`` it writes docs/first-run.md."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.simulator.client import Simulator

from .page import PAGE, page
from .walk import walk


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="lockstep-first-run.") as directory, Simulator.start(["vinyldns"]) as simulator:
        text = page(walk(Path(directory), simulator))
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
