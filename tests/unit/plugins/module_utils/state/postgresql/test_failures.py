# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is reported where the database cannot be used, and that nothing is sent then and no password is shown."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, sentences
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import Stopped
from ansible_collections.lockstep.sync.plugins.module_utils._state import postgresql, postgresql_connections
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from tests.postgresql import Cluster, unused_port
from tests.unit.plugins.support.certificates import new_certificate
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import PostgresqlDatabase, cluster
from tests.unit.plugins.support.lab import Lab
from tests.unit.plugins.support.ledger_users import KEY

PASSWORD = "pass wörd/§1"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "OPENING_PATIENCE", 0.5)


@pytest.fixture(scope="module")
def server_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return new_certificate(tmp_path_factory.mktemp("tls"), days=1)


@pytest.fixture(scope="module")
def strict(server_certificate: tuple[str, str]) -> t.Iterator[Cluster]:
    """A server with TLS, where a user needs a password."""
    made = Cluster("scram-sha-256", tls=server_certificate)
    with made.connect() as db:
        db.execute("CREATE ROLE ops LOGIN")
        db.execute(f"ALTER ROLE ops PASSWORD '{PASSWORD}'")
        db.execute("CREATE DATABASE ledger OWNER ops")
    db.close()
    yield made
    made.remove()


def refusal(location: str, clock: FakeClock) -> tuple[str, str]:
    """Code and text of the failure."""
    with pytest.raises(SyncError) as caught:
        RunLedger(location, clock)
    text = sentences(caught.value.message, caught.value.hint)
    assert text.startswith(f"option ledger: {location!r} cannot be used as the ledger: ")
    assert "LOCKSTEP_LEDGER" in text
    return caught.value.code, text


# -- out of reach -----------------------------------------------------------------------------------------------------


def test_nothing_is_sent_without_the_ledger(lab: Lab) -> None:
    lab.location = f"postgresql://ops@127.0.0.1:{unused_port()}/ledger"
    result = lab.run(release="1")
    assert (result["failed"], result["changed"], result["failure"]["code"]) == (True, False, "connection_failed")
    assert f"option ledger: {lab.location!r} cannot be used as the ledger" in result["msg"]
    assert "LOCKSTEP_LEDGER" in result["msg"]
    assert lab.web.log == []


def test_a_database_that_does_not_exist(clock: FakeClock) -> None:
    code, text = refusal(cluster().address("nothing"), clock)
    assert (code, 'database "nothing" does not exist' in text) == ("invalid_option", True)


def test_a_server_without_encryption(clock: FakeClock, database: PostgresqlDatabase) -> None:
    code, text = refusal(f"{database.location}?sslmode=require", clock)
    assert (code, "sslmode" in text) == ("tls_failed", True)


@pytest.mark.parametrize("after", [0, 1])
def test_a_server_that_does_not_answer_any_more_is_not_waited_for(
    remote: Lab, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """It still accepts connections, as the kernel does that, and says nothing."""
    if after:
        remote.service.before["GET /mirrors/7"] = lambda: cluster().pause(True)
    else:
        remote.ledger.close()
        cluster().pause(True)
    started = time.monotonic()
    try:
        result = remote.run(release="1", wait_timeout=1)
    finally:
        cluster().pause(False)
    failure = result["syncs"][0]["failure"] if after else result["failure"]
    assert (failure["code"], remote.posts) == ("connection_failed", 0)
    assert "no answer within" in failure["message"]
    # and not minutes, as the kernel would wait
    assert time.monotonic() - started < 30
    assert remote.run(release="1")["changed"] is True


def test_a_task_that_is_stopped_does_not_wait_for_the_server(database: PostgresqlDatabase) -> None:
    clock = SystemClock()
    ledger = RunLedger(database.location, clock)
    cluster().pause(True)
    try:
        threading.Timer(0.3, clock.stop.request).start()
        with pytest.raises(Stopped):
            ledger.open_entry(KEY)
    finally:
        cluster().pause(False)


def test_what_was_given_up_is_never_written(database: PostgresqlDatabase, clock: FakeClock) -> None:
    """A transaction that hangs before its end goes on when the server does, and then ends without effect."""
    store = postgresql.PostgresqlStore(database.location, {}, clock, False, "ledger")
    blocked, go_on, gone = threading.Event(), threading.Event(), threading.Event()

    def work(db: t.Any) -> None:
        db.execute("INSERT INTO commits VALUES ('late', now())")
        blocked.set()
        go_on.wait(30)
        gone.set()

    with pytest.raises(SyncError, match="no answer within"):
        store.write(work, 0.3)
    assert blocked.is_set()
    go_on.set()
    assert gone.wait(30)
    # the next one waits for the end of that transaction
    assert store.write(lambda db: db.query("SELECT count(*) FROM commits WHERE token = 'late'")) == [(0,)]


def test_another_one_that_writes_for_too_long(database: PostgresqlDatabase, clock: FakeClock) -> None:
    ledger = RunLedger(database.location, clock)
    with cluster().connect(database.name) as db, db.transaction():
        db.execute(f"SELECT pg_advisory_xact_lock({postgresql._LOCK})".encode())
        with pytest.raises(SyncError) as caught:
            ledger._store.write(lambda db: db.execute("DELETE FROM runs"), 0.3)
    db.close()
    assert caught.value.code == "connection_failed"
    ledger.intend(KEY, None, {})


# -- users ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["LOCKSTEP_LEDGER_PASSWORD", "LOCKSTEP_LEDGER", "PGPASSWORD", "PGPASSFILE", "PGSERVICEFILE"])
def test_the_ways_to_give_a_password(
    strict: Cluster, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, source: str
) -> None:
    location = strict.address("ledger", "ops")
    code, text = refusal(location, clock)
    assert (code, "LOCKSTEP_LEDGER_PASSWORD" in text) == ("auth_failed", True)
    file = tmp_path / "file"
    if source == "LOCKSTEP_LEDGER":
        monkeypatch.setenv(source, location.replace("ops@", "ops:pass%20w%C3%B6rd%2F%C2%A71@"))
    elif source == "PGPASSFILE":
        file.write_text(f"127.0.0.1:*:ledger:ops:{PASSWORD}\n")
        file.chmod(0o600)
        monkeypatch.setenv(source, str(file))
    elif source == "PGSERVICEFILE":
        file.write_text(f"[ledger]\nhost=127.0.0.1\nport={strict.port}\nuser=ops\ndbname=ledger\npassword={PASSWORD}\n")
        monkeypatch.setenv(source, str(file))
        location = "postgresql:///?service=ledger"
    else:
        monkeypatch.setenv(source, PASSWORD)
    RunLedger(location, clock).intend(dataclasses.replace(KEY, target=source), None, {})
    with strict.connect("ledger") as db:
        assert db.execute("SELECT count(*) FROM lockstep.runs WHERE target = %s", (source,)).fetchone() == (1,)
    db.close()


def test_a_wrong_password_is_not_shown(strict: Cluster, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "wr0ng s3cret"
    monkeypatch.setenv("LOCKSTEP_LEDGER", strict.address("ledger", "ops").replace("ops@", "ops:wr0ng%20s3cret@"))
    result = lab.run(release="1", ledger=None, report_path=str(lab.report_path))
    assert (result["failure"]["code"], lab.web.log) == ("auth_failed", [])
    for text in (json.dumps(result), lab.report_path.read_text(), strict.log()):
        assert wrong not in text
        assert "wr0ng%20" not in text


def test_the_certificate_of_the_server_is_verified(
    strict: Cluster,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    server_certificate: tuple[str, str],
    tmp_path: pathlib.Path,
) -> None:
    monkeypatch.setenv("LOCKSTEP_LEDGER_PASSWORD", PASSWORD)
    location = f"{strict.address('ledger', 'ops')}?sslmode=verify-full&sslrootcert="
    code, text = refusal(location + new_certificate(tmp_path, days=1)[0], clock)
    assert (code, "certificate verify failed" in text) == ("tls_failed", True)
    ledger = RunLedger(location + server_certificate[0], clock)
    encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert ledger._store.read(lambda db: db.query(encrypted)) == [(True,)]


def test_the_connection_has_a_name(database: PostgresqlDatabase, clock: FakeClock) -> None:
    ledger = RunLedger(database.location, clock)
    assert ledger._store.read(lambda db: db.query("SELECT current_setting('application_name')")) == [("lockstep.sync",)]
    ledger = RunLedger(f"{database.location}?application_name=nightly", clock)
    assert ledger._store.read(lambda db: db.query("SELECT current_setting('application_name')")) == [("nightly",)]


# -- the library ------------------------------------------------------------------------------------------------------


def test_without_the_library_the_remedy_is_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_connections, "IMPORT_ERROR", "No module named 'psycopg'")
    lab.location = "postgresql://ops@127.0.0.1/ledger"
    result = lab.run(release="1")
    assert (result["failure"]["code"], lab.web.log) == ("invalid_option", [])
    assert "option ledger: a ledger in PostgreSQL needs the Python library psycopg" in result["msg"]
    assert result["msg"].endswith("pip install 'psycopg[binary]'")
