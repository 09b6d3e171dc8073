# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""PLM Media Manager: replicates media in both directions, first push, then pull (docs/reference/plm.md).

The server has no authentication, and its list never answers, so a synchronizer can be found by its id only.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._core.errors import Ambiguous, SyncError
from ..._core.options import ArgumentSpec, Options
from ..._http.client import Channel
from ..._lifecycle.poll import PollAgain, PollPolicy, Reading, Waiter
from ..._lifecycle.provider import Capabilities, Effect, Observation, Provider, Run, Services, Target
from .api import (
    COMPLETED,
    CONNECTION_SPEC,
    FAILED,
    LOG,
    NOTHING,
    PATH,
    QUOTED_ID,
    TRIGGERED,
    States,
    accepted_id,
    check_id,
    database_is_down,
    get_states,
    new_client,
    refused_before_start,
)
from .notifications import Notifications, parse_notifications_url

#: an error may be that of the server's own database for a moment, or one that is tried again (docs/reference/plm.md#6.3)
FAILED_READS = 3
FAILED_FOR = 2.0

DATABASE_DOWN = "the local database of the server is down"
NEVER_ANSWERS = (
    "A server that takes the connection and never answers has a database that hangs or, as the desktop application, no remote."
)

NOTIFICATIONS_SPEC = ArgumentSpec({"notifications_url": {"type": "str"}})
SYNC_SPEC = NOTIFICATIONS_SPEC + ArgumentSpec({"synchronizer": {"type": "str"}}, texts=("synchronizer",))


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
        self.notifications = (
            Notifications(url, self.client.settings, services.clock, services.warn, services.redactor.text) if url else None
        )
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
        """Look at the server. One that cannot sync is an obstacle, so that a ``release`` that is done is still skipped."""
        try:
            if self.known is not None:
                return self._observe_known(self.known, channel)
            self._check_database(channel)
        except SyncError as error:
            if error.code == "connection_failed":
                error.hint = f"{error.hint} {NEVER_ANSWERS}"
            return Observation(obstacle=error)
        return Observation(reason="the server does not show whether there is anything to sync")

    def _observe_known(self, known: str, channel: Channel) -> Observation:
        """Evidence about the run that the option ``synchronizer`` names.

        :raises SyncError: ``outcome_unknown`` if nothing shows that there is such a run; ``server_error`` if the local database
            is down; and those of :func:`get_states`.
        """
        join = self.options["if_running"] == "join"
        run = self._run(known)

        def watch() -> tuple[str, Reading]:
            return self._watch(lambda: self.read(run.handle, channel), channel, lambda reading: join and reading.data != NOTHING)

        outcome, reading = watch()
        if reading.state == "pending":
            self._check_database(channel)
            outcome, reading = watch()
        if outcome and reading.data == NOTHING:
            raise _no_such_run(known)
        if join or outcome in ("", "timed_out"):
            return Observation(running=self._run(known, reading))
        return Observation(reason=f"synchronizer {known} is no longer in flight: {reading.data}")

    def _check_database(self, channel: Channel) -> None:
        """Look at the server by an id that it does not have. A single ``error`` may have passed at the next look.

        :raises SyncError: ``server_error`` if the local database stays down, and those of :func:`get_states`.
        """
        outcome, _reading = self._watch(
            lambda: Reading("failed" if database_is_down(channel) else "running"), channel, lambda reading: False
        )
        if outcome:
            raise _database_is_down("Start the database, or wait until it is back, and run the task again.")

    def _watch(self, look: t.Callable[[], Reading], channel: Channel, enough: t.Callable[[Reading], bool]) -> tuple[str, Reading]:
        """The last reading, and how the run has ended by it: a single error, or one look without states, does not prove it.

        :param enough: ends it without an outcome.
        :returns: the outcome is ``succeeded``, ``failed``, ``lost`` or ``timed_out``, and empty if the run has not ended.
        """
        clock = self.services.clock
        policy = PollPolicy(
            min_interval=self.options["poll_min_interval"],
            max_interval=self.options["poll_max_interval"],
            absent_grace=self.options["settle_grace"],
            failed_reads=FAILED_READS,
            failed_for=FAILED_FOR,
        )
        waiter = Waiter(policy, clock.monotonic(), channel.deadline.at, self.services.rng.random)
        while True:
            sent = clock.monotonic()
            reading = look()
            if reading.state not in ("succeeded", "failed", "absent") or enough(reading):
                return "", reading
            verdict = waiter.after(sent, clock.monotonic(), reading)
            if not isinstance(verdict, PollAgain):
                return verdict.outcome, reading
            clock.sleep(verdict.at - clock.monotonic())

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
        try:
            response = channel.trigger("POST", PATH, expect=range(200, 300), definite=refused_before_start)
        except Ambiguous as error:
            found = QUOTED_ID.search(error.received)
            if found is None:
                raise
            return self._run(found[1])
        return self._run(accepted_id(response))

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        states = get_states(channel, handle["synchronizer"])
        self._seen[handle["synchronizer"]] = states
        reading = states.reading()
        if states.all_error and database_is_down(channel):
            raw = f"{states}, as every id is: {DATABASE_DOWN}"
            outage = _database_is_down("Start the database, or wait until it is back.")
            reading = dataclasses.replace(reading, state="pending", raw=raw, message="", outage=outage)
        return reading

    def watch(self, handle: t.Mapping[str, t.Any], wake: t.Callable[[], None]) -> None:
        if self.notifications is not None:
            self.notifications.watch(handle["synchronizer"], wake)

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
        if reading is not None and reading.state == "pending":
            return "The server shows the run again when its database is back."
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
    open_halves = [name for name, word in states.directions.items() if word not in FAILED and word != COMPLETED]
    if open_halves:
        half = open_halves[0]
        return (
            f"The {half} may still run: wait for its end before the next sync, which the database might ignore otherwise. {LOG}"
        )
    return f"{LOG} Then run the task again."


def _database_is_down(hint: str) -> SyncError:
    return SyncError("server_error", f"{DATABASE_DOWN}: it shows error for an id that does not exist", hint, 200)


def _no_such_run(known: str) -> SyncError:
    _what, hint = _after_loss(NOTHING)
    message = f"nothing shows that synchronizer {known} exists: the server shows no state of it"
    return SyncError("outcome_unknown", message, hint, detail=NOTHING.as_detail())


def _after_loss(states: States) -> tuple[str, str]:
    missing = [name for name, word in states.directions.items() if word is None]
    what = f"the {' and the '.join(missing) or 'run as a whole'} did not show any state"
    if missing == ["pull"]:
        return what, (
            "If the server was restarted after the push, it never starts the pull. If another sync was at work when the push"
            " ended, the database ignores the pull of this one, and the documents arrive by that of the other. Otherwise the"
            f" database may have refused it. Run the task again when no sync is running. {LOG}"
        )
    return what, (
        "The server shows the same for a synchronizer that never existed, that its database refused, or that the database ignores"
        " because another one is running. CouchDB 2.1 and later show no state before the end: for these, raise settle_grace above"
        f" the duration of a sync. {LOG}"
    )
