# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger behind pgbouncer, which gives each transaction another session."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import typing as t

import psycopg
import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, LeaseConflict, RunLedger
from tests.postgresql import USER, as_server, unused_port
from tests.unit.plugins.support.databases import PostgresqlDatabase, cluster

CONTROLLERS = 8
TARGETS = 40

SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
"""


@pytest.fixture
def port() -> t.Iterator[int]:
    """Of pgbouncer, with two connections to the server of all tests."""
    directory, port = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-pgbouncer-")), unused_port()
    directory.chmod(0o755)
    file = directory / "pgbouncer.ini"
    file.write_text(SETTINGS.format(server=cluster().port, user=USER, port=port))
    file.chmod(0o644)
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "pgbouncer is missing, see scripts/install-postgresql"
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(as_server([program, str(file)]), cwd="/", stdout=log, stderr=log)
    until = time.monotonic() + 30
    while not _listens(port):
        assert time.monotonic() < until
        time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(30)
    shutil.rmtree(directory)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return not sock.connect_ex(("127.0.0.1", port))


@pytest.mark.long
def test_of_many_controllers_one_has_each_target(database: PostgresqlDatabase, port: int) -> None:
    location = cluster().address(database.name, port=port)

    def race(dummy: int) -> list[int]:
        ledger, won = RunLedger(location, SystemClock()), []
        for number in range(TARGETS):
            try:
                ledger.started(ledger.intend(Key("fifth", "https://fifth.example.com", str(number)), "1", {}), {"run": number})
                won.append(number)
            except LeaseConflict:
                continue
        ledger.close()
        return won

    with concurrent.futures.ThreadPoolExecutor(CONTROLLERS) as threads:
        won = [number for numbers in threads.map(race, range(CONTROLLERS)) for number in numbers]
    assert sorted(won) == [*range(TARGETS)]
    # pgbouncer has two sessions for all of them
    with psycopg.connect(cluster().address("postgres"), password="superuser") as db:
        row = db.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", (database.name,)).fetchone()
    assert row is not None
    assert row[0] <= 2
