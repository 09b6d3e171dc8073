# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that write at the same time."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._state.group_commit import GroupCommit
from ansible_collections.lockstep.sync.plugins.module_utils._state.store import PATIENCE, Transaction

Work = t.Callable[[Transaction], object]
#: seconds after which a test has failed
LIMIT = 120.0


def until(condition: t.Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


class Writer:
    """A thread that does something once."""

    def __init__(self, do: t.Callable[[], object]) -> None:
        self._do = do
        self._results: list[object] = []
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self) -> object:
        self.end()
        if self._errors:
            raise self._errors[0]
        return self._results[0]

    def error(self) -> BaseException | None:
        self.end()
        return self._errors[0] if self._errors else None

    def end(self) -> None:
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._results.append(self._do())
        except BaseException as error:  # noqa: BLE001 (it is raised where the result is wanted)
            self._errors.append(error)


class Writers:
    """Threads that use a group commit."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit
        self._all: list[Writer] = []

    @property
    def waits(self) -> int:
        """How many wait for another one."""
        return len(self._commit._waiting)

    def start(self, work: Work, seconds: float = PATIENCE) -> Writer:
        return self.thread(lambda: self._commit.do(work, seconds))

    def thread(self, do: t.Callable[[], object]) -> Writer:
        self._all.append(Writer(do))
        return self._all[-1]

    @contextlib.contextmanager
    def at_work(self) -> t.Iterator[None]:
        """One is at work for as long as the ``with`` statement lasts."""
        begun, go_on = threading.Event(), threading.Event()

        def hold(db: Transaction) -> None:
            begun.set()
            assert go_on.wait(LIMIT)

        holder = self.start(hold, LIMIT)
        assert begun.wait(LIMIT)
        try:
            yield
        finally:
            go_on.set()
            holder._thread.join(LIMIT)

    @contextlib.contextmanager
    def waiting(self, work: t.Sequence[Work]) -> t.Iterator[list[Writer]]:
        """These wait, in this order, for one that is at work until the end of the ``with`` statement."""
        with self.at_work():
            writers = []
            for each in work:
                before = self.waits
                writers.append(self.start(each))
                until(lambda before=before: self.waits > before)  # type: ignore[misc]
            yield writers

    def together(self, work: t.Sequence[Work]) -> list[Writer]:
        with self.waiting(work) as writers:
            return writers

    def end(self) -> None:
        for writer in self._all:
            writer.end()
