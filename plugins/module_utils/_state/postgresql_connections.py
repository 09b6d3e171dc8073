# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Connections to PostgreSQL: how they are made, how many there are, and what their failures mean."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
import typing as t
import weakref

from .._core.errors import SyncError
from .._core.redact import Redactor

try:
    import psycopg
    from psycopg.pq import TransactionStatus
except ImportError as exc:
    # also where psycopg is there, and libpq is not
    IMPORT_ERROR: str | None = " ".join(str(exc).split())
else:
    IMPORT_ERROR = None

#: how many connections a store has at once. One writes at a time anyway
CONNECTIONS = 4
#: seconds in which a peer that has vanished without a trace is noticed, see tcp(7). After that, there is time to try again
VANISHED_SECONDS = 10
#: SQLSTATEs of a server that is being shut down or started
_PASSING_STATES = ("57P01", "57P02", "57P03", "53300", "40001", "40P01")


class PassingTrouble(Exception):
    """Nothing was written, and it may well work a moment later: there is no connection, or a deadlock.

    :param failure: what to report if it does not.
    """

    def __init__(self, failure: SyncError) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Failures:
    """Makes failures of the task out of what psycopg raises.

    :param address: without secrets.
    :param option: name of the option that it comes from.
    :param secrets: never to be shown.
    """

    def __init__(self, address: str, option: str, secrets: t.Iterable[str]) -> None:
        self._address = address
        self._option = option
        self._redactor = Redactor(secrets)

    def of(self, error: psycopg.Error) -> SyncError:
        text = self._redactor.text(" ".join(str(error).split()))
        code, hint = _meaning(error.sqlstate or "", text)
        return self.with_code(code, text, hint)

    def no_answer(self, seconds: float) -> SyncError:
        code, hint = _MEANINGS["connection"]
        return self.with_code(code, f"no answer within {seconds:.3g} s", hint)

    def with_code(self, code: str, problem: str, hint: str) -> SyncError:
        message = f"option {self._option}: {self._address!r} cannot be used as the ledger: {problem}"
        return SyncError(code, message, f"{hint} Or name another one with {self._option} or LOCKSTEP_LEDGER.")


_MEANINGS = {
    "connection": ("connection_failed", "See whether the database runs, and can be reached from here."),
    "password": (
        "auth_failed",
        "Set the password in LOCKSTEP_LEDGER_PASSWORD (or PGPASSWORD, or PGPASSFILE), and see pg_hba.conf of the server.",
    ),
    "tls": ("tls_failed", "See sslmode and sslrootcert in the address, and the certificate of the server."),
    "privilege": ("permission_denied", "Give this user the privileges that the guide to the ledger (docs/ledger.md) lists."),
    "other": ("invalid_option", "See the log of the database."),
}


def _meaning(state: str, text: str) -> tuple[str, str]:
    """Code and hint of a failure. Failures to connect have no SQLSTATE in psycopg, so they are known by the words of libpq."""
    lower = text.lower()
    if state.startswith("28") or (not state and ("authentication failed" in lower or "no password supplied" in lower)):
        return _MEANINGS["password"]
    if not state and "no pg_hba.conf entry" in lower:
        return _MEANINGS["password"]
    if not state and ("ssl" in lower or "certificate" in lower):
        return _MEANINGS["tls"]
    if state == "42501":
        return _MEANINGS["privilege"]
    if not state and " does not exist" in lower:
        return _MEANINGS["other"]
    if not state or state[:2] in ("08", "57") or state in ("53300", "55P03"):
        return _MEANINGS["connection"]
    return _MEANINGS["other"]


class Connections:
    """The connections of a store; those that are not used are kept for later.

    :param address: without secrets.
    :param secrets: by the names that libpq has for them.
    """

    def __init__(self, address: str, secrets: t.Mapping[str, str], failures: Failures) -> None:
        self._address = address
        self._secrets = dict(secrets)
        self._failures = failures
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        self._idle: list[_Idle] = []
        self._at_end = weakref.finalize(self, _close_all, self._idle)

    @contextlib.contextmanager
    def use(self, end: float) -> t.Iterator[psycopg.Connection]:
        """A connection that nothing else uses meanwhile.

        :param end: until when, by the monotonic clock, to wait for it.
        :raises PassingTrouble: it cannot be had for the moment, or what psycopg raised within says so.
        :raises SyncError: it cannot be had, or what else psycopg raised within.
        """
        left = max(0.0, end - time.monotonic())
        if not self._slots.acquire(timeout=left):
            raise PassingTrouble(self._failures.no_answer(left))
        try:
            connection = self._take() or self._connect(end)
            try:
                yield connection
            except psycopg.Error as error:
                failure = self._failures.of(error)
                if connection.closed or error.sqlstate in _PASSING_STATES:
                    raise PassingTrouble(failure) from None
                raise failure from None
            finally:
                self._keep(connection)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close what is kept."""
        _close_all(self._idle)

    def _take(self) -> psycopg.Connection | None:
        while self._idle:
            with contextlib.suppress(IndexError):
                connection, process = self._idle.pop()
                # one of before a fork is that of the parent
                if process == os.getpid():
                    return connection
        return None

    def _keep(self, connection: psycopg.Connection) -> None:
        if not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE:
            self._idle.append((connection, os.getpid()))
        else:
            connection.close()

    def _connect(self, end: float) -> psycopg.Connection:
        try:
            return psycopg.connect(
                self._address,
                **self._secrets,  # type: ignore[arg-type]  # their names are no other parameters of connect
                connect_timeout=max(2, math.ceil(end - time.monotonic())),
                fallback_application_name="lockstep.sync",
                client_encoding="UTF8",
                keepalives_idle=VANISHED_SECONDS // 2,
                keepalives_interval=max(1, VANISHED_SECONDS // 6),
                keepalives_count=3,
                tcp_user_timeout=VANISHED_SECONDS * 1000,
                autocommit=True,
                # a prepared statement would be of the session, which pgbouncer changes between transactions
                prepare_threshold=None,
            )
        except psycopg.Error as error:
            failure = self._failures.of(error)
            if failure.code == "connection_failed":
                raise PassingTrouble(failure) from None
            raise failure from None


def is_in_transaction(connection: psycopg.Connection) -> bool:
    """Whether it has a transaction in which no statement has failed."""
    return connection.info.transaction_status == TransactionStatus.INTRANS


_Idle = tuple["psycopg.Connection", int]


def _close_all(idle: list[_Idle]) -> None:
    while idle:
        with contextlib.suppress(IndexError):
            connection, process = idle.pop()
            if process == os.getpid():
                connection.close()


def check_library(option: str) -> None:
    """
    :param option: name of the option that needs it.
    :raises SyncError: ``invalid_option``: psycopg is missing.
    """
    if IMPORT_ERROR is not None:
        raise SyncError(
            "invalid_option",
            f"option {option}: a ledger in PostgreSQL needs the Python library psycopg, which {sys.executable} does not have"
            f" ({IMPORT_ERROR})",
            "Install it there: pip install 'psycopg[binary]'",
        )
