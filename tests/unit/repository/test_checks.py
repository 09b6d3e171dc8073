# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failed, skipped or missing test fails a step; suites and summaries are complete."""

from __future__ import annotations

import contextlib
import pathlib
import re
import typing as t

import pytest

from scripts.check import __main__, outcome, package, pytests
from scripts.check.shell import StepFailed

GOOD = "def test_good(): pass\n"
BAD_ONCE = """
import pathlib
def test_bad_once():
    trace = pathlib.Path(__file__).with_suffix(".trace")
    seen = trace.exists()
    trace.touch()
    assert seen
"""
BAD_TWICE = """
import pytest
@pytest.fixture
def bad():
    yield
    assert False
def test_bad(bad): assert False
"""
SKIPPED = "import pytest\n@pytest.mark.skip\ndef test_skipped(): pass\n"


class Checks(t.NamedTuple):
    """The runner with a directory of its own for tests and results."""

    directory: pathlib.Path
    closing_lines: list[str]

    def run(self, *sources: str) -> None:
        for number, source in enumerate(sources):
            (self.directory / f"test_{number}.py").write_text(source)
        pytests.run_tests("some", str(self.directory), workers=0)


@pytest.fixture
def checks(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Checks:
    checks = Checks(tmp_path / "tests", [])
    checks.directory.mkdir()
    monkeypatch.setattr(pytests, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(pytests, "install_programs", lambda: None)
    monkeypatch.setattr(pytests, "closing_lines", checks.closing_lines)
    return checks


def test_passed_tests_pass(checks: Checks) -> None:
    checks.run(GOOD)
    assert checks.closing_lines == ["some: 1 passed, 0 failed, 0 skipped"]


def test_a_failed_test_fails_at_once(checks: Checks) -> None:
    with pytest.raises(StepFailed, match="returned 1"):
        checks.run(GOOD, BAD_ONCE)
    assert checks.closing_lines == ["some: 1 passed, 1 failed, 0 skipped"]


def test_a_test_is_counted_once(checks: Checks) -> None:
    with pytest.raises(StepFailed, match="returned 1"):
        checks.run(BAD_TWICE, GOOD)
    assert checks.closing_lines == ["some: 1 passed, 1 failed, 0 skipped"]


def test_a_skipped_test_fails(checks: Checks) -> None:
    with pytest.raises(StepFailed, match="1 tests were skipped"):
        checks.run(SKIPPED, GOOD)


def test_no_tests_at_all_fail(checks: Checks) -> None:
    with pytest.raises(StepFailed, match="returned 5"):
        checks.run()
    with pytest.raises(StepFailed, match="there is no"):
        pytests.run_tests("some", str(checks.directory / "none"), workers=0)


class Importer:
    """Stands in for galaxy-importer: has an output for each time that it is run."""

    def __init__(self, *outputs: str) -> None:
        self.outputs = list(outputs)

    def __call__(self, *arguments: t.Any, **settings: t.Any) -> str:
        return self.outputs.pop(0)


IMPORTED = "INFO: ...ansible-lint run complete\nINFO: Importer processing completed successfully\n"
IN_A_HURRY = f"ERROR: Timeout on call to ansible-lint\n{IMPORTED}"


@pytest.mark.parametrize(
    ("outputs", "problem", "remarks"),
    [
        ([IMPORTED], "", 0),
        ([IN_A_HURRY, IMPORTED], "", 1),
        ([IN_A_HURRY, IN_A_HURRY], "Timeout on call", 1),
        ([f"WARNING: no changelog\n{IMPORTED}"], "no changelog", 0),
        (["INFO: ...ansible-lint run complete\n"], "did not reach", 0),
    ],
)
def test_the_importer_gets_a_second_try_if_it_was_in_a_hurry(
    outputs: list[str], problem: str, remarks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer, notes = Importer(*outputs), list[str]()
    monkeypatch.setattr(package, "run", importer)
    monkeypatch.setattr(package, "notes", notes)
    with pytest.raises(StepFailed, match=problem) if problem else contextlib.nullcontext():
        package._import(pathlib.Path("lockstep-sync-1.0.0.tar.gz"))
    assert (importer.outputs, len(notes)) == ([], remarks)


def test_the_make_file_has_the_steps_of_the_suites(root: pathlib.Path) -> None:
    text = (root / "Makefile").read_text()
    for suite, steps in __main__.SUITES.items():
        assert re.search(rf"^{suite}_steps := (.*)$", text, re.MULTILINE)[1].split() == list(steps)
        assert re.search(rf"^{suite}: setup ## ", text, re.MULTILINE)


@pytest.fixture
def steps(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Two suites: a step that passes with a closing line and a note, and one that fails."""

    def good() -> None:
        pytests.closing_lines.append("good: 1 passed")
        __main__.notes.append("a remark")

    def bad() -> None:
        raise StepFailed("no luck")

    suites: dict[str, dict[str, t.Callable[[], None]]] = {"test": {"good": good}, "check": {"bad": bad}}
    monkeypatch.setattr(__main__, "SUITES", suites)
    monkeypatch.setattr(__main__, "STEPS", {"good": good, "bad": bad})
    monkeypatch.setattr(outcome, "CACHE", tmp_path)
    monkeypatch.setattr(__main__, "CACHE", tmp_path)
    return tmp_path


def run_main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    monkeypatch.setattr("sys.argv", ["check", *arguments])
    status = __main__.main()
    return status, capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("steps")
def test_the_summary_of_all_suites_is_that_of_their_last_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, capsys, "test")[0] == 0
    status, lines = run_main(monkeypatch, capsys, "--summary", "test", "check")
    assert status == 1
    assert [line.split()[3:] for line in lines if re.match(r"(good|bad) ", line)] == [["ok"], ["FAILED:", "did", "not", "run"]]

    assert run_main(monkeypatch, capsys, "check")[0] == 1
    status, lines = run_main(monkeypatch, capsys, "--summary", "test", "check")
    assert status == 1
    assert [line.split()[3:] for line in lines if re.match(r"(good|bad) ", line)] == [["ok"], ["FAILED:", "no", "luck"]]
    assert lines[-4:] == ["note: a remark", "", "steps: 1 passed, 1 failed", "good: 1 passed"]
