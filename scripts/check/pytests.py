# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that run pytest. A failed test fails the step, and so does a skipped one: it did not show what it is there for."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import typing as t
from xml.etree import ElementTree

from .lint import lint_playbooks
from .shell import CACHE, ROOT, VENV_BIN, Command, StepFailed, environment, locked, run

CORES = os.cpu_count() or 2

#: The tests that run against a real Crafter Studio.
STUDIO_TESTS = ("tests/module/crafter/test_scenarios.py", "tests/module/crafter/test_responses.py")

#: Numbers of tests, one line for each run of pytest.
closing_lines: list[str] = []


#: Where the tests are of steps that have others before them.
LATER = {"unit": "tests/unit", "modules": "tests/module"}


@contextlib.contextmanager
def compiled_meanwhile(names: t.Sequence[str], priority: t.Sequence[str]) -> t.Iterator[None]:
    """Have pytest compile the tests of later steps during the body, which else each worker of these steps does, all at once.

    :param names: of the steps in the foreground.
    :param priority: the command that lowers its priority.
    """
    paths = [LATER[name] for name in names[1:] if name in LATER]
    if not paths:
        yield
        return
    command = [*priority, str(VENV_BIN / "python"), "-m", "pytest", "--collect-only", "-q", *paths]
    nothing = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=nothing, stdout=nothing, stderr=nothing) as process:
        try:
            yield
        finally:
            process.terminate()


def unit() -> None:
    # Not more workers than cores: few of these tests wait, and each worker takes seconds to collect all of them. Their priority
    # is that of modules, which run at the same time: some observe what happens within a second.
    run_tests("unit", "tests/unit", workers=CORES)


def simulator() -> None:
    # Not more workers than cores: these tests observe states that last less than a second.
    run_tests("simulator", "tests/simulator_tests", workers=CORES)


def modules() -> None:
    # Three workers for each core: most of these tests wait for a simulated system.
    run_tests("modules", "tests/module", workers=3 * CORES)


def long() -> None:
    run([ROOT / "scripts" / "install-dns-servers"])
    run_tests("long", "tests/unit", "tests/module", workers=2 * CORES, options=("--long",))


def awx() -> None:
    lint_playbooks("extensions/awx", "extensions/eda", "tests/awx", "tests/ee", "tests/integration")
    run([ROOT / "scripts" / "install-awx-collection"])
    # One worker: the tests share what the first apply has made.
    run_tests("awx", "tests/awx", workers=1)


def eda() -> None:
    run([ROOT / "scripts" / "install-rulebook"])
    # One worker for each core: a rule set is a virtual machine of Java.
    run_tests("eda", "tests/eda", workers=CORES)


def studio() -> None:
    run([ROOT / "scripts" / "install-studio"])
    # One worker: there is one server.
    run_tests("studio", *STUDIO_TESTS, workers=1, options=("--studio=real",))


@functools.cache
def install_programs() -> None:
    """Install BIND, PostgreSQL and Chromium where that is possible, or fail with instructions."""
    # steps that run at the same time take turns
    with locked(CACHE / "install.lock"):
        run([ROOT / "scripts" / "install-bind"])
        run([ROOT / "scripts" / "install-postgresql"])
        run([ROOT / "scripts" / "install-chromium"])


def run_tests(name: str, *paths: str, workers: int, options: tuple[str, ...] = ()) -> None:
    """Run the tests below some paths.

    :param name: of the file with the results, and in the closing line.
    :raises StepFailed: if a test failed or was skipped.
    """
    missing = [path for path in paths if not (ROOT / path).exists()]
    if missing:
        raise StepFailed(f"there is no {', '.join(missing)}")
    install_programs()
    results = CACHE / "results" / f"{name}.xml"
    results.unlink(missing_ok=True)
    # worksteal: a worker without tests takes some from the others, since one test may take a thousand times as long as another.
    # The profile has property tests use the same examples in every run, so that the result does not depend on chance.
    settings = (f"--junitxml={results}", "--hypothesis-profile=ci", f"-n{workers}", "--dist=worksteal", *options)
    command: Command = [VENV_BIN / "python", "-m", "pytest", *settings, *paths]
    problem = ""
    try:
        run(command)
    except StepFailed as failure:
        problem = str(failure)
    skipped = _count(name, results, problem)
    if problem:
        raise StepFailed(problem)
    if skipped:
        raise StepFailed(f"{skipped} tests were skipped or are expected to fail; see pytest's summary above")


def _count(name: str, results: os.PathLike[str], problem: str) -> int:
    """Add the closing line; return the number of skipped tests."""
    suite = ElementTree.parse(results).getroot().find("testsuite") if os.path.exists(results) else None
    if suite is None:
        raise StepFailed(problem or "pytest left no results")
    cases = suite.findall("testcase")
    # A test whose teardown fails, too, is two test cases in the file.
    bad = {
        (case.get("classname"), case.get("name"))
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    }
    every = {(case.get("classname"), case.get("name")) for case in cases}
    skipped = int(suite.get("skipped", 0))
    closing_lines.append(f"{name}: {len(every) - len(bad) - skipped} passed, {len(bad)} failed, {skipped} skipped")
    return skipped
