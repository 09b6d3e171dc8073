# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The lifecycle of one target, the same for all providers:

observe -> plan -> (check mode stops here) -> guard -> record intent -> trigger once -> settle -> verify -> record outcome
"""

from __future__ import annotations

import typing as t

from .._core.errors import Ambiguous, InternalError, NeverArrived, RateLimited, SyncError, wrap_unexpected
from .._core.stop import Stopped
from .._core.vocabulary import TargetProgress
from .._http.client import Channel
from .._state.lease import HEARTBEAT_SECONDS
from .._state.run_ledger import NO_REVISION, LeaseConflict, RunLedger
from .aftermath import AftermathRecorder
from .movement import Movement
from .plan import Plan, decide
from .poll import Settled
from .provider import Observation, Provider, Run, Services, Target
from .recall import Recall, Recalled
from .record import Record
from .settings import LifecycleSettings
from .settle import conclude, known_outcome, settle, why_not_idle
from .steps import Pause, Steps, pause

#: how often a trigger that never reached the server is sent in all
MAX_SENDS = 5


class Lifecycle:
    """Takes one target through all steps; one object per target.

    :param channel: the one that the target was found by; its deadline holds for everything.
    """

    def __init__(
        self,
        provider: Provider,
        ledger: RunLedger,
        settings: LifecycleSettings,
        services: Services,
        target: Target,
        record: Record,
        channel: Channel,
    ) -> None:
        self.provider = provider
        self.ledger = ledger.within(channel.deadline)
        self.settings = settings
        self.services = services
        self.target = target
        self.record = record
        self.channel = channel
        self.deadline = channel.deadline
        channel.on_trigger, channel.on_send = self._note_trigger, self._note_sending
        channel.keeps_connections = provider.capabilities.absence_proves
        self.recall = Recall(provider, self.ledger, settings, services, target, channel)
        self.movement = Movement(provider, target, channel)
        self.key = self.recall.key
        self.aftermath = AftermathRecorder(self.ledger, self.key, record, writes=not settings.check_mode)
        self.began = services.clock.monotonic()
        #: the revision of the target in the ledger when the evidence was gathered
        self.revision = NO_REVISION
        #: seconds that the last successful run took
        self.usual: float | None = None
        #: the ledger entry of the trigger that is being sent, and when its lease was taken, by both clocks
        self.entry_id = 0
        self.leased_at = (self.began, services.clock.now())
        #: the open ledger entry of the run that is being resumed, with that run's handle
        self.resumed: tuple[int, dict[str, t.Any]] | None = None
        #: the observation that a refused trigger was sent for, until it is sent again
        self.kept: Observation | None = None

    def steps(self) -> Steps[None]:
        """Fill the record, step by step.

        :raises SyncError: why the target was not synced; the record shows how far it got.
        """
        while True:
            self.record.progress = "planning"
            recalled = yield from self.recall.look()
            if recalled.run is None and self._skips_at_a_glance(recalled):
                return
            observation = self._observe()
            recalled = self.recall.unless_abandoned(recalled, observation)
            self._note_recalled(recalled)
            resumed = recalled.run
            # without run ids, only the handle identifies the run in flight
            if resumed is not None and (observation.running is None or not self.provider.capabilities.run_id):
                observation.running = resumed
            self._note(observation)
            plan = decide(observation, recalled.evidence, self.settings.policy)
            self.record.reason = plan.reason
            if self.settings.check_mode:
                self._predict(plan)
                return
            if plan.action == "skip":
                self.record.action, self.record.changed_basis = "skipped", plan.basis
                return
            if plan.failure is not None:
                raise plan.failure
            if plan.action == "join":
                yield from self._join(t.cast(Run, observation.running), observation)
                return
            if plan.action == "queue":
                yield from self._wait_until_idle(t.cast(Run, observation.running))
                continue
            if self.movement.must_plan_again(observation):
                continue
            self.record.detail.update(self.movement.detail)
            if (yield from self._trigger(observation)):
                return

    # -- before the trigger ------------------------------------------------------------------------------------------

    def _skips_at_a_glance(self, recalled: Recalled) -> bool:
        """Whether the evidence that costs least is enough to leave the target alone; if so, the record says it."""
        if self.settings.policy.force or self.kept is not None:
            return False
        observation = self.provider.glance(self.target, self.channel)
        plan = decide(observation, recalled.evidence, self.settings.policy) if observation is not None else None
        if observation is None or plan is None or plan.action != "skip":
            return False
        self._note_recalled(recalled)
        self._note(observation)
        self.record.reason = plan.reason
        if self.settings.check_mode:
            self._predict(plan)
        else:
            self.record.action, self.record.changed_basis = "skipped", plan.basis
        return True

    def _observe(self) -> Observation:
        """A new observation, or the one before a pause if it still holds."""
        kept, self.kept = self.kept, None
        refreshed = self.provider.refresh(self.target, kept, self.channel) if kept is not None else None
        return refreshed or self.provider.observe(self.target, self.channel)

    def _note_recalled(self, recalled: Recalled) -> None:
        run, entry_id = recalled.run, recalled.entry_id
        self.revision, self.usual = recalled.revision, recalled.evidence.duration
        self.resumed = (entry_id, run.handle) if run is not None and entry_id is not None else None
        self.record.interruption = recalled.interruption or self.record.interruption

    def _note(self, observation: Observation) -> None:
        record = self.record
        record.detail, record.compact_detail = dict(observation.detail), dict(observation.compact_detail)
        record.diff = observation.diff
        record.warnings += [text for text in observation.warnings if text not in record.warnings]

    def _predict(self, plan: Plan) -> None:
        self.record.changed_basis = "predicted"
        if plan.failure is not None:
            raise plan.failure
        if plan.action == "skip":
            self.record.action = "skipped"
            return
        self.record.action = "would_join" if plan.action == "join" else "would_trigger"
        self.record.changed = True

    def _wait_until_idle(self, run: Run) -> Steps[None]:
        """Wait until somebody else's run has ended (``if_running: queue``)."""
        settled = yield from self._settle(run, at_once=True)
        if settled.outcome == "error" and settled.error is not None:
            raise settled.error
        if self.resumed is not None and self.resumed[1] == run.handle:
            # an end that takes several readings to believe is not seen by the next plan's single one, which would queue for ever
            self.aftermath.ended(self.resumed[0], settled.outcome, settled.reading)
        yield from self._pause(self.settings.poll.min_interval, why_not_idle(settled))

    def _out_of_time(self, why: str) -> t.NoReturn:
        self.record.timed_out = True
        message = f"not started within wait_timeout ({self.deadline.seconds:g} s): {why}"
        raise SyncError("timed_out", message, "Run the task again later.")

    # -- the trigger -------------------------------------------------------------------------------------------------

    def _trigger(self, observation: Observation) -> Steps[bool]:
        """Trigger and settle; ``False`` asks for a new plan."""
        try:
            entry_id = self._intend(observation)
        except LeaseConflict:
            self._show("planning")
            elapsed = self.services.clock.monotonic() - self.began
            delay = self.settings.poll.delay(elapsed, self.services.rng.random())
            yield from self._pause(delay, "another process is about to trigger it")
            return False
        try:
            run = yield from self._send(observation, entry_id)
        except Ambiguous as error:
            run = yield from self._adopt(entry_id, observation, error)
        except InternalError as error:
            if self.channel.may_have_executed:
                self._outcome_unknown(entry_id, error)
            self.aftermath.retract(entry_id)
            raise
        except SyncError as error:
            self.aftermath.retract(entry_id)
            return (yield from self._refused(observation, error))
        except Stopped:
            if self.record.started_at is None or not self.channel.may_have_executed:
                self.record.started_at = None
                self.aftermath.retract(entry_id)
            raise
        if run is None:
            self.aftermath.retract(entry_id)
            return False
        self.record.action = "triggered"
        self._note_run(run)
        self.aftermath.started(entry_id, run.handle)
        yield from self._follow(run, entry_id, observation)
        return True

    def _intend(self, observation: Observation) -> int:
        self.record.progress = "intended"
        self.services.watcher.before_trigger()
        self.leased_at = (self.services.clock.monotonic(), self.services.clock.now())
        self.entry_id = self.ledger.intend(
            self.key,
            self.settings.policy.release,
            observation.snapshot,
            self.revision,
            self.provider.invalidates(self.target),
        )
        return self.entry_id

    def _send(self, observation: Observation, entry_id: int) -> Steps[Run | None]:
        """Send the trigger; again only where it provably did not reach the server. ``None`` if the plan is void by then."""
        for attempt in range(1, MAX_SENDS + 1):
            try:
                with wrap_unexpected():
                    return self.provider.trigger(self.target, observation, self.channel)
            except (NeverArrived, RateLimited) as error:
                self.record.started_at = None
                if not self.ledger.still_holds(entry_id):
                    return None
                again = attempt < MAX_SENDS and getattr(error, "retryable", True)
                seconds = getattr(error, "retry_after", None)
                seconds = self.services.rng.uniform(0.5, 1) * 2 ** (attempt - 1) if seconds is None else seconds
                seconds = max(seconds, self.settings.poll.min_interval)
                if not again or not self.deadline.allows(seconds):
                    raise
                yield from pause(seconds, self.deadline)
            except SyncError as error:
                if error.code == "bad_response" and self.channel.may_have_executed:
                    raise Ambiguous(error.message, error.http_status) from None
                raise
            if not self.ledger.still_holds(entry_id) or not self.movement.holds(observation):
                return None
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _show(self, progress: TargetProgress) -> None:
        self.record.progress = progress
        self.services.watcher.moved()

    def _note_trigger(self) -> None:
        self.record.started_at = self.services.clock.now()
        self._show("sending")

    def _note_sending(self) -> None:
        # where absence proves that nothing was sent, that much need not be written
        if self.provider.capabilities.absence_proves and self._was_leased_just_now():
            return
        if self.ledger.sending(self.entry_id):
            return
        raise SyncError("busy", "another process has taken over, since this one was stopped for longer than a lease lasts")

    def _was_leased_just_now(self) -> bool:
        """Whether no other process can have taken over by now: this one may have been stopped for longer than its lease lasts."""
        clock, (started, date) = self.services.clock, self.leased_at
        elapsed = max(clock.monotonic() - started, (clock.now() - date).total_seconds())
        return elapsed <= HEARTBEAT_SECONDS

    def _adopt(self, entry_id: int, observation: Observation, error: Ambiguous) -> Steps[Run]:
        """The run of a trigger whose answer was lost.

        :raises SyncError: ``outcome_unknown`` if there is none to be seen.
        """
        try:
            found = yield from self.recall.look_for(observation.snapshot, self.settings.settle_grace)
        except InternalError as bug:
            self._outcome_unknown(entry_id, bug)
        if found is None:
            self._outcome_unknown(entry_id, error)
        self.record.reason = f"adopted: the answer to the trigger was lost ({error.message}), and its run was found"
        return found

    def _outcome_unknown(self, entry_id: int, error: Ambiguous | InternalError) -> t.NoReturn:
        """The trigger may have been executed, and no run of it is known."""
        self.record.action, self.record.state = "triggered", "unknown"
        self.record.changed, self.record.changed_basis = True, "assumed"
        self.aftermath.finish(entry_id, "unknown")
        hint = "Nothing was sent again. Look at the target before you run the task again."
        if isinstance(error, InternalError):
            error.hint = f"The trigger may have been executed. {hint} {error.hint}"
            raise error
        message = f"the trigger was sent, its answer was lost ({error.message}), and no new run showed up"
        raise SyncError("outcome_unknown", message, hint, error.http_status)

    def _refused(self, observation: Observation, error: SyncError) -> Steps[bool]:
        """The server definitely refused: do what the options say."""
        self.record.started_at = None
        self._show("planning")
        if error.code == "busy":
            return (yield from self._busy(error))
        remedy = self.provider.refused(self.target, observation, error)
        if remedy.then == "skip":
            self.record.action, self.record.reason = "skipped", remedy.reason
            return True
        seconds = max(remedy.seconds, self.settings.poll.min_interval)
        if remedy.then == "wait" and self.deadline.allows(seconds):
            yield from pause(seconds, self.deadline)
            self.kept = observation
            return False
        self.record.reason = remedy.reason or error.message
        raise SyncError(error.code, self.record.reason, error.hint, error.http_status)

    def _busy(self, error: SyncError) -> Steps[bool]:
        if self.settings.policy.if_running == "fail":
            raise error
        if self.settings.policy.if_running == "queue":
            yield from self._pause(self.settings.poll.max_interval, error.message)
            return False
        found = yield from self._visible_run()
        if found is None:
            raise error
        yield from self._join(t.cast(Run, found.running), found)
        return True

    def _visible_run(self) -> Steps[Observation | None]:
        """The run that the server says is in flight, which it may take a moment to show."""
        clock = self.services.clock
        started = clock.monotonic()
        end = min(started + self.settings.settle_grace, self.deadline.at)
        while True:
            observation = self.provider.observe(self.target, self.channel)
            if observation.running is not None:
                return observation
            now = clock.monotonic()
            if now >= end:
                return None
            delay = self.settings.poll.delay(now - started, self.services.rng.random())
            yield Pause(min(now + delay, end), self.deadline)

    def _pause(self, seconds: float, why: str) -> Steps[None]:
        if not self.deadline.allows(seconds):
            self._out_of_time(why)
        yield from pause(seconds, self.deadline)

    # -- after the trigger -------------------------------------------------------------------------------------------

    def _join(self, run: Run, observation: Observation) -> Steps[None]:
        self.record.action = "joined"
        entry_id = None
        if self.resumed is not None and self.resumed[1] == run.handle:
            entry_id = self.resumed[0]
            self.ledger.adopt(entry_id)
        elif invalidates := self.provider.invalidates(self.target):
            self.ledger.invalidate(self.key, run.handle, invalidates)
        yield from self._follow(run, entry_id, observation)

    def _follow(self, run: Run, entry_id: int | None, observation: Observation) -> Steps[None]:
        """Wait for a run and record how it ended."""
        record = self.record
        self._note_run(run)
        terminal = run.reading is not None and run.reading.state in ("succeeded", "failed")
        if not self.settings.wait and not terminal:
            record.reason = f"{record.reason}; not waited for"
            self.aftermath.let_go(entry_id)
            return
        settled = yield from self._settle(run, at_once=record.action == "joined")
        while settled.outcome == "failed":
            # the one that was found may have been somebody else's
            another = yield from self.recall.another(run)
            if another is None:
                break
            run = another
            self._note_run(run)
            if entry_id is not None:
                self.aftermath.started(entry_id, run.handle)
            settled = yield from self._settle(run, at_once=True)
        try:
            conclude(self.provider, self.target, observation, run, settled, record, self.channel)
        finally:
            self.aftermath.ended(entry_id, known_outcome(record, settled), settled.reading)

    def _settle(self, run: Run, at_once: bool) -> Steps[Settled]:
        return settle(self.provider, run, self.settings.poll, self.channel, self.services, self.record, at_once, self.usual)

    def _note_run(self, run: Run) -> None:
        record = self.record
        record.handle, record.state = run.handle, "running"
        record.changed, record.changed_basis = True, "assumed"
        record.started_at = run.started_at or (record.started_at if record.action == "triggered" else None)
        self._show("running")
