# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What the run ledger and the promotion store need of a database.

Statements are SQL that SQLite and PostgreSQL have in common, with ``?`` where a value goes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import typing as t

from .._core.clock import Clock, isoformat, parse_iso
from .._core.errors import SyncError

Value = t.Union[str, int, float, None]
Row = t.Sequence[Value]
Result = t.TypeVar("Result")

#: seconds that an operation may take at most
PATIENCE = 30.0
#: seconds that one may take however late it is
LAST_MOMENT = 1.5

#: what can be done about :func:`damaged`
DAMAGED_HINT = (
    "Restore a copy; or see that no sync is in flight, and use another ledger, which does not know which releases were synced."
)


class Transaction(t.Protocol):
    """Statements that take effect all together, or not at all."""

    def query(self, statement: str, *values: Value) -> list[Row]:
        """The rows that a SELECT returns."""

    def execute(self, statement: str, *values: Value) -> int:
        """The number of rows that a statement changed."""

    def insert(self, statement: str, *values: Value) -> int:
        """The id of the row that an INSERT added."""

    def now(self) -> dt.datetime:
        """The time, in UTC, that all users of the database share."""


#: what is done in one transaction. It may be run again, so it has no effect but that of its statements
Work = t.Callable[[Transaction], Result]


class Store(t.Protocol):
    """A database that exists and has the tables of this version. It may be used in several threads and across a fork.

    :param location: by which another process finds the same database. It has no password.
    """

    location: str

    def write(self, work: Work[Result], seconds: float = PATIENCE) -> Result:
        """Read and write; nothing else writes meanwhile. Whatever ``work`` raises undoes all of it. It is durable then.

        :param seconds: that this may take, with waiting for others and for a database that cannot be reached for the moment.
        :raises SyncError: the database cannot be used.
        :raises ValueError: the store was opened for reading only.
        """

    def read(self, work: Work[Result], seconds: float = PATIENCE) -> Result:
        """Read one consistent state.

        :raises SyncError: the database cannot be used.
        """

    def keeping_connections(self) -> contextlib.AbstractContextManager[None]:
        """Within the ``with`` statement, many operations are fast. At its end, a file has all that was written, and is closed."""

    def close(self) -> None:
        """End the connections that are kept for later. The store can still be used."""


# -- values of rows ---------------------------------------------------------------------------------------------------


def date(moment: dt.datetime) -> str:
    """A date as it is stored: such texts are in the order of what they mean."""
    return str(isoformat(moment))


def as_text(value: Value) -> str:
    return "" if value is None else str(value)


def as_number(value: Value) -> int:
    return int(value or 0)


def as_optional_date(value: Value) -> dt.datetime | None:
    """:raises ValueError: it is neither a date nor ``None``."""
    return None if value is None else as_date(value)


def as_date(value: Value) -> dt.datetime:
    """:raises ValueError: it is none."""
    moment = parse_iso(value)
    if moment is None:
        raise ValueError(f"{value!r} is not a date")
    return moment


def as_facts(value: Value) -> dict[str, t.Any]:
    """A JSON object.

    :raises ValueError: it is none.
    """
    try:
        facts = json.loads(as_text(value))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(facts, dict):
        raise ValueError(f"{value!r} is not a JSON object")
    return facts


@contextlib.contextmanager
def reading_row(table: str, row: Row) -> t.Iterator[None]:
    """Have a value that no version of the collection has written be a failure of the ledger, and not taken for something else.

    :param row: with its id as the first value.
    :raises SyncError: ``ledger_damaged``.
    """
    try:
        yield
    except (ValueError, TypeError, AttributeError) as exc:
        raise damaged(f"entry {row[0]!r} of the table {table} cannot be read: {exc}") from None


def damaged(problem: str) -> SyncError:
    """What is in the ledger cannot be relied on."""
    return SyncError("ledger_damaged", f"the ledger is damaged: {problem}", DAMAGED_HINT)


class NoRows:
    """A database that has nothing yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def query(self, statement: str, *values: Value) -> list[Row]:
        return []

    def execute(self, statement: str, *values: Value) -> int:
        raise ValueError("the store was opened for reading only")

    insert = execute

    def now(self) -> dt.datetime:
        return self._clock.now()
