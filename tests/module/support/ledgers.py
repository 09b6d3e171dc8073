# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ledgers of playbooks that are killed, as the tests see them: files and databases."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import psycopg

from tests.postgresql import Cluster

from .sessions import eventually


class Ledger(Protocol):
    """What processes outside of the test use as a ledger. It is empty at first."""

    @property
    def location(self) -> str:
        """What LOCKSTEP_LEDGER is to be."""

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows that a statement returns; none as long as there are no tables."""

    def change(self, statement: str) -> None:
        """Carry out a statement, unless there are no tables yet."""

    def settle(self) -> None:
        """Wait for the end of what processes had sent to it before they were killed."""

    def remove(self) -> None:
        """It is not used any more."""


class LedgerFile:
    """SQLite."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def location(self) -> str:
        return str(self.path)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        if not self.path.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as db, contextlib.suppress(sqlite3.OperationalError):
            return db.execute(statement).fetchall()
        return []

    def change(self, statement: str) -> None:
        if not self.path.exists():
            return
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as db, contextlib.suppress(sqlite3.OperationalError):
            db.execute(statement)
            db.commit()

    def settle(self) -> None:
        """It ends with the processes."""

    def remove(self) -> None:
        """The folder of the test is removed as a whole."""


class LedgerDatabase:
    """PostgreSQL."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._name = cluster.new_database()

    @property
    def location(self) -> str:
        return self._cluster.address(self._name)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connection() as db:
            return db.execute(statement.encode()).fetchall()
        return []

    def change(self, statement: str) -> None:
        with self._connection() as db:
            db.execute(statement.encode())

    def settle(self) -> None:
        """The server may still be at work on a transaction, and notices a moment later that its client is gone."""
        others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        eventually(lambda: not self.query(f"{others} AND backend_type = 'client backend'"))

    def remove(self) -> None:
        self._cluster.drop(self._name)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        with contextlib.suppress(psycopg.errors.UndefinedTable), contextlib.closing(self._cluster.connect(self._name)) as db:
            db.execute("SET search_path = lockstep")
            yield db


def expire_leases(ledger: Ledger) -> None:
    """As a minute after the end of a container, which cannot be proven from another one."""
    for table in ("runs", "promotions"):
        ledger.change(f"UPDATE {table} SET expires_at = '2000-01-01T00:00:00Z' WHERE holder <> ''")


#: the kinds of the fixture ``new_ledger``, for tests that run with both
LEDGERS = ["sqlite", "postgresql"]
