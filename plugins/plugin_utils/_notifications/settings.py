# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Settings of notifications: what the user wrote, validated.

The forms of values are left to Ansible's own validation of arguments; what it cannot know about addresses and headers is checked
here. Error messages repeat no value that may be secret.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import email.utils
import re
import typing as t
import urllib.parse

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._core.errors import SyncError, invalid_option
from ...module_utils._core.redact import MASK
from ...module_utils._http.plain_http import OPTION, check_encrypted, is_loopback
from .topic import PROMOTION, Topic

#: what happened, whatever the verdict of the role
WHEN = ("changed", "failed", "changed_or_failed", "always")
FORMATS = ("report", "slack")
#: kinds of connections to a mail server, with their usual ports
PORTS = {"none": 25, "starttls": 587, "tls": 465}

#: YAML 1.1 reads the key ``on`` without quotes as true; ``when`` has no such trap
_WHEN_KEYS = ("when", "on", True)
_ADDRESS = re.compile(r"[!-?A-~]+@[!-?A-~]+", re.ASCII)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)

#: An argument specification of Ansible.
ArgumentSpec = t.Mapping[str, t.Mapping[str, object]]

_SPEC: ArgumentSpec = {
    "when": {"type": "raw", "default": "changed_or_failed"},
    "check_mode": {"type": "bool", "default": False},
    "webhook": {"type": "raw"},
    "mail": {"type": "raw"},
}
_WEBHOOK_SPEC: ArgumentSpec = {
    "url": {"type": "str", "required": True, "no_log": True},
    "headers": {"type": "dict", "default": {}},
    "format": {"type": "str", "choices": FORMATS, "default": "report"},
    "allow_http": {"type": "bool", "default": False},
}
_MAIL_SPEC: ArgumentSpec = {
    "host": {"type": "str", "required": True},
    "port": {"type": "raw"},
    # a comma may stand in the quoted name of an address, so that lists are not split by Ansible
    "to": {"type": "raw", "required": True},
    "from": {"type": "raw", "required": True},
    "subject": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "security": {"type": "str", "choices": tuple(PORTS), "default": "starttls"},
    "attach_report": {"type": "bool", "default": False},
}


@dataclasses.dataclass(frozen=True)
class Webhook:
    """A webhook.

    :param origin: scheme and host. The rest of the address is as good as a password, and never shown.
    """

    url: str
    origin: str
    headers: t.Mapping[str, str]
    format: str

    def secrets(self) -> list[str]:
        parts = urllib.parse.urlsplit(self.url)
        words = [word for word in re.split(r"[/&=]", f"{parts.path}&{parts.query}") if len(word) >= 8]
        rest = [parts.path] if len(parts.path) > 1 else []
        return [self.url, *rest, parts.query, *words, *(value for value in self.headers.values() if len(value) >= 4)]


@dataclasses.dataclass(frozen=True)
class Mail:
    """A mail server and the addresses.

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
    def server(self) -> str:
        return f"{self.host}:{self.port}"

    def secrets(self) -> list[str | None]:
        """The password, and what the mechanism PLAIN sends (RFC 4616)."""
        return [self.password, f"\0{self.username}\0{self.password}"] if self.password else []


@dataclasses.dataclass(frozen=True)
class NotificationSettings:
    """When to notify, and by what.

    :param when: any of :data:`WHEN` and of the verdicts of the role.
    :param check_mode: of runs in check mode, too.
    """

    when: tuple[str, ...]
    check_mode: bool = False
    webhook: Webhook | None = None
    mail: Mail | None = None


def parse(settings: object, topic: Topic = PROMOTION) -> NotificationSettings:
    """Settings as the user wrote them.

    :raises SyncError: ``invalid_option`` that names the entry, such as ``staging_promotion_notify.mail``.
    """
    option = topic.option
    if settings is None or settings == {}:
        return NotificationSettings(("changed_or_failed",))
    given = dict(_mapping(settings, option, [*_SPEC, "on"], also=True))
    conditions = [given.pop(key) for key in _WHEN_KEYS if key in given]
    if len(conditions) > 1:
        raise invalid_option(f"{option}.when", conditions[0], "is given twice", "Give either when or on.")
    if conditions:
        given["when"] = conditions[0]
    values = _validated(given, _SPEC, option)
    webhook, mail = values["webhook"], values["mail"]
    if webhook is None and mail is None:
        raise invalid_option(option, sorted(map(str, given)), "has no recipients", "Give webhook, mail or both.")
    return NotificationSettings(
        when=_conditions(values["when"], topic),
        check_mode=bool(values["check_mode"]),
        webhook=None if webhook is None else _parse_webhook(webhook, f"{option}.webhook"),
        mail=None if mail is None else _parse_mail(mail, f"{option}.mail", topic.title),
    )


def _conditions(value: object, topic: Topic) -> tuple[str, ...]:
    """One condition, or several as a list or a text with commas in between."""
    listed = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
    spec: ArgumentSpec = {"when": {"type": "str", "choices": tuple(dict.fromkeys((*WHEN, *topic.verdicts)))}}
    given = [item.strip() if isinstance(item, str) else item for item in listed]
    if not given:
        raise invalid_option(f"{topic.option}.when", value, "names nothing", "Leave it out, or give a condition.")
    return tuple(str(_validated({"when": item}, spec, topic.option)["when"]) for item in given)


def _mapping(value: object, option: str, keys: t.Iterable[str], also: object = None) -> t.Mapping[object, object]:
    """The entries that are not null.

    :param also: a key that is no text.
    """
    names = ", ".join(keys)
    if not isinstance(value, collections.abc.Mapping):
        raise invalid_option(option, type(value).__name__, "is not a mapping", f"Give some of {names}.")
    for key in value:
        if not isinstance(key, str) and key is not also:
            raise invalid_option(option, key, "is not a key of it", f"Use some of {names}.")
    return {key: item for key, item in value.items() if item is not None}


def _validated(given: t.Mapping[object, object], spec: ArgumentSpec, option: str, **rules: object) -> t.Mapping[str, object]:
    """Values by an argument specification of Ansible, with its defaults."""
    outcome = ArgumentSpecValidator(spec, **rules).validate(given)
    if outcome.unsupported_parameters:
        key = sorted(map(str, outcome.unsupported_parameters))[0]
        raise invalid_option(option, key, "is not a key of it", f"Use some of {', '.join(spec)}.")
    if outcome.error_messages:
        raise SyncError("invalid_option", f"option {option}: {outcome.error_messages[0]}", f"Its keys are {', '.join(spec)}.")
    values: t.Mapping[str, object] = outcome.validated_parameters
    return values


def _line(value: object, option: str, shown: object | None = None, printable: bool = True) -> str:
    """A text of one line that is not empty."""
    text = str(value)
    if not text.strip() or not (text.isprintable() if printable else "\n" not in text and "\0" not in text):
        raise invalid_option(
            option, value if shown is None else shown, "is not a text of one line", "Leave it out, or give a text."
        )
    return text.strip() if printable else text


def _parse_webhook(value: object, option: str) -> Webhook:
    values = _validated(_mapping(value, option, _WEBHOOK_SPEC), _WEBHOOK_SPEC, option)
    url = str(values["url"]).strip()
    try:
        parts = urllib.parse.urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        netloc = parts.netloc
    except ValueError:
        usable, netloc = False, ""
    if not usable or not url.isprintable() or " " in url:
        raise invalid_option(f"{option}.url", MASK, "is not the address of a web page", "Use https://host[:port]/path.")
    if "@" in netloc:
        raise invalid_option(f"{option}.url", MASK, "holds a user name or a password", "Pass it in headers, as Authorization.")
    # the address is as good as a password, and the headers may have one
    what, allowed_by = "the address and the headers", f"{option}.{OPTION}"
    check_encrypted(url, f"{option}.url", bool(values[OPTION]), what, allowed_by)
    headers = t.cast("t.Mapping[object, object]", values["headers"])
    return Webhook(
        url=url,
        origin=f"{url.partition(':')[0].lower()}://{netloc}",
        headers={_header_name(name, option): _header_value(name, item, option) for name, item in headers.items()},
        format=str(values["format"]),
    )


def _header_name(name: object, option: str) -> str:
    if not isinstance(name, str) or not _HEADER.fullmatch(name):
        raise invalid_option(f"{option}.headers", name, "is not the name of a header", "Use letters, digits and dashes.")
    return str(name)


def _header_value(name: object, value: object, option: str) -> str:
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else "\n"
    if text != text.strip() or not text.isascii() or not text.isprintable():
        problem = "is not the value of a header"
        raise invalid_option(f"{option}.headers.{name}", MASK, problem, "Give ASCII text of one line, without blanks around it.")
    return text


def _parse_mail(value: object, option: str, title: str) -> Mail:
    given = _mapping(value, option, _MAIL_SPEC)
    values = _validated(given, _MAIL_SPEC, option, required_together=[("username", "password")])
    security = str(values["security"])
    host = _line(values["host"], f"{option}.host")
    if not re.fullmatch(r"[\w.:-]+", host, re.ASCII):
        remedy = "Give a host name or an address, and the port under port."
        raise invalid_option(f"{option}.host", host, "is not the name of a host", remedy)
    username, password = values["username"], values["password"]
    if password is not None and security == "none" and not is_loopback(host):
        problem = f"would send the password to {host} without encryption"
        raise invalid_option(f"{option}.security", security, problem, "Use starttls or tls.")
    sender = _addresses(values["from"], f"{option}.from")
    if len(sender) != 1:
        raise invalid_option(f"{option}.from", values["from"], "is more than one address", "Give one address.")
    return Mail(
        host=host,
        port=PORTS[security] if values["port"] is None else _port(values["port"], f"{option}.port"),
        to=_addresses(values["to"], f"{option}.to"),
        sender=sender[0],
        subject=title if values["subject"] is None else _line(values["subject"], f"{option}.subject"),
        username=None if username is None else _line(username, f"{option}.username"),
        password=None if password is None else _line(password, f"{option}.password", MASK, printable=False),
        security=security,
        attach_report=bool(values["attach_report"]),
    )


def _port(value: object, option: str) -> int:
    number = int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,5}", value.strip(), re.ASCII) else value
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 65535:
        raise invalid_option(option, value, "is not a port", "Use 1 to 65535, or leave it out.")
    return int(number)


def _addresses(value: object, option: str) -> tuple[str, ...]:
    remedy = "Use name@example.com or Name <name@example.com>, several as a list."
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)) or not entries:
        raise invalid_option(option, value, "is not a list of addresses", remedy)
    found = []
    for entry in entries:
        # an encoded word (RFC 2047) may hold line breaks, which some releases of Python write into the header
        if not isinstance(entry, str) or not entry.isprintable() or "=?" in entry:
            raise invalid_option(option, entry, "is not a mail address", remedy)
        for name, address in email.utils.getaddresses([entry]):
            if not _ADDRESS.fullmatch(address):
                raise invalid_option(option, entry, "is not a mail address", remedy)
            found.append(email.utils.formataddr((name, address)))
    return tuple(found)
