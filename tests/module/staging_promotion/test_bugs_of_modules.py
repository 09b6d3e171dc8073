# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bug in a module that the role runs: the report of the role has the traceback, the console has not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.provider import ServerAvatar

from .stage import Stage


def fail(provider: ServerAvatar, *dummy: Any) -> Any:
    raise KeyError(f"no {provider.options['api_token']}")


def shown(play: Any) -> str:
    """All that a user sees."""
    return json.dumps([play.texts, play.warnings, play.reported])


def test_before_anything_is_sent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServerAvatar, "observe", fail)
    play = stage.play(report_path=str(stage.report))
    assert (play.report["changed"], stage.sent) == (False, {})
    assert "in fail" in play.report["traceback"]
    (target,) = play.report["targets"]
    assert "internal error in lockstep.sync (KeyError: " in target["reason"]
    assert f"please report it. The traceback is in {stage.report}." in target["reason"]
    assert "set report_path" not in json.dumps(play.report)
    assert "in fail" not in shown(play)


def test_after_the_sync_was_triggered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServerAvatar, "verify", fail)
    play = stage.play(report_path=str(stage.report))
    assert stage.sent["sync"] == 1
    assert "in fail" in play.report["traceback"]
    failure = play.report["targets"][0]["sync"]["failure"]
    assert failure["code"] == "internal_error"
    assert failure["hint"].endswith(f"The traceback is in {stage.report}.")
    assert "in fail" not in shown(play)


def test_without_a_report_the_variable_for_one_is_named(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServerAvatar, "observe", fail)
    play = stage.play(report_path=None)
    assert "To get the traceback, set staging_promotion_report_path and run the task again." in shown(play)
    assert "in fail" not in shown(play)
