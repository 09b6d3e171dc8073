# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger that cannot be used once the server has the trigger: the run is followed to its end, and nothing is sent twice."""

from __future__ import annotations

import contextlib
import pathlib
import resource
import sqlite3
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state import sqlite
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.schema import create_tables
from tests.unit.plugins.support.databases import files
from tests.unit.plugins.support.lab import Lab, Result, code, only
from tests.unit.plugins.support.web import Reply

Undo = t.Callable[[], object]
#: makes a ledger unusable, and returns what makes it usable again
Attack = t.Callable[[pathlib.Path], Undo]
TRIGGER = "POST /mirrors/7/refresh"


def lock(path: pathlib.Path) -> Undo:
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    return holder.close


def fill_disk(path: pathlib.Path) -> Undo:
    """No file of this process may grow, as on a full disk."""
    # a signal would end the process; Python ignores it
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)


def remove(path: pathlib.Path) -> Undo:
    for name in files(path):
        (path.parent / name).unlink()
    return lambda: None


def overwrite(path: pathlib.Path) -> Undo:
    remove(path)
    path.write_bytes(b"# my diary\n" * 1000)
    return path.unlink


def replace_by_empty(path: pathlib.Path) -> Undo:
    remove(path)
    other = path.parent / "other.sqlite3"
    with contextlib.closing(sqlite3.connect(other)) as db:
        db.isolation_level = None
        db.execute("BEGIN")
        create_tables(db)
        db.execute("COMMIT")
    other.chmod(0o600)
    other.rename(path)
    return lambda: None


ATTACKS: list[Attack] = [lock, fill_disk, remove, overwrite, replace_by_empty]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for a lock that stays."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.01)


class Attacked:
    """A task whose ledger is attacked as soon as its trigger has arrived, and usable again once the task has ended."""

    def __init__(self, lab: Lab, attack: Attack) -> None:
        self._lab = lab
        self._attack = attack
        self._undo: list[Undo] = []

    def run(self, **options: t.Any) -> Result:
        self._lab.service.before[TRIGGER] = lambda: self._undo.append(self._attack(self._lab.ledger_path))
        try:
            return self._lab.run(**options)
        finally:
            # before pytest writes to a file
            self.recover()

    def recover(self) -> None:
        while self._undo:
            self._undo.pop()()


@pytest.fixture
def attacked(lab: Lab, hasty: None, request: pytest.FixtureRequest) -> Attacked:
    return Attacked(lab, request.param)


@pytest.mark.parametrize("attacked", ATTACKS, indirect=True)
def test_the_run_is_followed_to_its_end(lab: Lab, attacked: Attacked) -> None:
    result = attacked.run(release="1.2")
    record = only(result)
    assert (record["action"], record["state"], record["failure"], result.get("failed")) == ("triggered", "succeeded", None, None)
    assert (record["handle"]["run"], record["changed_basis"], lab.posts, lab.accepted) == (1, "observed", 1, 1)
    (text,) = {warning for warning in result["warnings"] if "ledger" in warning}
    assert text.startswith("seven: ")
    assert "repair the ledger" in text
    assert "sync_wait" in text


@pytest.mark.parametrize("attacked", ATTACKS, indirect=True)
def test_a_run_that_fails_is_a_failed_run(lab: Lab, attacked: Attacked) -> None:
    lab.service.ending = "broken"
    result = attacked.run()
    assert (code(result), only(result)["state"], lab.posts) == ("run_failed", "failed", 1)


@pytest.mark.parametrize("attacked", ATTACKS, indirect=True)
def test_a_run_that_goes_on_is_resumed_by_its_handle(lab: Lab, attacked: Attacked) -> None:
    lab.service.duration = 3600
    result = attacked.run(wait_timeout=20)
    record = only(result)
    assert (code(result), record["action"], record["state"], record["timed_out"]) == ("timed_out", "triggered", "running", True)
    assert "sync_wait" in record["failure"]["hint"]
    lab.clock.sleep(3600)
    again = lab.wait([record["handle"]], ledger_path=str(lab.directory / "another.sqlite3"))
    assert (only(again)["state"], lab.posts) == ("succeeded", 1)


@pytest.mark.parametrize("attacked", [lock, fill_disk], indirect=True)
def test_a_ledger_that_recovers_knows_the_run(lab: Lab, attacked: Attacked) -> None:
    lab.service.duration = 3600
    lab.service.before["GET /runs/1"] = attacked.recover
    attacked.run(wait_timeout=20, release="1.2")
    entry = lab.open_entry()
    assert entry is not None
    assert (entry.state, entry.lease.holder) == ("started", "")
    record = only(lab.run(wait_timeout=20, release="1.2"))
    assert (record["action"], lab.posts) == ("joined", 1)


@pytest.mark.parametrize("attacked", [lock, fill_disk], indirect=True)
def test_no_second_run_is_started_after_it(lab: Lab, attacked: Attacked) -> None:
    lab.service.duration = 3600
    attacked.run(wait=False)
    lab.service.before.clear()
    lab.clock.sleep(61)
    record = only(lab.run(wait_timeout=20))
    assert (record["action"], lab.posts) == ("joined", 1)


@pytest.mark.parametrize("attack", [lock, fill_disk, overwrite])
def test_nothing_is_triggered_with_a_ledger_that_fails_before(lab: Lab, hasty: None, attack: Attack) -> None:
    undo: list[Undo] = []
    lab.service.before["GET /mirrors/7"] = lambda: undo.append(attack(lab.ledger_path))
    try:
        result = lab.run()
    finally:
        undo[0]()
    record = only(result)
    assert (code(result), record["action"], record["state"], lab.posts) == ("invalid_option", "refused", "not_started", 0)


def test_the_reason_of_a_trigger_that_was_refused_is_not_hidden(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise SyncError("invalid_option", "option ledger: the disk is full")

    monkeypatch.setattr(RunLedger, "retract", fail)
    lab.service.fates = [Reply(403, b"no")]
    result = lab.run()
    assert (code(result), only(result)["action"]) == ("permission_denied", "refused")
    assert any("interrupted" in text and "the disk is full" in text for text in result["warnings"])
