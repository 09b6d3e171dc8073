# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The ledger as an SQLite file: how it is created, opened, brought up to date, read without a trace, and written.

WAL mode lets readers not wait for writers. It needs memory that processes share, so all users of a file have to be on one machine
(containers on it included), see https://www.sqlite.org/wal.html.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import sqlite3
import threading
import time
import typing as t

from .._core.clock import Clock
from .._core.errors import SyncError
from .group_commit import GroupCommit, WriteGroup
from .schema import SCHEMA_VERSION, create_tables, version
from .sqlite_connections import SqliteConnections, connect
from .store import DAMAGED_HINT, PATIENCE, NoRows, Result, Row, Value, Work
from .trusted_file import UntrustedFile

#: seconds to wait for others that write
BUSY_TIMEOUT = PATIENCE


class SqliteTransaction:
    """Statements on one connection.

    :param connection: in autocommit mode, or in a transaction that the caller ends.
    """

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self.writes = 0
        self._connection = connection
        self._clock = clock

    @property
    def is_intact(self) -> bool:
        # a full disk, for one, ends it
        return self._connection.in_transaction

    def query(self, statement: str, *values: Value) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()

    def execute(self, statement: str, *values: Value) -> int:
        self.writes += 1
        return self._connection.execute(statement, values).rowcount

    def insert(self, statement: str, *values: Value) -> int:
        self.writes += 1
        return self._connection.execute(statement, values).lastrowid or 0

    def now(self) -> dt.datetime:
        return self._clock.now()


class SqliteStore:
    """A store in a file.

    :param path: its absolute path. The file is created at once (mode 0600) unless it is only to be read.
    :param clock: the time that its users share.
    :param read_only: never create nor change the file (check mode).
    :param option: name of the option that ``path`` comes from.
    :raises SyncError: naming ``option`` if the file cannot be used: ``ledger_unsafe`` if others may write to it,
        ``ledger_damaged``, or ``invalid_option``. If it is only to be read, that is predicted as far as it can be known without
        writing.
    """

    def __init__(self, path: str, clock: Clock, read_only: bool, option: str) -> None:
        self.location = path
        self._clock = clock
        self._read_only = read_only
        self._option = option
        #: a copy of a file of an earlier version, with the tables of this one
        self._copy: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._connections = SqliteConnections(path)
        self._groups = GroupCommit(self._transact)
        if read_only:
            self._check()
        else:
            self._prepare()

    def write(self, work: Work[Result], seconds: float = PATIENCE) -> Result:
        if self._read_only:
            raise ValueError("the store was opened for reading only")
        with self._usable():
            return self._groups.do(work, seconds)

    def read(self, work: Work[Result], seconds: float = PATIENCE) -> Result:
        if not os.path.exists(self.location):
            return work(NoRows(self._clock))
        with self._usable(), self._reader(seconds) as db, _snapshot(db):
            found = version(db)
            if found == SCHEMA_VERSION:
                return work(SqliteTransaction(db, self._clock))
            if not found:
                return work(NoRows(self._clock))
            with self._lock:
                self._copy = self._copy or _copy(db)
                return work(SqliteTransaction(self._copy, self._clock))

    def keeping_connections(self) -> contextlib.AbstractContextManager[None]:
        return self._connections.keeping()

    def close(self) -> None:
        self._connections.close()

    def _transact(self, group: WriteGroup, seconds: float) -> None:
        with self._connections.use(min(seconds, BUSY_TIMEOUT)) as db:
            try:
                with _transaction(db):
                    group.run(SqliteTransaction(db, self._clock))
                    group.seal()
            except BaseException:
                # what was not committed is undone, or its connection is closed
                group.unseal()
                raise

    def _reader(self, seconds: float) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        seconds = min(seconds, BUSY_TIMEOUT)
        return _without_trace(self.location, seconds) if self._read_only else self._connections.use(seconds)

    def _prepare(self) -> None:
        with self._usable():
            _create(self.location)
            with self._connections.use(BUSY_TIMEOUT) as db:
                if version(db) == SCHEMA_VERSION:
                    return
                use_wal(db, BUSY_TIMEOUT)
                with _transaction(db):
                    create_tables(db)

    def _check(self) -> None:
        """See that :meth:`_prepare` could do its work, and do nothing of it."""
        with self._usable():
            directory = os.path.dirname(self.location)
            if os.path.lexists(self.location):
                _check_access(self.location, os.R_OK | os.W_OK)
                with _without_trace(self.location, BUSY_TIMEOUT) as db:
                    version(db)
            else:
                while not os.path.lexists(directory):
                    directory = os.path.dirname(directory)
            # where others are at work, the files next to it are there already
            if not os.path.exists(f"{self.location}-shm"):
                _check_access(os.path.join(directory, ""), os.W_OK | os.X_OK)

    @contextlib.contextmanager
    def _usable(self) -> t.Iterator[None]:
        """Have every failure of the file be one of the option that names it."""
        try:
            yield
        except (OSError, sqlite3.Error, UntrustedFile) as exc:
            code, hint = _meaning(exc)
            raise SyncError(code, f"option {self._option}: {self.location!r} cannot be used as the ledger: {exc}", hint) from None


def _meaning(exc: Exception) -> tuple[str, str]:
    """Code and hint of a failure of the file."""
    if isinstance(exc, UntrustedFile):
        return "ledger_unsafe", "Have the file belong to this user alone: no link, and mode 0600. See that its content is yours."
    # the names of SQLite's codes are known to Python since 3.11 only
    if isinstance(exc, sqlite3.DatabaseError) and "malformed" in str(exc):
        return "ledger_damaged", DAMAGED_HINT
    return "invalid_option", "Name a file in a directory that this user may write to, or set LOCKSTEP_LEDGER."


def use_wal(db: sqlite3.Connection, timeout: float) -> None:
    """Have readers not wait for writers.

    :param timeout: seconds to wait for others.
    """
    until = time.monotonic() + timeout
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            # of several that switch a new file at once, SQLite refuses some right away, whatever its own timeout
            if "locked" not in str(exc) or time.monotonic() >= until:
                raise
        time.sleep(0.005)


def _create(path: str) -> None:
    """Have the file, and the directories above it, for its owner alone.

    :raises OSError: it cannot be there, or not be written.
    """
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    try:
        # created by us first, since SQLite would use the umask. An existing file is left closed: closing it would take
        # the locks of every connection that another thread has open
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        _check_access(path, os.R_OK | os.W_OK)


def _check_access(path: str, mode: int) -> None:
    """
    :param mode: what this user shall be allowed, as for :func:`os.access`.
    :raises OSError: it is not, or there is no such file.
    """
    os.stat(path)
    if not os.access(path, mode):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


@contextlib.contextmanager
def _without_trace(path: str, seconds: float) -> t.Iterator[sqlite3.Connection]:
    """A connection to a file that exists, which changes nothing, and is closed in the end: as long as it is open, what another
    process that ends leaves next to the file would stay there.

    :param seconds: to wait for others.
    """
    # without a writer at work, reading must not leave the files behind that WAL mode needs
    db = connect(path, "mode=ro" if os.path.exists(path + "-wal") else "immutable=1", seconds)
    try:
        yield db
    finally:
        db.close()


@contextlib.contextmanager
def _snapshot(db: sqlite3.Connection) -> t.Iterator[None]:
    """One consistent state to read."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> t.Iterator[None]:
    """All that is written within, or nothing; nothing else writes meanwhile."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # a full disk, for one, has ended it already
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _copy(db: sqlite3.Connection) -> sqlite3.Connection:
    """What a file of an earlier version would be in this one, in memory, since the file itself must not be changed."""
    copy = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    db.backup(copy)
    with _transaction(copy):
        create_tables(copy)
    return copy
