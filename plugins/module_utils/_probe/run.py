# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The code of the module http_probe: makes attempts as the schedule decides, and returns the result. Changes nothing."""

from __future__ import annotations

import dataclasses
import typing as t
import warnings

from .._core.clock import Clock, isoformat
from .._core.errors import SyncError, sentences, wrap_unexpected
from .._core.options import Options
from .._core.redact import Redactor
from .._core.stop import Interrupted, Stopped
from .._http.client import RequestCount
from .._operations.progress import ticking
from .._operations.task import Context
from . import http
from .expect import problems_of
from .options import Probe, parse_before, parse_probes, parse_rules
from .patterns import LimitedSearch
from .schedule import Attempt, Over, Schedule, ScheduleRules, Track
from .workers import AttemptResult, ProbeExecutor, ThreadedExecutor

#: Creates the executor for these probes.
ExecutorFactory = t.Callable[[t.Sequence[Probe], Clock], ProbeExecutor]


def http_executor(probes: t.Sequence[Probe], clock: Clock) -> ProbeExecutor:
    """An executor that sends real requests."""
    if not all(probe.verify for probe in probes):
        # the documentation of validate_certs warns already
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    return ThreadedExecutor(lambda number: make_attempt(probes[number], clock), clock)


def make_attempt(
    probe: Probe, clock: Clock, fetch: t.Callable[[Probe, Clock, RequestCount], t.Any] = http.fetch
) -> AttemptResult:
    """Make one attempt and evaluate the response. Any failure is a problem of the probe."""
    count, redactor = RequestCount(), Redactor(probe.secrets)
    try:
        with wrap_unexpected():
            seen = fetch(probe, clock, count)
            now = clock.now()
            problems = tuple(problems_of(probe.wanted, seen, now, redactor.text, LimitedSearch(probe.request_timeout)))
    except SyncError as error:
        wanted = " or ".join(map(str, probe.wanted.status))
        problem = f"{redactor.text(error.message)}, wanted a response with status {wanted}"
        return AttemptResult((problem,), clock.monotonic(), clock.now(), count.value)
    days = seen.certificate.days(now) if seen.certificate else None
    return AttemptResult(problems, clock.monotonic(), now, count.value, seen.status, seen.latency, days)


@dataclasses.dataclass(frozen=True)
class ProbeEntry:
    """One probe in the result of the task, with the fields that the result has.

    :param was_ok: whether it passed before, as the options say.
    """

    name: str
    url: str
    ok: bool
    status: int | None
    latency: float | None
    attempts: int
    consecutive: int
    problems: list[str]
    certificate_days: int | None
    was_ok: bool | None
    checked_at: str | None
    requests: int


class ProbeHistory:
    """The attempts of one probe so far."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.last: AttemptResult | None = None
        self.last_failed: AttemptResult | None = None
        self.requests = 0

    def note(self, view: AttemptResult) -> None:
        self.requests += view.requests
        self.last = view
        if view.problems:
            self.last_failed = view

    def entry(self, track: Track, rules: ScheduleRules, was_ok: bool | None) -> ProbeEntry:
        """The entry of the probe in the result."""
        last = self.last
        return ProbeEntry(
            name=self.probe.name,
            url=self.probe.address.shown,
            ok=track.passed,
            status=last.status if last else None,
            latency=None if last is None or last.latency is None else round(last.latency, 3),
            attempts=track.attempts,
            consecutive=track.consecutive,
            problems=[] if track.passed else self._problems(track, rules),
            certificate_days=last.certificate_days if last else None,
            was_ok=was_ok,
            checked_at=isoformat(last.at) if last else None,
            requests=self.requests,
        )

    def _problems(self, track: Track, rules: ScheduleRules) -> list[str]:
        if self.last is None:
            return ["no attempt was made, wanted one"]
        if self.last.problems:
            return list(self.last.problems)
        before = f"; the last failure: {'; '.join(self.last_failed.problems)}" if self.last_failed else ""
        attempts = "attempt" if track.consecutive == 1 else "attempts"
        return [f"{track.consecutive} successful {attempts} in a row, wanted {rules.needed}{before}"]


class ProbeTask:
    """The state of one task, complete at any moment, so that every exit can report it."""

    def __init__(self, context: Context) -> None:
        self.clock = context.clock
        self.started = context.clock.monotonic()
        self.histories: list[ProbeHistory] = []
        self.before: dict[str, bool] = {}
        self.rules = ScheduleRules()
        self.schedule: Schedule | None = None
        self.failure: SyncError | None = None

    def prepare(self, options: Options) -> list[Probe]:
        """Parse the options.

        :raises SyncError: ``invalid_option``.
        """
        self.rules = parse_rules(options)
        self.before = parse_before(options)
        probes = parse_probes(options)
        self.histories = [ProbeHistory(probe) for probe in probes]
        return probes

    def watch(self, executor: ProbeExecutor) -> None:
        """Make attempts until the schedule is over."""
        self.schedule = schedule = Schedule(len(self.histories), self.rules, self.clock.monotonic())
        while True:
            step = schedule.next(self.clock.monotonic())
            if isinstance(step, Over):
                return
            if isinstance(step, Attempt):
                executor.start(step.probe)
                continue
            for probe, view in executor.wait(step.until):
                self.histories[probe].note(view)
                schedule.ended(probe, view.ended, not view.problems)

    def line(self, elapsed: float) -> str:
        """The progress, ``elapsed`` seconds after the beginning."""
        green = sum(track.passed for track in self.schedule.tracks) if self.schedule else 0
        soaking = self.schedule is not None and self.schedule.green_at is not None
        soak = f", soak of {self.rules.soak:g} s" if soaking else ""
        return f"{green} of {len(self.histories)} probes green{soak}, {elapsed:.0f} s"

    def result(self) -> dict[str, t.Any]:
        """What the task returns."""
        tracks = self.schedule.tracks if self.schedule else [Track(None) for dummy in self.histories]
        probes = [
            history.entry(track, self.rules, self.before.get(history.probe.name))
            for history, track in zip(self.histories, tracks)
        ]
        failing = [probe for probe in probes if not probe.ok]
        if self.schedule is not None and failing and self.failure is None:
            self.failure = self._probe_failed(failing)
        return {
            "changed": False,
            "ok": self.failure is None,
            "probes": [dataclasses.asdict(probe) for probe in probes],
            "regressions": [probe.name for probe in failing if probe.was_ok is not False],
            "already_failing": [probe.name for probe in failing if probe.was_ok is False],
            "elapsed": round(self.clock.monotonic() - self.started, 3),
            "requests": sum(history.requests for history in self.histories),
            "failure": self.failure.as_failure() if self.failure else None,
            "msg": self._message(),
        }

    def _probe_failed(self, failing: t.Sequence[ProbeEntry]) -> SyncError:
        first = failing[0]
        text = f"{len(failing)} of {len(self.histories)} probes failed"
        if self.schedule and self.schedule.broken:
            text += " during the soak"
        known = sum(probe.was_ok is False for probe in failing)
        if known:
            text += f" ({known} of them failed before too)"
        message = f"{text}. {first.name}: {'; '.join(first.problems)}"
        return SyncError("probe_failed", message, "Check the server behind the address, and its logs.", first.status)

    def _message(self) -> str:
        if self.failure:
            return sentences(self.failure.message, self.failure.hint)
        soak = f", and stayed so for {self.rules.soak:g} s" if self.rules.soak else ""
        return f"{len(self.histories)} of {len(self.histories)} probes are as wanted{soak}"


def run_probes(options: Options, context: Context, new_executor: ExecutorFactory = http_executor) -> dict[str, t.Any]:
    """Run all probes.

    :returns: the result of the task; ``failed`` in it says whether it failed.
    """
    task = ProbeTask(context)
    try:
        with wrap_unexpected():
            probes = task.prepare(options)
            with ticking(task.line, context.show):
                task.watch(new_executor(probes, context.clock))
    except SyncError as error:
        task.failure = error
    except (Interrupted, Stopped, KeyboardInterrupt):
        task.failure = SyncError("outcome_unknown", "the task was interrupted", "Run the task again.")
    result = task.result()
    failed = task.failure is not None and (options["fail"] or task.failure.code != "probe_failed")
    return {**result, "warnings": context.warnings, **({"failed": True} if failed else {})}
