# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the checks by name, in order, and closes with the time of each and the number of tests.

Every step runs even if an earlier one failed, so that one run tells everything.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from . import ansible_test, lint, molecule, package, pytests
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.check", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"any of: {', '.join(STEPS)} (default: all)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.steps) - set(STEPS))
    if unknown:
        parser.error(f"unknown step: {', '.join(unknown)}; there are {', '.join(STEPS)}")
    CACHE.mkdir(exist_ok=True)

    chosen = [name for name in STEPS if name in arguments.steps or not arguments.steps]
    outcomes: list[tuple[str, float, str]] = []
    for name in chosen:
        heading(name)
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
        outcomes.append((name, time.monotonic() - start, problem))
    return summarize(outcomes)


def summarize(outcomes: list[tuple[str, float, str]]) -> int:
    heading("summary")
    for name, seconds, problem in outcomes:
        print(f"{name:12} {seconds:7.1f} s  {'FAILED: ' + problem if problem else 'ok'}")
    print(f"{'':12} {sum(seconds for _name, seconds, _problem in outcomes):7.1f} s")
    for note in notes:
        print(f"note: {note}")
    failed = sum(bool(problem) for _name, _seconds, problem in outcomes)
    print(f"\nsteps: {len(outcomes) - failed} passed, {failed} failed")
    # Last, what the test runners said of themselves: that is what CI systems look for.
    for line in pytests.closing_lines:
        print(line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
