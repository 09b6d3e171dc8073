# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications of runs in check mode, and the last task of the role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.plugins.support.web import Reply, Web

from .stage import Stage


@pytest.fixture
def web() -> Iterator[Web]:
    receiver = Web(lambda request: Reply(200, b"ok"))
    yield receiver
    receiver.stop()


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        ({}, 0),
        ({"when": "planned"}, 0),
        ({"when": "planned", "check_mode": True}, 1),
        ({"when": "failed", "check_mode": True}, 0),
    ],
)
def test_a_plan_that_waits_for_its_approval(stage: Stage, web: Web, more: dict[str, Any], sent: int) -> None:
    notify = {"webhook": {"url": f"{web.url}/hook"}, **more}
    play = stage.play(check=True, approval="token", notify=notify)
    assert (play.verdict, stage.sent, len(web.log)) == ("planned", {}, sent)
    for request in web.log:
        said = json.loads(request.body)
        assert said["verdict"] == "planned"
        assert play.reported["digest"] in said["message"]


def test_the_last_task_fails_if_the_verdict_is_a_failure(stage: Stage) -> None:
    for variables, state in (({}, "ok"), ({"release": "next", "approval": "token", "approve": "0" * 16}, "failed")):
        play = stage.play(**variables)
        assert play.tasks.shown[-1] == f"Show the result: {state}"
        assert play.texts[-1] == play.report["message"]
    assert stage.sent == {"backup": 1, "sync": 1}
