# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The databases of the tests of the ledger and of promotions: what both need of each kind is here."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
import typing as t

import pytest


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


#: Each test of a store runs with each of these. The kind that is the default is not in the names of tests.
DATABASES = [pytest.param(SqliteFile, id=pytest.HIDDEN_PARAM)]
