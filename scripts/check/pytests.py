# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests that pytest runs. A skipped test fails the step: what a machine lacks has to be named, not passed over.

Few tests that fail are run again by themselves. Many of them deal with real processes and real time, and on a machine that is
busy with other things a moment may last for seconds; a fault is there the second time, too. The summary names each test that
passed only then, so that nobody takes it for steady.
"""

from __future__ import annotations

import dataclasses
import os
from xml.etree import ElementTree

from .shell import CACHE, ROOT, VENV_BIN, Command, StepFailed, notes, run

#: What pytest itself said at the end of each run.
closing_lines: list[str] = []

#: More than these fail for a reason.
FEW = 5


def unit() -> None:
    run_tests("unit", "tests/unit", workers=os.cpu_count() or 2)


def modules() -> None:
    run([ROOT / "scripts" / "install-bind"])
    run([ROOT / "scripts" / "install-chromium"])
    cores = os.cpu_count() or 2
    failures = []
    # The first ones watch states that last less than a second; of the others many wait, so that two share a core well.
    for name, path, workers in (
        ("simulator", "tests/simulator_tests", cores),
        ("modules", "tests/module", 2 * cores),
    ):
        try:
            run_tests(name, path, workers)
        except StepFailed as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def run_tests(name: str, path: str, workers: int) -> None:
    """Run the tests below a path, and those that fail once more.

    :param name: of the results, and in the closing line.
    :raises StepFailed: if a test failed again, or was skipped.
    """
    if not (ROOT / path).is_dir():
        raise StepFailed(f"there is no {path}")
    # A worker that has nothing left to do takes tests from the others: how long one takes differs by a factor of a thousand.
    first = _pytest(name, path, f"-n{workers}", "--dist=worksteal")
    last = first
    if 0 < len(first.failed) <= FEW:
        last = _pytest(f"{name}-again", path, "--last-failed", "--last-failed-no-failures=none")
        recovered = [test for test in first.failed if test not in last.failed]
        notes.extend(f"unsteady: {test} failed beside the others and passed by itself" for test in recovered)
    failed = len(last.failed)
    closing_lines.append(f"{name}: {first.total - failed - first.skipped} passed, {failed} failed, {first.skipped} skipped")
    if last.problem:
        raise StepFailed(last.problem)
    if first.skipped:
        raise StepFailed(f"{first.skipped} tests were skipped or are expected to fail; see pytest's summary above")


@dataclasses.dataclass(frozen=True)
class _Outcome:
    """What came of one run of pytest.

    :param problem: why it did not end well, if so.
    :param failed: names of the tests that failed.
    """

    problem: str
    total: int = 0
    failed: tuple[str, ...] = ()
    skipped: int = 0


def _pytest(name: str, path: str, *options: str) -> _Outcome:
    results = CACHE / "results" / f"{name}.xml"
    results.unlink(missing_ok=True)
    # The same examples each time: whether a commit passes is no matter of chance. `pytest` alone looks for new ones.
    examples = "--hypothesis-profile=ci"
    command: Command = [VENV_BIN / "python", "-m", "pytest", f"--junitxml={results}", examples, *options, path]
    problem = ""
    try:
        run(command)
    except StepFailed as failure:
        problem = str(failure)
    suite = ElementTree.parse(results).getroot().find("testsuite") if results.exists() else None
    if suite is None:
        return _Outcome(problem or "pytest left no results")
    bad = [case for case in suite.findall("testcase") if case.find("failure") is not None or case.find("error") is not None]
    failed = dict.fromkeys(f"{case.get('classname')}::{case.get('name')}" for case in bad)
    return _Outcome(problem, int(suite.get("tests", 0)), tuple(failed), int(suite.get("skipped", 0)))
