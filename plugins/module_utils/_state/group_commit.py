# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Group commit: what several threads write at the same time is one transaction, so that all of them wait for one commit.

A commit takes as long as the disk, or the server, needs to make it durable, however much is in it. So a thread that wants to
write does so at once if no other one is at it. Otherwise it waits, and one of those that wait does the work of all of them next.
Nothing is delayed in the hope of company.

Each operation has its own result, which it gets once the commit is done, or its own exception. One that raises before it has
written anything leaves the group as it is. Whatever else goes wrong undoes the group, and each of its operations is done again in
a transaction of its own, so that one that fails takes no other one with it.
"""

from __future__ import annotations

import os
import threading
import time
import typing as t
import weakref

from .store import Result, Transaction, Work

#: seconds after which those that wait do not rely on the thread that is at work any longer, and go on by themselves
SLOW = 1.0
#: seconds that an operation must have left to be done again after a group has failed
WORTHWHILE = 0.5


class GroupTransaction(Transaction, t.Protocol):
    """A transaction that several operations may share."""

    @property
    def writes(self) -> int:
        """How many statements have written something so far."""

    @property
    def is_intact(self) -> bool:
        """Whether it can go on, after an operation has failed."""


class GroupUndone(Exception):
    """An operation of several has failed, so all of them have to be done again, one by one."""


class PendingWrite(t.Generic[Result]):
    """What one thread wants to be written.

    :param end: by the monotonic clock, until when.
    """

    def __init__(self, work: Work[Result], end: float) -> None:
        self.work = work
        self.end = end
        #: what its thread gets once it has been done
        self.results: list[Result] = []
        self.error: BaseException | None = None
        self.is_done = False
        #: whether its thread is to do it, with others or without
        self.has_turn = False
        self.is_apart = False
        #: released once there is something new for its thread, which is the case once
        self._news = threading.Lock()
        self._news.acquire()

    @property
    def left(self) -> float:
        """Seconds that it may still take."""
        return max(0.0, self.end - time.monotonic())

    def result(self) -> Result:
        if self.error is not None:
            raise self.error
        return self.results[0]

    def wake(self) -> None:
        self._news.release()

    def wait(self) -> None:
        """Wait for news, until its time is over or :data:`SLOW`."""
        # one whose time is over is being done right now
        self._news.acquire(timeout=min(self.left, SLOW) or SLOW)


class WriteGroup:
    """Operations that are done in one transaction.

    :param first: that of the thread that does it.
    :param join: those that wait, and may be done with it.
    """

    def __init__(self, first: PendingWrite[t.Any], join: t.Callable[[], t.Sequence[PendingWrite[t.Any]]]) -> None:
        self.operations = [first]
        self._join = join
        #: of the last :meth:`run`: the result or the error of each
        self._outcomes: list[tuple[t.Any, Exception | None]] = []
        self._lock = threading.Lock()
        self._is_sealed = False
        self._is_given_up = False

    def run(self, db: GroupTransaction) -> None:
        """Do all that wait now. It may be called again, in another transaction, if that one was undone.

        :raises GroupUndone: the transaction must not be committed.
        """
        with self._lock:
            self._check()
            self._is_sealed = False
            self.operations += self._join()
        outcomes: list[tuple[t.Any, Exception | None]] = []
        for operation in self.operations:
            before = db.writes
            try:
                outcomes.append((operation.work(db), None))
            except Exception as error:
                if len(self.operations) == 1:
                    raise
                if db.writes != before or not db.is_intact:
                    raise GroupUndone from error
                outcomes.append((None, error))
        self._outcomes = outcomes

    def deliver(self) -> None:
        """Give each operation what it has come to, after the commit."""
        for operation, (result, error) in zip(self.operations, self._outcomes):
            operation.results, operation.error = [result], error

    def seal(self) -> None:
        """Say that it may be committed from now on; to be called right before that.

        :raises GroupUndone: nothing waits for it any more.
        """
        with self._lock:
            self._check()
            self._is_sealed = True

    @property
    def is_sealed(self) -> bool:
        return self._is_sealed

    def unseal(self) -> None:
        """Say that it was certainly not committed."""
        with self._lock:
            self._is_sealed = False

    def give_up(self) -> bool:
        """Whether it is certain that it was not committed, and never will be."""
        with self._lock:
            self._is_given_up = True
            return not self._is_sealed

    def _check(self) -> None:
        if self._is_given_up:
            raise GroupUndone


#: Does a group in a transaction: begins it, calls :meth:`WriteGroup.run`, then :meth:`WriteGroup.seal`, and commits. Given the
#: seconds that this may take; raises what goes wrong.
Transact = t.Callable[[WriteGroup, float], None]


class GroupCommit:
    """Does the operations of all threads of a process.

    :param transact: how; it may be called in several threads at once.
    """

    def __init__(self, transact: Transact) -> None:
        self._transact = transact
        self.reset()
        _ALL.add(self)

    def reset(self) -> None:
        """Have no operation, as in a process that was forked: the threads with operations are not in it."""
        self._lock = threading.Lock()
        self._waiting: list[PendingWrite[t.Any]] = []
        #: how many threads do a group, and since when the latest of them does
        self._leaders = 0
        self._since = 0.0

    def do(self, work: Work[Result], seconds: float) -> Result:
        """The result of an operation once it is durable.

        :raises TimeoutError: others have kept it waiting for all its time.
        """
        operation = PendingWrite(work, time.monotonic() + seconds)
        if threading.current_thread() is threading.main_thread():
            # signals interrupt this thread, and it must not wait for others then
            self._do_apart(operation, seconds)
        elif self._begin(operation):
            self._lead(operation, seconds)
        else:
            self._follow(operation)
        return operation.result()

    # -- waiting ------------------------------------------------------------------------------------------------------

    def _begin(self, operation: PendingWrite[t.Any]) -> bool:
        """Whether its thread is to do it now, and not to wait."""
        with self._lock:
            if not self._may_lead():
                self._waiting.append(operation)
                return False
            self._note_leader()
            return True

    def _may_lead(self) -> bool:
        return not self._leaders or time.monotonic() - self._since > SLOW

    def _note_leader(self) -> None:
        self._leaders += 1
        self._since = time.monotonic()

    def _follow(self, operation: PendingWrite[t.Any]) -> None:
        """Wait until another thread has done it, or left it to this one."""
        while True:
            operation.wait()
            if operation.is_done:
                return
            if operation.is_apart:
                self._do_apart(operation, operation.left)
                return
            with self._lock:
                # one that is not waiting is being done
                is_waiting = operation in self._waiting
                is_over = is_waiting and not operation.has_turn and not operation.left
                leads = operation.has_turn or (is_waiting and not is_over and self._may_lead())
                if leads and not operation.has_turn:
                    self._note_leader()
                if leads or is_over:
                    self._waiting.remove(operation)
            if leads:
                self._lead(operation, operation.left)
                return
            if is_over:
                raise TimeoutError("others have kept it waiting")

    # -- doing --------------------------------------------------------------------------------------------------------

    def _lead(self, operation: PendingWrite[t.Any], seconds: float) -> None:
        """Do an operation with those that wait, and have the next one go on."""
        group = WriteGroup(operation, lambda: self._take(operation.end))
        try:
            self._transact(group, seconds)
            group.deliver()
        except BaseException as error:  # noqa: BLE001 (it is raised where the result is wanted)
            _note_failure(group, error)
        finally:
            self._hand_over()
        for other in group.operations[1:]:
            other.is_done = not other.is_apart
            other.wake()
        if operation.is_apart:
            self._do_apart(operation, operation.left)

    def _do_apart(self, operation: PendingWrite[t.Any], seconds: float) -> None:
        """Do an operation by itself."""
        operation.is_apart = False
        group = WriteGroup(operation, lambda: ())
        try:
            self._transact(group, seconds)
            group.deliver()
        except BaseException as error:  # noqa: BLE001 (it is raised where the result is wanted)
            _note_failure(group, error)

    def _take(self, end: float) -> list[PendingWrite[t.Any]]:
        """Those that wait, and may do so for as long at least: so none has to leave a group that takes too long."""
        with self._lock:
            taken = [operation for operation in self._waiting if operation.end >= end and not operation.has_turn]
            self._waiting = [operation for operation in self._waiting if operation not in taken]
        return taken

    def _hand_over(self) -> None:
        """Have the one that has waited longest go on."""
        with self._lock:
            self._leaders -= 1
            if not self._leaders and self._waiting:
                self._note_leader()
                self._waiting[0].has_turn = True
                self._waiting[0].wake()


def _note_failure(group: WriteGroup, error: BaseException) -> None:
    """Note with each operation of a group that it has failed, or is to be done again by itself."""
    is_undone = group.give_up()
    for number, operation in enumerate(group.operations):
        if isinstance(error, GroupUndone):
            operation.is_apart = True
        elif is_undone and number > 0 and operation.left > WORTHWHILE:
            # what the first one had no time or no permission for may well be done
            operation.is_apart = True
        else:
            operation.error = error


#: those of this process
_ALL: weakref.WeakSet[GroupCommit] = weakref.WeakSet()


def _reset_all() -> None:
    for group_commit in _ALL:
        group_commit.reset()


os.register_at_fork(after_in_child=_reset_all)
