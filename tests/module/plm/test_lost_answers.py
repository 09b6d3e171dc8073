# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer that is lost or cut never leads to a second trigger."""

from __future__ import annotations

import pytest

from ..conftest import RunModule
from .server import COMPLETED, EXISTING, SYNC, Case, Server, SideBySide, failure

LOST = [
    {"kind": "drop_after"},
    {"kind": "status_after", "code": 502},
    {"kind": "status_after", "code": 500, "body": '{"code":"InternalError","message":"something else"}'},
    {"kind": "status_after", "code": 200, "body": '{"status":0}'},
    {"kind": "status_after", "code": 200, "body": '{"status":0,"synchronizer":{"id":"$ee8370c0-be09'},
    {"kind": "delay_after", "seconds": 3.0},
]


def test_a_lost_answer_never_leads_to_a_second_post(server: Server, side_by_side: SideBySide) -> None:
    for fault in LOST:
        server.simulator.fault(**fault, part="plm", method="POST")
    for outcome in side_by_side([Case(options={"settle_grace": 0.3, "request_timeout": 1}) for _fault in LOST]):
        record = outcome.only
        assert outcome.failed
        assert (record["action"], record["state"]) == ("triggered", "unknown")
        assert outcome.changed
        assert record["changed_basis"] == "assumed"
        assert record["handle"] is None
        assert failure(outcome)["code"] == "outcome_unknown"
        assert "Nothing was sent again" in failure(outcome)["hint"]
    assert server.accepted() == len(LOST)


def test_the_published_answer_is_understood_although_it_is_cut(server: Server, run_module: RunModule) -> None:
    """Verbatim: it claims states that a server never has at that time, and lacks its last brace."""
    published = """
    {
      "status": 0,
      "synchronizer": {
        "id": "$ee8370c0-be09-445c-b7f4-4cba853150ed+7980b24b-9735-4ef8-a3d1-ecc3f176f8dc",
        "state": "triggered",
        "push": {
          "id": "$ee8370c0-be09-445c-b7f4-4cba853150ed",
          "state": "completed"
        },
        "pull": {
          "id": "$7980b24b-9735-4ef8-a3d1-ecc3f176f8dc",
          "state": "triggered"
        }
      }
"""
    shown = published.replace('"triggered"', '"completed"') + "    }\n"
    server.simulator.fault("status", part="plm", method="POST", code=200, body=published)
    server.simulator.fault("status", part="plm", method="GET", path_regex=EXISTING, code=200, body=shown)
    outcome = run_module(SYNC, server.options())
    assert not outcome.failed
    assert outcome.only["detail"] == COMPLETED
    assert outcome.only["polls"] == 1
    assert outcome.only["handle"]["synchronizer"].startswith("$ee8370c0-")
    assert server.posts() == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_response_that_breaks_off_after_the_id_names_the_run(server: Server, run_module: RunModule, chunked: bool) -> None:
    server.simulator.fault("truncate", part="plm", method="POST", chunked=chunked)
    outcome = run_module(SYNC, server.options())
    assert not outcome.failed
    assert (outcome.only["action"], outcome.only["state"]) == ("triggered", "succeeded")
    assert outcome.only["handle"]["synchronizer"] == server.newest()
    assert server.posts() == server.accepted() == 1
