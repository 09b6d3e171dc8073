# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""A few pieces of work at the same time."""

from __future__ import annotations

import contextlib
import threading
import typing as t

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def at_once(work: t.Callable[[Item], Result], items: t.Sequence[Item]) -> list[Result]:
    """``work`` on a few items, all at the same time, in their order.

    :raises BaseException: the first that ``work`` raised.
    """
    results: dict[int, Result] = {}
    failures: dict[int, BaseException] = {}

    def one(number: int) -> None:
        try:
            results[number] = work(items[number])
        except BaseException as exc:  # noqa: BLE001 (raised again in the thread that waits)
            failures[number] = exc

    # daemons, since nothing waits for a server that hangs when the process is to end
    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(1, len(items))]
    for thread in threads:
        thread.start()
    if items:
        one(0)
    for thread in threads:
        thread.join()
    if failures:
        raise failures[min(failures)]
    return [results[number] for number in range(len(items))]


class ThreadBudget:
    """The threads of a task for work within single targets, so that these do not multiply.

    How many of them have a request at work at a time is limited by the client (:class:`HttpClient`).

    :param width: of the task: what one target may have if no other needs more than its own thread.
    """

    def __init__(self, width: int) -> None:
        self._lock = threading.Lock()
        self._free = max(0, width - 1)

    @contextlib.contextmanager
    def some(self) -> t.Iterator[int]:
        """Threads for one target: all that are free, and at least its own one."""
        with self._lock:
            taken, self._free = self._free, 0
        try:
            yield 1 + taken
        finally:
            with self._lock:
                self._free += taken
