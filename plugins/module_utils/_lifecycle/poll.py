# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Waiting as a pure decision: given what was seen and when, poll again (and when) or stop (and why).

The delay is proportional to the time elapsed, so that the detection latency is bounded relative to the duration
of the run, at close to the least possible number of polls. With T the duration of the run:

    latency <= RTT + 1.1 * max(min_interval, min(0.2 * T, max_interval))

An estimate of the duration (of earlier runs) does not change that bound: a run may end at any time, whatever others did. So it
cannot save looks before the estimated end. It moves them within the jitter, so that one comes right after the estimated end,
and has looks around it come twice as often where the least delay permits. For durations from 0.3 to 600 s (log-uniform) and the
default delays, the mean latency is 1.4 s at 25 looks without an estimate, 0.9 s at 26 looks with one that is right within 5 %,
and 1.1 s at 27 looks with one within 25 % (standard deviations). Any schedule within the bound takes at least 15 looks there,
also without a greatest delay; fewer would take a bound that only holds for runs that go as estimated.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import typing as t

from .._core.errors import RateLimited, SyncError
from .._core.vocabulary import ReadingState, WaitOutcome

PROPORTION = 0.2
JITTER = 0.1
MAX_CONSECUTIVE_UNKNOWN = 5

#: a look is aimed at this multiple of the estimated duration, since one right before the end would be in vain
AIM = 1.05
#: looks come twice as often between these multiples of the aim
CLUSTER = (0.9, 1.3)
#: delays before the aim from which on it is worth counting how many there will be
FAR = 50


@dataclasses.dataclass(frozen=True)
class PollPolicy:
    """How to wait.

    :param min_interval: least delay between two polls in seconds.
    :param max_interval: greatest delay between two polls in seconds.
    :param absent_grace: seconds without any progress for which an ``absent`` run may still appear.
    :param outage_grace: seconds for which a run may be impossible to observe before the wait for it ends.
    :param failed_reads: consecutive ``failed`` readings it takes to believe a failure.
    :param failed_for: seconds for which those readings must have stood.
    """

    min_interval: float = 0.5
    max_interval: float = 5.0
    absent_grace: float = 30.0
    outage_grace: float = 60.0
    failed_reads: int = 1
    failed_for: float = 0.0

    def delay(self, elapsed: float, random: float, estimate: float | None = None) -> float:
        """Seconds to the next poll.

        :param elapsed: seconds since the run was triggered.
        :param random: a number in [0, 1), from which the jitter of +-10 % is taken.
        :param estimate: seconds that the run may take.
        """
        aim = math.inf if estimate is None else AIM * estimate
        base = self._base(elapsed, aim)
        return base * (self._aiming(elapsed, base, aim) or 1 - JITTER + 2 * JITTER * random)

    def _base(self, elapsed: float, aim: float) -> float:
        base = min(max(PROPORTION * elapsed, self.min_interval), self.max_interval)
        is_near = CLUSTER[0] * aim <= elapsed < CLUSTER[1] * aim
        return max(base / 2, self.min_interval) if is_near else base

    def _aiming(self, elapsed: float, base: float, aim: float) -> float | None:
        """By what to multiply the delay, so that it and those that follow end at ``aim``; ``None`` if the jitter is too small."""
        left = aim - elapsed
        if not base * (1 - JITTER) <= left <= FAR * base:
            return None
        total = last = base
        while elapsed + total < aim:
            last = self._base(elapsed + total, aim)
            total += last
        # one delay less may be nearer
        factors = [left / each for each in (total, total - last) if each > 0]
        fitting = [factor for factor in factors if abs(factor - 1) <= JITTER]
        return min(fitting, key=lambda factor: abs(factor - 1), default=None)


@dataclasses.dataclass(frozen=True)
class Reading:
    """What one look at a run showed.

    :param state: its state, in words of our own.
    :param raw: the server's own word for it.
    :param message: the server's reason, if it gave one.
    :param progress: anything that differs when the run has moved on; restarts the grace for absent runs.
    :param finished_at: end of the run by the server's clock.
    :param retry_after: pause in seconds that the server asked for.
    :param outage: why the server cannot show the run for now, although it answers; tolerated like a server that does not.
    :param data: what the provider wants to see again when it verifies the effect.
    """

    state: ReadingState
    raw: str = ""
    message: str = ""
    progress: t.Any = None
    finished_at: dt.datetime | None = None
    retry_after: float | None = None
    outage: SyncError | None = None
    data: t.Any = None


@dataclasses.dataclass(frozen=True)
class PollAgain:
    """Take the next look at this moment of the monotonic clock."""

    at: float


@dataclasses.dataclass(frozen=True)
class Settled:
    """Waiting is over.

    ``outcome`` is ``succeeded``, ``failed``, ``timed_out``, ``lost`` (absent beyond the grace), ``unexpected``
    (unknown states) or ``error`` (the run can no longer be observed; see ``error``).
    """

    outcome: WaitOutcome
    reading: Reading | None = None
    error: SyncError | None = None
    seen: tuple[str, ...] = ()


Verdict = t.Union[PollAgain, Settled]


class Waiter:
    """Decides after each look whether and when to look again. Does no I/O and never sleeps.

    :param started: when the run was triggered or joined (monotonic seconds).
    :param deadline: when to give up (monotonic seconds); one last look is taken at it.
    :param random: source of numbers in [0, 1).
    :param estimate: seconds that the run may take from ``started`` on.
    :param is_known: whether there certainly is, or was, such a run; one that is not known has to be seen first.
    """

    def __init__(
        self,
        policy: PollPolicy,
        started: float,
        deadline: float,
        random: t.Callable[[], float],
        estimate: float | None = None,
        is_known: bool = True,
    ) -> None:
        self._policy = policy
        self._is_known = is_known
        self._estimate = estimate
        self._started = started
        self._deadline = deadline
        self._random = random
        #: when the look was started that was the first one to fail since the last good reading
        self._trouble_since: float | None = None
        self._unknown = 0
        self._failed = 0
        self._failed_since = started
        self._progress: t.Any = None
        self._progress_at = started
        self._last: Reading | None = None
        self._seen: list[str] = []

    def first(self) -> float:
        """When to take the first look at a run that was just triggered."""
        return min(self._started + self._policy.delay(0.0, self._random(), self._estimate), self._deadline)

    def after(self, sent: float, now: float, seen: Reading | SyncError) -> Verdict:
        """Decide after a look.

        :param sent: when the look was started; the next one is scheduled from it, so that a slow server costs
            one round trip of latency and not two.
        :param now: when its answer was there.
        """
        if isinstance(seen, SyncError):
            return self._after_error(sent, now, seen, is_transient(seen) or (self._is_known and is_missing(seen)))
        self._is_known = True
        self._note(now, seen)
        if seen.outage is not None:
            return self._after_error(sent, now, seen.outage, True)
        self._trouble_since = None
        settled = self._terminal(now, seen) or self._out_of_patience(now, seen)
        return settled or self._next(sent, now, seen.retry_after)

    def _note(self, now: float, reading: Reading) -> None:
        self._last = reading
        word = reading.raw or reading.state
        if word not in self._seen:
            self._seen.append(word)
        self._unknown = self._unknown + 1 if reading.state == "unknown" else 0
        if reading.state != "failed":
            self._failed = 0
        else:
            if not self._failed:
                self._failed_since = now
            self._failed += 1
        progress = (reading.progress, reading.raw)
        if progress != self._progress:
            self._progress, self._progress_at = progress, now

    def _terminal(self, now: float, reading: Reading) -> Settled | None:
        if reading.state == "succeeded":
            return self._settled("succeeded")
        stands = self._failed >= self._policy.failed_reads and now - self._failed_since >= self._policy.failed_for
        if reading.state == "failed" and stands:
            return self._settled("failed")
        return None

    def _out_of_patience(self, now: float, reading: Reading) -> Settled | None:
        if self._unknown >= MAX_CONSECUTIVE_UNKNOWN:
            return self._settled("unexpected")
        if reading.state == "absent" and now - self._progress_at >= self._policy.absent_grace:
            return self._settled("lost")
        return None

    def _after_error(self, sent: float, now: float, error: SyncError, may_pass: bool) -> Verdict:
        if self._trouble_since is None:
            self._trouble_since = sent
        tolerated_until = self._trouble_since + self._policy.outage_grace
        if not may_pass or now >= tolerated_until:
            return self._settled("error", error)
        pause = error.retry_after if isinstance(error, RateLimited) else None
        if pause is not None and now + pause > self._deadline:
            return self._settled("error", error)
        return self._next(sent, now, pause, error, tolerated_until)

    def _next(
        self, sent: float, now: float, pause: float | None, error: SyncError | None = None, latest: float = float("inf")
    ) -> Verdict:
        """When to look again.

        :param pause: what the server asks for.
        :param latest: look at this moment at the latest, unless the server asks for a pause.
        """
        if now >= self._deadline:
            return self._settled("timed_out", error)
        if pause is not None:
            at = now + max(pause, self._policy.min_interval)
        else:
            at = min(sent + self._policy.delay(sent - self._started, self._random(), self._estimate), latest)
        return PollAgain(min(max(at, now), self._deadline))

    def _settled(self, outcome: WaitOutcome, error: SyncError | None = None) -> Settled:
        return Settled(outcome, self._last, error, tuple(self._seen))


def is_transient(error: SyncError) -> bool:
    """Whether an error while observing may pass: connection trouble, 429, 500, 502 to 504, an answer that is not JSON.

    500 is among them: servers send it for what they did not expect, such as a database that is restarted. What else
    they refuse with 500 and a known text has a code of its own. Running out of time passes too: the deadline is the judge of it.
    """
    if error.code in ("connection_failed", "rate_limited", "bad_response", "timed_out"):
        return True
    return error.code == "server_error" and error.http_status in (500, 502, 503, 504)


def is_missing(error: SyncError) -> bool:
    """Whether the server denies a run, or cannot show it. Of one that goes on, a proxy may say so while the server restarts, or a
    replica that lags (404), or a lock is in the way (409).
    """
    return error.http_status in (404, 409)
