# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What is written into the ledger once a trigger may have been sent.

Nothing can be undone then, so a ledger that fails (a full disk, a lock that stays, a file that is gone or damaged) does not end
the work: the run is followed and its outcome reported all the same, and a warning says what is missing in the ledger.
Before a trigger, a ledger that fails is a failure, and nothing is sent.
"""

from __future__ import annotations

import typing as t

from .._core.errors import SyncError, sentences
from .._state.run_ledger import Key, RunLedger
from .poll import Reading
from .record import Record

_FOLLOWED = (
    "The run itself is not affected, but a later task may not know of it: repair the ledger before the next sync of this target."
    " The handle in this result is for lockstep.sync.sync_wait."
)
_NOT_STARTED = "A later task may take this one for a sync that was interrupted."


class AftermathRecorder:
    """Records what becomes of a run.

    :param record: gets a warning if the ledger fails, and has the handle of the run.
    :param writes: whether anything is to be written (not in check mode).
    """

    def __init__(self, ledger: RunLedger, key: Key, record: Record, writes: bool = True) -> None:
        self._ledger = ledger
        self._key = key
        self._record = record
        self._writes = writes
        #: an entry whose run was accepted, which the ledger could not be given yet
        self._unrecorded: int | None = None

    def started(self, entry_id: int, handle: t.Mapping[str, t.Any]) -> None:
        """Record that the server accepted the trigger."""
        self._unrecorded = entry_id
        if self._attempt(lambda: self._ledger.started(entry_id, handle)):
            self._unrecorded = None

    def retract(self, entry_id: int) -> None:
        """Record that the run certainly never started."""
        self._attempt(lambda: self._ledger.retract(entry_id))

    def ended(self, entry_id: int | None, outcome: str, reading: Reading | None = None, was_over: bool = False) -> None:
        """Record how waiting for a run has ended.

        :param entry_id: of its entry; ``None`` for a run that was triggered elsewhere.
        :param outcome: how waiting ended, or how the run did.
        :param was_over: see :meth:`RunLedger.seen`.
        """
        if outcome in ("running", "timed_out", "error"):
            self.let_go(entry_id)
            return
        outcome = outcome if outcome in ("succeeded", "failed") else "unknown"
        handle, finished_at = self._record.handle, reading.finished_at if reading else None
        if entry_id is not None:
            self.finish(entry_id, outcome, reading)
        elif handle is not None:
            self._attempt(lambda: self._ledger.seen(self._key, handle, outcome, finished_at, was_over))

    def finish(self, entry_id: int, outcome: str, reading: Reading | None = None) -> None:
        """Record how the run of an entry ended."""
        if self._writes:
            self._attempt(lambda: self._ledger.finish(entry_id, outcome, reading.finished_at if reading else None))

    def let_go(self, entry_id: int | None) -> None:
        """Record that nothing waits for the run any more, which goes on."""
        if entry_id is None:
            return
        if self._unrecorded == entry_id and self._record.handle is not None:
            # the ledger may be usable again, and the next task finds the run by its handle
            self.started(entry_id, self._record.handle)
        self._attempt(lambda: self._ledger.drop_lease(entry_id))

    def _attempt(self, write: t.Callable[[], None]) -> bool:
        """Whether it was written; if not, the record has a warning."""
        try:
            write()
        except SyncError as error:
            effect = _FOLLOWED if self._record.handle is not None else _NOT_STARTED
            text = f"{self._record.target}: {sentences(error.message, effect)}"
            if text not in self._record.warnings:
                self._record.warnings.append(text)
            return False
        return True
