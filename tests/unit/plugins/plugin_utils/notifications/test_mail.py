# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mails: what is sent, and how failures are reported."""

from __future__ import annotations

import email
import email.header
import email.policy
import json
import smtplib
import socket
import threading
from typing import Any

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications import mail as _mail
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.announcement import announcement
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import notify
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.settings import Mail, parse
from tests.unit.plugins.plugin_utils.notifications.receivers import MAIL, PASSWORD, Serve, only, report, server_context, target
from tests.unit.plugins.support.clocks import FakeClock


class TestMail:
    def test_gets_there(self, serve: Serve) -> None:
        mailbox = serve()
        clock = FakeClock()
        sent = only(notify(report(), mailbox.settings(), clock=clock), "mail")
        assert sent == {"channel": "mail", "ok": True, "text": f"sent to ops@example.com by 127.0.0.1:{mailbox.port}"}
        assert (mailbox.envelopes[0].mail_from, mailbox.envelopes[0].rcpt_tos) == ("ansible@example.org", ["ops@example.com"])
        message = mailbox.only_message()
        assert (message["From"], message["To"]) == ("ansible@example.org", "ops@example.com")
        assert message["Subject"] == "Promotion succeeded: shop, blog (1.4.2)"
        assert message["Date"].datetime == clock.now()
        assert message["Message-ID"].endswith("@example.org>")
        assert message["Auto-Submitted"] == "auto-generated"
        assert message.get_content().splitlines() == [
            "succeeded: 2 targets.",
            "",
            "shop: succeeded. synced and verified",
            "blog: succeeded. nothing to do",
            "",
            "Run: p-20261120-214512-3f09ac",
            "Release: 1.4.2",
            "Started: 2026-11-20T21:45:12Z",
            "Finished: 2026-11-20T21:47:12Z",
        ]

    @pytest.mark.parametrize(
        "to", [["ops@example.com", "Ä Team <team@example.com>"], "ops@example.com, Ä Team <team@example.com>"]
    )
    def test_several(self, serve: Serve, to: Any) -> None:
        mailbox = serve()
        assert notify(report(), mailbox.settings(to=to))[0]["ok"]
        assert mailbox.envelopes[0].rcpt_tos == ["ops@example.com", "team@example.com"]
        assert [address.display_name for address in mailbox.only_message()["To"].addresses] == ["", "Ä Team"]

    def test_subject(self, serve: Serve) -> None:
        mailbox = serve()
        names = ["a\r\nBcc: eve@example.com", "b", "c", "d", "ü"]
        odd = report(verdict="failed", ok=False, release=None, targets=[target(name) for name in names])
        assert notify(odd, mailbox.settings(subject="[web] Go-live"))[0]["ok"]
        assert mailbox.only_message()["Subject"] == "[web] Go-live failed: a Bcc: eve@example.com, b, c and 2 more"
        assert mailbox.only_message()["Bcc"] is None
        assert mailbox.envelopes[0].rcpt_tos == ["ops@example.com"]

    @pytest.mark.parametrize(
        "name",
        [
            "=?utf-8?q?a=0ABcc:_eve=40example.com?=",
            "=?utf-8?q?a=0D=0ABcc:_eve=40example.com=0D=0A=0D=0Aforged?=",
            "=?utf-8?b?YQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?=",
            "a\nBcc: eve@example.com",
            "a\r\n\r\nBcc: eve@example.com",
            "a\x0bBcc: eve@example.com\x85Cc: eve@example.com\u2028x",
        ],
    )
    def test_a_name_becomes_no_header_and_no_body(self, serve: Serve, name: str) -> None:
        mailbox = serve()
        odd = report(targets=[target(name)], release=name, message="done", run=name)
        for settings in (mailbox.settings(), mailbox.settings(subject=name if name.isprintable() else "x")):
            assert notify(odd, settings)[0]["ok"]
        for envelope in mailbox.envelopes:
            assert envelope.rcpt_tos == ["ops@example.com"]
            assert isinstance(envelope.content, bytes)
            # by a parser that decodes nothing: the headers are those that were written
            raw = email.message_from_bytes(envelope.content, policy=email.policy.compat32)
            names = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type"]
            assert [header for header in raw if header not in ("Content-Transfer-Encoding", "MIME-Version")] == names
            subject = "".join(
                part.decode(charset or "ascii") if isinstance(part, bytes) else part
                for part, charset in email.header.decode_header(raw["Subject"])
            )
            assert " ".join(name.replace("\x0b", "").replace("\x85", "").split()) in subject.replace("\ufffd", "")
            lines = email.message_from_bytes(envelope.content, policy=email.policy.default).get_content().splitlines()
            assert len(lines) == 9 - 1 and not [line for line in lines if line.startswith(("Bcc", "Cc", "forged"))]

    @hypothesis_settings(max_examples=80, deadline=None)
    @given(st.text(max_size=40) | st.text(alphabet="=?utf-8bqQ_ \r\n:AEbc@0D", max_size=40))
    def test_any_subject_is_one_header(self, name: str) -> None:
        mail = parse({"mail": MAIL}).mail
        assert mail is not None
        message = _mail.compose(mail, announcement(report(targets=[target(name)], release=name)), FakeClock(), "")
        raw = message.as_bytes()
        headers = raw.partition(b"\r\n\r\n")[0]
        starts = [line.partition(b":")[0].decode() for line in headers.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
        assert starts[:6] == ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
        assert set(starts[6:]) == {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
        assert b"\n" not in headers.replace(b"\r\n", b"") and b"\r" not in headers.replace(b"\r\n", b"")

    def test_characters_that_no_mail_may_hold_do_not_keep_it_back(self, serve: Serve) -> None:
        mailbox = serve()
        assert notify(report(targets=[target("a\ud800\x1b[31m", reason="\udfff\x00")]), mailbox.settings())[0]["ok"]
        assert "a\ufffd\ufffd[31m: succeeded. \ufffd\ufffd" in mailbox.only_message().get_content()

    def test_any_text_comes_through(self, serve: Serve) -> None:
        mailbox = serve()
        reason = "Größe\n.\nQUIT\n" + "x" * 3000
        assert notify(report(targets=[target("shop", "failed", reason)]), mailbox.settings())[0]["ok"]
        assert f"shop: failed. {reason}" in mailbox.only_message().get_content().replace("\r\n", "\n")

    @pytest.mark.parametrize(("html", "kind"), [("<h1>Größe</h1>", "text/html"), ("", "application/json")])
    def test_attachment(self, serve: Serve, html: str, kind: str) -> None:
        mailbox = serve()
        assert notify(report(), mailbox.settings(attach_report=True), html=html)[0]["ok"]
        (attachment,) = mailbox.only_message().iter_attachments()
        assert attachment.get_content_type() == kind
        ending = kind.partition("/")[2]
        assert attachment.get_filename() == f"promotion-p-20261120-214512-3f09ac.{ending}"
        content = attachment.get_content()
        assert content.strip() == html if html else json.loads(content) == report()
        body = mailbox.only_message().get_body()
        assert body is not None and "shop: succeeded" in body.get_content()

    def test_no_attachment_unless_asked_for(self, serve: Serve) -> None:
        mailbox = serve()
        notify(report(), mailbox.settings(), html="<h1>x</h1>")
        assert list(mailbox.only_message().iter_attachments()) == []

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_encrypted_with_login(
        self, serve: Serve, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch, security: str
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
        context = server_context(certificate)
        tls = {"ssl_context": context, "auth_require_tls": False} if security == "tls" else {"tls_context": context}
        mailbox = serve(**tls)
        sent = only(notify(report(), mailbox.settings(security=security, username="ansible", password=PASSWORD)), "mail")
        assert sent["ok"], sent
        assert mailbox.logins == [(b"ansible", PASSWORD.encode())]
        assert mailbox.encrypted == [True]

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_a_certificate_that_is_not_trusted(self, serve: Serve, certificate: tuple[str, str], security: str) -> None:
        context = server_context(certificate)
        mailbox = serve(**({"ssl_context": context} if security == "tls" else {"tls_context": context}))
        sent = only(notify(report(), mailbox.settings(security=security)), "mail")
        assert sent["ok"] is False
        assert "TLS failed: " in sent["text"] and "self-signed certificate" in sent["text"]
        assert mailbox.envelopes == []

    def test_starttls_is_insisted_on(self, serve: Serve) -> None:
        mailbox = serve(auth_require_tls=False)
        sent = only(notify(report(), mailbox.settings(security="starttls", username="ansible", password=PASSWORD)), "mail")
        assert sent["ok"] is False
        assert "STARTTLS extension not supported by server" in sent["text"]
        assert (mailbox.logins, mailbox.envelopes) == ([], [])

    def test_a_wrong_password_is_not_shown(
        self, serve: Serve, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
        mailbox = serve(tls_context=server_context(certificate))
        sent = only(notify(report(), mailbox.settings(security="starttls", username="ansible", password="hunter2")), "mail")
        where = f"127.0.0.1:{mailbox.port}"
        assert sent["text"] == f"mail by {where} was not sent: it refused user name and password (535)"
        assert mailbox.envelopes == []

    def test_a_recipient_that_is_refused(self, serve: Serve) -> None:
        mailbox = serve(refuse=("eve@example.com",))
        sent = only(notify(report(), mailbox.settings(to=["ops@example.com", "eve@example.com"])), "mail")
        assert sent["ok"] is False
        assert sent["text"].endswith("reached only some recipients: eve@example.com was refused (550 no such user here)")
        assert mailbox.envelopes[0].rcpt_tos == ["ops@example.com"]
        all_refused = only(notify(report(), mailbox.settings(to="eve@example.com")), "mail")
        assert all_refused["text"].endswith("was not sent: eve@example.com was refused (550 no such user here)")

    def test_a_mail_that_is_refused(self, serve: Serve) -> None:
        mailbox = serve(answer="554 looks like spam")
        sent = only(notify(report(), mailbox.settings()), "mail")
        assert sent["ok"] is False
        assert sent["text"].endswith("was not sent: it answered 554 looks like spam")

    def test_a_refused_connection(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        sent = only(notify(report(), {"mail": {**MAIL, "host": "127.0.0.1", "port": port}}), "mail")
        assert sent["text"] == f"mail by 127.0.0.1:{port} was not sent: Connection refused"

    def test_silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_mail, "REQUEST_TIMEOUT", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            mail = {"host": "127.0.0.1", "port": port, "to": "a@b.example", "from": "c@d.example", "security": "none"}
            sent = only(notify(report(), {"mail": mail}), "mail")
        assert (sent["ok"], sent["text"]) == (False, f"mail by 127.0.0.1:{port} was not sent: no answer within 0.2 s")

    def test_hanging_up(self) -> None:
        def hang_up(listener: socket.socket) -> None:
            listener.accept()[0].close()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            thread = threading.Thread(target=hang_up, args=(listener,))
            thread.start()
            sent = only(notify(report(), {"mail": {**MAIL, "host": "127.0.0.1", "port": port}}), "mail")
            thread.join()
        assert sent["text"] == f"mail by 127.0.0.1:{port} was not sent: it closed the connection"

    def test_any_exception_is_reported_without_the_password(self) -> None:
        def connect(mail: Mail, timeout: float) -> smtplib.SMTP:
            raise RuntimeError(f"{mail.password} does not fit {timeout}")

        settings = {"mail": {"host": "mx.example", "to": "a@b", "from": "c@d", "username": "u", "password": PASSWORD}}
        sent = only(notify(report(), settings, smtp=connect), "mail")
        assert sent["text"] == "notification by mx.example:587 failed: RuntimeError: ******** does not fit 10.0"
