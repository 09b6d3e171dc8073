# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables in PostgreSQL: made on first use, once, brought up to date, and used with as few privileges as possible."""

from __future__ import annotations

import concurrent.futures
import contextlib
import secrets
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, sentences
from ansible_collections.lockstep.sync.plugins.module_utils._state import postgresql, postgresql_schema, schema
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import NO_REVISION, RunLedger
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import PostgresqlDatabase, cluster
from tests.unit.plugins.support.lab import Lab, only
from tests.unit.plugins.support.ledger_users import KEY, write_many
from tests.unit.plugins.support.processes import Process


def tables(database: PostgresqlDatabase) -> set[str]:
    return {row[0] for row in database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'lockstep'")}


def use(location: str, clock: FakeClock) -> None:
    """Everything that a controller does."""
    ledger = RunLedger(location, clock)
    ledger.finish(ledger.intend(KEY, "1", {}, invalidates=[KEY]), "succeeded")
    ledger.retract(ledger.intend(KEY, "1", {}, invalidates=[KEY]))
    store = PromotionStore(location, clock)
    store.begin("p-1", {KEY: "shop"}, "1", Owner.current())
    store.hold(KEY, "1", "slow", "p-1")
    store.lift(KEY, "1", "fast")
    store.finish("p-1", KEY, "succeeded")


def test_processes_that_use_an_empty_database_at_once_make_its_tables_once(database: PostgresqlDatabase) -> None:
    writers = [Process(write_many, database.location, str(number), 10) for number in range(3)]
    assert [writer.line() for writer in writers] == ["ready"] * 3
    for writer in writers:
        writer.go_on()
    assert [writer.end() for writer in writers] == [0] * 3
    assert database.query("SELECT count(*), count(DISTINCT target) FROM runs WHERE state = 'succeeded'") == [(30, 3)]
    assert database.query("SELECT version FROM schema_version") == [(schema.SCHEMA_VERSION,)]
    assert tables(database) == {"runs", "promotions", "holds", "commits", "schema_version"}


def test_the_tables_are_those_of_sqlite(database: PostgresqlDatabase, clock: FakeClock) -> None:
    RunLedger(database.location, clock)
    for table in ("runs", "promotions", "holds"):
        columns = database.query(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
        )
        made = schema.TABLES.split(f"TABLE {table} (" if table != "holds" else "TABLE IF NOT EXISTS holds (")[1].split("\n);")[0]
        assert [row[0] for row in columns] == [line.split()[0] for line in made.strip().splitlines()]
    indexes = {row[0] for row in database.query("SELECT indexname FROM pg_indexes WHERE schemaname = 'lockstep'")}
    assert {
        line.split("INDEX ")[1].removeprefix("IF NOT EXISTS ").split()[0]
        for line in schema.TABLES.splitlines()
        if "INDEX" in line
    } <= indexes


def test_a_handle_may_be_long(database: PostgresqlDatabase, clock: FakeClock) -> None:
    ledger, handle = RunLedger(database.location, clock), {"run": secrets.token_hex(20000)}
    ledger.started(ledger.intend(KEY, "1", {}), handle)
    ledger.seen(KEY, handle, "succeeded", None)
    assert ledger.open_entry(KEY) is None
    assert ledger.release_done(KEY, "1") is not None


def test_check_mode_makes_nothing(remote: Lab, database: PostgresqlDatabase) -> None:
    assert only(remote.run(check=True, release="1"))["action"] == "would_trigger"
    assert database.query("SELECT 1 FROM pg_namespace WHERE nspname = 'lockstep'") == []
    remote.run(release="1")
    before = database.content()
    assert only(remote.run(check=True, release="1"))["action"] == "skipped"
    assert database.content() == before


def test_check_mode_sees_what_is_made_meanwhile(database: PostgresqlDatabase, clock: FakeClock) -> None:
    reader = RunLedger(database.location, clock, read_only=True)
    assert reader.open_entry(KEY) is None
    RunLedger(database.location, clock).intend(KEY, None, {})
    assert reader.open_entry(KEY) is not None


# -- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_version_is_refused(database: PostgresqlDatabase, clock: FakeClock, read_only: bool) -> None:
    RunLedger(database.location, clock)
    database.query("UPDATE schema_version SET version = version + 1 RETURNING version")
    with pytest.raises(SyncError, match=r"option ledger: .*newer version of this collection \(schema 3\)") as caught:
        RunLedger(database.location, clock, read_only)
    assert caught.value.code == "invalid_option"


def test_an_older_one_is_brought_up_to_date_once(
    database: PostgresqlDatabase, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a made-up next version."""
    RunLedger(database.location, clock).intend(KEY, "1", {})
    next_version = schema.SCHEMA_VERSION + 1
    steps = {next_version: ("ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT 'old'",)}
    monkeypatch.setattr(postgresql_schema, "STEPS", {**postgresql_schema.STEPS, **steps})
    for module in (postgresql_schema, postgresql):
        monkeypatch.setattr(module, "SCHEMA_VERSION", next_version)
    with pytest.raises(SyncError, match=r"older version of this collection \(schema 2\), and check mode changes nothing"):
        RunLedger(database.location, clock, read_only=True)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        # adding the column twice would fail
        for made in [threads.submit(RunLedger, database.location, clock) for _number in range(4)]:
            assert made.result().open_entry(KEY) is not None
    assert database.query("SELECT note FROM runs") == [("old",)]


# -- privileges -------------------------------------------------------------------------------------------------------


class Grant(t.Protocol):
    def __call__(self, *statements: str) -> str:
        """The location of the database for a new user, who is called {user} in the statements."""


@pytest.fixture
def grant(database: PostgresqlDatabase) -> t.Iterator[Grant]:
    users = []

    def create(*statements: str) -> str:
        users.append(f"user{secrets.token_hex(4)}")
        with contextlib.closing(cluster().connect(database.name)) as db:
            for statement in (f"CREATE ROLE {users[-1]} LOGIN", *statements):
                db.execute(statement.format(user=users[-1], database=database.name).encode())
        return cluster().address(database.name, users[-1])

    yield create
    with contextlib.closing(cluster().connect(database.name)) as db:
        for user in users:
            db.execute(f"DROP OWNED BY {user} CASCADE; DROP ROLE {user}".encode())


READ = ("GRANT USAGE ON SCHEMA lockstep TO {user}", "GRANT SELECT ON ALL TABLES IN SCHEMA lockstep TO {user}")
WRITE = (*READ, "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lockstep TO {user}")


@pytest.mark.parametrize(
    "statements", [("GRANT CREATE ON DATABASE {database} TO {user}",), ("CREATE SCHEMA lockstep AUTHORIZATION {user}",)]
)
def test_what_first_use_takes(clock: FakeClock, grant: Grant, statements: tuple[str, ...]) -> None:
    use(grant(*statements), clock)


def test_what_later_use_takes(database: PostgresqlDatabase, clock: FakeClock, grant: Grant) -> None:
    RunLedger(database.location, clock)
    use(grant(*WRITE), clock)


def test_what_check_mode_takes(database: PostgresqlDatabase, clock: FakeClock, grant: Grant) -> None:
    use(database.location, clock)
    location = grant(*READ)
    assert RunLedger(location, clock, read_only=True).revision(KEY) != NO_REVISION
    with pytest.raises(SyncError, match="permission denied") as caught:
        RunLedger(location, clock).intend(KEY, None, {})
    assert caught.value.code == "permission_denied"


def test_a_user_without_privileges_learns_what_is_missing(lab: Lab, grant: Grant) -> None:
    lab.location = grant()
    result = lab.run(release="1")
    assert (result["failure"]["code"], lab.web.log) == ("permission_denied", [])
    assert "docs/ledger.md" in sentences(result["msg"])
