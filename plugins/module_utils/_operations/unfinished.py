# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What is known of targets that nothing waits for any more: the end of a task that is stopped, and the report of one at work."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t

from .._core.errors import SyncError
from .._lifecycle.record import Record

#: seconds between two reports of a task at work
INTERVAL = 1.0
#: the pause after a report is so many times as long as writing it took
PAUSE_FACTOR = 20.0

_HINT = "Run the task again: it joins what it finds running."
#: for the task as a whole
UNFINISHED_HINT = (
    "If it is not at work any more, it was killed a moment later. Runs go on at their servers: run the task again to join them;"
    " with the same ledger, nothing is triggered twice."
)


def interrupted_record(record: Record) -> Record:
    """A record for the result of a task that is stopped: from now on, nothing is triggered."""
    return _open_record(record, "interrupted", sent=record.started_at is not None)


def unfinished_record(record: Record) -> Record:
    """A record for the report of a task at work, in case that nothing comes after it."""
    # a trigger that is about to be sent may well have been by the time that somebody reads this
    sent = record.started_at is not None or record.progress == "intended"
    return _open_record(record, "not finished when this was written", sent)


def _open_record(record: Record, what: str, sent: bool) -> Record:
    """
    :param what: becomes of the target, as far as the task is concerned.
    :param sent: whether its trigger may have been sent.
    """
    record = record.copy()
    if record.progress == "done" or record.failure is not None or record.action == "skipped":
        return record
    if record.handle is not None:
        went_on = "the run goes on at the server"
    elif sent:
        went_on = "a trigger was being sent, and whether it arrived is not known"
        record.action, record.state, record.changed, record.changed_basis = "triggered", "unknown", True, "assumed"
    else:
        went_on = "nothing was triggered"
    record.fail(SyncError("outcome_unknown", f"{what}; {went_on}", _HINT))
    return record


class ReportKeeper:
    """Keeps the report file of a task up to date while it is at work, in a thread, and not more often than :data:`INTERVAL`.

    The first trigger waits until the report is on the disk; what follows is there a moment later.

    :param write: writes the report as it is now.
    """

    def __init__(self, write: t.Callable[[], None], interval: float = INTERVAL) -> None:
        self._write = write
        self._interval = interval
        #: of the file: only one thread writes, and none once the task has ended
        self._lock = threading.Lock()
        self._moved = threading.Event()
        self._ended = threading.Event()
        self._has_triggered = False
        self._pause = interval

    @contextlib.contextmanager
    def keeping(self) -> t.Iterator[None]:
        """Write it at once, and then as targets move, until the ``with`` statement ends.

        :raises OSError: it cannot be written.
        """
        self._write()
        threading.Thread(target=self._run, name="lockstep-report", daemon=True).start()
        try:
            yield
        finally:
            self._ended.set()
            self._moved.set()
            # waits for a report that is being written, so that it does not take the place of the last one
            with self._lock:
                pass

    def before_trigger(self) -> None:
        """See that the report is there, before the first trigger.

        :raises OSError: it cannot be written.
        """
        with self._lock:
            # a task that has ended has written its last report, and sends no trigger
            if not self._has_triggered and not self._ended.is_set():
                self._write()
                self._has_triggered = True
        self._moved.set()

    def moved(self) -> None:
        self._moved.set()

    def _run(self) -> None:
        while not self._ended.wait(self._pause):
            self._moved.wait()
            self._moved.clear()
            with self._lock:
                if self._ended.is_set():
                    return
                began = time.monotonic()
                # the next one may succeed, and the last one is a matter of the task
                with contextlib.suppress(OSError):
                    self._write()
                self._pause = max(self._interval, PAUSE_FACTOR * (time.monotonic() - began))
