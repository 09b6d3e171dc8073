# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Tells others how a promotion ended: by a webhook, by mail. Whether that works out changes nothing about the promotion.

Nothing secret gets into texts and errors. The path of a webhook's address is as good as a password, so that only scheme and host
are ever shown.
"""

from __future__ import annotations

import contextlib
import dataclasses
import email.message
import email.policy
import email.utils
import ipaddress
import json
import re
import smtplib
import socket
import ssl
import typing as t
import urllib.parse

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils._core.clock import Clock, SystemClock
from ...module_utils._core.errors import SyncError, invalid_option
from ...module_utils._core.redact import MASK, Redactor
from ...module_utils._http import transport
from ...module_utils._http.client import transport_error

OPTION = "staging_promotion_notify"

WHEN = ("changed", "failed", "changed_or_failed", "always")
FORMATS = ("report", "slack")
#: kinds of connections to a mail server, with their usual ports
PORTS = {"none": 25, "starttls": 587, "tls": 465}

#: seconds for connecting, and for each wait for data
REQUEST_TIMEOUT = 10.0
#: lines of targets in a text that a person is to read
MAX_LINES = 50

#: YAML 1.1 reads the key ``on`` without quotes as true; ``when`` is spared that
_WHEN_KEYS = ("when", "on", True)
_WEBHOOK_KEYS = ("url", "headers", "format")
_MAIL_KEYS = ("host", "port", "to", "from", "subject", "username", "password", "security", "attach_report")
_ADDRESS = re.compile(r"[!-?A-~]+@[!-?A-~]+", re.ASCII)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)

Json = dict[str, t.Any]
Mapping = t.Mapping[t.Any, t.Any]


@dataclasses.dataclass(frozen=True)
class Webhook:
    """Where to post.

    :param where: what of the address may be shown.
    """

    url: str
    where: str
    headers: t.Mapping[str, str]
    format: str

    def secrets(self) -> list[str]:
        parts = urllib.parse.urlsplit(self.url)
        words = [word for word in re.split(r"[/&=]", f"{parts.path}&{parts.query}") if len(word) >= 8]
        rest = [parts.path] if len(parts.path) > 1 else []
        return [self.url, *rest, parts.query, *words, *(value for value in self.headers.values() if len(value) >= 4)]


@dataclasses.dataclass(frozen=True)
class Mail:
    """A mail server and whom to write to.

    :param subject: what subjects begin with.
    :param security: one of :data:`PORTS`.
    """

    host: str
    port: int
    to: tuple[str, ...]
    sender: str
    subject: str
    username: str | None
    password: str | None
    security: str
    attach_report: bool

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"


@dataclasses.dataclass(frozen=True)
class NotificationSettings:
    """What the user wrote, understood."""

    when: str
    webhook: Webhook | None
    mail: Mail | None


def check(settings: t.Any, option: str = OPTION) -> None:
    """Refuse settings that cannot work, before anything happens.

    :param settings: as the user wrote them.
    :raises SyncError: ``invalid_option`` that names the entry, such as ``staging_promotion_notify.mail.to``.
    """
    _parse(settings, option)


def new_session() -> t.Any:
    """A session of requests: no redirects, no retries, no netrc."""
    return transport.new_session(transport.requests.adapters.HTTPAdapter(max_retries=0), transport.NoAuth())


def new_smtp(mail: Mail, timeout: float) -> smtplib.SMTP:
    """A connection to a mail server, encrypted as the settings say."""
    # else it would ask the DNS for the name of this machine, which may take long
    name = socket.gethostname() or "localhost"
    if mail.security == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, name, timeout=timeout, context=ssl.create_default_context())
    smtp = smtplib.SMTP(mail.host, mail.port, name, timeout=timeout)
    if mail.security == "starttls":
        try:
            smtp.starttls(context=ssl.create_default_context())
        except BaseException:
            smtp.close()
            raise
    return smtp


def notify(
    report: Json,
    settings: t.Any,
    session: t.Callable[[], t.Any] = new_session,
    smtp: t.Callable[[Mail, float], smtplib.SMTP] = new_smtp,
    clock: Clock | None = None,
    html: str = "",
    option: str = OPTION,
) -> list[Json]:
    """Tell everybody who is to be told. Never in check mode.

    :param report: of the promotion, without secrets.
    :param settings: as the user wrote them.
    :param session: makes a session of requests.
    :param smtp: makes a connection to a mail server.
    :param html: the report as a page, for ``attach_report``; without it the report is attached as JSON.
    :returns: ``channel`` (``webhook`` or ``mail``), ``ok`` and ``text`` of each; failures are told here and not raised.
    :raises SyncError: as :func:`check`.
    """
    parsed = _parse(settings, option)
    if report.get("check_mode") or not _wanted(parsed.when, report):
        return []
    told = []
    if parsed.webhook:
        hook = parsed.webhook
        redactor = Redactor(hook.secrets())
        told.append(_told("webhook", redactor, hook.where, lambda: _post(hook, report, session)))
    if parsed.mail:
        mail = parsed.mail
        redactor = Redactor([mail.password])
        told.append(_told("mail", redactor, mail.where, lambda: _send(mail, report, smtp, clock or SystemClock(), html)))
    return told


def _wanted(when: str, report: Json) -> bool:
    changed, failed = bool(report.get("changed")), not report.get("ok")
    return {"changed": changed, "failed": failed, "changed_or_failed": changed or failed, "always": True}[when]


def _told(channel: str, redactor: Redactor, where: str, tell: t.Callable[[], str]) -> Json:
    try:
        return {"channel": channel, "ok": True, "text": redactor.text(tell())}
    except SyncError as exc:
        text = exc.message
    except Exception as exc:  # noqa: BLE001 (the promotion is over; that nobody heard of it must not make it fail)
        text = f"telling {where} failed: {type(exc).__name__}: {exc}"
    return {"channel": channel, "ok": False, "text": redactor.text(text)}


# --- what is told


def compact_detail(report: Json) -> Json:
    """The report without its details."""
    keys = ("verdict", "ok", "changed", "message", "run", "release", "started_at", "finished_at", "summary")
    targets = [{key: target.get(key) for key in ("name", "verdict", "reason")} for target in report.get("targets") or ()]
    return {**{key: report.get(key) for key in keys}, "targets": targets}


def _lines(report: Json, bullet: str) -> list[str]:
    targets = compact_detail(report)["targets"]
    lines = [f"{bullet}{target['name']}: {target['verdict']}. {target['reason'] or ''}".strip() for target in targets]
    if len(lines) > MAX_LINES:
        return [*lines[:MAX_LINES], f"{bullet}and {len(lines) - MAX_LINES} more"]
    return lines


def _slack(report: Json) -> Json:
    """What Slack takes, and Mattermost and others as well. Names and reasons must not become mentions or links."""
    text = "\n".join([str(report.get("message") or report.get("verdict")), *_lines(report, "• ")])
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def _message(mail: Mail, report: Json, clock: Clock, html: str) -> email.message.EmailMessage:
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    names = [str(target["name"]) for target in compact_detail(report)["targets"]]
    about = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    release = f" ({report['release']})" if report.get("release") else ""
    message["Subject"] = " ".join(f"{mail.subject} {report.get('verdict')}: {about}{release}".split())
    message["Date"] = email.utils.format_datetime(clock.now())
    message["Message-ID"] = email.utils.make_msgid(domain=_domain(mail.sender))
    # asks machines not to answer (RFC 3834)
    message["Auto-Submitted"] = "auto-generated"
    facts = [f"{label}: {report[key]}" for key, label in _FACTS.items() if report.get(key)]
    message.set_content("\n".join([str(report.get("message") or ""), "", *_lines(report, ""), "", *facts, ""]))
    if mail.attach_report:
        name = f"promotion-{re.sub('[^A-Za-z0-9.-]', '_', str(report.get('run') or 'report'))}"
        if html:
            message.add_attachment(html, subtype="html", filename=f"{name}.html")
        else:
            data = json.dumps(report, indent=2, default=str).encode()
            message.add_attachment(data, maintype="application", subtype="json", filename=f"{name}.json")
    return message


_FACTS = {"run": "Run", "release": "Release", "started_at": "Started", "finished_at": "Finished"}


def _domain(sender: str) -> str:
    return email.utils.parseaddr(sender)[1].rpartition("@")[2] or "localhost"


# --- channels


def _post(hook: Webhook, report: Json, session: t.Callable[[], t.Any]) -> str:
    if transport.REQUESTS_IMPORT_ERROR is not None and session is new_session:
        raise SyncError("connection_failed", missing_required_lib("requests"))
    body = _slack(report) if hook.format == "slack" else compact_detail(report)
    headers = {"Content-Type": "application/json", **hook.headers}
    data = json.dumps(body, default=str).encode()
    timeout = (REQUEST_TIMEOUT, REQUEST_TIMEOUT)
    with contextlib.closing(session()) as client:
        try:
            # what it answers is of no interest, and may be long
            answer = client.post(hook.url, data=data, headers=headers, timeout=timeout, allow_redirects=False, stream=True)
        except OSError as exc:
            raise transport_error(exc, hook.where, timeout) from None
        status = answer.status_code
        answer.close()
    if 300 <= status < 400:
        raise SyncError("redirect_refused", f"{hook.where} answered {status}, and redirects are not followed", http_status=status)
    if not 200 <= status < 300:
        raise SyncError("bad_response", f"{hook.where} answered {status}", http_status=status)
    return f"told {hook.where} ({status})"


def _send(mail: Mail, report: Json, connect: t.Callable[[Mail, float], smtplib.SMTP], clock: Clock, html: str) -> str:
    message = _message(mail, report, clock, html)
    try:
        smtp = connect(mail, REQUEST_TIMEOUT)
        try:
            if mail.username is not None and mail.password is not None:
                smtp.login(mail.username, mail.password)
            refused = smtp.send_message(message)
            # the mail is accepted; what becomes of the goodbye does not matter
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()
        finally:
            smtp.close()
    except (smtplib.SMTPException, OSError) as exc:
        raise SyncError("connection_failed", f"mail by {mail.where} was not sent: {_mail_problem(exc)}") from None
    if refused:
        raise SyncError("connection_failed", f"mail by {mail.where} went only to some: {_refusals(refused)}")
    return f"sent to {', '.join(mail.to)} by {mail.where}"


def _mail_problem(exc: Exception) -> str:
    if isinstance(exc, smtplib.SMTPAuthenticationError):
        return f"it refused user name and password ({exc.smtp_code})"
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        return _refusals(exc.recipients)
    if isinstance(exc, smtplib.SMTPResponseException):
        return f"it answered {exc.smtp_code} {_shown(exc.smtp_error)}"
    if isinstance(exc, smtplib.SMTPNotSupportedError):
        return _shown(str(exc)) or "it cannot do what the settings ask for"
    # smtplib takes silence for hanging up
    if isinstance(exc, TimeoutError) or isinstance(exc.__context__, TimeoutError):
        return f"no answer within {REQUEST_TIMEOUT:g} s"
    if isinstance(exc, smtplib.SMTPServerDisconnected):
        return "it hung up"
    if isinstance(exc, ssl.SSLError):
        return f"TLS failed: {_shown(str(exc))}"
    return _shown(getattr(exc, "strerror", None) or str(exc))


def _refusals(refused: t.Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address} was refused ({code} {_shown(text)})" for address, (code, text) in refused.items())


def _shown(text: str | bytes) -> str:
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(plain.split())[:200]


# --- reading what the user wrote


def _parse(settings: t.Any, option: str) -> NotificationSettings:
    if settings is None or settings == {}:
        return NotificationSettings("changed_or_failed", None, None)
    given = _mapping(settings, option, (*_WHEN_KEYS, "webhook", "mail"))
    whens = [given[key] for key in _WHEN_KEYS if key in given]
    if len(whens) > 1:
        raise invalid_option(f"{option}.when", whens[0], "is given twice", "Give either when or on.")
    when = _choice(whens[0] if whens else None, f"{option}.when", WHEN, "changed_or_failed")
    if "webhook" not in given and "mail" not in given:
        raise invalid_option(option, sorted(map(str, given)), "tells nobody", "Give webhook, mail or both.")
    webhook = _parse_webhook(given["webhook"], f"{option}.webhook") if "webhook" in given else None
    mail = _parse_mail(given["mail"], f"{option}.mail") if "mail" in given else None
    return NotificationSettings(when, webhook, mail)


def _mapping(value: t.Any, option: str, keys: tuple[t.Any, ...]) -> Mapping:
    """What was given. Values are not repeated: they may hold secrets."""
    names = ", ".join(key for key in keys if isinstance(key, str))
    if not isinstance(value, t.Mapping):
        raise invalid_option(option, type(value).__name__, "is not a mapping", f"Give some of {names}.")
    for key in value:
        # 1 is equal to True
        if key not in keys or (key == 1 and key is not True):
            raise invalid_option(option, key, "is not a key of it", f"Use some of {names}.")
    return {key: item for key, item in value.items() if item is not None}


def _choice(value: t.Any, option: str, choices: t.Sequence[str], default: str) -> str:
    if value is None:
        return default
    if not isinstance(value, str) or value not in choices:
        raise invalid_option(option, value, "is not one of the choices", f"Use one of {', '.join(choices)}.")
    return str(value)


def _text(given: Mapping, key: str, option: str, secret: bool = False) -> str | None:
    """A text of one line that is not empty."""
    if key not in given:
        return None
    value = given[key]
    # a password of digits is an integer for YAML
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not text.strip() or not (text.isprintable() if not secret else "\n" not in text and "\0" not in text):
        shown = MASK if secret else value
        raise invalid_option(f"{option}.{key}", shown, "is not a text of one line", f"Leave {key} out, or give a text.")
    return text if secret else text.strip()


def _required(given: Mapping, key: str, option: str) -> t.Any:
    if key not in given:
        raise invalid_option(option, sorted(map(str, given)), f"is without {key}", f"Give {key}.")
    return given[key]


def _parse_webhook(value: t.Any, option: str) -> Webhook:
    given = _mapping(value, option, _WEBHOOK_KEYS)
    url = _required(given, "url", option)
    remedy = "Use https://host[:port]/path."
    try:
        parts = urllib.parse.urlsplit(url.strip()) if isinstance(url, str) and url.strip().isprintable() else None
        usable = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts is None or " " in url.strip():
        raise invalid_option(f"{option}.url", MASK, "is not the address of a web page", remedy)
    if "@" in parts.netloc:
        raise invalid_option(f"{option}.url", MASK, "holds a user name or a password", "Pass it in headers, as Authorization.")
    headers = given.get("headers", {})
    if not isinstance(headers, t.Mapping):
        raise invalid_option(f"{option}.headers", MASK, "is not a mapping", "Give names of headers and their values.")
    return Webhook(
        str(url.strip()),
        f"{parts.scheme}://{parts.netloc}",
        {_header_name(name, option): _header_value(name, item, option) for name, item in headers.items()},
        _choice(given.get("format"), f"{option}.format", FORMATS, "report"),
    )


def _header_name(name: t.Any, option: str) -> str:
    if not isinstance(name, str) or not _HEADER.fullmatch(name):
        raise invalid_option(f"{option}.headers", name, "is not the name of a header", "Use letters, digits and dashes.")
    return str(name)


def _header_value(name: t.Any, value: t.Any, option: str) -> str:
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else "\n"
    if text != text.strip() or not text.isascii() or not text.isprintable():
        problem = "is not the value of a header"
        raise invalid_option(f"{option}.headers.{name}", MASK, problem, "Give ASCII text of one line, without blanks around it.")
    return text


def _parse_mail(value: t.Any, option: str) -> Mail:
    given = _mapping(value, option, _MAIL_KEYS)
    for key in ("host", "to", "from"):
        _required(given, key, option)
    security = _choice(given.get("security"), f"{option}.security", tuple(PORTS), "starttls")
    host = _text(given, "host", option) or ""
    if not re.fullmatch(r"[\w.:-]+", host, re.ASCII):
        raise invalid_option(
            f"{option}.host", host, "is not the name of a host", "Give a host name or an address, and port apart."
        )
    username, password = _text(given, "username", option), _text(given, "password", option, secret=True)
    if (username is None) != (password is None):
        shown = username if password is None else MASK
        key, other = ("username", "password") if password is None else ("password", "username")
        raise invalid_option(f"{option}.{key}", shown, f"is without {other}", "Give both or neither.")
    if password is not None and security == "none" and not _is_loopback(host):
        problem = f"would send the password to {host} for everybody to read"
        raise invalid_option(f"{option}.security", security, problem, "Use starttls or tls.")
    subject = _text(given, "subject", option) or "Promotion"
    try:
        attach = boolean(given.get("attach_report", False))
    except TypeError:
        problem = "is neither true nor false"
        raise invalid_option(f"{option}.attach_report", given["attach_report"], problem, "Use true or false.") from None
    sender = _addresses(given["from"], f"{option}.from")
    if len(sender) != 1:
        raise invalid_option(f"{option}.from", given["from"], "is more than one address", "Give one address.")
    port = _parse_port(given.get("port", PORTS[security]), f"{option}.port")
    to = _addresses(given["to"], f"{option}.to")
    return Mail(host, port, to, sender[0], subject, username, password, security, attach)


def _parse_port(value: t.Any, option: str) -> int:
    number = int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,5}", value.strip(), re.ASCII) else value
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 65535:
        raise invalid_option(option, value, "is not a port", "Use 1 to 65535, or leave it out.")
    return int(number)


def _addresses(value: t.Any, option: str) -> tuple[str, ...]:
    remedy = "Use name@example.com or Name <name@example.com>, several as a list."
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)) or not entries:
        raise invalid_option(option, value, "is not a list of addresses", remedy)
    found = []
    for entry in entries:
        if not isinstance(entry, str) or not entry.isprintable():
            raise invalid_option(option, entry, "is not a mail address", remedy)
        for name, address in email.utils.getaddresses([entry]):
            if not _ADDRESS.fullmatch(address):
                raise invalid_option(option, entry, "is not a mail address", remedy)
            found.append(email.utils.formataddr((name, address)))
    return tuple(found)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
