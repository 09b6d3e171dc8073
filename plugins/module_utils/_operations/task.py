# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Many targets in one task: their records, the result of the task and its report, on every exit."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import random
import typing as t

from .._core.clock import Clock, SystemClock, isoformat
from .._core.errors import SyncError, sentences, wrap_unexpected
from .._core.options import Options
from .._core.redact import Redactor
from .._core.stop import Interrupted, Stopped, StopSignal
from .._http.client import RequestCount
from .._lifecycle.record import Record
from .._lifecycle.steps import Admission, Steps
from .._state.location import OPTION, SHARED, default_path, ends_with_job, named_location, secrets_of
from .._state.run_ledger import RunLedger
from .admission import RunLimit
from .failure_limit import FailureLimit
from .pool import LendingClock
from .progress import Progress, Show, ticking
from .report import write_report
from .result import (
    DIFF_BYTES,
    DIFF_COPIES,
    MANY,
    RESERVED,
    allowed_bytes,
    fit,
    fit_diffs,
    fit_warnings,
    is_failed,
    scrub_failure,
    scrub_record,
    size_of,
    summarize,
)
from .scheduling import Scheduler, Workers
from .unfinished import UNFINISHED_HINT, ReportKeeper, interrupted_record, unfinished_record

#: the environment variable by which a role of this collection says that it runs a module: the prefix of the role's variables. The
#: module returns the traceback of a bug then, for the report of the role
ROLE_VARIABLE = "LOCKSTEP_CALLED_BY_ROLE"


@dataclasses.dataclass
class Context:
    """What surrounds a task: the mode it runs in, and the outside world.

    :param given: the arguments of the task before they were converted to the types of the options.
    :param show: shows lines with the progress of the task; ``None`` where they are not wanted.
    """

    check_mode: bool = False
    diff: bool = False
    clock: Clock = dataclasses.field(default_factory=SystemClock)
    rng: random.Random = dataclasses.field(default_factory=random.Random)
    environ: t.Mapping[str, str] = dataclasses.field(default_factory=lambda: os.environ)
    show: Show | None = None
    given: Options = dataclasses.field(default_factory=dict)
    warnings: list[str] = dataclasses.field(default_factory=list)
    stop: StopSignal = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        # what ends the pauses of this machine's clock ends the work as a whole
        self.stop = self.clock.stop if isinstance(self.clock, SystemClock) else StopSignal()

    @property
    def is_for_role(self) -> bool:
        """Whether the result goes to a role of this collection, which shows a part of it and writes a report of its own."""
        return bool(self.environ.get(ROLE_VARIABLE))

    def warn(self, text: str) -> None:
        """Note a warning for the user, once."""
        if text not in self.warnings:
            self.warnings.append(text)


#: of how many targets the warnings say what an interrupted task left behind
MAX_INTERRUPTED = 10

#: Does the work for one record, by filling it; given the request count of that record.
Work = t.Callable[[Record, RequestCount], Steps[None]]


class Batch:
    """The records of one task, complete at any moment, so that every exit can report them."""

    def __init__(self, options: Options, context: Context, redactor: Redactor) -> None:
        self.options = options
        self.context = context
        self.redactor = redactor
        self.count = RequestCount()
        self.records: list[Record] = []
        self.failure: SyncError | None = None
        self._keeper = ReportKeeper(self._write_unfinished) if self._keeps_report else None
        self._failures = FailureLimit.from_options(options)
        self._started = context.clock.monotonic()
        self._workers = Workers(options["max_parallel"], context.clock, context.stop)
        #: its pauses let others work meanwhile
        self.clock: Clock = LendingClock(context.clock, self._workers.pool)

    def process(self, jobs: t.Sequence[tuple[Record, Work]], limit: RunLimit | None = None) -> None:
        """Do all jobs, with at most ``max_parallel`` requests at once. A failing one never keeps the others from being done.

        :param limit: how many targets may be at work or waited for at once; ``None`` for any number.
        """
        progress = Progress(len(jobs), now=self.context.clock.now)
        scheduler = Scheduler(self._workers, self.count, limit)
        showing = ticking(lambda elapsed: self.redactor.text(progress.line(elapsed)), self.context.show, progress.parts)
        with self._keeping(), showing:
            scheduler.run([self._one(record, work, progress) for record, work in jobs])

    def _one(self, record: Record, work: Work, progress: Progress) -> Steps[None]:
        yield Admission()
        in_flight = functools.partial(_is_in_flight, record)
        with progress.of(lambda: _at_work(record), lambda: record.failure is not None, in_flight):
            yield from self._finish(record, work)

    def _finish(self, record: Record, work: Work) -> Steps[None]:
        count, clock = RequestCount(self.count), self.context.clock
        started = clock.monotonic()
        try:
            with wrap_unexpected():
                yield from work(record, count)
        except SyncError as error:
            record.fail(error)
        finally:
            record.elapsed += clock.monotonic() - started
            record.requests += count.value
        record.progress = "done"
        if is_failed(record, self.options.get("on_timeout") == "warn"):
            self._failures.note()
        self.moved()

    def lent(self) -> t.ContextManager[None]:
        """See :class:`Services`."""
        return self._workers.pool.lent()

    def check_failures(self) -> None:
        """Whether a further target may be begun, or triggered.

        :raises SyncError: ``guard_refused``, if too many have failed.
        """
        self._failures.check()

    # -- the report of a task at work --------------------------------------------------------------------------------

    @property
    def _keeps_report(self) -> bool:
        return bool(self.options.get("report_path")) and not self.context.check_mode

    @contextlib.contextmanager
    def _keeping(self) -> t.Iterator[None]:
        """Have the report say how far the task is, in case that it is killed.

        :raises SyncError: it cannot be written.
        """
        with contextlib.ExitStack() as stack:
            if self._keeper is not None:
                with self._writing():
                    stack.enter_context(self._keeper.keeping())
            yield

    def before_trigger(self) -> None:
        """See :class:`Watcher`."""
        self.check_failures()
        if self._keeper is not None:
            with self._writing():
                self._keeper.before_trigger()

    def moved(self) -> None:
        """See :class:`Watcher`."""
        if self._keeper is not None:
            self._keeper.moved()

    @contextlib.contextmanager
    def _writing(self) -> t.Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise self._unwritable(exc) from None

    def _unwritable(self, exc: OSError) -> SyncError:
        problem = f"option report_path: {self.options['report_path']!r} cannot be written: {exc.strerror}"
        return SyncError("invalid_option", problem, "Name another file.")

    def _write_unfinished(self) -> None:
        records = [unfinished_record(record) for record in self.records]
        failure = SyncError("outcome_unknown", "the task had not ended when this was written", UNFINISHED_HINT)
        tolerate = self.options.get("on_timeout") == "warn"
        elapsed = self.context.clock.monotonic() - self._started
        head = {
            "changed": any(record.changed for record in records),
            "summary": summarize(records, self.count.value, elapsed, tolerate),
            "failed": True,
            "msg": sentences(failure.message, failure.hint),
            "failure": failure.as_failure(),
        }
        syncs = ({**self._in_full(record), "progress": record.progress} for record in records)
        write_report(self.options["report_path"], self._scrubbed({**self._meta(True), **head}), syncs)

    def _in_full(self, record: Record) -> dict[str, t.Any]:
        """A record for the report."""
        return scrub_record(record.as_dict(for_report=True), self.redactor)

    def _meta(self, unfinished: bool) -> dict[str, t.Any]:
        """What only the report has."""
        generated_at = isoformat(self.context.clock.now())
        return {"generated_at": generated_at, "check_mode": self.context.check_mode, "unfinished": unfinished}

    # -- the end -----------------------------------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Note that nothing waits any more for what is not finished; from now on, nothing is triggered."""
        self.context.stop.set()
        # threads that still hang in a request go on with theirs
        self.records = [interrupted_record(record) for record in self.records]
        self.failure = SyncError(
            "outcome_unknown", "the task was interrupted", "Runs go on at their servers: run the task again to join them."
        )

    def result(self) -> dict[str, t.Any]:
        """What the task returns; written to the report file as well."""
        errors = [error for error in (self.failure, *(record.failure for record in self.records)) if error]
        for error in dict.fromkeys(errors if not self.context.is_for_role else ()):
            error.point_to_report(self.options.get("report_path"))
        tolerate = self.options.get("on_timeout") == "warn"
        elapsed = self.context.clock.monotonic() - self._started
        failed = [record for record in self.records if is_failed(record, tolerate)]
        head: dict[str, t.Any] = {
            "changed": any(record.changed for record in self.records),
            "summary": summarize(self.records, self.count.value, elapsed, tolerate),
        }
        if failed or self.failure:
            head.update(failed=True, msg=self._message(failed))
        if self.failure:
            head["failure"] = self.failure.as_failure()
        warnings = self._warnings(tolerate)
        self._report(head, warnings)
        if self.context.is_for_role:
            head.update(traceback_for_role(errors))
        else:
            warnings = fit_warnings(warnings)
        return self._fitting(self._scrubbed({**head, "warnings": warnings}))

    def _fitting(self, head: dict[str, t.Any]) -> dict[str, t.Any]:
        """The result with the records, and the diffs as far as there is room."""
        allowed = allowed_bytes(len(self.records))
        many = len(self.records) >= MANY
        if many:
            allowed -= size_of(head) + RESERVED
        syncs = fit(self.records, self.redactor, allowed)
        diffs = [record.diff for record in self.records if record.diff]
        if not (self.context.diff and diffs):
            return {**head, "syncs": syncs}
        room = DIFF_BYTES
        if self.context.is_for_role:
            # which shows nothing else of this result
            room = DIFF_BYTES // DIFF_COPIES if many else DIFF_BYTES
        elif many:
            room = min(room, (allowed - size_of(syncs)) // DIFF_COPIES)
        return {**head, "diff": self.redactor.scrub(fit_diffs(diffs, room)), "syncs": syncs}

    def _scrubbed(self, head: dict[str, t.Any]) -> dict[str, t.Any]:
        """Everything in a result or a report except the records; its keys and codes are words of our own."""
        scrubbed: dict[str, t.Any] = self.redactor.scrub(head)
        if head.get("failure"):
            scrubbed["failure"] = scrub_failure(head["failure"], self.redactor)
        return scrubbed

    def _message(self, failed: t.Sequence[Record]) -> str:
        if self.failure:
            return sentences(self.failure.message, self.failure.hint)
        first = failed[0]
        error = t.cast(SyncError, first.failure)
        text = f"{first.target}: {error.coded_text}"
        if len(self.records) > 1:
            text = f"{len(failed)} of {len(self.records)} targets failed. {text}"
        return text

    def _warnings(self, tolerate: bool) -> list[str]:
        found = [f"{record.target}: {record.interruption}" for record in self.records if record.interruption]
        if len(found) > MAX_INTERRUPTED:
            found[MAX_INTERRUPTED:] = [
                f"{len(found) - MAX_INTERRUPTED} more targets had been interrupted; see detail.interrupted"
            ]
        for text in found:
            self.context.warn(text)
        for record in self.records:
            for text in record.warnings:
                self.context.warn(text)
            if tolerate and record.failure and not is_failed(record, tolerate):
                self.context.warn(f"{record.target}: {sentences(record.failure.message, record.failure.hint)}")
        return self.context.warnings

    def _report(self, head: dict[str, t.Any], warnings: t.Sequence[str]) -> None:
        path = self.options.get("report_path")
        if not path:
            return
        report = {**self._meta(False), **head, "warnings": list(warnings)}
        if self.failure:
            report["failure"] = self.failure.as_failure(for_report=True)
        try:
            write_report(path, self._scrubbed(report), (self._in_full(record) for record in self.records))
        except OSError as exc:
            error = self._unwritable(exc)
            head.setdefault("failure", error.as_failure())
            head.update(failed=True, msg=f"{head.get('msg', '')} {sentences(error.message, error.hint)}".strip())


def traceback_for_role(errors: t.Iterable[SyncError]) -> dict[str, str]:
    """What a result has for a role only: ``traceback``, if one of the errors is a bug."""
    found = next((error.traceback_text for error in errors if error.traceback_text), "")
    return {"traceback": found} if found else {}


def _is_in_flight(record: Record) -> bool:
    return record.state == "running"


def _at_work(record: Record) -> str:
    return f"{record.target} ({record.state.replace('_', ' ')})"


@contextlib.contextmanager
def guarded(batch: Batch) -> t.Iterator[None]:
    """Turn whatever ends a task early into a part of its result."""
    try:
        with wrap_unexpected():
            yield
    except SyncError as error:
        batch.failure = error
    except (Interrupted, Stopped, KeyboardInterrupt):
        batch.interrupt()
    except BaseException:
        # such as the timeout of an Ansible task: it ends the task, but not without a report
        batch.interrupt()
        batch.result()
        raise


def open_ledger(options: Options, context: Context, redactor: Redactor) -> RunLedger:
    """The ledger that the options or the environment name; read-only in check mode.

    :raises SyncError: naming ``ledger``, or the variable of the role, if it cannot be used.
    """
    redactor.add(*secrets_of(options.get("ledger"), context.environ))
    # roles have a variable for it
    option = f"{context.environ.get(ROLE_VARIABLE, '')}{OPTION}"
    location = named_location(options.get("ledger"), context.environ, option)
    if not location and options.get("release") and ends_with_job(context.environ):
        context.warn(
            "option release: the ledger of this automation job ends with it, so that a later job syncs the same release again."
            f" Set LOCKSTEP_LEDGER (or option ledger) to {SHARED}."
        )
    location = location or default_path(context.environ)
    return RunLedger(location, context.clock, read_only=context.check_mode, scrub=redactor.scrub_identity, option=option)
