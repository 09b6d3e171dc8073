# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notifications about a reconciliation, and the conditions that name verdicts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import check, covers_check_mode, notify
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.topic import PROMOTION, RECONCILIATION
from tests.unit.plugins.plugin_utils.notifications.receivers import HOOK, Json, Serve, hook, only, report
from tests.unit.plugins.support.web import Web

DIGEST = "8875298edb7112292492b689371e4386"


def zone(name: str, verdict: str, reason: str = "differs", changed: bool = False) -> Json:
    return {"zone": name, "verdict": verdict, "reason": reason, "changed": changed, "drift": {"records": [1, 2]}}


def drifted(**more: Any) -> Json:
    """The report of a check that found drift."""
    filled: Json = {
        "verdict": "drift",
        "ok": True,
        "check_mode": True,
        "message": "drift: 3 zones, 2 in sync, 1 drift.",
        "started_at": "2026-11-20T21:45:12Z",
        "finished_at": "2026-11-20T21:45:14Z",
        "summary": {"zones": 3, "drift": 1, "in_sync": 2},
        "digests": {"b.example.": DIGEST},
        "zones": [zone("a.example.", "in_sync"), zone("b.example.", "drift", "1 create.", True), zone("c.example.", "in_sync")],
    }
    return {**filled, **more}


@pytest.mark.parametrize(
    ("settings", "check_mode", "verdict", "sent"),
    [
        ({"when": ["drift", "refused"], "check_mode": True}, True, "drift", True),
        ({"when": "drift, refused", "check_mode": True}, True, "drift", True),
        ({"when": "drift", "check_mode": True}, True, "in_sync", False),
        ({"when": ["refused", "timed_out"], "check_mode": True}, True, "drift", False),
        ({"when": "always", "check_mode": True}, True, "in_sync", True),
        ({"when": "changed", "check_mode": True}, True, "drift", True),
        # without it, a check is never notified of
        ({"when": "drift"}, True, "drift", False),
        ({"when": "always"}, True, "drift", False),
        ({"when": "drift"}, False, "drift", True),
        ({}, False, "reconciled", True),
    ],
)
def test_when(web: Web, settings: Json, check_mode: bool, verdict: str, sent: bool) -> None:
    done = notify(drifted(check_mode=check_mode, verdict=verdict), {**hook(web), **settings}, topic=RECONCILIATION)
    assert (len(done), len(web.log)) == (int(sent), int(sent))


def test_a_failed_role_is_a_failure_whatever_its_verdict(web: Web) -> None:
    for verdict in ("refused", "timed_out", "failed", "drift"):
        assert notify(drifted(verdict=verdict, ok=False, check_mode=False), {**hook(web), "when": "failed"}, topic=RECONCILIATION)
    assert len(web.log) == 4


def test_a_promotion_may_name_verdicts_too(web: Web) -> None:
    settings = {**hook(web), "when": ["rolled_back", "rollback_failed"]}
    assert notify(report(ok=False, verdict="failed"), settings) == []
    assert len(notify(report(ok=False, verdict="rolled_back"), settings)) == 1
    planned = {**hook(web), "when": "planned", "check_mode": True}
    assert len(notify(report(verdict="planned", check_mode=True, changed=False), planned)) == 1
    assert (covers_check_mode(planned), covers_check_mode(settings), covers_check_mode(None)) == (True, False, False)


@pytest.mark.parametrize(
    ("settings", "topic", "text"),
    [
        ({"when": "rolled_back"}, RECONCILIATION, "dns_reconciliation_notify"),
        ({"when": ["drift", "never"]}, RECONCILIATION, "got: never"),
        ({"when": "unknown"}, RECONCILIATION, "got: unknown"),
        ({"when": "drift"}, PROMOTION, "staging_promotion_notify"),
        ({"when": []}, RECONCILIATION, "dns_reconciliation_notify.when"),
        ({"when": {}}, RECONCILIATION, "dns_reconciliation_notify"),
        ({"check_mode": "perhaps"}, RECONCILIATION, "check_mode"),
        ({"mail": {"host": "mx.example"}}, RECONCILIATION, "dns_reconciliation_notify.mail"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: Json, topic: Any, text: str) -> None:
    with pytest.raises(SyncError) as caught:
        check({"webhook": HOOK, **settings}, topic)
    assert caught.value.code == "invalid_option"
    assert text in caught.value.message
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_the_essentials_for_programs(web: Web) -> None:
    settings = {**hook(web), "when": "drift", "check_mode": True}
    sent = only(notify(drifted(), settings, topic=RECONCILIATION), "webhook")
    assert sent["ok"]
    assert json.loads(web.log[0].body) == {
        "verdict": "drift",
        "ok": True,
        "changed": True,
        "check_mode": True,
        "message": "drift: 3 zones, 2 in sync, 1 drift.",
        "started_at": "2026-11-20T21:45:12Z",
        "finished_at": "2026-11-20T21:45:14Z",
        "summary": {"zones": 3, "drift": 1, "in_sync": 2},
        "digests": {"b.example.": DIGEST},
        "zones": [{"zone": "b.example.", "verdict": "drift", "reason": "1 create."}],
    }


def test_for_people_the_worst_zones_come_first(web: Web) -> None:
    zones = [*drifted()["zones"], zone("d.example.", "failed", "<no> answer"), zone("e.example.", "refused")]
    settings = {**hook(web, format="slack"), "when": "failed", "check_mode": True}
    assert notify(drifted(zones=zones, verdict="failed", ok=False), settings, topic=RECONCILIATION)[0]["ok"]
    assert json.loads(web.log[0].body)["text"].splitlines() == [
        "drift: 3 zones, 2 in sync, 1 drift.",
        "• d.example.: failed. &lt;no&gt; answer",
        "• e.example.: refused. differs",
        f"• b.example.: drift. 1 create. Digest of the plan: {DIGEST}",
    ]


def test_by_mail_with_the_page(serve: Serve) -> None:
    mailbox = serve()
    settings = {**mailbox.settings(attach_report=True), "when": "drift", "check_mode": True}
    assert notify(drifted(), settings, html="<h1>page</h1>", topic=RECONCILIATION)[0]["ok"]
    message = mailbox.only_message()
    assert message["Subject"] == "DNS reconciliation drift: b.example. (check mode)"
    (page,) = message.iter_attachments()
    assert page.get_filename() == "reconciliation-2026-11-20T21_45_12Z.html"
    body = message.get_body()
    assert body is not None
    assert body.get_content().splitlines() == [
        "drift: 3 zones, 2 in sync, 1 drift.",
        "",
        f"b.example.: drift. 1 create. Digest of the plan: {DIGEST}",
        "",
        "Started: 2026-11-20T21:45:12Z",
        "Finished: 2026-11-20T21:45:14Z",
    ]


def test_a_report_without_anything_is_no_problem(serve: Serve, web: Web) -> None:
    mailbox = serve()
    done = notify({}, {**hook(web), **mailbox.settings(), "when": "always"}, topic=RECONCILIATION)
    assert [item["ok"] for item in done] == [True, True]
    assert mailbox.only_message()["Subject"] == "DNS reconciliation"
