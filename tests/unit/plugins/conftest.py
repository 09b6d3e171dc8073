# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the core share."""

from __future__ import annotations

import os
import pathlib
import sqlite3
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state import sqlite_connections
from ansible_collections.lockstep.sync.plugins.module_utils._state.postgresql import PostgresqlStore
from ansible_collections.lockstep.sync.plugins.module_utils._state.store import PATIENCE, Result, Work
from tests.forks import preload

from .support.certificates import new_certificate
from .support.clocks import FakeClock
from .support.databases import DATABASES, Database, cluster
from .support.injected_time import InjectedTime
from .support.lab import Lab
from .support.web import Responder, Web

preload(f"{__package__}.support.preloaded")

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """No proxy, no netrc, no ledger and no credentials of the user who runs the tests."""
    for name in [*os.environ]:
        # those of libpq
        if name.startswith(("PG", "LOCKSTEP_LEDGER")):
            monkeypatch.delenv(name)
    for name in (*PROXIES, *map(str.upper, PROXIES), "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "FIFTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def _hasty_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the disk: no power fails in these tests."""
    connect = sqlite3.connect

    def hasty(*args: t.Any, **kwargs: t.Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    monkeypatch.setattr(sqlite3, "connect", hasty)
    monkeypatch.setattr(sqlite_connections, "SYNCHRONOUS", "OFF")


@pytest.fixture(autouse=True)
def _time_of_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a PostgreSQL server is that of the test, where the test has one of its own."""
    read, write = PostgresqlStore.read, PostgresqlStore.write

    def with_time(store: PostgresqlStore, work: Work[Result]) -> Work[Result]:
        return lambda db: work(InjectedTime(db, store._clock) if isinstance(store._clock, FakeClock) else db)

    def timed_read(store: PostgresqlStore, work: Work[Result], seconds: float = PATIENCE) -> Result:
        return read(store, with_time(store, work), seconds)

    def timed_write(store: PostgresqlStore, work: Work[Result], seconds: float = PATIENCE) -> Result:
        return write(store, with_time(store, work), seconds)

    monkeypatch.setattr(PostgresqlStore, "read", timed_read)
    monkeypatch.setattr(PostgresqlStore, "write", timed_write)


@pytest.fixture(autouse=True)
def _empty_databases() -> t.Iterator[None]:
    """What a test wrote to the PostgreSQL server does not stay."""
    yield
    if cluster.cache_info().currsize:
        cluster().recycle()


@pytest.fixture(autouse=True, scope="session")
def _remove_cluster() -> t.Iterator[None]:
    yield
    if cluster.cache_info().currsize:
        cluster().remove()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Database:
    """A database of each kind, that no store has used yet."""
    return t.cast(Database, request.param(tmp_path))


class Serve(t.Protocol):
    def __call__(
        self,
        responder: Responder,
        tls: tuple[str, str] | None = None,
        clock: FakeClock | None = None,
        client_ca: str | None = None,
    ) -> Web:
        """Serve what the responder answers."""


@pytest.fixture
def serve() -> t.Iterator[Serve]:
    """Starts servers that end with the test."""
    started: list[Web] = []

    def start(
        responder: Responder,
        tls: tuple[str, str] | None = None,
        clock: FakeClock | None = None,
        client_ca: str | None = None,
    ) -> Web:
        started.append(Web(responder, tls, clock, client_ca))
        return started[-1]

    yield start
    for web in started:
        web.stop()


@pytest.fixture
def lab(serve: Serve, clock: FakeClock, tmp_path: pathlib.Path) -> Lab:
    """The imaginary fifth system, and a task that syncs it."""
    return Lab(serve, clock, tmp_path)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that only who names it trusts, and its key."""
    return new_certificate(tmp_path_factory.mktemp("tls"), 1)
