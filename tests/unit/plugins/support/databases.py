# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The databases of the tests of the ledger and of promotions: what both need of each kind is here."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import sqlite3
import typing as t

import pytest

from tests.postgresql import Cluster


class Database(t.Protocol):
    """A database that no store has used yet.

    :param directory: where it may leave files. Databases of different directories share nothing.
    """

    def __init__(self, directory: pathlib.Path) -> None: ...

    @property
    def location(self) -> str:
        """What a store is opened with."""

    def query(self, statement: str) -> list[tuple[t.Any, ...]]:
        """The rows that a statement without parameters returns, read by another connection than those of a store."""

    def content(self) -> object:
        """Equal to what it was as long as nothing was written."""


class SqliteFile:
    """A file in a folder that does not exist yet."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.path = directory / "state" / "lockstep" / "ledger.sqlite3"

    @property
    def location(self) -> str:
        return str(self.path)

    def query(self, statement: str) -> list[tuple[t.Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return db.execute(statement).fetchall()

    def content(self) -> object:
        return self.path.read_bytes()


def files(path: pathlib.Path) -> list[str]:
    """Names of what is in the folder of an SQLite file: the file and those that SQLite puts next to it."""
    return sorted(item.name for item in path.parent.iterdir())


@functools.cache
def cluster() -> Cluster:
    """The server of all tests, which starts when the first one needs it, and is removed after the last one."""
    return Cluster()


class PostgresqlDatabase:
    """A database on the server of all tests."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.name = cluster().new_database()

    @property
    def location(self) -> str:
        return cluster().address(self.name)

    def query(self, statement: str) -> list[tuple[t.Any, ...]]:
        with contextlib.closing(cluster().connect(self.name)) as db:
            db.execute("SET search_path = lockstep")
            return db.execute(statement.encode()).fetchall()

    def content(self) -> object:
        """All rows of all tables; nothing where there are no tables."""
        tables = [str(row[0]) for row in self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'lockstep'")]
        return {table: sorted(self.query(f"SELECT * FROM {table}"), key=repr) for table in tables}


#: Each test of a store runs with each of these. The kind that is the default is not in the names of tests.
DATABASES = [pytest.param(SqliteFile, id=pytest.HIDDEN_PARAM), pytest.param(PostgresqlDatabase, id="postgresql")]
