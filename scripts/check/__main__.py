# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the steps of a suite, or single steps, and ends with the time of each and the number of tests.

Every step runs even if an earlier one failed, so that one run shows every fault.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from . import ansible_test, audit, documentation, lint, molecule, package, pytests
from .background import LOW_PRIORITY, LOWERED_PRIORITY, Background
from .outcome import Outcome
from .shell import CACHE, Step, StepFailed, heading, notes

#: What ``make SUITE`` runs. No step is in two suites, so that running all suites does nothing twice.
SUITES: dict[str, dict[str, Step]] = {
    "test": {
        "simulator": pytests.simulator,
        "unit": pytests.unit,
        "modules": pytests.modules,
        "lint": lint.lint,
        "sanity": ansible_test.sanity,
    },
    "check": {
        "long": pytests.long,
        "integration": ansible_test.integration,
        "molecule": molecule.molecule,
        "awx": pytests.awx,
        "eda": pytests.eda,
        "docs": documentation.docs,
        "build": package.package,
        "audit": audit.audit,
        "compatibility": ansible_test.compatibility,
    },
    "real": {
        "studio": pytests.studio,
    },
}

STEPS: dict[str, Step] = {name: step for steps in SUITES.values() for name, step in steps.items()}

#: Steps that only compute. They run in the background while others wait. ``build`` only computes as well, but galaxy-importer
#: stops ansible-lint after three minutes, which may pass at the lowest priority.
BACKGROUND = {"lint": LOW_PRIORITY, "sanity": LOWERED_PRIORITY, "compatibility": LOW_PRIORITY}

#: Steps that mostly compute, and those that mostly wait and run at the same time, as well at normal priority. The simulator's own
#: tests are not among them, since they observe states that last less than a second.
ALONGSIDE = {"unit": "modules"}


def main() -> int:
    known = (*SUITES, *STEPS)
    parser = argparse.ArgumentParser(prog="python -m scripts.check", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", help=f"suites or steps, any of: {', '.join(known)}")
    parser.add_argument("--quiet", action="store_true", help="print no heading and no summary")
    parser.add_argument("--summary", action="store_true", help="run nothing; print the summary of the last runs")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(known))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    CACHE.mkdir(exist_ok=True)

    chosen = select(arguments.names)
    if arguments.summary:
        return summarize([Outcome.read(name) or Outcome(name, 0.0, "did not run") for name in chosen])
    if arguments.quiet:
        outcomes = [perform(name) for name in chosen]
        return 1 if any(outcome.problem for outcome in outcomes) else 0
    start = time.monotonic()
    outcomes = perform_all(chosen)
    return summarize(sorted(outcomes, key=lambda outcome: chosen.index(outcome.name)), time.monotonic() - start)


def select(names: list[str]) -> list[str]:
    """The steps that are named, or in suites that are named, in their usual order."""
    wanted = {step for name in names for step in SUITES.get(name, {name: None})}
    return [name for name in STEPS if name in wanted]


def perform_all(names: list[str]) -> list[Outcome]:
    for name in names:
        Outcome.forget(name)
    alongside = {name: other for name, other in ALONGSIDE.items() if name in names and other in names}
    in_background = [name for name in BACKGROUND if name in names]
    in_foreground = [name for name in names if name not in (*in_background, *alongside.values())]
    if not in_foreground:
        in_foreground, in_background = names, []
    outcomes = []
    # in the order in which they begin
    begun = [each for name in in_foreground for each in (name, alongside.get(name)) if each]
    with Background(len(names)) as background, pytests.compiled_meanwhile(begun, LOWERED_PRIORITY):
        for name in in_background:
            background.start(name, BACKGROUND[name])
        for name in in_foreground:
            heading(name)
            if name in alongside:
                background.start(alongside[name])
                print(f"{alongside[name]} runs at the same time; its output follows", flush=True)
            outcomes.append(perform(name))
            outcomes += [show(*ended) for ended in background.finished()]
        outcomes += [show(*ended) for ended in background.remaining()]
    return outcomes


def perform(name: str) -> Outcome:
    """Run one step, with its output on the terminal."""
    Outcome.forget(name)
    start = time.monotonic()
    try:
        STEPS[name]()
        problem = ""
    except StepFailed as failure:
        problem = str(failure)
        print(f"\n{name}: {problem}", flush=True)
    except Exception as error:  # noqa: BLE001 (a fault of the checks themselves must not keep the other steps from running)
        traceback.print_exc()
        problem = f"{type(error).__name__}: {error}"
    outcome = Outcome(name, time.monotonic() - start, problem, [*notes], [*pytests.closing_lines])
    notes.clear()
    pytests.closing_lines.clear()
    outcome.write()
    return outcome


def show(outcome: Outcome, output: str) -> Outcome:
    heading(outcome.name)
    print(output, end="", flush=True)
    return outcome


def summarize(outcomes: list[Outcome], elapsed: float | None = None) -> int:
    """Print a table of the steps.

    :param elapsed: seconds that all took together.
    :return: the exit status.
    """
    heading("summary")
    for outcome in outcomes:
        print(f"{outcome.name:14} {outcome.seconds:7.1f} s  {'FAILED: ' + outcome.problem if outcome.problem else 'ok'}")
    if elapsed is not None:
        print(f"{'total':14} {elapsed:7.1f} s")
    for note in dict.fromkeys(note for outcome in outcomes for note in outcome.notes):
        print(f"note: {note}")
    failed = sum(bool(outcome.problem) for outcome in outcomes)
    print(f"\nsteps: {len(outcomes) - failed} passed, {failed} failed")
    # CI systems look for the numbers of tests at the very end.
    for outcome in outcomes:
        for line in outcome.closing_lines:
            print(line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
