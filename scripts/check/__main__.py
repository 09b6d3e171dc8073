# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the checks by name and closes with the time of each and the number of tests.

Every step runs even if an earlier one failed, so that one run tells everything. Tests wait a lot, for simulated systems to get
on; the steps that only compute run beside them, see ``aside.py``.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time
import traceback

from . import ansible_test, lint, molecule, package, pytests
from .aside import Aside, Outcome
from .shell import CACHE, Step, StepFailed, heading, notes

STEPS: dict[str, Step] = {
    "unit": pytests.unit,
    "modules": pytests.modules,
    "lint": lint.lint,
    "sanity": ansible_test.sanity,
    "integration": ansible_test.integration,
    "molecule": molecule.molecule,
    "build": package.package,
}

#: Those that run beside the others, in this order: the quick one first. ``build`` only computes, too, but galaxy-importer gives
#: ansible-lint no more than three minutes, and at the lowest priority those may pass.
BESIDE = ("lint", "sanity")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.check", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"any of: {', '.join(STEPS)} (default: all)")
    parser.add_argument("--outcome", type=pathlib.Path, metavar="FILE", help="run one step, and write what became of it")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.steps) - set(STEPS))
    if unknown:
        parser.error(f"unknown step: {', '.join(unknown)}; there are {', '.join(STEPS)}")
    CACHE.mkdir(exist_ok=True)

    chosen = [name for name in STEPS if name in arguments.steps or not arguments.steps]
    if arguments.outcome:
        (name,) = chosen
        perform(name).write(arguments.outcome)
        return 0
    start = time.monotonic()
    outcomes = perform_all(chosen)
    return summarize(sorted(outcomes, key=lambda outcome: chosen.index(outcome.name)), time.monotonic() - start)


def perform_all(names: list[str]) -> list[Outcome]:
    beside = [name for name in BESIDE if name in names]
    in_front = [name for name in names if name not in beside]
    if not in_front:
        in_front, beside = names, []
    outcomes = []
    with Aside(beside) as aside:
        for name in in_front:
            heading(name)
            outcomes.append(perform(name))
            outcomes += [show(*ended) for ended in aside.finished()]
        outcomes += [show(*ended) for ended in aside.rest()]
    return outcomes


def perform(name: str) -> Outcome:
    """Run one step, with its output on the terminal."""
    start = time.monotonic()
    try:
        STEPS[name]()
        problem = ""
    except StepFailed as failure:
        problem = str(failure)
        print(f"\n{name}: {problem}", flush=True)
    except Exception as error:  # noqa: BLE001 (a fault of the checks themselves must not hide what the other steps find)
        traceback.print_exc()
        problem = f"{type(error).__name__}: {error}"
    outcome = Outcome(name, time.monotonic() - start, problem, [*notes], [*pytests.closing_lines])
    notes.clear()
    pytests.closing_lines.clear()
    return outcome


def show(outcome: Outcome, output: str) -> Outcome:
    heading(outcome.name)
    print(output, end="", flush=True)
    return outcome


def summarize(outcomes: list[Outcome], elapsed: float) -> int:
    heading("summary")
    for outcome in outcomes:
        print(f"{outcome.name:12} {outcome.seconds:7.1f} s  {'FAILED: ' + outcome.problem if outcome.problem else 'ok'}")
    print(f"{'in all':12} {elapsed:7.1f} s")
    for note in dict.fromkeys(note for outcome in outcomes for note in outcome.notes):
        print(f"note: {note}")
    failed = sum(bool(outcome.problem) for outcome in outcomes)
    print(f"\nsteps: {len(outcomes) - failed} passed, {failed} failed")
    # Last, what the test runners said of themselves: that is what CI systems look for.
    for outcome in outcomes:
        for line in outcome.closing_lines:
            print(line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
