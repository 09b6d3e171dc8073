# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Bounded fan-out: many targets in one task, one result each, in input order."""

from __future__ import annotations

import collections
import threading
import time
import typing as t

from .._core.stop import Interrupted, StopSignal

#: seconds in which threads may end in order once the task is stopped; those that do not end with the process
GRACE = 0.5

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def fan_out(
    items: t.Sequence[Item], work: t.Callable[[Item], Result], limit: int, stop: StopSignal | None = None
) -> list[Result]:
    """``work`` on all items with at most ``limit`` at once, each begun in input order.

    All work is done in other threads than the calling one, which a signal can therefore interrupt at any time without harm. They
    are daemons: when the process is to end, nothing waits for a server that hangs.

    An exception of ``work``, or an interruption of the caller, ends the whole: what has not begun never will, and pauses and
    triggers of what has begun raise :class:`Stopped`.

    :raises Interrupted: the task is to stop.
    """
    return _FanOut(items, work, stop or StopSignal()).run(min(limit, len(items)))


class _FanOut(t.Generic[Item, Result]):
    def __init__(self, items: t.Sequence[Item], work: t.Callable[[Item], Result], stop: StopSignal) -> None:
        self._work = work
        self._stop = stop
        self._waiting = collections.deque(enumerate(items))
        self._results: dict[int, Result] = {}
        self._failures: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._ended: collections.deque[None] = collections.deque()

    def run(self, size: int) -> list[Result]:
        self._stop.open()
        self._threads = [threading.Thread(target=self._thread, name=f"lockstep-{number}", daemon=True) for number in range(size)]
        try:
            if self._stop.is_set():
                raise Interrupted
            for thread in self._threads:
                thread.start()
            if self._stop.wait(until=lambda: bool(self._failures) or self._is_over()):
                raise Interrupted
            if self._failures:
                raise self._failures[0]
        except BaseException:
            self._abort()
            raise
        return [self._results[number] for number in range(len(self._results))]

    def _thread(self) -> None:
        try:
            while True:
                try:
                    number, item = self._waiting.popleft()
                except IndexError:
                    return
                self._results[number] = self._work(item)
        except BaseException as exc:  # noqa: BLE001 (raised again in the thread that waits)
            self._failures.append(exc)
        finally:
            self._ended.append(None)
            self._stop.wake()

    def _is_over(self) -> bool:
        return len(self._ended) == len(self._threads)

    def _abort(self) -> None:
        self._waiting.clear()
        self._stop.set()
        end = time.monotonic() + GRACE
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))
