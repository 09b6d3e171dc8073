# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks fail for what fails, and name what passed only the second time."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import pytest

from scripts.check import package, pytests
from scripts.check.shell import StepFailed

UNSTEADY = """
import pathlib
def test_unsteady():
    trace = pathlib.Path(__file__).with_suffix(".trace")
    seen = trace.exists()
    trace.touch()
    assert seen
"""
GOOD = "def test_good(): pass\n"
BAD = "def test_bad(): assert False\n"
SKIPPED = "import pytest\n@pytest.mark.skip\ndef test_skipped(): pass\n"
MANY = "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_bad(n): assert False\n"


class Checks(t.NamedTuple):
    """The runner with a directory of its own for tests and results."""

    directory: pathlib.Path
    notes: list[str]
    closing_lines: list[str]

    def run(self, *sources: str) -> None:
        for number, source in enumerate(sources):
            (self.directory / f"test_{number}.py").write_text(source)
        pytests.run_tests("some", str(self.directory), workers=0)

    @property
    def runs(self) -> int:
        return len(list((pytests.CACHE / "results").glob("*.xml")))


@pytest.fixture
def checks(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Checks:
    checks = Checks(tmp_path / "tests", [], [])
    checks.directory.mkdir()
    monkeypatch.setattr(pytests, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(pytests, "notes", checks.notes)
    monkeypatch.setattr(pytests, "closing_lines", checks.closing_lines)
    return checks


def test_what_passes_runs_once(checks: Checks) -> None:
    checks.run(GOOD)
    assert (checks.runs, checks.notes, checks.closing_lines) == (1, [], ["some: 1 passed, 0 failed, 0 skipped"])


def test_what_passes_by_itself_is_named(checks: Checks) -> None:
    checks.run(GOOD, UNSTEADY)
    assert (checks.runs, checks.closing_lines) == (2, ["some: 2 passed, 0 failed, 0 skipped"])
    (note,) = checks.notes
    assert note.startswith("unsteady: ")
    assert "test_unsteady" in note


def test_what_fails_again_fails(checks: Checks) -> None:
    with pytest.raises(StepFailed, match="returned 1"):
        checks.run(GOOD, UNSTEADY, BAD)
    assert (checks.runs, checks.closing_lines) == (2, ["some: 2 passed, 1 failed, 0 skipped"])
    assert len(checks.notes) == 1


def test_many_failures_are_no_accident(checks: Checks) -> None:
    with pytest.raises(StepFailed, match="returned 1"):
        checks.run(GOOD, MANY)
    assert (checks.runs, checks.closing_lines) == (1, ["some: 1 passed, 6 failed, 0 skipped"])


@pytest.mark.parametrize("others", [[GOOD], [GOOD, UNSTEADY]])
def test_a_skipped_test_fails(checks: Checks, others: list[str]) -> None:
    with pytest.raises(StepFailed, match="1 tests were skipped"):
        checks.run(SKIPPED, *others)


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
        (["INFO: ...ansible-lint run complete\n"], "did not come to", 0),
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
