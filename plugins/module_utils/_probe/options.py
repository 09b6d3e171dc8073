# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Options of the module http_probe. All errors in them are found here, before any request."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import typing as t

from .._core.errors import SyncError, invalid_option
from .._core.options import MAX_PARALLEL, MAX_REQUEST_TIMEOUT, MAX_WAIT_TIMEOUT, ArgumentSpec, Options, check_range, check_secrets
from .._core.redact import MASK
from .._http.plain_http import OPTION as ALLOW_HTTP, check_encrypted
from .address import Address, parse_address, shown_url
from .expect import Expectation, JsonRule
from .jsonpath import parse_path
from .schedule import ScheduleRules

MAX_BODY = 64 * 1024 * 1024

Follow = t.Literal["none", "same_origin", "all"]

#: request headers whose values are not secret, so that messages may show them
_PLAIN_HEADERS = ("accept", "accept-charset", "accept-language", "cache-control", "content-type", "host", "pragma", "user-agent")
#: those that are credentials, like a user name with a password
_CREDENTIAL_HEADERS = frozenset(("authorization", "cookie"))
#: shorter values are not masked, as they would match unrelated text
_MIN_SECRET = 4

_JSON: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "path": {"type": "str", "required": True},
        "equals": {"type": "raw"},
        "regex": {"type": "str"},
        "exists": {"type": "bool"},
    },
    "mutually_exclusive": [["equals", "regex", "exists"]],
    "required_one_of": [["equals", "regex", "exists"]],
}

_PROBE: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str"},
    "url": {"type": "str", "required": True},
    "method": {"type": "str", "choices": ["GET", "HEAD"], "default": "GET"},
    "status": {"type": "list", "elements": "int", "default": [200]},
    "headers": {"type": "dict"},
    "regex": {"type": "str"},
    "not_regex": {"type": "str"},
    "json": _JSON,
    "max_latency": {"type": "float"},
    "min_certificate_days": {"type": "int"},
    # hidden by shown_options() and not by no_log, which would also mask every number and name of the result that has a part
    # in common with a harmless value such as "1" or the name of the site
    "request_headers": {"type": "dict", "no_log": False},
    "url_username": {"type": "str"},
    "url_password": {"type": "str", "no_log": True},
    ALLOW_HTTP: {"type": "bool", "default": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "follow_redirects": {"type": "str", "choices": ["none", "same_origin", "all"], "default": "same_origin"},
    "request_timeout": {"type": "float", "default": 10.0},
    "max_body": {"type": "int", "default": 1024 * 1024},
}

SPEC = ArgumentSpec(
    {
        "probes": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": _PROBE,
            "required_together": [["url_username", "url_password"]],
            "required_by": {"client_key": ["client_cert"]},
        },
        "successes": {"type": "int", "default": 1},
        "interval": {"type": "float", "default": 1.0},
        "timeout": {"type": "float", "default": 60.0},
        "soak": {"type": "float", "default": 0.0},
        "before": {"type": "list", "elements": "dict"},
        "fail": {"type": "bool", "default": True},
        "max_parallel": {"type": "int", "default": 8},
    }
)


@dataclasses.dataclass(frozen=True)
class Probe:
    """One address to request, and the expectations of its response.

    :param headers: request headers.
    :param login: user name and password.
    :param verify: ``True``, ``False`` or the path of a CA bundle.
    :param cert: client certificate, or certificate and key.
    :param request_timeout: seconds for a whole attempt, redirects and body included.
    :param max_body: bytes of the body to read.
    :param secrets: texts that must not be shown if a response contains them.
    """

    name: str
    address: Address
    wanted: Expectation = dataclasses.field(default_factory=Expectation)
    method: str = "GET"
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    login: tuple[str, str] | None = None
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    follow: Follow = "same_origin"
    request_timeout: float = 10.0
    max_body: int = 1024 * 1024
    secrets: tuple[str, ...] = ()


def parse_rules(options: Options) -> ScheduleRules:
    """What it takes to pass.

    :raises SyncError: ``invalid_option``.
    """
    check_range(options, "successes", 1, 1000, "successful looks")
    check_range(options, "interval", 0.05, MAX_REQUEST_TIMEOUT, "seconds")
    check_range(options, "timeout", 0, MAX_WAIT_TIMEOUT, "seconds")
    check_range(options, "soak", 0, MAX_WAIT_TIMEOUT, "seconds")
    check_range(options, "max_parallel", 1, MAX_PARALLEL, "probes at once")
    return ScheduleRules(**{field.name: options[field.name] for field in dataclasses.fields(ScheduleRules)})


def parse_before(options: Options) -> dict[str, bool]:
    """Which probes were fine in an earlier run, by their names.

    :raises SyncError: ``invalid_option``.
    """
    before = {}
    for number, entry in enumerate(options.get("before") or []):
        name, was_ok = entry.get("name"), entry.get("ok")
        if not isinstance(name, str) or not isinstance(was_ok, bool):
            remedy = "Pass the list probes of an earlier result as it is."
            raise invalid_option(
                f"before[{number}]", sorted(map(str, entry)), "has no name, or no ok that is true or false", remedy
            )
        before[name] = was_ok
    return before


def parse_probes(options: Options) -> list[Probe]:
    """All probes.

    :raises SyncError: ``invalid_option``.
    """
    check_secrets(SPEC.arguments, options)
    given = options["probes"]
    if not given:
        raise invalid_option("probes", given, "names no probe", "Give at least one probe.")
    probes = [_parse_probe(f"probes[{number}]", each) for number, each in enumerate(given)]
    seen: dict[str, int] = {}
    for number, probe in enumerate(probes):
        if probe.name in seen:
            problem = f"is the name of probes[{seen[probe.name]}] too"
            remedy = (
                "Give each probe a name of its own. Without one it is the address, in which values of the query do not count."
            )
            raise invalid_option(f"probes[{number}].name", probe.name, problem, remedy)
        seen[probe.name] = number
    return probes


def _parse_probe(option: str, given: Options) -> Probe:
    address = parse_address(f"{option}.url", given["url"])
    name = address.shown if given.get("name") is None else given["name"].strip()
    if not name:
        raise invalid_option(f"{option}.name", given["name"], "is empty", "Leave it out, or give the probe a name.")
    _check_numbers(option, given)
    _check_files(option, given)
    _check_use(option, given, address)
    headers = _request_headers(option, given)
    login = _login(option, given, address, headers)
    if login or _CREDENTIAL_HEADERS.intersection(map(str.lower, headers)):
        check_encrypted(address.url, f"{option}.url", given[ALLOW_HTTP], allowed_by=f"{option}.{ALLOW_HTTP}")
    # the password, and the form in which it is sent
    password = (login[1], base64.b64encode(":".join(login).encode()).decode()) if login else ()
    return Probe(
        name=name,
        address=address,
        wanted=_expectation(option, given),
        method=given["method"],
        headers=headers,
        login=login,
        verify=(given.get("ca_path") or True) if given["validate_certs"] else False,
        cert=_client_certificate(given),
        follow=given["follow_redirects"],
        request_timeout=given["request_timeout"],
        max_body=given["max_body"],
        secrets=(*password, *_secrets_of(headers), *(each for each in address.secrets if len(each) >= _MIN_SECRET)),
    )


def _check_numbers(option: str, given: Options) -> None:
    named = {f"{option}.{name}": value for name, value in given.items()}
    check_range(named, f"{option}.max_latency", 0, MAX_REQUEST_TIMEOUT, "seconds")
    check_range(named, f"{option}.min_certificate_days", 0, 36500, "days")
    check_range(named, f"{option}.request_timeout", 0.1, MAX_REQUEST_TIMEOUT, "seconds")
    check_range(named, f"{option}.max_body", 1, MAX_BODY, "bytes")
    if not given["status"]:
        raise invalid_option(f"{option}.status", given["status"], "names no status", "Give at least one, such as 200.")
    for number, status in enumerate(given["status"]):
        check_range({f"{option}.status[{number}]": status}, f"{option}.status[{number}]", 100, 599, "as an HTTP status")


def _check_files(option: str, given: Options) -> None:
    for name in ("ca_path", "client_cert", "client_key"):
        path = given.get(name)
        if path and not os.path.exists(path):
            raise invalid_option(f"{option}.{name}", path, "does not exist", "Name a file that this host can read.")


def _check_use(option: str, given: Options, address: Address) -> None:
    """Refuse expectations that no response can meet."""
    for name in ("regex", "not_regex", "json"):
        if given["method"] == "HEAD" and given.get(name):
            raise invalid_option(f"{option}.{name}", given[name], "looks at a body, which HEAD does not have", "Use method: GET.")
    days = given.get("min_certificate_days")
    if days is not None and not address.url.startswith("https:"):
        remedy = "Use an https address, or leave the option out."
        raise invalid_option(f"{option}.min_certificate_days", days, "asks for the certificate of an address without TLS", remedy)


def _expectation(option: str, given: Options) -> Expectation:
    headers = []
    for name, pattern in (given.get("headers") or {}).items():
        headers.append((str(name), _pattern(f"{option}.headers[{name}]", str(pattern))))
    return Expectation(
        status=tuple(given["status"]),
        headers=tuple(headers),
        regex=_optional_pattern(f"{option}.regex", given.get("regex")),
        not_regex=_optional_pattern(f"{option}.not_regex", given.get("not_regex")),
        json=tuple(_json_rule(f"{option}.json[{number}]", rule) for number, rule in enumerate(given.get("json") or [])),
        max_latency=given.get("max_latency"),
        min_certificate_days=given.get("min_certificate_days"),
    )


def _optional_pattern(option: str, text: str | None) -> re.Pattern[str] | None:
    return None if text is None else _pattern(option, text)


def _pattern(option: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as exc:
        remedy = "Use a regular expression of Python, with a backslash before each special character that stands for itself."
        raise invalid_option(option, text, f"is not a regular expression ({exc})", remedy) from None


def _json_rule(option: str, given: Options) -> JsonRule:
    try:
        path = parse_path(given["path"])
    except ValueError as exc:
        remedy = 'Use a path such as status, checks[0].state or data["a.b"].'
        raise invalid_option(f"{option}.path", given["path"], str(exc), remedy) from None
    pattern = _optional_pattern(f"{option}.regex", given.get("regex"))
    # one of the three was given; if all are null, equals is
    return JsonRule(given["path"], path, given.get("equals"), pattern, given.get("exists"))


def _request_headers(option: str, given: Options) -> dict[str, str]:
    headers = {}
    for name, value in (given.get("request_headers") or {}).items():
        where, text = f"{option}.request_headers[{name}]", str(value)
        # the value is not repeated, since it may be a secret
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", str(name)):
            raise SyncError(
                "invalid_option", f"option {where}: {name!r} is not the name of a header", "Use letters, digits and -."
            )
        if value is None or isinstance(value, (dict, list)) or re.search(r"[^\t\x20-\x7e\x80-\xff]|^\s|\s$", text):
            problem = f"option {where}: {MASK} is not a value that HTTP can carry"
            raise SyncError("invalid_option", problem, "Use one line of text without blanks around it.")
        headers[str(name)] = text
    return headers


def _login(option: str, given: Options, address: Address, headers: t.Mapping[str, str]) -> tuple[str, str] | None:
    username, password = given.get("url_username"), given.get("url_password")
    if username is None:
        username, password = address.username, address.password
    if username is None:
        return None
    if "authorization" in map(str.lower, headers):
        raise SyncError(
            "invalid_option",
            f"option {option}.request_headers[Authorization]: {MASK} is given together with a user name",
            "Use either the header, or url_username and url_password.",
        )
    return username, password or ""


def _client_certificate(given: Options) -> str | tuple[str, str] | None:
    cert: str | None = given.get("client_cert")
    return (cert, given["client_key"]) if cert and given.get("client_key") else cert


def _secrets_of(headers: t.Mapping[str, str]) -> list[str]:
    found = []
    for name, value in headers.items():
        if name.lower() not in _PLAIN_HEADERS:
            # the whole header, the part after the scheme, and the parts of a cookie
            found += [value, *value.split(None, 1)[1:], *(part.partition("=")[2].strip() for part in value.split(";"))]
    return [each for each in found if len(each) >= _MIN_SECRET]


def shown_options(options: Options) -> dict[str, t.Any]:
    """The options as they may be shown, whether or not they are valid."""
    probes = options.get("probes")
    if not isinstance(probes, list):
        return dict(options)
    return {**options, "probes": [_shown_probe(each) if isinstance(each, t.Mapping) else each for each in probes]}


def _shown_probe(given: Options) -> dict[str, t.Any]:
    shown = dict(given)
    if isinstance(given.get("url"), str):
        shown["url"] = shown_url(given["url"])
    headers = given.get("request_headers")
    if headers is not None:
        shown["request_headers"] = dict.fromkeys(headers, MASK) if isinstance(headers, t.Mapping) else MASK
    if given.get("url_password") is not None:
        shown["url_password"] = MASK
    return shown
