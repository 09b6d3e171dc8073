# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that keeps the locks of a promotion alive: from its start to its end, which follows that of its owner."""

from __future__ import annotations

import contextlib
import datetime as dt
import pathlib
import subprocess
import sys
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import heartbeat as module
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.heartbeat import Beats, main, start_heartbeat
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import LockHeld, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.databases import Database, SqliteFile
from tests.unit.plugins.support.promotion_users import KEY, OTHER

RUN = "p-1"


@pytest.fixture
def store(database: Database) -> PromotionStore:
    return PromotionStore(database.location, SystemClock())


@pytest.fixture
def owner() -> t.Iterator[subprocess.Popen[bytes]]:
    """What stands for ``ansible-playbook``."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def wait_for(condition: t.Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


@pytest.fixture(autouse=True)
def _mark(monkeypatch: pytest.MonkeyPatch, store: PromotionStore) -> None:
    """Processes inherit it, so that those of this test are known from those of tests that run at the same time."""
    monkeypatch.setenv("LOCKSTEP_TEST_STORE", store.location)


def beating(location: str) -> list[int]:
    """Ids of the processes that beat for locks in a store. What a process is to do is not among its arguments."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            mine = location.encode() in (path / "environ").read_bytes()
            if mine and b"lockstep_sync" in (path / "cmdline").read_bytes():
                assert location.encode() not in (path / "cmdline").read_bytes()
                found.append(int(path.name))
    return found


def begin(store: PromotionStore, owner: subprocess.Popen[bytes]) -> ProcessIdentity:
    identity = ProcessIdentity.of(owner.pid)
    store.begin(RUN, {KEY: "shop", OTHER: "blog"}, "1", Owner(identity, "operator"))
    return identity


def expiry_of(store: PromotionStore) -> dt.datetime:
    found = store.look(KEY)
    assert found is not None
    return found.expires_at


def test_the_process_lives_as_long_as_its_owner_and_knows_all_that_it_needs(
    store: PromotionStore, owner: subprocess.Popen[bytes]
) -> None:
    start_heartbeat(store, RUN, begin(store, owner))
    started = set(beating(store.location))
    assert len(started) == 1
    # loaded everything, and waits
    assert not wait_for(lambda: not started & set(beating(store.location)), 1.0)
    owner.kill()
    # the kernel says so, before the owner is collected
    assert wait_for(lambda: not started & set(beating(store.location)))


def test_it_has_no_pipe_and_no_session_of_its_parent(store: PromotionStore, owner: subprocess.Popen[bytes]) -> None:
    """Else what reads the output of ``ansible-playbook`` to its end would wait for this process, too."""
    program = (
        f"import sys; sys.path.insert(0, {str(pathlib.Path.cwd())!r})\n"
        f"from {module.__name__} import *\n"
        f"start_heartbeat(PromotionStore({store.location!r}, SystemClock()), {RUN!r},"
        f" ProcessIdentity.from_json({begin(store, owner).to_json()!r}))"
    )
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=30)
    assert len(beating(store.location)) == 1


@contextlib.contextmanager
def beats(store: PromotionStore, owner: ProcessIdentity) -> t.Iterator[threading.Thread]:
    """The process's code in a thread."""
    thread = threading.Thread(target=main, args=(Beats(store.location, RUN, owner).to_json(),), daemon=True)
    thread.start()
    yield thread
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)


@pytest.mark.usefixtures("_fast")
@pytest.mark.parametrize("has_pidfd", [True, False])
def test_locks_are_renewed_until_the_owner_ends(
    store: PromotionStore, owner: subprocess.Popen[bytes], has_pidfd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_pidfd:
        monkeypatch.delattr("os.pidfd_open")
    identity = begin(store, owner)
    first = expiry_of(store)
    with beats(store, identity):
        assert wait_for(lambda: expiry_of(store) > first)
        with pytest.raises(LockHeld):
            store.begin("p-2", {KEY: "shop"}, "1", Owner.current())
        owner.kill()
    begun = store.begin("p-2", {KEY: "shop"}, "1", Owner.current())[KEY]
    assert begun.taken_over is not None
    assert begun.taken_over.reason == "gone"
    assert str(begun.taken_over) == f"run p-1 of operator ({identity}), whose process has ended"


@pytest.mark.usefixtures("_fast")
def test_it_ends_once_the_run_has_no_lock_any_more(store: PromotionStore, owner: subprocess.Popen[bytes]) -> None:
    with beats(store, begin(store, owner)) as thread:
        store.finish(RUN, KEY, "succeeded")
        time.sleep(0.2)
        assert thread.is_alive()
        store.unlock(RUN, OTHER)


@pytest.mark.parametrize("database", [SqliteFile], indirect=True)
@pytest.mark.usefixtures("_fast")
def test_it_ends_when_beats_fail_for_as_long_as_a_lease_lasts(
    store: PromotionStore, owner: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.3)
    identity = begin(store, owner)
    with beats(store, identity) as thread:
        time.sleep(0.1)
        pathlib.Path(store.location).rename(f"{store.location}.gone")
        time.sleep(0.1)
        assert thread.is_alive()
    # and never makes a new file
    assert not pathlib.Path(store.location).exists()


def test_where_no_process_can_be_started_there_is_no_lock_to_rely_on(
    store: PromotionStore, owner: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(SyncError, match="cannot be started") as caught:
        start_heartbeat(store, RUN, begin(store, owner))
    assert caught.value.code == "busy"
