# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The API of a PLM Media Manager: requests, states and errors (docs/reference/plm.md), without any decision."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._core.errors import Ambiguous, SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options, from_env
from ..._core.vocabulary import Json, ReadingState
from ..._http.client import Channel, HttpClient
from ..._http.response import Response
from ..._lifecycle.poll import Reading
from ..._lifecycle.provider import Services, http_settings

PATH = "/storage/synchronizers"
#: An id as the server returns it: ``$``, the id of the push, ``+``, the id of the pull. It goes into the path unencoded, since
#: the server does not decode. Without ``+`` the server invents a pull id; of more parts it uses two (docs/reference/plm.md#4.2).
_HALF = r"[0-9a-zA-Z$\-_@.&]+"
ID = re.compile(rf"\${_HALF}\+{_HALF}")
QUOTED_ID = re.compile(rf'"({ID.pattern})"')

#: An id that no synchronizer has, since the server makes UUIDs. What the server shows for it is its own state
#: (docs/reference/plm.md#11).
MADE_UP_ID = "$x+y"

COMPLETED, TRIGGERED, ERROR = "completed", "triggered", "error"
#: the second is the state of CouchDB 2.1 and later, which the server passes on
FAILED = frozenset({ERROR, "failed"})

CONNECTION_SPEC = ArgumentSpec({"api_url": {"type": "str", "required": True, **from_env("PLM_MEDIA_MANAGER_URL")}})


# -- states of a synchronizer ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class States:
    """The three states of a synchronizer; each of them may be absent (docs/reference/plm.md#4.1)."""

    overall: str | None
    push: str | None
    pull: str | None

    @classmethod
    def of(cls, synchronizer: t.Mapping[str, t.Any]) -> States:
        return cls(_word(synchronizer), _word(synchronizer.get("push")), _word(synchronizer.get("pull")))

    @property
    def words(self) -> set[str | None]:
        return {self.overall, self.push, self.pull}

    @property
    def directions(self) -> dict[str, str | None]:
        return {"push": self.push, "pull": self.pull}

    @property
    def meaning(self) -> ReadingState:
        """The state of a reading. It is a success only if all three are ``completed``."""
        if self.words & FAILED:
            return "failed"
        if self.words == {COMPLETED}:
            return "succeeded"
        if self.words - {COMPLETED, TRIGGERED, None}:
            return "unknown"
        return "running" if TRIGGERED in self.words else "absent"

    def __str__(self) -> str:
        return f"{self.overall or 'absent'} (push {self.push or 'absent'}, pull {self.pull or 'absent'})"

    @property
    def all_error(self) -> bool:
        """Whether this is what the server shows for every id while its local database is down."""
        return self.words == {ERROR}

    @property
    def failed_halves(self) -> list[str]:
        return [name for name, word in self.directions.items() if word in FAILED]

    def reading(self) -> Reading:
        failed = " and ".join(self.failed_halves) or "the run as a whole"
        message = f"{failed} failed; the server says {self}" if self.meaning == "failed" else ""
        return Reading(self.meaning, str(self), message, dataclasses.astuple(self), data=self)

    def as_detail(self) -> Json:
        return {"state": self.overall, "push": self.push, "pull": self.pull}


NOTHING = States(None, None, None)


def _word(part: t.Any) -> str | None:
    value = part.get("state") if isinstance(part, t.Mapping) else None
    return None if value in (None, "") else str(value)


# -- requests and responses -------------------------------------------------------------------------------------------


#: The texts of a server that was started without a remote, as old and new versions of Node write them: ``host`` for GET,
#: ``httpStatus`` for POST.
NO_REMOTE = re.compile(r"Cannot read propert(?:y|ies of undefined \(reading) '(?:host|httpStatus)'")
#: Error codes of the documented error format, and what they mean here. All of them mean that the request was not carried out.
DOCUMENTED_ERRORS = {
    1: ("not_found", "Check the id and api_url."),
    2: ("busy", "Let the other run end, then run the task again."),
    3: ("not_found", "Check the id and api_url."),
    4: ("endpoint_missing", "This server does not have synchronizers, or they are elsewhere: check api_url and its prefix."),
    5: ("bad_response", "The server may not be of a supported version."),
}
UNKNOWN_ERROR = -1
_PREFIX = "Check api_url: it includes the prefix, such as /api/media-manager/v0 (or /v0 for the standalone server)."
_PROXY = "The Media Manager asks for no credentials, so this is from a proxy: use an address that the proxy lets through."
LOG = "The API gives no reasons: look into the log of the server and its _replicator database."


def new_client(options: Options, services: Services) -> HttpClient:
    return HttpClient(http_settings(options), services.clock, services.redactor, interpret=interpret, rng=services.rng)


def check_id(value: t.Any, option: str) -> str:
    """An id that is safe in a path and that the server reads as one push and one pull.

    :raises SyncError: ``invalid_option``.
    """
    if not (isinstance(value, str) and ID.fullmatch(value)):
        remedy = "Use the whole id as the server gave it: $, the id of the push, +, the id of the pull."
        raise invalid_option(option, value, "is not the id of a synchronizer", remedy)
    return value


def get_states(channel: Channel, identifier: str) -> States:
    """The states of a synchronizer; one that never existed has none, which is no error (docs/reference/plm.md#4.4).

    :raises SyncError: ``bad_response`` and those of :meth:`Channel.observe`.
    """
    response = channel.observe(f"{PATH}/{identifier}")
    body = response.json()
    error = interpret(response)
    if error is not None:
        raise error
    synchronizer = body.get("synchronizer") if isinstance(body, dict) else None
    if not isinstance(synchronizer, dict) or synchronizer.get("id", identifier) != identifier:
        raise SyncError(
            "bad_response",
            f"{response.describe()} does not describe the synchronizer: {response.excerpt()}",
            _PREFIX,
            response.status,
        )
    return States.of(synchronizer)


def database_is_down(channel: Channel) -> bool:
    """Whether the server shows ``error`` for an id that it does not have, which it does while its local database is down.

    The request has no effect (docs/reference/plm.md#11).

    :raises SyncError: those of :func:`get_states`, as a server that cannot sync has them for every id.
    """
    return get_states(channel, MADE_UP_ID).all_error


def accepted_id(response: Response) -> str:
    """The id in the response to an accepted trigger.

    The run cannot be found without it, so it is taken from any response that contains one, even from incomplete JSON such as the
    example in the vendor's documentation. States in the response are ignored; those of GET count.

    :raises Ambiguous: there is none.
    """
    body = response.try_json()
    synchronizer = body.get("synchronizer") if isinstance(body, dict) else None
    identifier = synchronizer.get("id") if isinstance(synchronizer, dict) else None
    if isinstance(identifier, str) and ID.fullmatch(identifier):
        return identifier
    found = QUOTED_ID.search(response.text)
    if found is None:
        raise Ambiguous(f"{response.describe()} does not name a synchronizer: {response.excerpt() or 'nothing'}", response.status)
    return found[1]


def error_in(response: Response) -> tuple[int | str | None, str]:
    """Code and message of an error, from either of its two forms (docs/reference/plm.md#5); the code may be ``None``."""
    body = response.try_json()
    if not isinstance(body, dict):
        return None, ""
    if body.get("status") == 1 or "error_code" in body:
        code = body.get("error_code")
        return code if isinstance(code, int) else UNKNOWN_ERROR, _one_line(body.get("error_message"))
    return (str(body["code"]), _one_line(body.get("message"))) if "code" in body else (None, "")


def _one_line(text: t.Any) -> str:
    return " ".join(str(text or "").split())


def interpret(response: Response) -> SyncError | None:
    """The failure behind an error response (docs/reference/plm.md#5)."""
    code, message = error_in(response)
    text = f"{response.describe()} says: {response.shown(message) or response.excerpt() or 'nothing'}"
    if response.status in (401, 403):
        return SyncError("auth_failed" if response.status == 401 else "permission_denied", text, _PROXY, response.status)
    if code in DOCUMENTED_ERRORS:
        meaning, hint = DOCUMENTED_ERRORS[code]
        return SyncError(meaning, text, hint, response.status)
    if response.status in (404, 405):
        # not an unknown synchronizer: those answer HTTP 200 without states
        return SyncError("endpoint_missing", text, _PREFIX, response.status)
    if code is None or (response.status == 200 and code != UNKNOWN_ERROR):
        return None
    hint = LOG
    if _has_no_remote(code, message):
        hint = "The server was started without a remote to sync with: configure one and start it again."
    return SyncError("server_error" if response.status >= 500 else "bad_response", text, hint, response.status)


def _has_no_remote(code: int | str | None, message: str) -> bool:
    return code == "InternalError" and NO_REMOTE.search(message) is not None


def refused_before_start(response: Response) -> SyncError | None:
    """The failure behind a response to a trigger that proves that nothing was started; else ``None``.

    All documented error codes prove it, except ``UNKNOWN_ERROR``, which the server also sends for a synchronizer that it has
    started and then cannot describe.

    The other format is the framework's response to an uncaught exception. Two of its texts are proof, both known only from
    servers without a remote, which need the address of the remote before they create a document, an id or an event: ``'host'`` is
    that exception; ``'httpStatus'`` is the exception that follows on POST, where the server looks up a status for an error that
    is not in its table. Another exception would give the same text, but none is known on a server with a remote: problems of the
    databases show later, and even with the local database down the response is 200 (docs/reference/plm.md#5 and #4.4). Any other
    text, and a 5xx from elsewhere, is ambiguous.
    """
    code, message = error_in(response)
    return interpret(response) if code in DOCUMENTED_ERRORS or _has_no_remote(code, message) else None
