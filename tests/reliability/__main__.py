# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks at full length, whose figures go into ``docs/reliability.md``::

python -m tests.reliability faults --write
python -m tests.reliability guards --write
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.module.process import FORK_SERVER
from tests.simulator.client import Simulator

from . import actions
from .cases import CASES
from .document import FOLDER, machine, write
from .guards import ATTACKS, modes, run
from .matrix import Row, benches, check
from .table import GuardLine, Line, details, guard_table, summary


def faults(options: argparse.Namespace) -> bool:
    """The fault matrix; runs that an earlier call has put into ``--results`` are not repeated."""
    path: Path | None = options.results
    lines = [Line(**json.loads(text)) for text in path.read_text().splitlines()] if path and path.exists() else []
    known = {(line.case, line.call, line.fault, line.way) for line in lines}
    FORK_SERVER.set_forkserver_preload(["tests.module.preloaded", actions.__name__])
    with benches(options.at_once) as matrix:
        rows = [row for case in CASES for row in matrix.rows(case)]
        left = [row for row in rows if (str(row.case), str(row.call), row.fault.name, row.way) not in known]
        # in any order, so that a part of them is a fair sample; each call with each fault in one way first, then in the other
        random.Random(options.seed).shuffle(left)
        seen = {key[:3] for key in known}
        second = [_seen(row, seen) for row in left]
        left = [row for row, late in sorted(zip(left, second, strict=True), key=lambda pair: pair[1])]
        allowance = matrix.allowance()
        for ended in matrix.run(left[: options.limit]):
            wrong = check(ended, max(allowance, matrix.allowance()) if check(ended, allowance) else allowance)
            if wrong:
                print(f"{ended.row}: {', '.join(wrong)}\n  {ended.output.strip()[-1500:]}\n  {ended.errors[-1500:]}", flush=True)
            lines.append(Line.of(ended, wrong))
            if path:
                with path.open("a") as file:
                    file.write(json.dumps(vars(lines[-1])) + "\n")
    if options.write:
        FOLDER.mkdir(exist_ok=True)
        write("faults", summary(lines, machine()))
        (FOLDER / "faults.md").write_text(details(lines))
    return not any(line.wrong for line in lines)


def _seen(row: Row, seen: set[tuple[str, str, str]]) -> bool:
    """Whether a call has met a fault before; it has now."""
    key = (str(row.case), str(row.call), row.fault.name)
    known = key in seen
    seen.add(key)
    return known


def guards(options: argparse.Namespace) -> bool:
    """Attacks on the guards, each in all its ways, and its control."""
    lines = []
    with Simulator.start(["vinyldns"]) as simulator, tempfile.TemporaryDirectory(prefix="lockstep-guards-") as folder:
        for number, attack in enumerate(ATTACKS[: options.limit]):
            place = Path(folder) / str(number)
            found = {}
            for mode in modes(attack):
                (place / mode).mkdir(parents=True)
                found[mode] = run(attack, mode, simulator, place / mode)
            control = None
            if attack.control is not None:
                (place / "control").mkdir()
                control = run(attack, "alone", simulator, place / "control", control=True)
            lines.append(GuardLine(attack, found, control))
            print(attack, found, control, flush=True)
    if options.write:
        write("guards", guard_table(lines, machine()))
    return not any(line.unsafe for line in lines)


SECTIONS: dict[str, Callable[[argparse.Namespace], bool]] = {"faults": faults, "guards": guards}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", choices=SECTIONS, help="which attack")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    parser.add_argument("--at-once", type=int, default=6, help="runs at the same time")
    parser.add_argument("--limit", type=int, help="no more than so many runs")
    parser.add_argument("--seed", type=int, default=7, help="for the order of the runs")
    parser.add_argument("--results", type=Path, help="a file that keeps what was found")
    options = parser.parse_args()
    return 0 if SECTIONS[options.section](options) else 1


if __name__ == "__main__":
    sys.exit(main())
