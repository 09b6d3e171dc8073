# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a promotion while it is at work: all that is new is in it before anything else happens, and is written once."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import phase
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import RunState

from .promotion import Play
from .stage import Stage

SENT = {"serveravatar_backup": "backup", "serveravatar_staging_sync": "sync", "serveravatar_restore": "restore"}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[RunState]:
    """The states of which reports were written before the end."""
    states: list[RunState] = []
    write = phase.write_report

    def noting(state: RunState, finished_at: str, elapsed: float, redactor: Redactor, interim: bool) -> str | None:
        if interim:
            states.append(state)
        return write(state, finished_at, elapsed, redactor, interim)

    monkeypatch.setattr(phase, "write_report", noting)
    return states


@dataclasses.dataclass(frozen=True)
class Found:
    """What the files of the report said when a call was made that changes something."""

    call: str
    phase: str
    sent: tuple[tuple[str, str], ...]


@pytest.fixture
def found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[Found]:
    looks: list[Found] = []
    call = Play._call

    def looking(play: Play, module: str, arguments: dict[str, Any], check: bool) -> Any:
        if module in SENT and not check:
            report = json.loads(stage.report.read_text(encoding="utf-8"))
            unfinished = report["unfinished"]
            for suffix in (".md", ".html"):
                text = stage.report.with_suffix(suffix).read_text(encoding="utf-8")
                assert f"in phase {unfinished['phase']}." in text
                assert report["run"] in text
            sent = tuple((entry["call"], entry["state"]) for entry in unfinished["sent"])
            looks.append(Found(SENT[module], unfinished["phase"], sent))
        return call(play, module, arguments, check)

    monkeypatch.setattr(Play, "_call", looking)
    return looks


def test_before_each_call_that_changes_something_all_forms_are_up_to_date(stage: Stage, found: list[Found]) -> None:
    stage.knob(broken_release="release-2")
    assert stage.play().verdict == "rolled_back"
    assert found == [
        Found("backup", "backup", (("backup", "unknown"),)),
        Found("sync", "sync", (("backup", "made"), ("sync", "unknown"))),
        Found("restore", "rollback", (("backup", "made"), ("sync", "succeeded"), ("restore", "unknown"))),
    ]
    assert stage.sent == {"backup": 1, "restore": 1, "sync": 1}


def test_nothing_is_written_twice(stage: Stage, written: list[RunState]) -> None:
    assert stage.play().verdict == "succeeded"
    assert all(before != after for before, after in zip(written, written[1:]))
    shown = [[f"{entry.phase}:{'open' if entry.is_open else entry.state}" for entry in state.phases][-1:] for state in written]
    for name in ("backup", "sync", "verify"):
        assert [last for last in shown if last[:1] and last[0].startswith(name)] == [[f"{name}:open"], [f"{name}:passed"]]


def test_a_step_without_anything_new_writes_nothing(stage: Stage, written: list[RunState]) -> None:
    targets = [stage.entry(), stage.entry("blog", 90)]
    assert stage.play(targets=targets, check=True).verdict == "planned"
    assert all(before != after for before, after in zip(written, written[1:]))
