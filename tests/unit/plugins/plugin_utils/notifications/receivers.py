# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mail server, and reports and settings for notifications."""

from __future__ import annotations

import email
import email.message
import email.policy
import ssl
from collections.abc import Callable
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import Delivery
from tests.unit.plugins.support.web import Web

Json = dict[str, Any]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
SECRET_PATH = "/services/T0000/B0000/hunter2hunter2"
PASSWORD = "correct horse"
MAIL = {"host": "mx.example", "to": "a@b.example", "from": "c@d.example"}
HOOK = {"url": "https://hooks.example/hunter2"}


def target(name: str, verdict: str = "succeeded", reason: str = "synced and verified") -> Json:
    return {"name": name, "verdict": verdict, "reason": reason, "checks": [{"name": "x"}], "provider": "serveravatar"}


def report(**more: Any) -> Json:
    """Of a promotion that succeeded."""
    filled: Json = {
        "verdict": "succeeded",
        "ok": True,
        "changed": True,
        "message": "succeeded: 2 targets.",
        "check_mode": False,
        "run": "p-20261120-214512-3f09ac",
        "release": "1.4.2",
        "started_at": "2026-11-20T21:45:12Z",
        "finished_at": "2026-11-20T21:47:12Z",
        "summary": {"targets": 2, "succeeded": 2},
        "targets": [target("shop"), target("blog", reason="nothing to do")],
        "phases": [{"phase": "sync"}],
        "actor": {"user": "alice"},
    }
    return {**filled, **more}


def hook(web: Web, **more: Any) -> Json:
    return {"webhook": {"url": web.url + SECRET_PATH, **more}}


def only(deliveries: list[Delivery], channel: str) -> Delivery:
    (item,) = deliveries
    assert set(item) == {"channel", "ok", "text"}
    assert item["channel"] == channel
    return item


class Mailbox(Controller):
    """A real mail server.

    :param refuse: recipients that it refuses.
    :param answer: what it says to a mail.
    """

    def __init__(self, refuse: tuple[str, ...] = (), answer: str = "250 taken", **options: Any) -> None:
        self.refuse = refuse
        self.answer = answer
        self.envelopes: list[Envelope] = []
        self.encrypted: list[bool] = []
        self.logins: list[tuple[bytes, bytes]] = []
        super().__init__(self, hostname="127.0.0.1", port=0, authenticator=self._authenticate, auth_required=False, **options)
        self.start()

    def _trigger_server(self) -> None:
        # the port that it got for 0
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        if address in self.refuse:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None or self.ssl_context is not None)
        return self.answer

    def only_message(self) -> email.message.EmailMessage:
        (envelope,) = self.envelopes
        assert isinstance(envelope.content, bytes)
        return email.message_from_bytes(envelope.content, policy=email.policy.default)

    def settings(self, **more: Any) -> Json:
        mail = {
            "host": "127.0.0.1",
            "port": self.port,
            "to": "ops@example.com",
            "from": "ansible@example.org",
            "security": "none",
        }
        return {"mail": {**mail, **more}}


Serve = Callable[..., Mailbox]


def server_context(certificate: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context
