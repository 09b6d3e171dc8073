# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What the ledger knows of a target: earlier successes, and a run to resume, which an earlier task may have left behind."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._core.clock import isoformat
from .._core.errors import InternalError, SyncError, wrap_unexpected
from .._core.vocabulary import InterruptedOutcome
from .._http.client import Channel
from .._state.run_ledger import NO_REVISION, Entry, Key, Knowledge, Revision, RunLedger
from .interruption import Interruption
from .plan import LedgerEvidence, interrupted
from .poll import Reading
from .provider import Observation, Provider, Run, Services, Target
from .settings import LifecycleSettings
from .steps import Pause, Steps


@dataclasses.dataclass(frozen=True)
class Recalled:
    """What the ledger knows, as far as it matters for the plan.

    :param run: a run to resume.
    :param entry_id: of the open entry of that run.
    :param interruption: what a task left behind whose process is gone.
    :param revision: of the target in the ledger when the evidence was gathered.
    """

    run: Run | None = None
    entry_id: int | None = None
    interruption: Interruption | None = None
    evidence: LedgerEvidence = dataclasses.field(default_factory=LedgerEvidence)
    revision: Revision = NO_REVISION


@dataclasses.dataclass(frozen=True)
class _Resumed:
    """What became of an open entry.

    :param ended: the entry, if its run has succeeded and counts.
    """

    outcome: InterruptedOutcome
    run: Run | None = None
    ended: Entry | None = None


class Recall:
    """Looks at the ledger for one target, and at the server for what is open there.

    :param channel: the one that the target was found by.
    """

    def __init__(
        self,
        provider: Provider,
        ledger: RunLedger,
        settings: LifecycleSettings,
        services: Services,
        target: Target,
        channel: Channel,
    ) -> None:
        self._provider = provider
        self._ledger = ledger
        self._settings = settings
        self._services = services
        self._target = target
        self._channel = channel
        self.key = Key(provider.name, provider.address, target.id)

    def look(self) -> Steps[Recalled]:
        """What is known now. Unless in check mode, what became of an open entry is recorded.

        :raises SyncError: it cannot be known whether an interrupted task triggered the target.
        """
        known = self._ledger.knowledge(self.key, self._settings.policy.release)
        entry, left_behind = known.entry, known.entry is not None and not known.is_held
        found: _Resumed | None = None
        if entry is not None and entry.handle is not None:
            found = yield from self._resume(entry)
        elif entry is not None and left_behind:
            found = yield from self._interrupted(entry)
        elif entry is None and known.unresolved is not None and not self._settings.policy.force:
            found = yield from self._look_again(known.unresolved)
            entry = known.unresolved if found is not None else None
        interruption = None
        # a lease that was given up is that of a task which did not want to wait any longer
        if entry is not None and found is not None and left_behind and entry.lease.holder:
            interruption = Interruption(entry.intended_at, found.outcome)
        if entry is not None:
            # after what this target did to it itself, and before what is decided by it
            known = self._ledger.knowledge(self.key, self._settings.policy.release)
        return Recalled(
            found.run if found else None,
            entry.id if entry is not None and found and found.run else None,
            interruption,
            revision=known.revision,
            evidence=self._evidence(known, found.ended if found else None),
        )

    def unless_abandoned(self, recalled: Recalled, observation: Observation) -> Recalled:
        """The same without its run, if that will never end; then it is forgotten."""
        if recalled.run is None or recalled.entry_id is None or recalled.run.handle not in observation.abandoned:
            return recalled
        # not as one whose end was not seen, which would be looked for again
        self._finish(recalled.entry_id, "failed")
        known = recalled.interruption
        left = known and dataclasses.replace(known, outcome="forgotten")
        return dataclasses.replace(recalled, run=None, entry_id=None, interruption=left)

    def look_for(self, snapshot: t.Mapping[str, t.Any], grace: float) -> Steps[Run | None]:
        """Look for a run newer than ``snapshot``, within a grace of so many seconds and the deadline."""
        if not self._provider.can_find():
            return None
        clock = self._services.clock
        started, end = clock.monotonic(), min(clock.monotonic() + grace, self._channel.deadline.at)
        while True:
            sent = clock.monotonic()
            try:
                with wrap_unexpected():
                    found = self._find(snapshot)
            except InternalError:
                raise
            except SyncError:
                # the server may well be the one in trouble; the grace decides
                found = None
            now = clock.monotonic()
            if found is not None or now >= end:
                return found
            delay = self._settings.poll.delay(sent - started, self._services.rng.random())
            yield Pause(min(max(sent + delay, now), end), self._channel.deadline)

    def another(self, run: Run) -> Steps[Run | None]:
        """Another run that may be ours, where ``run`` was found and not answered for."""
        if run.found_after is None:
            return None
        found = yield from self.look_for(run.found_after, 0.0)
        return found if found is not None and found.handle != run.handle else None

    def _find(self, snapshot: t.Mapping[str, t.Any]) -> Run | None:
        found = self._provider.find(self._target, snapshot, self._channel)
        return None if found is None else dataclasses.replace(found, found_after=snapshot)

    def _resume(self, entry: Entry) -> Steps[_Resumed]:
        """A run that was started and has no recorded end, or what it has come to meanwhile."""
        handle = t.cast("dict[str, t.Any]", entry.handle)
        reading = yield from self._read(handle)
        if reading is None:
            self._finish(entry.id, "unknown")
            return _Resumed("forgotten")
        is_certain = self._provider.capabilities.failed_reads == 1
        another = self._find(entry.snapshot) if reading.state == "failed" and is_certain else None
        if another is not None and another.handle != handle:
            # it may have been found and not answered for, so ours may be the other one
            if not self._settings.check_mode:
                self._ledger.started(entry.id, another.handle)
            return (yield from self._resume(dataclasses.replace(entry, handle=another.handle)))
        if reading.state == "succeeded" or (reading.state == "failed" and is_certain):
            # where the end is not shown: it may have been any time ago, and by a later date the target would pass for fresh
            finished_at = reading.finished_at or entry.intended_at
            self._finish(entry.id, reading.state, finished_at)
            ended = dataclasses.replace(entry, finished_at=finished_at)
            counts = reading.state == "succeeded" and not self._ledger.is_invalidated(self.key, entry.id)
            return _Resumed(reading.state, ended=ended if counts else None)
        return _Resumed("running", Run(handle, entry.intended_at))

    def _read(self, handle: t.Mapping[str, t.Any]) -> Steps[Reading | None]:
        """What a run shows; ``None`` if the server has not known it for as long as a run may be impossible to observe.

        One that is missing in a single look may go on: a proxy may have answered, or a replica that lags.

        :raises SyncError: it cannot be read.
        """
        clock, deadline = self._services.clock, self._channel.deadline
        started = clock.monotonic()
        # at the most half of the time, so that the target can still be triggered
        end = started + min(self._settings.poll.outage_grace, deadline.remaining() / 2)
        while True:
            try:
                return self._provider.read(handle, self._channel)
            except SyncError as error:
                if error.code != "not_found":
                    raise
            now = clock.monotonic()
            if self._settings.check_mode or now >= end:
                return None
            yield Pause(min(now + self._settings.poll.delay(now - started, self._services.rng.random()), end), deadline)

    def _look_again(self, entry: Entry) -> Steps[_Resumed | None]:
        """A run whose end was not seen before its task gave it up, if it shows by now: it must not be triggered a second time."""
        run = self._shown_by_now(entry)
        if run is None:
            return None
        if not self._settings.check_mode:
            self._ledger.reopen(entry.id, run.handle)
        return (yield from self._resume_found(entry, run))

    def _resume_found(self, entry: Entry, run: Run) -> Steps[_Resumed]:
        """As :meth:`_resume`, for a run that was found: it may have ended long ago, and for an earlier release."""
        resumed = yield from self._resume(dataclasses.replace(entry, handle=run.handle))
        return dataclasses.replace(resumed, run=resumed.run and dataclasses.replace(resumed.run, found_after=run.found_after))

    def _shown_by_now(self, entry: Entry) -> Run | None:
        handle = entry.handle
        if handle is None:
            return self._find(entry.snapshot) if self._provider.can_find() else None
        try:
            reading = self._provider.read(handle, self._channel)
        except SyncError as error:
            if error.code != "not_found":
                raise
            return None
        return None if reading.state in ("absent", "unknown") else Run(handle)

    def _interrupted(self, entry: Entry) -> Steps[_Resumed | None]:
        """A process died between recording its intent and recording the response: whether it triggered is not known yet."""
        was_sent = entry.state != "intended" or self._provider.capabilities.absence_proves
        if self._settings.check_mode:
            return (yield from self._foresee(entry)) if was_sent else _Resumed("not_sent")
        if not self._ledger.adopt(entry.id):
            # another process finds out, or its own goes on after all, and this one waits for it before it triggers
            return None
        if not was_sent:
            self._finish(entry.id, "void")
            return _Resumed("not_sent")
        try:
            return (yield from self._recover(entry))
        except BaseException:
            # nothing was sent, so the next one may try at once
            self._ledger.drop_lease(entry.id)
            raise

    def _foresee(self, entry: Entry) -> Steps[_Resumed]:
        """In check mode: what :meth:`_recover` will find, or its refusal where that is certain by now."""
        run = self._find(entry.snapshot)
        if run is not None:
            return (yield from self._resume_found(entry, run))
        can_still_show = self._provider.can_find() and self._grace_left(entry) > 0
        if not (can_still_show or self._provider.capabilities.absence_proves or self._settings.policy.force):
            raise interrupted(entry.intended_at)
        return _Resumed("unknown")

    def _recover(self, entry: Entry) -> Steps[_Resumed]:
        run, grace = self._find(entry.snapshot), self._grace_left(entry)
        if run is None and grace > 0:
            run = yield from self.look_for(entry.snapshot, grace)
        if run is not None:
            self._ledger.started(entry.id, run.handle)
            return (yield from self._resume_found(entry, run))
        proven = self._provider.capabilities.absence_proves
        if proven or self._settings.policy.force:
            self._finish(entry.id, "void")
            return _Resumed("not_arrived" if proven else "unknown")
        self._finish(entry.id, "unknown")
        raise interrupted(entry.intended_at)

    def _grace_left(self, entry: Entry) -> float:
        """Seconds for which a run that was triggered may not show yet."""
        return self._settings.settle_grace - (self._ledger.now() - entry.intended_at).total_seconds()

    def _evidence(self, known: Knowledge, finished: Entry | None) -> LedgerEvidence:
        policy = self._settings.policy
        release_done, age = "", None
        if policy.release is not None:
            done = known.release_done
            if done is None and finished is not None and finished.release == policy.release:
                done = finished
            release_done = isoformat(done.finished_at or done.intended_at) or "" if done else ""
        last = finished or known.last_success
        if policy.max_age is not None:
            age = (known.now - (last.finished_at or last.intended_at)).total_seconds() if last else None
        took = (last.finished_at - last.intended_at).total_seconds() if last and last.finished_at else 0.0
        return LedgerEvidence(release_done, age, took if took > 0 else None)

    def _finish(self, entry_id: int, outcome: str, finished_at: dt.datetime | None = None) -> None:
        if not self._settings.check_mode:
            self._ledger.finish(entry_id, outcome, finished_at)
