# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Connections to an SQLite file: one for each use, or kept for later while a task is at work.

* The last connection that is closed puts everything into the file itself and removes what is next to it. So a file that nothing
  uses is complete, and connections are kept only where it is certain that they are closed.
* A connection goes on with a file that was removed or replaced meanwhile. So each use checks first that it is the same one.
* SQLite has a connection not be used, nor closed, in a process that was forked, see https://www.sqlite.org/howtocorrupt.html. So
  those that are kept are closed before a fork.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import typing as t
import weakref

from .trusted_file import check_trusted

#: what is committed is on the disk, however SQLite was built
SYNCHRONOUS = "FULL"

_FileId = tuple[int, int]


class SqliteConnections:
    """The connections of a store.

    :param path: the absolute path of a file that exists when it is used.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: list[_Kept] = []
        self._lock = threading.Lock()
        self._keepers = 0
        weakref.finalize(self, _close_all, self._idle)
        _ALL.add(self)

    @contextlib.contextmanager
    def keeping(self) -> t.Iterator[None]:
        """Keep connections for later, within the ``with`` statement."""
        with self._lock:
            self._keepers += 1
        try:
            yield
        finally:
            with self._lock:
                self._keepers -= 1
                is_last = not self._keepers
            if is_last:
                self.close()

    @contextlib.contextmanager
    def use(self, seconds: float) -> t.Iterator[sqlite3.Connection]:
        """A connection in autocommit mode that nothing else uses meanwhile.

        :param seconds: to wait for others.
        :raises sqlite3.Error: the file cannot be opened.
        :raises UntrustedFile: others may write to it.
        """
        kept = self._take(seconds) or self._open(seconds)
        try:
            yield kept.connection
        except sqlite3.Error:
            kept.connection.close()
            raise
        finally:
            self._put_back(kept)

    def close(self) -> None:
        """Close what is kept."""
        _close_all(self._idle)

    def _open(self, seconds: float) -> _Kept:
        file_id = _file_id(self._path)
        db = connect(self._path, "mode=rw", seconds)
        try:
            db.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        except sqlite3.Error:
            db.close()
            raise
        return _Kept(db, file_id, seconds)

    def _take(self, seconds: float) -> _Kept | None:
        while self._idle:
            with contextlib.suppress(IndexError):
                kept = self._idle.pop()
                if kept.file_id == _file_id(self._path):
                    kept.wait_for_others(seconds)
                    return kept
                kept.connection.close()
        return None

    def _put_back(self, kept: _Kept) -> None:
        with self._lock:
            # the file may have been replaced while it was opened
            if self._keepers and kept.is_unused() and kept.file_id == _file_id(self._path):
                self._idle.append(kept)
                return
        kept.connection.close()


class _Kept:
    """A connection.

    :param file_id: of the file that it was opened for.
    :param seconds: that it waits for others.
    """

    def __init__(self, connection: sqlite3.Connection, file_id: _FileId | None, seconds: float) -> None:
        self.connection = connection
        self.file_id = file_id
        self._seconds = seconds

    def wait_for_others(self, seconds: float) -> None:
        if seconds != self._seconds:
            self.connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
            self._seconds = seconds

    def is_unused(self) -> bool:
        """Whether it is open, and has no transaction."""
        try:
            return not self.connection.in_transaction and self.connection.total_changes >= 0
        except sqlite3.ProgrammingError:
            return False


def connect(path: str, mode: str, seconds: float) -> sqlite3.Connection:
    """A connection to a file that exists, in autocommit mode, for one thread at a time.

    :param mode: a parameter of its URI, see https://www.sqlite.org/uri.html.
    :param seconds: to wait for others.
    :raises UntrustedFile: others may write to it.
    """
    check_trusted(path)
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(f"file:{quoted}?{mode}", uri=True, timeout=seconds, isolation_level=None, check_same_thread=False)


def _file_id(path: str) -> _FileId | None:
    """Which file it is; ``None`` if there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _close_all(idle: list[_Kept]) -> None:
    while idle:
        with contextlib.suppress(IndexError):
            idle.pop().connection.close()


#: those of this process
_ALL: weakref.WeakSet[SqliteConnections] = weakref.WeakSet()


def _before_fork() -> None:
    for connections in list(_ALL):
        connections.close()


os.register_at_fork(before=_before_fork)
