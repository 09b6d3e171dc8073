# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The ledger in a PostgreSQL database, which controllers on any number of machines share.

* One transaction writes at a time, as with SQLite: each begins by taking an advisory lock, which it has until it ends.
* The time is that of the server, read once it is the turn of a transaction.
* A connection that is lost is made again. Unless ``COMMIT`` was sent, nothing was written, and the work is done again. If its
  reply was lost, the next one looks for the token that each transaction writes, so that nothing is lost nor doubled.
* What several threads write at the same time is one transaction, see ``group_commit.py``.
* An operation is over in time whatever the server does: it is done in a thread, which is not waited for any longer, and which
  commits nothing from then on.

No session has to remember anything between transactions, so a connection may go through pgbouncer in its mode ``transaction``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import secrets
import threading
import time
import typing as t

from .._core.clock import Clock, SystemClock
from .._core.errors import SyncError
from .._core.stop import Stopped, StopSignal
from .group_commit import GroupCommit, WriteGroup
from .lease import HEARTBEAT_SECONDS
from .postgresql_connections import Connections, Failures, PassingTrouble, check_library, is_in_transaction
from .postgresql_schema import SCHEMA, create_tables, version
from .schema import SCHEMA_VERSION
from .store import PATIENCE, NoRows, Result, Row, Value, Work

if t.TYPE_CHECKING:
    import psycopg

#: the lock of those that write: any number that nothing else in the database uses
_LOCK = int.from_bytes(b"lockstep", "big")
#: seconds for which a database that has not answered yet is tried. Later ones are for an outage, but this one may be a mistake
OPENING_PATIENCE = 5.0
#: seconds between two attempts
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
#: seconds after which the server ends a transaction that does nothing, since others wait for it
IDLE_SECONDS = HEARTBEAT_SECONDS

#: the beginning of a transaction. Who writes waits for the others first, and sees what they have written
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {settings}"
_WRITE = f"BEGIN; {{settings}}; SELECT pg_advisory_xact_lock({_LOCK})"
#: its end. The token is there if and only if all else is. It is not needed for longer than the reply to this may take
_COMMIT = (
    "INSERT INTO commits (token, committed_at) VALUES ('{token}', clock_timestamp());"
    " DELETE FROM commits WHERE committed_at < clock_timestamp() - interval '1 day'; COMMIT"
)


class PostgresqlTransaction:
    """Statements on one connection, in a transaction that the caller ends.

    :param now: its time.
    """

    def __init__(self, connection: psycopg.Connection, now: dt.datetime) -> None:
        self.writes = 0
        self._connection = connection
        self._now = now

    @property
    def is_intact(self) -> bool:
        return is_in_transaction(self._connection)

    def query(self, statement: str, *values: Value) -> list[Row]:
        return [*self._execute(statement, values)]

    def execute(self, statement: str, *values: Value) -> int:
        self.writes += 1
        return self._execute(statement, values).rowcount

    def insert(self, statement: str, *values: Value) -> int:
        self.writes += 1
        (row,) = self.query(f"{statement} RETURNING id", *values)
        return t.cast(int, row[0])

    def now(self) -> dt.datetime:
        return self._now

    def commit(self, token: str) -> None:
        """End it.

        :param token: by which it is known later whether that was done; nothing else has it.
        """
        self._connection.execute(_COMMIT.format(token=token).encode())

    def _execute(self, statement: str, values: tuple[Value, ...]) -> psycopg.Cursor:
        return self._connection.execute(_in_psycopg(statement), values or None)


@functools.lru_cache(maxsize=200)
def _in_psycopg(statement: str) -> bytes:
    """A statement of ours, with the marks for values that psycopg knows."""
    return statement.replace("?", "%s").encode()


class PostgresqlStore:
    """A store in a PostgreSQL database; its tables are created at once unless it is only to be read.

    :param address: without secrets.
    :param passwords: by the names that libpq has for them.
    :param clock: ends waiting once the task is to stop, if it is that of this machine.
    :param read_only: never create nor change anything (check mode).
    :param option: name of the option that ``address`` comes from.
    :raises SyncError: naming ``option`` if the database cannot be used.
    """

    def __init__(self, address: str, passwords: t.Mapping[str, str], clock: Clock, read_only: bool, option: str) -> None:
        check_library(option)
        self.location = address
        self._clock = clock
        self._read_only = read_only
        self._failures = Failures(address, option, passwords.values())
        self._connections = Connections(address, passwords, self._failures)
        self._stop = clock.stop if isinstance(clock, SystemClock) else StopSignal()
        self._has_tables = False
        self._groups = GroupCommit(self._transact)
        self._prepare()

    def write(self, work: Work[Result], seconds: float = PATIENCE) -> Result:
        if self._read_only:
            raise ValueError("the store was opened for reading only")
        try:
            return self._groups.do(work, seconds)
        except TimeoutError:
            raise self._failures.no_answer(seconds) from None

    def read(self, work: Work[Result], seconds: float = PATIENCE) -> Result:
        if not self._has_tables:
            # they may have been created meanwhile
            self._prepare()
        if not self._has_tables:
            return work(NoRows(self._clock))
        return self._repeat(lambda attempt: self._read(attempt, work), seconds)

    def keeping_connections(self) -> contextlib.AbstractContextManager[None]:
        # they always are
        return contextlib.nullcontext()

    def close(self) -> None:
        self._connections.close()

    def _prepare(self) -> None:
        found = self._repeat(lambda attempt: self._read(attempt, version), OPENING_PATIENCE)
        if found > SCHEMA_VERSION:
            problem = f"written by a newer version of this collection (schema {found})"
            raise self._failures.with_code("invalid_option", problem, "Update the collection.")
        if found < SCHEMA_VERSION and not self._read_only:
            self._groups.do(create_tables, PATIENCE)
        elif found and found < SCHEMA_VERSION:
            problem = f"written by an older version of this collection (schema {found}), and check mode changes nothing"
            raise self._failures.with_code("invalid_option", problem, "Run a task without check mode.")
        self._has_tables = bool(found) or not self._read_only

    # -- attempts -----------------------------------------------------------------------------------------------------

    def _repeat(self, once: t.Callable[[_Attempt], Result], seconds: float) -> Result:
        """The result of the first attempt that finds the database usable."""
        end, pause = time.monotonic() + seconds, FIRST_PAUSE
        while True:
            try:
                return _Attempt(end).run(once, self._stop)
            except PassingTrouble as trouble:
                if time.monotonic() + pause >= end:
                    raise trouble.failure from None
            except TimeoutError:
                raise self._failures.no_answer(seconds) from None
            # real time also for tests, since what is waited for is real
            if self._stop.pause(pause):
                raise Stopped
            pause = min(2 * pause, LONGEST_PAUSE)

    def _read(self, attempt: _Attempt, work: Work[Result]) -> Result:
        with self._connections.use(attempt.end) as connection:
            return _in_transaction(connection, _READ, attempt, work)

    def _transact(self, group: WriteGroup, seconds: float) -> None:
        self._repeat(lambda attempt: self._write(attempt, group), seconds)

    def _write(self, attempt: _Attempt, group: WriteGroup) -> None:
        token = secrets.token_hex(8)

        def work_and_commit(db: PostgresqlTransaction) -> None:
            group.run(db)
            group.seal()
            db.commit(token)

        try:
            with self._connections.use(attempt.end) as connection:
                _in_transaction(connection, _WRITE, attempt, work_and_commit)
        except PassingTrouble as trouble:
            if not group.is_sealed or not self._was_committed(attempt, token, trouble):
                group.unseal()
                raise
        except SyncError:
            # that is an answer of the server
            group.unseal()
            raise

    def _was_committed(self, attempt: _Attempt, token: str, trouble: PassingTrouble) -> bool:
        """Whether a transaction was, of which the reply to ``COMMIT`` was lost. It has ended once another one has its lock.

        :raises SyncError: that cannot be found out in time.
        """

        def look(db: PostgresqlTransaction) -> bool:
            return version(db) > 0 and bool(db.query("SELECT 1 FROM commits WHERE token = ?", token))

        pause = FIRST_PAUSE
        while True:
            with contextlib.suppress(PassingTrouble), self._connections.use(attempt.end) as connection:
                return _in_transaction(connection, _WRITE, attempt, look)
            if time.monotonic() + pause >= attempt.end:
                problem = f"it is not known whether an entry was written ({trouble.failure.message})"
                raise self._failures.with_code("connection_failed", problem, "See whether the database runs.")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _in_transaction(
    connection: psycopg.Connection, begin: str, attempt: _Attempt, work: t.Callable[[PostgresqlTransaction], Result]
) -> Result:
    """The result of ``work``. What it does not commit is undone."""
    try:
        return work(PostgresqlTransaction(connection, _begin(connection, begin, attempt)))
    finally:
        if not connection.closed:
            connection.rollback()


def _begin(connection: psycopg.Connection, begin: str, attempt: _Attempt) -> dt.datetime:
    """Begin a transaction, in one message; returns its time."""
    allowed = max(1, int((attempt.end - time.monotonic()) * 1000))
    settings = {
        "statement_timeout": allowed,
        "lock_timeout": allowed,
        "idle_in_transaction_session_timeout": int(IDLE_SECONDS * 1000),
        "search_path": SCHEMA,
    }
    begin = begin.format(settings="; ".join(f"SET LOCAL {name} = {value}" for name, value in settings.items()))
    cursor = connection.execute(f"{begin}; SELECT extract(epoch FROM clock_timestamp())::float8".encode())  # nosec B608
    while cursor.nextset():
        pass
    row = t.cast("tuple[float]", cursor.fetchone())
    return dt.datetime.fromtimestamp(row[0], dt.timezone.utc)


class _Attempt:
    """Something that is done in a thread, and waited for until ``end`` only, by the monotonic clock."""

    def __init__(self, end: float) -> None:
        self.end = end
        self._done = threading.Event()

    def run(self, once: t.Callable[[_Attempt], Result], stop: StopSignal) -> Result:
        """
        :raises TimeoutError: it took too long.
        :raises Stopped: the task is to stop.
        """
        results: list[Result] = []
        errors: list[BaseException] = []

        def do() -> None:
            try:
                results.append(once(self))
            except BaseException as error:  # noqa: BLE001 (it is raised where the result is waited for)
                errors.append(error)
            finally:
                self._done.set()
                stop.wake()

        threading.Thread(target=do, name="lockstep-ledger", daemon=True).start()
        self._wait(stop)
        if not self._done.is_set():
            raise Stopped if stop.is_set() else TimeoutError
        if errors:
            raise errors[0]
        return results[0]

    def _wait(self, stop: StopSignal) -> None:
        left = max(0.0, self.end - time.monotonic())
        if threading.current_thread() is threading.main_thread() and not stop.is_set():
            stop.wait(left, self._done.is_set)
        else:
            self._done.wait(left)
