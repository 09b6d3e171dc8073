# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The meaning of ServerAvatar's responses (docs/reference/serveravatar.md#2 to #5 and #7)."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._core.errors import Ambiguous, SyncError
from ..._http.json_reader import JsonReader
from ..._http.response import Response

#: server objects contain secrets such as the password of Redis, so every key that matches is dropped
SECRET = re.compile(r"password|secret|token|key", re.IGNORECASE)
WRONG_ADDRESS = "Check that api_url is the address of the ServerAvatar API."


@dataclasses.dataclass(frozen=True)
class ErrorPattern:
    """What an error text means. The status does not decide: 404 is also sent for missing permission, 500 for any refusal."""

    pattern: str
    code: str
    hint: str


ERROR_PATTERNS = (
    ErrorPattern(
        "organization not found", "not_found", "Check organization: a name or id that the account of the API key can see."
    ),
    ErrorPattern("server not found", "not_found", "Check server: a name, address or id in that organization."),
    ErrorPattern("application not found", "not_found", "Check applications: names, domains or ids of production applications."),
    ErrorPattern("staging server not found", "not_found", "The server of the staging area is gone. Create that area anew."),
    ErrorPattern("staging application not found", "not_found", "The copy in the staging area is gone. Create that area anew."),
    ErrorPattern("staging database not found", "not_found", "The database of the staging area is gone. Create that area anew."),
    ErrorPattern(
        "cloud storage provider not found", "not_found", "Check storage: a name or id of one that the organization has."
    ),
    ErrorPattern("database not found", "not_found", "Check database: a name or id of a database on that server."),
    ErrorPattern("backup not found", "not_found", "The backup is gone; its retention period may be over."),
    ErrorPattern(
        "you cannot perform this action,? please contact support",
        "permission_denied",
        "ServerAvatar itself blocks this action for the account, the application or the plan: contact its support.",
    ),
    ErrorPattern(
        "you cannot perform this action",
        "permission_denied",
        "The account of the API key may not do this, or the application has no staging area. Check its role in the organization.",
    ),
    ErrorPattern(
        "please wait,? another .+ already running",
        "busy",
        "Another process runs on the application: a sync, or the creation of a staging area, clone or backup. Set if_running to"
        " queue, or run the task again later.",
    ),
    ErrorPattern(
        ".+ not have enough disk space available on your staging server",
        "disk_full",
        "Free disk space on the staging server, then run the task again. Nothing was overwritten.",
    ),
    ErrorPattern(
        ".+ not have enough disk space available on your production server",
        "disk_full",
        "Free disk space on the production server, then run the task again. Nothing was overwritten.",
    ),
    ErrorPattern(
        ".+ not have enough disk space available on your .+", "disk_full", "Free disk space there, then run the task again."
    ),
    ErrorPattern(
        "you cannot restore this backup because there is not enough disk space available on .+",
        "disk_full",
        "Free disk space there, then run the task again. Nothing was restored.",
    ),
    ErrorPattern(
        "restore is already in progress",
        "busy",
        "A backup is being restored to the application. Set if_running to queue, or run the task again later.",
    ),
    ErrorPattern(
        "your server is not connected",
        "connection_failed",
        "Start the ServerAvatar agent on that server, or look at it in the panel.",
    ),
    ErrorPattern(
        "backups cannot be restored .+", "permission_denied", "ServerAvatar restores no backups on servers of this kind."
    ),
    ErrorPattern("invalid retention period", "invalid_option", "Check retention_period."),
    ErrorPattern(
        "something went (really )?wrong.*",
        "server_error",
        "ServerAvatar gives no reason. Try again later; contact its support if it stays so.",
    ),
    ErrorPattern("(the route .* could not be found)?", "endpoint_missing", WRONG_ADDRESS),
)

NO_ACCESS = (
    "Check that the account has API access enabled (it is off by default) and that api_token is its current key: a new key ends"
    " the old one. If the key is right, try the other auth_scheme."
)


def normalized(text: str) -> str:
    """A text in the form used for comparison, since the service spells its texts in several ways."""
    text = " ".join(text.lower().split()).rstrip("!. ")
    return text.replace("you can not", "you cannot")


def pattern_for(text: str) -> ErrorPattern | None:
    """The pattern that matches a text of the service, if there is one."""
    plain = normalized(text)
    return next((known for known in ERROR_PATTERNS if re.fullmatch(known.pattern, plain)), None)


def interpret(response: Response) -> SyncError | None:
    """The failure behind an error response."""
    text, status = _message(response), response.status
    if status == 401:
        return SyncError("auth_failed", f"the API token is not accepted: {text or 'no reason given'}", NO_ACCESS, 401)
    if status == 403:
        return SyncError("permission_denied", text or response.describe(), "Check what the account of the API key may do.", 403)
    if status == 405:
        return SyncError("endpoint_missing", text or response.describe(), WRONG_ADDRESS, 405)
    if status == 422:
        return SyncError("invalid_option", _invalid(response, text), "Check the options that these fields come from.", 422)
    known = pattern_for(text) if text is not None else None
    if known is None or (known.code == "endpoint_missing" and status != 404):
        return None
    return SyncError(known.code, text or response.describe(), known.hint, status)


def definite(response: Response) -> SyncError | None:
    """The failure behind a 5xx response that is a refusal. ``Something went wrong`` is none: the action may have begun."""
    error = interpret(response)
    return None if error is None or error.code == "server_error" else error


def _message(response: Response) -> str | None:
    """The text of a response, if it has the form of the service."""
    body = response.try_json()
    text = body.get("message") if isinstance(body, dict) else None
    return " ".join(text.split()) if isinstance(text, str) else None


def _invalid(response: Response, text: str | None) -> str:
    """The texts about all fields that the service rejected."""
    body = response.try_json()
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, dict):
        return text or response.describe()
    texts = [str(item) for value in errors.values() for item in (value if isinstance(value, list) else [value])]
    return " ".join([text or "", *texts]).strip()


def without_secrets(value: t.Any) -> t.Any:
    """A copy of a JSON-like value without keys whose names suggest secrets, at any depth."""
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items() if not SECRET.search(key)}
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


def read_json(response: Response) -> JsonReader:
    """The body of a response, without secrets."""
    return JsonReader(response, WRONG_ADDRESS, without_secrets)


def accepted(response: Response) -> Response:
    """The response to a trigger.

    :raises Ambiguous: it is not from the service, so that it is not known whether anything began.
    """
    if _message(response) is None:
        # it may come from a login page, a proxy, or the service behind one
        raise Ambiguous(f"{response.describe()} is not from the service: {response.excerpt() or 'nothing'}", response.status)
    return response
