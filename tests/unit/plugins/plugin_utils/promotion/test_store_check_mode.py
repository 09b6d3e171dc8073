# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode reads promotions and leaves their file as it is."""

from __future__ import annotations

import pathlib
import sqlite3
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import SqliteFile, files
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.promotion_users import KEY, begin_and_wait
from tests.unit.plugins.support.promotions import begin, history, holds, last, look


@pytest.fixture
def database(tmp_path: pathlib.Path) -> SqliteFile:
    return SqliteFile(tmp_path)


@pytest.fixture
def path(database: SqliteFile) -> pathlib.Path:
    return database.path


def test_check_mode_creates_nothing(path: pathlib.Path, clock: FakeClock) -> None:
    store = PromotionStore(str(path), clock, read_only=True)
    assert (store.look(KEY), last(store, KEY), store.held(KEY, "1")) == (None, None, None)
    assert (history(store, KEY, 9), holds(store, KEY, 9)) == ([], [])
    assert not path.parent.exists()


def test_check_mode_reads_and_leaves_all_as_it_is(store: PromotionStore, path: pathlib.Path, clock: FakeClock, me: Owner) -> None:
    begin(store, "r1", me)
    store.hold(KEY, "1", "slow", "r0")
    before, content = files(path), path.read_bytes()
    reader = PromotionStore(str(path), clock, read_only=True)
    assert look(reader).run == "r1"
    assert reader.is_held(look(reader))
    assert reader.held(KEY, "1") is not None
    assert (files(path), path.read_bytes()) == (before, content) == (["ledger.sqlite3"], content)


def test_check_mode_reads_with_the_remains_of_a_killed_run(path: pathlib.Path, clock: FakeClock) -> None:
    process = Process(begin_and_wait, str(path), "r1", "backup")
    assert process.line() == "ready"
    keeper = sqlite3.connect(path)
    keeper.execute("SELECT * FROM promotions").fetchall()
    PromotionStore(str(path), clock).hold(KEY, "1", "slow", "r0")
    process.kill()
    before, content = files(path), path.read_bytes()
    assert "ledger.sqlite3-wal" in before
    reader = PromotionStore(str(path), clock, read_only=True)
    assert look(reader).data == {"backup": {"id": 5}}
    assert reader.held(KEY, "1") is not None
    assert (files(path), path.read_bytes()) == (before, content)
    keeper.close()


def test_check_mode_takes_an_empty_file_as_empty(path: pathlib.Path, clock: FakeClock) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert PromotionStore(str(path), clock, read_only=True).look(KEY) is None
    assert (path.read_bytes(), files(path)) == (b"", ["ledger.sqlite3"])


@pytest.mark.parametrize(
    "write",
    [
        lambda store: begin(store, "r1", Owner.current()),
        lambda store: store.advance("r1", KEY, "sync"),
        lambda store: store.finish("r1", KEY, "failed"),
        lambda store: store.unlock("r1", KEY),
        lambda store: store.hold(KEY, "1", "slow", "r1"),
        lambda store: store.lift(KEY, "1", "fast"),
    ],
)
def test_writing_in_check_mode_is_a_programming_error(
    path: pathlib.Path, clock: FakeClock, write: t.Callable[[PromotionStore], t.Any]
) -> None:
    with pytest.raises(ValueError, match="reading only"):
        write(PromotionStore(str(path), clock, read_only=True))
    assert not path.parent.exists()
