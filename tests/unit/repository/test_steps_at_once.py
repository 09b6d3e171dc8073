# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which steps run at the same time, and that the output and the outcome of each is there."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from scripts.check import __main__, background, outcome, pytests
from scripts.check.outcome import Outcome
from tests.simulator.client import wait_until

STEPS = ("simulator", "unit", "modules", "lint")


class Log:
    """What happened, in order, with a background whose steps end as soon as somebody asks for them."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._running: list[str] = []

    def __call__(self, most: int) -> Log:
        return self

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.events.append("end")

    def start(self, name: str, priority: t.Sequence[str] = ()) -> None:
        self.events.append(f"start {name}{' at low priority' if priority else ''}")
        self._running.append(name)

    def finished(self) -> t.Iterator[tuple[Outcome, str]]:
        yield from ()

    def remaining(self) -> t.Iterator[tuple[Outcome, str]]:
        for name in self._running:
            yield Outcome(name, 1.0, "no luck" if name == "modules" else ""), f"output of {name}\n"

    def step(self, name: str) -> t.Callable[[], None]:
        return lambda: self.events.append(f"run {name}")


@pytest.fixture
def log(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    steps = {name: log.step(name) for name in STEPS}
    monkeypatch.setattr(__main__, "SUITES", {"test": steps})
    monkeypatch.setattr(__main__, "STEPS", steps)
    monkeypatch.setattr(__main__, "Background", log)
    monkeypatch.setattr(pytests, "LATER", {})
    for module in (__main__, outcome):
        monkeypatch.setattr(module, "CACHE", tmp_path)
    return log


def run(monkeypatch: pytest.MonkeyPatch, *names: str) -> int:
    monkeypatch.setattr("sys.argv", ["check", *names])
    return __main__.main()


def test_modules_run_alongside_unit_and_what_computes_in_the_background(
    log: Log, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "test") == 1
    assert log.events == ["start lint at low priority", "run simulator", "start modules", "run unit", "end"]
    shown = capsys.readouterr().out
    assert "modules runs at the same time" in shown
    assert "output of modules" in shown and "output of lint" in shown
    summary = shown.rpartition("===== summary")[2].splitlines()
    assert [line.split()[0] for line in summary[1:5]] == list(STEPS)
    assert [line.split()[3:] for line in summary[1:5]] == [["ok"], ["ok"], ["FAILED:", "no", "luck"], ["ok"]]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_by_itself_has_the_terminal(log: Log, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert run(monkeypatch, name) == 0
    assert log.events == [f"run {name}", "end"]


def test_a_step_in_a_process_of_its_own_has_an_outcome(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(outcome, "CACHE", tmp_path)
    with background.Background(2) as running:
        running.start("no-such-step")
        running.start("no-such-step-either", background.LOW_PRIORITY)
        found = {each.name: (each.problem, shown) for each, shown in running.remaining()}
    assert set(found) == {"no-such-step", "no-such-step-either"}
    for problem, shown in found.values():
        assert problem == "ended without an outcome, status 2"
        assert "unknown: no-such-step" in shown


def test_the_tests_of_later_steps_are_compiled_meanwhile(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    for name in ("first", "later"):
        (tests / name).mkdir()
        (tests / name / f"test_{name}.py").write_text("def test_it():\n    assert True\n")
    monkeypatch.setattr(pytests, "LATER", {name: str(tests / name) for name in ("first", "later")})
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)

    with pytests.compiled_meanwhile(["first"], ()):
        pass
    with pytests.compiled_meanwhile(["first", "later"], background.LOW_PRIORITY):
        wait_until(lambda: [*tests.rglob("*.pyc")])

    assert [path.name.partition(".")[0] for path in tests.rglob("*.pyc")] == ["test_later"]
