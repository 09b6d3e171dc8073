# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SQLite file of promotions: who may read it, what is refused, and that no secret is in it."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import sqlite3
import stat
import subprocess
import sys

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._state import sqlite
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.schema import SCHEMA_VERSION
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import KEPT, LOCKED, PRUNED_AT_ONCE, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import SqliteFile, files
from tests.unit.plugins.support.promotion_users import KEY
from tests.unit.plugins.support.promotions import begin, look

SECRET = "s3cr3t-token"


@pytest.fixture
def database(tmp_path: pathlib.Path) -> SqliteFile:
    return SqliteFile(tmp_path)


@pytest.fixture
def path(database: SqliteFile) -> pathlib.Path:
    return database.path


def test_the_file_is_for_its_owner_alone(store: PromotionStore, path: pathlib.Path, me: Owner) -> None:
    old = os.umask(0)
    try:
        begin(store, "r1", me)
        assert [stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()] == [0o600] * len(files(path))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(old)


def test_readers_do_not_wait_for_writers(store: PromotionStore, path: pathlib.Path, me: Owner) -> None:
    begin(store, "r1", me)
    writer = sqlite3.connect(path, isolation_level=None)
    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE promotions SET phase = 'sync'")
    assert look(store).phase == LOCKED
    writer.execute("COMMIT")
    writer.close()
    assert look(store).phase == "sync"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_schema_is_refused(store: PromotionStore, path: pathlib.Path, clock: FakeClock, read_only: bool) -> None:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(SyncError, match=r"option staging_promotion_ledger_path: .*newer version") as caught:
        PromotionStore(str(path), clock, read_only, option="staging_promotion_ledger_path").look(KEY)
    assert caught.value.code == "invalid_option"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_ledger_is_refused(path: pathlib.Path, clock: FakeClock, read_only: bool) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("# my diary\n" * 100)
    with pytest.raises(SyncError, match=r"option ledger: .*ledger\.sqlite3") as caught:
        PromotionStore(str(path), clock, read_only).look(KEY)
    assert caught.value.code == "invalid_option"
    assert path.read_text() == "# my diary\n" * 100


@pytest.mark.parametrize("place", ["file/ledger.sqlite3", "directory"])
def test_an_impossible_place_is_refused_with_a_remedy(tmp_path: pathlib.Path, clock: FakeClock, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    with pytest.raises(SyncError, match="option staging_promotion_ledger_path") as caught:
        PromotionStore(str(tmp_path / place), clock, option="staging_promotion_ledger_path")
    assert caught.value.code == "invalid_option"
    assert "LOCKSTEP_LEDGER" in caught.value.hint


def test_a_file_that_may_not_be_written_is_refused(
    store: PromotionStore, path: pathlib.Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the tests may run as root, who may write anything
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    with pytest.raises(SyncError, match="Permission denied") as caught:
        PromotionStore(str(path), clock)
    assert caught.value.code == "invalid_option"


def test_a_file_that_stays_locked_is_an_error_and_no_traceback(
    store: PromotionStore, path: pathlib.Path, me: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.01)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(SyncError, match="locked"):
        begin(store, "r1", me)
    holder.close()
    begin(store, "r1", me)


def test_opening_the_file_again_leaves_the_locks_of_open_connections(
    store: PromotionStore, path: pathlib.Path, clock: FakeClock
) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    db.execute("SELECT * FROM promotions").fetchall()
    PromotionStore(str(path), clock)
    RunLedger(str(path), clock)
    # locks are of a process, so that only another one can tell
    script = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "db.execute('PRAGMA locking_mode = EXCLUSIVE')\n"
        "print(db.execute('PRAGMA journal_mode = DELETE').fetchone()[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    db.close()
    assert "locked" in done.stderr


def test_the_file_itself_allows_one_unfinished_promotion(store: PromotionStore, path: pathlib.Path, me: Owner) -> None:
    begin(store, "r1", me)
    db = sqlite3.connect(path)
    columns = "run, holder, provider, address, target, name, release, phase, data, owner, owner_label, begun_at, updated_at"
    columns += ", expires_at"
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(f"INSERT INTO promotions ({columns}) SELECT {columns} FROM promotions")
    db.close()


def test_no_secret_reaches_the_file(path: pathlib.Path, clock: FakeClock, me: Owner) -> None:
    keeper = PromotionStore(str(path), clock, scrub=Redactor([SECRET]).scrub)
    db = sqlite3.connect(path)
    owner = dataclasses.replace(me, label=f"job {SECRET}")
    keeper.begin("r1", {KEY: f"shop {SECRET}"}, "1", owner)
    keeper.advance("r1", KEY, "sync", {"url": f"https://{SECRET}@shop", SECRET: [{"deep": SECRET}]})
    keeper.hold(KEY, "1", f"answer {SECRET}", "r1", f"who {SECRET}")
    keeper.lift(KEY, "1", f"because {SECRET}", f"who {SECRET}")
    for name in files(path):
        assert SECRET.encode() not in (path.parent / name).read_bytes()
    assert look(keeper).data["url"] == "https://********@shop"
    db.close()


def test_little_is_removed_at_once(store: PromotionStore, path: pathlib.Path, clock: FakeClock, me: Owner) -> None:
    begin(store, "r1", me)
    store.finish("r1", KEY, "succeeded")
    db = sqlite3.connect(path)
    columns = [row[1] for row in db.execute("PRAGMA table_info(promotions)") if row[1] != "id"]
    for _copy in range(8):
        db.execute(f"INSERT INTO promotions ({', '.join(columns)}) SELECT {', '.join(columns)} FROM promotions")
    db.commit()
    clock.sleep(KEPT.total_seconds() + 1)
    begin(store, "r2", me)
    assert db.execute("SELECT count(*) FROM promotions").fetchone() == (2**8 - PRUNED_AT_ONCE + 1,)
    plans = db.execute("EXPLAIN QUERY PLAN SELECT id FROM promotions WHERE finished_at < 'x' ORDER BY finished_at LIMIT 9")
    assert "promotions_finished" in plans.fetchone()[3]
    db.close()
