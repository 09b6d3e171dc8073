# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""PLM Media Manager: replicates media in both directions, first push, then pull (docs/reference/plm.md).

The server has no authentication, and its list never answers, so a synchronizer can be found by its id only.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._core.errors import Ambiguous, SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options, from_env
from ..._core.vocabulary import Json, ReadingState
from ..._http.client import Channel, HttpClient
from ..._http.response import MAX_BODY_IN_MESSAGE, Response
from ..._lifecycle.poll import PollAgain, PollPolicy, Reading, Waiter
from ..._lifecycle.provider import Capabilities, Effect, Observation, Provider, Run, Services, Target, http_settings
from .notifications import Notifications, parse_notifications_url

PATH = "/storage/synchronizers"
#: An id as the server returns it: ``$``, the id of the push, ``+``, the id of the pull. It goes into the path unencoded, since
#: the server does not decode. Without ``+`` the server invents a pull id; of more parts it uses two (docs/reference/plm.md#4.2).
_HALF = r"[0-9a-zA-Z$\-_@.&]+"
ID = re.compile(rf"\${_HALF}\+{_HALF}")
QUOTED_ID = re.compile(rf'"({ID.pattern})"')

COMPLETED, TRIGGERED = "completed", "triggered"
#: the second is the state of CouchDB 2.1 and later, which the server passes on
FAILED = frozenset({"error", "failed"})
#: an error may be that of the server's own database for a moment, or one that is tried again (docs/reference/plm.md#6.3)
FAILED_READS = 3
FAILED_FOR = 2.0

CONNECTION_SPEC = ArgumentSpec({"api_url": {"type": "str", "required": True, **from_env("PLM_MEDIA_MANAGER_URL")}})
NOTIFICATIONS_SPEC = ArgumentSpec({"notifications_url": {"type": "str"}})
SYNC_SPEC = NOTIFICATIONS_SPEC + ArgumentSpec({"synchronizer": {"type": "str"}}, ids=("synchronizer",))
INFO_SPEC = CONNECTION_SPEC + ArgumentSpec(
    {"synchronizers": {"type": "list", "elements": "str", "required": True, "aliases": ["synchronizer"]}},
    ids=("synchronizers",),
)


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
_LOG = "The API gives no reasons: look into the log of the server and its _replicator database."


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
    return " ".join(str(text or "").split())[:MAX_BODY_IN_MESSAGE]


def interpret(response: Response) -> SyncError | None:
    """The failure behind an error response (docs/reference/plm.md#5)."""
    code, message = error_in(response)
    text = f"{response.describe()} says: {message or response.excerpt() or 'nothing'}"
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
    hint = _LOG
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


# -- the provider ------------------------------------------------------------------------------------------------------


class PLM(Provider):
    """The storage of one Media Manager: the server itself is the target."""

    name = "plm"
    capabilities = Capabilities(
        run_id=True,
        failed_reads=FAILED_READS,
        failed_for=FAILED_FOR,
    )
    connection_spec = CONNECTION_SPEC
    sync_spec = SYNC_SPEC
    handle_spec = NOTIFICATIONS_SPEC

    def __init__(self, options: Options, services: Services) -> None:
        super().__init__(options, services)
        known = options.get("synchronizer")
        self.known = None if known is None else check_id(known.strip(), "synchronizer")
        url = options.get("notifications_url")
        url = None if url is None else parse_notifications_url(url)
        self.client = new_client(options, services)
        self.address = self.client.settings.base_url
        self.notifications = None if url is None else Notifications(url, self.client.settings, services.clock, services.warn)
        #: the last states of each run
        self._seen: dict[str, States] = {}

    def names(self) -> list[str]:
        return [self.address]

    def resolve(self, name: str, channel: Channel) -> Target:
        return Target("storage", self.address)

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        check_id(handle.get("synchronizer"), "handles")
        return Target("storage", self.address)

    def _run(self, identifier: str, reading: Reading | None = None) -> Run:
        return Run({"provider": self.name, "address": self.address, "synchronizer": identifier}, reading=reading)

    # -- evidence ----------------------------------------------------------------------------------------------------

    def observe(self, target: Target, channel: Channel) -> Observation:
        if self.known is None:
            return Observation(reason="the server does not show whether there is anything to sync")
        run = self._run(self.known)
        reading = self.read(run.handle, channel)
        if self.options["if_running"] != "join" and self._has_ended(run, reading, channel):
            return Observation(reason=f"synchronizer {self.known} is no longer in flight: {self._seen[self.known]}")
        return Observation(running=self._run(self.known, reading))

    def _has_ended(self, run: Run, reading: Reading, channel: Channel) -> bool:
        """Whether the run has ended. A single reading with an error or without states does not prove it."""
        clock = self.services.clock
        policy = PollPolicy(
            min_interval=self.options["poll_min_interval"],
            max_interval=self.options["poll_max_interval"],
            absent_grace=self.options["settle_grace"],
            failed_reads=FAILED_READS,
            failed_for=FAILED_FOR,
        )
        now = clock.monotonic()
        waiter = Waiter(policy, now, channel.deadline.at, self.services.rng.random)
        while reading.state in ("succeeded", "failed", "absent"):
            verdict = waiter.after(now, clock.monotonic(), reading)
            if not isinstance(verdict, PollAgain):
                return verdict.outcome != "timed_out"
            clock.sleep(verdict.at - clock.monotonic())
            now = clock.monotonic()
            reading = self.read(run.handle, channel)
        return False

    # -- the run -----------------------------------------------------------------------------------------------------

    def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
        """Subscribe right before the trigger, since notifications are not repeated.

        The intent is recorded later, so a task that is stopped while it connects has certainly started nothing.
        """
        if self.notifications is not None and self.options["wait"]:
            self.notifications.subscribe(channel.deadline.remaining())
        return True

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        # any 2xx may mean that the run was accepted
        response = channel.trigger("POST", PATH, expect=range(200, 300), definite=refused_before_start)
        return self._run(accepted_id(response))

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        states = get_states(channel, handle["synchronizer"])
        self._seen[handle["synchronizer"]] = states
        return states.reading()

    def sleep(self, handle: t.Mapping[str, t.Any], seconds: float) -> None:
        if self.notifications is None:
            super().sleep(handle, seconds)
        else:
            self.notifications.pause(handle["synchronizer"], seconds)

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        states: States = reading.data
        detail = states.as_detail()
        if reading.state == "succeeded":
            return Effect(True, "assumed", "synced: push and pull completed", detail)
        # a replication that failed may have copied documents as well
        failure = SyncError("run_failed", reading.message, _after_failure(states))
        return Effect(True, "assumed", reading.message, detail, failure=failure)

    def lost(self, target: Target, run: Run) -> Effect:
        states = self._seen.get(run.handle["synchronizer"], NOTHING)
        what, hint = _after_loss(states)
        reason = f"{what} within settle_grace; the server says {states}"
        return Effect(True, "assumed", reason, states.as_detail(), failure=SyncError("outcome_unknown", reason, hint))

    def explain_timeout(self, target: Target, reading: Reading | None, channel: Channel) -> str:
        states: States = reading.data if reading is not None else NOTHING
        busy = [name for name, word in states.directions.items() if word == TRIGGERED]
        if not busy:
            return ""
        what = f"The {busy[0]} still runs" if len(busy) == 1 else "Both halves still run"
        return f"{what}. If the remote cannot be reached, some databases try again for ever."

    def close(self) -> None:
        if self.notifications is not None:
            self.notifications.close()
        super().close()


def _after_failure(states: States) -> str:
    if states.words <= FAILED:
        return (
            f"If the server's own database is down, it shows error for every synchronizer, and the run may still complete. {_LOG}"
        )
    open_halves = [name for name, word in states.directions.items() if word not in FAILED and word != COMPLETED]
    if open_halves:
        half = open_halves[0]
        return (
            f"The {half} may still run: wait for its end before the next sync, which the database might ignore otherwise. {_LOG}"
        )
    return f"{_LOG} Then run the task again."


def _after_loss(states: States) -> tuple[str, str]:
    missing = [name for name, word in states.directions.items() if word is None]
    what = f"the {' and the '.join(missing) or 'run as a whole'} did not show any state"
    if missing == ["pull"]:
        return what, (
            "If the server was restarted after the push, it never starts the pull; otherwise its database may have refused it."
            f" Run the task again when no sync is running. {_LOG}"
        )
    return what, (
        "The server shows the same for a synchronizer that never existed, that its database refused, or that the database ignores"
        " because another one is running. CouchDB 2.1 and later show no state before the end: for these, raise settle_grace above"
        f" the duration of a sync. {_LOG}"
    )


# -- the info module --------------------------------------------------------------------------------------------------


class SynchronizerReader:
    """Reads synchronizers by their ids; the server cannot list them."""

    def __init__(self, options: Options, services: Services) -> None:
        self.options = options
        self.client = new_client(options, services)

    def names(self, channel: Channel) -> t.Sequence[str]:
        """The ids that were given.

        :raises SyncError: ``invalid_option``.
        """
        return [check_id(name.strip(), "synchronizers") for name in self.options["synchronizers"]]

    def inspect(self, name: str, channel: Channel) -> Json:
        """One synchronizer; ``known`` is never false, as nothing proves that it does not exist."""
        states = get_states(channel, name)
        # with its database down, the server returns "error" for every id
        known = None if states == NOTHING or states.words == {"error"} else True
        return {"id": name, **states.as_detail(), "known": known}
