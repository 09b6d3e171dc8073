# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""A list that is read in several ranges at a time, page by page in each of them."""

from __future__ import annotations

import queue
import threading
import typing as t

from ..._dns.records import StoredSet
from .rows import RecordSets


class Page(t.NamedTuple):
    """A page of a list.

    :param next_start: of the next page, if there is one.
    """

    record_sets: RecordSets
    next_start: object


class Ranges:
    """Reads all pages from each of several places in a list on, up to what a later range has read.

    :param fetch: reads the page with this start.
    :param starts: of the ranges, in the order of the list.
    :param seen: ids of rows that are known, to which new ones are added, and the numbers of their ranges.
    """

    def __init__(self, fetch: t.Callable[[object], Page], starts: t.Sequence[object], seen: dict[str, int]) -> None:
        self._fetch = fetch
        self._starts = starts
        self._seen = seen
        # the last range is the first to begin, so that each finds the next one begun
        self._waiting = list(range(len(starts)))
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def pages(self, width: int) -> t.Iterator[list[StoredSet]]:
        """The new rows of each page, as they come in.

        :param width: pages that are read at a time.
        :raises BaseException: the first that ``fetch`` raised.
        """
        if width == 1 or len(self._starts) == 1:
            for index in range(len(self._starts)):
                yield from self._range(index)
            return
        found: queue.SimpleQueue[list[StoredSet] | BaseException | None] = queue.SimpleQueue()
        at_work = min(width, len(self._starts))
        # daemons, since nothing waits for a server that hangs when the process is to end
        for number in range(at_work):
            threading.Thread(target=self._work, args=(found,), name=f"lockstep-range-{number}", daemon=True).start()
        try:
            while at_work:
                page = found.get()
                if isinstance(page, BaseException):
                    raise page
                if page is None:
                    at_work -= 1
                else:
                    yield page
        finally:
            self._stopped.set()

    def _work(self, found: queue.SimpleQueue[list[StoredSet] | BaseException | None]) -> None:
        try:
            for page in self._pages_of_waiting():
                if self._stopped.is_set():
                    break
                found.put(page)
            found.put(None)
        except BaseException as exc:  # noqa: BLE001 (raised again in the thread that waits)
            found.put(exc)

    def _pages_of_waiting(self) -> t.Iterator[list[StoredSet]]:
        while True:
            try:
                index = self._waiting.pop()
            except IndexError:
                return
            yield from self._range(index)

    def _range(self, index: int) -> t.Iterator[list[StoredSet]]:
        start = self._starts[index]
        while start:
            page = self._fetch(start)
            new, met = self._note(index, page)
            yield new
            start = None if met else page.next_start

    def _note(self, index: int, page: Page) -> tuple[list[StoredSet], bool]:
        """The rows that are new, and whether a later range goes on from here.

        Only a later range counts, so that of two that read the same rows one goes on in any case.
        """
        with self._lock:
            met = bool(page.record_sets) and self._seen.get(page.record_sets[-1][0], -1) > index
            new = []
            for row_id, record_set in page.record_sets:
                before = self._seen.get(row_id)
                if before is None:
                    new.append(record_set)
                if before is None or before < index:
                    self._seen[row_id] = index
        return new, met
