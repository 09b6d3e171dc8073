# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notifications, as a real HTTP server and a real SMTP server get them."""

from __future__ import annotations

import datetime as dt
import email
import email.header
import email.message
import email.policy
import ipaddress
import json
import pathlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings as hypothesis_settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications import mail as _mail, webhook as _webhook
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.announcement import MAX_LINES, announcement
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import Delivery, check, notify
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.settings import _MAIL_SPEC, _WEBHOOK_SPEC, Mail, parse
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.web import Reply, Web

Json = dict[str, Any]

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
SECRET_PATH = "/services/T0000/B0000/hunter2hunter2"
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """No proxy and no CA of the user who runs the tests, and a netrc that would answer for everybody."""
    for name in (*PROXIES, *map(str.upper, PROXIES), "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("default login eve password sesame\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))


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


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web(lambda request: Reply(200, b"ok"))
    yield server
    server.stop()


def hook(web: Web, **more: Any) -> Json:
    return {"webhook": {"url": web.url + SECRET_PATH, **more}}


def only(deliveries: list[Delivery], channel: str) -> Delivery:
    (item,) = deliveries
    assert set(item) == {"channel", "ok", "text"}
    assert item["channel"] == channel
    return item


class TestWhen:
    @pytest.mark.parametrize(
        ("when", "changed", "ok", "sent"),
        [
            (None, True, True, True),
            (None, False, False, True),
            (None, False, True, False),
            ("changed_or_failed", True, False, True),
            ("changed", True, True, True),
            ("changed", True, False, True),
            ("changed", False, False, False),
            ("failed", True, False, True),
            ("failed", True, True, False),
            ("always", False, True, True),
        ],
    )
    def test_by_what_happened(self, web: Web, when: str | None, changed: bool, ok: bool, sent: bool) -> None:
        done = notify(report(changed=changed, ok=ok), {**hook(web), "when": when})
        assert (len(done), len(web.log)) == (int(sent), int(sent))

    @pytest.mark.parametrize("when", ["always", "changed"])
    def test_never_in_check_mode(self, web: Web, when: str) -> None:
        assert notify(report(check_mode=True), {**hook(web), "when": when}) == []
        assert web.log == []

    @pytest.mark.parametrize("text", ["when: failed", "on: failed", '"on": failed'])
    def test_yaml_reads_on_as_true(self, web: Web, text: str) -> None:
        settings = {**hook(web), **yaml.safe_load(text)}
        assert notify(report(), settings) == []
        assert len(notify(report(ok=False), settings)) == 1

    @pytest.mark.parametrize("settings", [None, {}])
    def test_without_recipients(self, settings: Any) -> None:
        check(settings)
        assert notify(report(ok=False), settings) == []


class TestWebhook:
    def test_gets_the_brief_report(self, web: Web) -> None:
        sent = only(notify(report(), hook(web)), "webhook")
        assert sent["ok"] is True
        assert sent["text"] == f"posted to {web.url} (200)"
        (request,) = web.log
        assert request.line == f"POST {SECRET_PATH}"
        assert request.headers["Content-Type"] == "application/json"
        assert json.loads(request.body) == {
            "verdict": "succeeded",
            "ok": True,
            "changed": True,
            "message": "succeeded: 2 targets.",
            "run": "p-20261120-214512-3f09ac",
            "release": "1.4.2",
            "started_at": "2026-11-20T21:45:12Z",
            "finished_at": "2026-11-20T21:47:12Z",
            "summary": {"targets": 2, "succeeded": 2},
            "targets": [
                {"name": "shop", "verdict": "succeeded", "reason": "synced and verified"},
                {"name": "blog", "verdict": "succeeded", "reason": "nothing to do"},
            ],
        }

    def test_slack(self, web: Web) -> None:
        odd = report(targets=[target("shop", "failed", "<!channel> & <https://evil.example|here>")])
        assert notify(odd, hook(web, format="slack"))[0]["ok"]
        assert json.loads(web.log[0].body) == {
            "text": "succeeded: 2 targets.\n• shop: failed. &lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;"
        }

    def test_many_targets_are_cut_for_people_only(self, web: Web) -> None:
        many = report(targets=[target(f"t{index}") for index in range(MAX_LINES + 7)])
        notify(many, hook(web, format="slack"))
        notify(many, hook(web))
        lines = json.loads(web.log[0].body)["text"].splitlines()
        assert (len(lines), lines[-1]) == (MAX_LINES + 2, "• and 7 more")
        assert len(json.loads(web.log[1].body)["targets"]) == MAX_LINES + 7

    def test_headers(self, web: Web) -> None:
        notify(report(), hook(web, headers={"Authorization": "Bearer abc", "X-Number": 5, "Content-Type": "text/json"}))
        headers = web.log[0].headers
        assert (headers["Authorization"], headers["X-Number"], headers["Content-Type"]) == ("Bearer abc", "5", "text/json")

    def test_netrc_is_left_alone(self, web: Web) -> None:
        notify(report(), hook(web))
        assert "Authorization" not in web.log[0].headers

    def test_redirects_are_not_followed(self, web: Web) -> None:
        web.responder = lambda request: Reply(307, headers={"Location": web.url + "/elsewhere"})
        sent = only(notify(report(), hook(web)), "webhook")
        assert (sent["ok"], sent["text"]) == (False, f"{web.url} answered 307, and redirects are not followed")
        assert len(web.log) == 1

    @pytest.mark.parametrize("status", [204, 400, 404, 500, 503])
    def test_its_answer_decides(self, web: Web, status: int) -> None:
        web.responder = lambda request: Reply(status, SECRET_PATH.encode())
        sent = only(notify(report(), hook(web)), "webhook")
        assert sent["ok"] is (status == 204)
        assert str(status) in sent["text"]
        # no second attempt
        assert len(web.log) == 1

    def test_the_page_that_it_answers_is_not_waited_for(self, web: Web) -> None:
        web.responder = lambda request: Reply(200, b"a page that breaks off", end="half")
        assert only(notify(report(), hook(web)), "webhook")["ok"]

    @pytest.mark.parametrize("end", ["close", "reset"])
    def test_hanging_up(self, web: Web, end: str) -> None:
        web.responder = lambda request: Reply(end=end)
        sent = only(notify(report(), hook(web)), "webhook")
        assert sent["ok"] is False
        assert sent["text"].startswith(f"cannot talk to {web.url}: ")

    def test_silence(self, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_webhook, "REQUEST_TIMEOUT", 0.2)
        web.responder = lambda request: Reply(end="hang")
        sent = only(notify(report(), hook(web)), "webhook")
        assert (sent["ok"], sent["text"]) == (False, f"no answer from {web.url} within 0.2 s")

    def test_a_refused_connection(self, web: Web) -> None:
        web.stop()
        sent = only(notify(report(), hook(web)), "webhook")
        assert (sent["ok"], sent["text"]) == (False, f"cannot talk to {web.url}: Connection refused")

    def test_a_certificate_that_is_not_trusted(self, certificate: tuple[str, str]) -> None:
        server = Web(lambda request: Reply(200), tls=certificate)
        sent = only(notify(report(), hook(server)), "webhook")
        server.stop()
        assert sent["ok"] is False
        assert sent["text"].startswith(f"TLS with {server.url} failed: ")
        assert server.log == []

    @pytest.mark.parametrize("raised", [ValueError, OSError, RuntimeError])
    def test_texts_hold_no_secrets(self, raised: type[Exception]) -> None:
        url = f"https://hooks.example{SECRET_PATH}?key=swordfish99"

        class Session:
            def post(self, address: str, **options: Any) -> Any:
                # as requests might
                raise raised(f"cannot POST {address}, path {SECRET_PATH}, part hunter2hunter2, with {options['headers']}")

            def close(self) -> None:
                """Nothing to close."""

        settings = {"webhook": {"url": url, "headers": {"X-Token": "sesame42"}}}
        sent = only(notify(report(), settings, session=Session), "webhook")
        assert sent["ok"] is False
        assert "hooks.example" in sent["text"]
        for secret in ("hunter2", "swordfish", "sesame42", "T0000"):
            assert secret not in sent["text"]

    def test_without_requests(self, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_webhook.transport, "REQUESTS_IMPORT_ERROR", "ImportError: no")
        sent = only(notify(report(), hook(web)), "webhook")
        assert sent["ok"] is False
        assert "(requests) on " in sent["text"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that only who names it trusts, and its key."""
    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lockstep test")])
    now = dt.datetime.now(dt.timezone.utc)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - dt.timedelta(days=1), now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, no = serialization.Encoding.PEM, serialization.NoEncryption()
    (directory / "cert.pem").write_bytes(built.public_bytes(pem))
    (directory / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no))
    return str(directory / "cert.pem"), str(directory / "key.pem")


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


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[Mailbox] = []

    def start(**options: Any) -> Mailbox:
        started.append(Mailbox(**options))
        return started[-1]

    yield start
    for mailbox in started:
        mailbox.stop()


def server_context(certificate: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


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

    @hypothesis_settings(max_examples=200, deadline=None)
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


class TestBoth:
    def test_one_failing_does_not_keep_the_other(self, web: Web, serve: Serve) -> None:
        mailbox = serve()
        web.responder = lambda request: Reply(500)
        sent = notify(report(), {**hook(web), **mailbox.settings()})
        assert [(item["channel"], item["ok"]) for item in sent] == [("webhook", False), ("mail", True)]
        assert len(mailbox.envelopes) == 1

    @pytest.mark.parametrize("odd", [{}, {"targets": None}, {"targets": [{}]}, {"message": None, "changed": dt.date(2026, 1, 1)}])
    def test_a_report_in_part(self, web: Web, serve: Serve, odd: Json) -> None:
        mailbox = serve()
        settings = {**hook(web), **mailbox.settings(attach_report=True)}
        assert [item["ok"] for item in notify(odd, settings)] == [True, True]
        assert notify(odd, hook(web, format="slack"))[0]["ok"]


MAIL = {"host": "mx.example", "to": "a@b.example", "from": "c@d.example"}
HOOK = {"url": "https://hooks.example/hunter2"}


def refused(settings: Any) -> SyncError:
    with pytest.raises(SyncError) as caught:
        check(settings)
    assert caught.value.code == "invalid_option"
    assert caught.value.hint
    for secret in ("hunter2", "sesame"):
        assert secret not in caught.value.message + caught.value.hint
    return caught.value


class TestSettings:
    @pytest.mark.parametrize(
        ("security", "port"), [("none", 25), ("starttls", 587), ("tls", 465), (None, 587)]
    )  # fmt: skip
    def test_ports(self, security: str | None, port: int) -> None:
        seen: list[Mail] = []

        def connect(mail: Mail, timeout: float) -> smtplib.SMTP:
            seen.append(mail)
            raise OSError("no")

        notify(report(), {"mail": {**MAIL, "security": security}}, smtp=connect)
        notify(report(), {"mail": {**MAIL, "security": security, "port": "2525"}}, smtp=connect)
        assert [mail.port for mail in seen] == [port, 2525]

    @pytest.mark.parametrize(
        "more",
        [
            {"attach_report": "yes"},
            {"username": "u", "password": 12345},
            {"username": "u", "password": "x", "security": "none", "host": "localhost"},
            {"username": "u", "password": "x", "security": "none", "host": "::1"},
            {"from": "Ansible <a@b.example>", "subject": "x"},
        ],
    )
    def test_mail_that_works(self, more: Json) -> None:
        check({"mail": {**MAIL, **more}})

    @pytest.mark.parametrize(
        ("more", "key", "part"),
        [
            ({"host": "mx.example/x"}, "host", "'mx.example/x' is not the name of a host"),
            ({"host": " "}, "host", "is not a text of one line"),
            ({"to": "=?utf-8?q?a=0ABcc:_eve@example.com?= <a@b.example>"}, "to", "is not a mail address"),
            ({"from": "=?utf-8?q?a?=@b.example"}, "from", "is not a mail address"),
            ({"port": 0}, "port", "0 is not a port"),
            ({"port": "smtp"}, "port", "'smtp' is not a port"),
            ({"port": True}, "port", "True is not a port"),
            ({"to": []}, "to", "[] is not a list of addresses"),
            ({"to": 5}, "to", "5 is not a list of addresses"),
            ({"to": ["someone"]}, "to", "'someone' is not a mail address"),
            ({"to": "a@b.example\nBcc: c@d"}, "to", "is not a mail address"),
            ({"to": [5]}, "to", "5 is not a mail address"),
            ({"from": "a@b, c@d"}, "from", "is more than one address"),
            ({"from": "ü@b"}, "from", "is not a mail address"),
            ({"subject": "a\nBcc: c@d"}, "subject", "is not a text of one line"),
            ({"security": "ssl"}, "", "value of security must be one of: none, starttls, tls, got: ssl"),
            ({"security": False}, "", "value of security must be one of: none, starttls, tls, got: False"),
            ({"username": "u"}, "", "parameters are required together: username, password"),
            ({"password": "sesame"}, "", "parameters are required together: username, password"),
            ({"username": "u", "password": "sesame\n"}, "password", "is not a text of one line"),
            ({"username": "u", "password": "sesame", "security": "none"}, "security", "would send the password to mx.example"),
            ({"attach_report": "maybe"}, "", "The value 'maybe' is not a valid boolean"),
        ],
    )
    def test_mail_that_does_not(self, more: Json, key: str, part: str) -> None:
        message = refused({"mail": {**MAIL, **more}}).message
        assert message.startswith(f"option staging_promotion_notify.mail{key and '.' + key}: ")
        assert part in message

    @pytest.mark.parametrize(
        ("more", "key", "part"),
        [
            ({"url": "hooks.example/hunter2"}, "url", "is not the address of a web page"),
            ({"url": "ftp://hooks.example/hunter2"}, "url", "is not the address of a web page"),
            ({"url": "https:///hunter2"}, "url", "is not the address of a web page"),
            ({"url": "https://hooks.example:x/hunter2"}, "url", "is not the address of a web page"),
            ({"url": "https://hooks.example/hunter2 x"}, "url", "is not the address of a web page"),
            ({"url": "https://[::1/hunter2"}, "url", "is not the address of a web page"),
            ({"url": 5}, "url", "is not the address of a web page"),
            ({"url": "https://user:sesame@hooks.example/"}, "url", "holds a user name or a password"),
            ({"headers": "X: sesame"}, "", "unable to convert to dict"),
            ({"headers": {"X Y": "sesame"}}, "headers", "'X Y' is not the name of a header"),
            ({"headers": {"X": "sesame\r\nY: 1"}}, "headers.X", "is not the value of a header"),
            ({"headers": {"X": ["sesame"]}}, "headers.X", "is not the value of a header"),
            ({"format": "text"}, "", "value of format must be one of: report, slack, got: text"),
        ],
    )
    def test_webhooks_that_do_not(self, more: Json, key: str, part: str) -> None:
        message = refused({"webhook": {**HOOK, **more}}).message
        assert message.startswith(f"option staging_promotion_notify.webhook{key and '.' + key}: ")
        assert part in message

    @pytest.mark.parametrize(
        ("settings", "option", "part"),
        [
            ("https://hooks.example/hunter2", "staging_promotion_notify", "'str' is not a mapping"),
            ({"when": "failed"}, "staging_promotion_notify", "['when'] has no recipients"),
            ({"webhook": None}, "staging_promotion_notify", "[] has no recipients"),
            ({"webhook": HOOK, "slack": "hunter2"}, "staging_promotion_notify", "'slack' is not a key of it"),
            ({"webhook": HOOK, 1: "hunter2"}, "staging_promotion_notify", "1 is not a key of it"),
            ({"webhook": HOOK, "when": "never"}, "staging_promotion_notify", "value of when must be one of: changed, failed,"),
            ({"webhook": HOOK, "when": "failed", "on": "always"}, "staging_promotion_notify.when", "'failed' is given twice"),
            ({"webhook": "hunter2"}, "staging_promotion_notify.webhook", "'str' is not a mapping"),
            ({"webhook": {"format": "slack"}}, "staging_promotion_notify.webhook", "missing required arguments: url"),
            ({"webhook": {**HOOK, "uri": "hunter2"}}, "staging_promotion_notify.webhook", "'uri' is not a key of it"),
            ({"mail": {"host": "mx.example"}}, "staging_promotion_notify.mail", "missing required arguments: from, to"),
            ({"mail": {**MAIL, "cc": "x@y"}}, "staging_promotion_notify.mail", "'cc' is not a key of it"),
        ],
    )
    def test_other_forms(self, settings: Any, option: str, part: str) -> None:
        message = refused(settings).message
        assert message.startswith(f"option {option}: ")
        assert part in message

    @hypothesis_settings(max_examples=150, deadline=None)
    @given(
        webhook=st.none()
        | st.dictionaries(st.sampled_from(sorted(_WEBHOOK_SPEC)), st.none() | st.integers() | st.text(max_size=9)),
        mail=st.none() | st.dictionaries(st.sampled_from(sorted(_MAIL_SPEC)), st.none() | st.integers() | st.text(max_size=9)),
    )
    def test_anything_is_understood_or_refused(self, webhook: Mapping[str, Any] | None, mail: Mapping[str, Any] | None) -> None:
        """With no other exception than the one for users."""
        for more in (
            {"webhook": webhook, "mail": mail},
            {"webhook": {**HOOK, **(webhook or {})}},
            {"mail": {**MAIL, **(mail or {})}},
        ):
            try:
                check(more)
            except SyncError as error:
                text = error.message + error.hint
            else:
                text = ""
            assert "hunter2" not in text
