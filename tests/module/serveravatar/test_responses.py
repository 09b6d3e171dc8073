# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every documented response of the sync, and answers that are lost."""

from __future__ import annotations

from typing import Any

from tests.simulator.client import Simulator

from ..conftest import RunModule
from .server import PATH, SYNC, Server

DISK = "Staging site sync is failed because you do not have enough disk space available on your {} server!"


# -- every documented response of the sync ---------------------------------------------------------------------------


RESPONSES = [
    ("permission", "permission_denied", "You cannot perform this action!", "role"),
    ("permission_support", "permission_denied", "You cannot perform this action, Please contact support!", "contact its support"),
    ("staging_server", "not_found", "Staging server not found!", "server of the staging area"),
    ("staging_application", "not_found", "Staging application not found!", "copy in the staging area"),
    ("staging_database", "not_found", "Staging database not found!", "database of the staging area"),
    ("disk_staging", "disk_full", DISK.format("staging"), "Free disk space on the staging server"),
    ("disk_production", "disk_full", DISK.format("production"), "Free disk space on the production server"),
    ("busy", "busy", "Please wait another process already running!", "if_running"),
]


def test_documented_refusals(server: Server, run_module: RunModule) -> None:
    made = server.add(len(RESPONSES))
    server.knob(applications={str(each): {"sync_answer": row[0]} for each, row in zip(made, RESPONSES, strict=True)})
    outcome = run_module(SYNC, server.options(list(made.values()), if_running="fail"))
    assert (outcome.failed, outcome.changed) == (True, False)
    for record, (_answer, code, text, hint) in zip(outcome.result["syncs"], RESPONSES, strict=True):
        assert (record["action"], record["state"], record["handle"]) == ("refused", "not_started", None)
        assert (record["failure"]["code"], record["failure"]["message"]) == (code, text)
        assert hint in record["failure"]["hint"]
    assert outcome.result["summary"]["refused"] == outcome.result["summary"]["failed"] == len(RESPONSES)
    assert len(server.sent) == len(RESPONSES)
    assert server.accepted == 0


def test_a_refused_release_can_be_tried_again(server: Server, run_module: RunModule) -> None:
    server.knob(sync_answer="disk_production", drifted_texts=True)
    assert run_module(SYNC, server.options(release="r1")).codes == ["disk_full"]
    server.knob(sync_answer="auto")
    assert run_module(SYNC, server.options(release="r1")).only["action"] == "triggered"


def test_a_generic_error_may_come_before_or_after_the_start(server: Server, run_module: RunModule) -> None:
    server.knob(applications={"88": {"sync_answer": "error_before"}, "90": {"sync_answer": "error_after"}})
    outcome = run_module(SYNC, server.options(["shop", "blog"], settle_grace=1))
    before, after = outcome.result["syncs"]
    assert (before["failure"]["code"], before["state"], before["changed_basis"]) == ("outcome_unknown", "unknown", "assumed")
    assert "Something went really wrong!" in before["failure"]["message"]
    assert "Nothing was sent again" in before["failure"]["hint"]
    assert (after["failure"], after["state"], after["action"]) == (None, "succeeded", "triggered")
    assert len(server.sent) == 2
    assert server.accepted == 1


# -- lost replies and other trouble on the way -----------------------------------------------------------------------


LOST = [
    ("drop_after", {}),
    ("status_after", {"code": 502}),
    ("status_after", {"code": 504}),
    ("truncate", {}),
    ("delay_after", {"seconds": 1.5}),
]


def test_a_lost_reply_is_adopted_and_nothing_is_sent_again(server: Server, run_module: RunModule) -> None:
    made = server.add(len(LOST))
    for each, (fault, more) in zip(made, LOST, strict=True):
        server.fault(fault, each, **more)
    options = server.options(list(made.values()), request_timeout=1, release="r1")
    outcome = run_module(SYNC, options)
    assert not outcome.failed
    for record in outcome.result["syncs"]:
        assert (record["action"], record["state"]) == ("triggered", "succeeded")
        assert record["reason"].startswith("adopted")
    assert server.accepted == len(server.sent) == len(LOST)
    again = run_module(SYNC, options)
    assert (again.result["summary"]["skipped"], again.changed) == (len(LOST), False)
    assert len(server.sent) == len(LOST)


def test_what_may_have_been_accepted_is_never_sent_again(server: Server, run_module: RunModule) -> None:
    server.fault("drop_before", 88)
    server.fault("status", 90, code=503)
    server.fault("html", 92)
    outcome = run_module(SYNC, server.options(["shop", "blog", "support"], settle_grace=0.5))
    assert outcome.codes == ["outcome_unknown"] * 3
    assert {record["state"] for record in outcome.result["syncs"]} == {"unknown"}
    assert len(server.sent) == 3
    assert server.accepted == 0


def test_the_trigger_is_never_redirected(server: Server, run_module: RunModule) -> None:
    codes = (301, 302, 303, 307, 308)
    made = server.add(len(codes))
    for each, code in zip(made, codes, strict=True):
        server.fault("redirect", each, code=code, location=f"{server.url}{PATH}")
    outcome = run_module(SYNC, server.options(list(made.values()), settle_grace=0.5))
    assert outcome.codes == ["outcome_unknown"] * len(codes)
    assert all("is redirected to" in record["failure"]["message"] for record in outcome.result["syncs"])
    assert len(server.sent) == len(codes)
    assert PATH not in server.sent
    assert server.accepted == 0


def test_a_refused_connection_is_no_trigger(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    simulator.control.offline("serveravatar")
    outcome = run_module(SYNC, server.options(wait_timeout=0.5))
    simulator.control.online("serveravatar")
    assert outcome.codes == ["connection_failed"]
    assert (server.sent, outcome.changed) == ([], False)


def test_rate_limits_of_the_trigger(server: Server, run_module: RunModule) -> None:
    server.fault("status", 88, code=429, headers={"Retry-After": "1"})
    server.fault("status", 90, code=429, headers={"Retry-After": "4711"})
    outcome = run_module(SYNC, server.options(["shop", "blog"], wait_timeout=120))
    shop, blog = outcome.result["syncs"]
    assert (shop["failure"], shop["state"]) == (None, "succeeded")
    assert (blog["failure"]["code"], blog["changed"]) == ("rate_limited", False)
    assert "4711 s" in blog["failure"]["message"]
    # it ends at once and not with wait_timeout
    assert blog["elapsed"] < 60
    assert len(server.sent) == 3
    assert server.accepted == 1


def test_a_rate_limit_while_waiting_is_waited_out(server: Server, run_module: RunModule) -> None:
    server.knob(rate_limit=6, rate_window=2, sync_seconds=0.5)
    outcome = run_module(SYNC, server.options(wait_timeout=30))
    assert (outcome.failed, outcome.only["state"]) == (False, "succeeded")
    assert 429 in [entry["status"] for entry in server.simulator.requests()]
    assert server.accepted == 1


def test_trouble_while_looking_is_tolerated(server: Server, simulator: Simulator, run_module: RunModule) -> None:
    trouble: list[dict[str, Any]] = [{"kind": "drop_before"}, {"kind": "status", "code": 500}, {"kind": "html"}]
    for rule in trouble:
        simulator.fault(**rule, part="serveravatar", path_regex="/status$", after=1)
    outcome = run_module(SYNC, server.options())
    assert (outcome.failed, outcome.only["state"]) == (False, "succeeded")
    assert server.accepted == 1
