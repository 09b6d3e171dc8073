# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role dns_reconciliation notifies, to a real web server and a real mail server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.unit.plugins.plugin_utils.notifications.receivers import SECRET_PATH, Mailbox
from tests.unit.plugins.support.web import Reply, Web

from .playbook import Playbook, Server


@pytest.fixture
def web() -> Iterator[Web]:
    receiver = Web(lambda request: Reply(200, b"ok"))
    yield receiver
    receiver.stop()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    receiver = Mailbox()
    yield receiver
    receiver.stop()


def test_an_alarm_when_a_check_finds_drift(server: Server, playbook: Playbook, web: Web, mailbox: Mailbox) -> None:
    server.add("alarm.example.", "same.example.")
    zones = ["same.example.", "alarm.example."]
    hook = {"url": web.url + SECRET_PATH, "headers": {"X-Key": "canary-of-the-hook"}}
    alarm = {"when": ["drift", "failed"], "check_mode": True, "webhook": hook, **mailbox.settings(attach_report=True)}

    # nothing to report
    quiet = playbook("--check", zones=zones, notify=alarm)
    assert (quiet.code, quiet.verdict, len(web.log), len(mailbox.envelopes)) == (0, "in_sync", 0, 0), quiet.output

    server.drift("alarm.example.")
    # as a survey passes it
    found = playbook("--check", "-vvvv", zones=zones, notify=json.dumps(alarm))
    assert (found.code, found.verdict) == (0, "drift"), found.output
    digest = found.report["digests"]["alarm.example."]
    (request,) = web.log
    said = json.loads(request.body)
    assert (request.path, request.headers["X-Key"]) == (SECRET_PATH, "canary-of-the-hook")
    assert (said["verdict"], said["check_mode"], said["digests"]) == ("drift", True, {"alarm.example.": digest})
    assert [zone["zone"] for zone in said["zones"]] == ["alarm.example."]
    message = mailbox.only_message()
    assert message["Subject"] == "DNS reconciliation drift: alarm.example. (check mode)"
    (page,) = message.iter_attachments()
    assert digest in page.get_content()
    # neither the address nor the header of the webhook is anywhere
    shown = found.output + found.page + found.markdown + json.dumps(found.report)
    assert SECRET_PATH not in shown
    assert "canary-of-the-hook" not in shown
    assert server.sent() == 0


def test_a_failure_is_notified_of_and_a_lost_notification_is_a_warning(server: Server, playbook: Playbook, web: Web) -> None:
    server.add("fails.example.")
    hook = {"webhook": {"url": web.url + SECRET_PATH}}
    wrong = playbook(zones="fails.example.", wait_timeout="soon", notify=hook)
    assert (wrong.code, wrong.verdict) == (2, "failed"), wrong.output
    assert "dns_reconciliation_wait_timeout" in json.loads(web.log[0].body)["message"]

    web.stop()
    server.drift("fails.example.")
    unheard = playbook(zones="fails.example.", notify=hook)
    assert (unheard.code, unheard.verdict) == (0, "reconciled"), unheard.output
    assert "[WARNING]: webhook: " in unheard.output
    assert server.synced() == ["fails.example."]

    refused = playbook(zones="fails.example.", notify={"webhook": {"format": "slack"}})
    assert (refused.code, refused.verdict) == (2, "failed")
    assert "dns_reconciliation_notify.webhook" in refused.report["message"]
    assert len(web.log) == 1
