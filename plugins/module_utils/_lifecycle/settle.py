# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Waiting for a run, and what its end means for the record."""

from __future__ import annotations

import dataclasses
import typing as t

from .._core.errors import InternalError, SyncError, wrap_unexpected
from .._http.client import Channel
from .poll import PollPolicy, Reading, Settled, Waiter, is_transient
from .provider import Effect, Observation, Provider, Run, Services, Target
from .record import Record
from .steps import Steps, look


def settle(
    provider: Provider,
    run: Run,
    policy: PollPolicy,
    channel: Channel,
    services: Services,
    record: Record,
    at_once: bool,
    usual: float | None = None,
    is_known: bool = True,
) -> Steps[Settled]:
    """Look at ``run`` until it is terminal or the deadline of ``channel`` has passed.

    :param at_once: take the first look now, for a run that may have ended long ago.
    :param usual: seconds that the last run of the target took.
    :param is_known: see :class:`Waiter`.
    """
    if run.reading is not None and run.reading.state == "succeeded":
        return Settled("succeeded", run.reading)
    started = last = services.clock.monotonic()
    estimate = None if at_once else services.durations.estimate() or usual
    waiter = Waiter(policy, started, channel.deadline.at, services.rng.random, estimate, is_known)
    channel = channel.once()
    at = started if at_once else waiter.first()
    while True:
        # it may come early by half of the pause, where others are looked at
        looked = yield from look(provider, run.handle, channel, at, (at - last) / 2)
        record.polls += 1
        verdict = waiter.after(looked.sent, looked.received, looked.seen)
        if isinstance(verdict, Settled):
            if verdict.outcome == "succeeded" and not at_once:
                services.durations.note(last - started, looked.sent - started)
            return verdict
        last, at = looked.sent, verdict.at


def why_not_idle(settled: Settled) -> str:
    """Why there was no time to start a run behind another one, by how the wait for that one ended."""
    if settled.outcome in ("succeeded", "failed"):
        return "another run had only just ended"
    if settled.outcome == "timed_out" and settled.reading is not None:
        return f"another run was still in flight, last seen as {settled.reading.raw or settled.reading.state}"
    return "the end of another run could not be seen"


def known_outcome(record: Record, settled: Settled) -> str:
    """How a run that was waited for has ended, for the ledger.

    By the effect where there is one: no failed verification satisfies a release. One whose end was seen is never unknown, since
    those are looked at again; it still is ``running`` if reading its effect was interrupted.
    """
    if settled.outcome in ("succeeded", "failed"):
        return record.state if record.state in ("succeeded", "running") else "failed"
    return settled.outcome


def conclude(
    provider: Provider,
    target: Target,
    observation: Observation | None,
    run: Run,
    settled: Settled,
    record: Record,
    channel: Channel,
) -> None:
    """Put the end of a wait into ``record``.

    :raises SyncError: for every end but that of a run that succeeded and had the effect it must have, or of one that the
        provider says cannot be observed. The state of the record is then that of the run as far as it is known, and never
        ``succeeded``.
    """
    if settled.outcome in ("succeeded", "failed"):
        _terminal(provider, target, observation, run, settled, record, channel)
        return
    visible = settled.reading is not None and settled.reading.state not in ("absent", "unknown")
    record.state = "running" if visible and settled.outcome != "unexpected" else "unknown"
    if settled.outcome == "timed_out":
        record.timed_out = True
        raise _timed_out(provider, target, settled, record, channel)
    if settled.outcome == "error" and settled.error is not None:
        if is_transient(settled.error):
            # an outage says nothing about a run that was accepted
            record.state = "running"
        if settled.error.code != "not_found":
            settled.error.hint = f"{settled.error.hint} {RESUME}".strip()
        raise settled.error
    record.state = "unknown"
    if settled.outcome == "lost":
        _note(provider.lost(target, run), record)
        return
    raise SyncError(
        "bad_response",
        f"the server reports a state that this collection does not know; seen: {', '.join(settled.seen)}",
        "The server may be of a version that is not supported. " + RESUME,
    )


RESUME = "The run may go on at the server: run the task again to join it, or give its handle to lockstep.sync.sync_wait."


def _terminal(
    provider: Provider,
    target: Target,
    observation: Observation | None,
    run: Run,
    settled: Settled,
    record: Record,
    channel: Channel,
) -> None:
    ended: t.Literal["succeeded", "failed"] = "failed" if settled.outcome == "failed" else "succeeded"
    reading = settled.reading or Reading(ended)
    try:
        effect = _effect(provider, target, observation, run, reading, record, channel)
    except InternalError:
        record.state = "failed" if ended == "failed" else "unknown"
        raise
    # not before the effect is known: an interruption while it is read must not report a success
    record.state = ended
    record.finished_at = reading.finished_at or provider.services.clock.now()
    if ended == "failed" and effect.failure is None:
        failure = SyncError("run_failed", f"the run failed: {reading.message or 'the server gives no reason'}")
        effect = dataclasses.replace(effect, failure=failure)
    _note(effect, record)


def _note(effect: Effect, record: Record) -> None:
    record.changed, record.changed_basis = effect.changed, effect.basis
    record.reason = effect.reason or record.reason
    record.detail.update(effect.detail)
    record.compact_detail.update(effect.compact_detail)
    record.warnings.extend(effect.warnings)
    if effect.failure is not None:
        record.fail(effect.failure)
        raise effect.failure


def _effect(
    provider: Provider,
    target: Target,
    observation: Observation | None,
    run: Run,
    reading: Reading,
    record: Record,
    channel: Channel,
) -> Effect:
    try:
        with wrap_unexpected():
            return provider.verify(target, observation, run, reading, channel)
    except InternalError:
        raise
    except SyncError as error:
        # the run has ended, and that stays true
        return Effect(True, "assumed", warnings=(f"{record.target}: the effect could not be verified: {error.message}",))


def _timed_out(provider: Provider, target: Target, settled: Settled, record: Record, channel: Channel) -> SyncError:
    if settled.reading is not None:
        seen = f"last seen as {settled.reading.raw or settled.reading.state}"
        if settled.error is not None and settled.error is not settled.reading.outage:
            seen += f", and the last look failed: {settled.error.message}"
    else:
        seen = f"never seen; last error: {settled.error.message}" if settled.error else "never seen"
    try:
        why = provider.explain_timeout(target, settled.reading, channel.once())
    except SyncError:
        why = ""
    return SyncError(
        "timed_out",
        f"not finished within wait_timeout ({channel.deadline.seconds:g} s, {record.polls} polls), {seen}",
        f"{why} {RESUME}".strip(),
    )
