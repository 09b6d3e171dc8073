# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A promotion whose report cannot be written any more, for example since the disk is full, begins nothing."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import phase
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import RunState

from .stage import NEW, OLD, Stage

PROBLEM = "the report could not be written to it: No space left on device"


def fill_the_disk(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From a phase on, until the last report is written."""
    write = phase.write_report

    def write_or_not(state: RunState, finished_at: str, elapsed: float, redactor: Redactor, interim: bool) -> str | None:
        begun = any(entry.phase == name for entry in state.phases)
        return PROBLEM if interim and begun else write(state, finished_at, elapsed, redactor, interim)

    monkeypatch.setattr(phase, "write_report", write_or_not)


def test_before_the_backup(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_the_disk(monkeypatch, "backup")
    play = stage.play()
    assert (play.verdict, stage.sent, stage.production) == ("failed", {}, OLD)
    assert PROBLEM in play.reported["message"]
    monkeypatch.undo()
    # the lock was given back
    assert (stage.play().verdict, stage.sent) == ("succeeded", {"backup": 1, "sync": 1})


def test_before_the_sync(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_the_disk(monkeypatch, "sync")
    play = stage.play()
    assert (play.verdict, stage.sent, stage.production) == ("failed", {"backup": 1}, OLD)


def test_a_verification_is_brought_to_an_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_the_disk(monkeypatch, "verify")
    play = stage.play()
    assert (play.verdict, stage.production, play.warnings) == ("succeeded", NEW, [PROBLEM])
