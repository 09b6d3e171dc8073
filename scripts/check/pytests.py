# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests that pytest runs. A skipped test fails the step: what a machine lacks has to be named, not passed over."""

from __future__ import annotations

import os
from xml.etree import ElementTree

from .shell import CACHE, ROOT, VENV_BIN, Command, StepFailed, run

#: What pytest itself said at the end of each run.
closing_lines: list[str] = []


def unit() -> None:
    _pytest("unit", "tests/unit", workers=os.cpu_count() or 2)


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
            _pytest(name, path, workers)
        except StepFailed as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def _pytest(name: str, path: str, workers: int) -> None:
    if not (ROOT / path).is_dir():
        raise StepFailed(f"there is no {path}")
    results = CACHE / "results" / f"{name}.xml"
    results.unlink(missing_ok=True)
    # A worker that has nothing left to do takes tests from the others: how long one takes differs by a factor of a thousand.
    distribution = [f"-n{workers}", "--dist=worksteal"]
    # The same examples each time: whether a commit passes is no matter of chance. `pytest` alone looks for new ones.
    examples = "--hypothesis-profile=ci"
    command: Command = [VENV_BIN / "python", "-m", "pytest", f"--junitxml={results}", examples, *distribution, path]
    try:
        run(command)
    finally:
        if results.exists():
            _count(name, results)


def _count(name: str, results: object) -> None:
    suite = ElementTree.parse(str(results)).getroot().find("testsuite")
    assert suite is not None
    total, failed, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "skipped"))
    failed += int(suite.get("errors", 0))
    closing_lines.append(f"{name}: {total - failed - skipped} passed, {failed} failed, {skipped} skipped")
    if skipped and not failed:
        raise StepFailed(f"{skipped} tests were skipped or are expected to fail; see pytest's summary above")
