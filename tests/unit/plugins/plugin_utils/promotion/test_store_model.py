# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any sequence of events leaves in the store what a simple model says."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import LEASE_SECONDS
from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import LOCKED, LockHeld, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.properties import of_all
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.databases import Database, SqliteFile
from tests.unit.plugins.support.processes import UNUSED_PID
from tests.unit.plugins.support.promotion_users import KEY, OTHER
from tests.unit.plugins.support.promotions import hand_over, history, holds


@dataclasses.dataclass
class Row:
    """What the model knows of a promotion."""

    run: str
    holder: str
    pid: int
    release: str | None
    phase: str
    data: dict[str, int]
    expires: float
    verdict: str | None = None


KEYS = (KEY, OTHER)
keys = st.sampled_from(KEYS)
releases = st.sampled_from([None, "1", "2"])


class Promotions(RuleBasedStateMachine):
    """A store against a list in memory; processes are live or dead as the model says."""

    kind: type[Database] = SqliteFile

    @initialize()
    def start(self) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.database = self.kind(pathlib.Path(self.place.name))
        self.rows: dict[Key, list[Row]] = {key: [] for key in KEYS}
        self.holds: dict[tuple[Key, str | None], str] = {}
        self.lifted = 0
        self.runs: list[str] = ["r0"]
        self.dead: set[int] = set()

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.place.cleanup()

    def store(self, read_only: bool = False) -> PromotionStore:
        return PromotionStore(self.database.location, self.clock, read_only)

    def unfinished(self, key: Key) -> Row | None:
        return next((row for row in self.rows[key] if row.verdict is None), None)

    def is_held(self, row: Row) -> bool:
        return row.holder != "" and row.pid not in self.dead and self.clock.elapsed < row.expires

    def mine(self, run: str, key: Key) -> Row | None:
        row = self.unfinished(key)
        return row if row is not None and row.holder == run else None

    @rule(chosen=st.lists(keys, unique=True, min_size=1), release=releases)
    def begin(self, chosen: list[Key], release: str | None) -> None:
        number = len(self.runs)
        run = f"r{number}"
        self.runs.append(run)
        # a dead owner has an unused process id; a live one is of another host, where its process cannot be checked
        owner = Owner(ProcessIdentity("another kernel", "space", number, "", "pod"), run)
        held = [key for key in chosen for row in [self.unfinished(key)] if row is not None and self.is_held(row)]
        targets = dict.fromkeys(chosen, "shop")
        if held:
            with pytest.raises(LockHeld) as caught:
                self.store().begin(run, targets, release, owner)
            assert caught.value.key == held[0]
            return
        begun = self.store().begin(run, targets, release, owner)
        for key in chosen:
            row = self.unfinished(key)
            if row is not None and row.release == release:
                assert begun[key].resumed == row.phase
                row.holder, row.pid, row.expires = run, number, self.clock.elapsed + LEASE_SECONDS
                continue
            assert (begun[key].resumed, begun[key].abandoned is None) == (None, row is None)
            if row is not None:
                row.verdict, row.holder = "abandoned", ""
            self.rows[key].append(Row(run, run, number, release, LOCKED, {}, self.clock.elapsed + LEASE_SECONDS))

    @rule(key=keys)
    def die(self, key: Key) -> None:
        """The owner turns out to be gone: its place becomes this kernel, where no such process is."""
        row = self.unfinished(key)
        if row is None or row.pid in self.dead:
            return
        self.dead.add(row.pid)
        gone, alive = ProcessIdentity.of(UNUSED_PID), ProcessIdentity("another kernel", "space", row.pid, "", "pod")
        assert hand_over(self.store(), alive, gone) >= 1

    @rule(data=st.data(), key=keys, phase=st.sampled_from(["backup", "sync"]), fact=st.integers(0, 3))
    def advance(self, data: st.DataObject, key: Key, phase: str, fact: int) -> None:
        run = data.draw(st.sampled_from(self.runs))
        row = self.mine(run, key)
        if row is None or row.pid in self.dead:
            with pytest.raises(SyncError) as caught:
                self.store().advance(run, key, phase, {str(fact): fact})
            assert caught.value.code == "busy"
            return
        self.store().advance(run, key, phase, {str(fact): fact})
        row.phase, row.expires = phase, self.clock.elapsed + LEASE_SECONDS
        row.data = {**row.data, str(fact): fact}

    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.runs))
        rows = [row for key in KEYS for row in [self.mine(run, key)] if row is not None]
        assert self.store().renew(run) == len(rows)
        for row in rows:
            row.expires = self.clock.elapsed + LEASE_SECONDS

    @rule(data=st.data(), key=keys, verdict=st.sampled_from([None, "succeeded", "failed"]))
    def end(self, data: st.DataObject, key: Key, verdict: str | None) -> None:
        row = self.unfinished(key)
        holder = [row.holder] if row is not None and row.holder else []
        run = data.draw(st.sampled_from(holder * 3 + self.runs))
        row = self.mine(run, key)
        store = self.store()
        if row is None:
            with pytest.raises(SyncError) as caught:
                store.finish(run, key, verdict) if verdict else store.unlock(run, key)
            assert caught.value.code == "busy"
        elif verdict:
            store.finish(run, key, verdict)
            row.verdict, row.holder = verdict, ""
        else:
            store.unlock(run, key)
            row.holder = ""

    @rule(key=keys, release=releases, reason=st.sampled_from(["slow", "broken"]))
    def hold(self, key: Key, release: str | None, reason: str) -> None:
        self.holds.setdefault((key, release), reason)
        assert self.store().hold(key, release, reason, "r0").reason == self.holds[key, release]

    @rule(key=keys, release=releases)
    def lift(self, key: Key, release: str | None) -> None:
        lifted = self.store().lift(key, release, "enough")
        assert (lifted.reason if lifted else None) == self.holds.pop((key, release), None)
        self.lifted += lifted is not None

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.clock.sleep(seconds)

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "database"):
            return
        reader = self.store(read_only=True)
        for key in KEYS:
            found = history(reader, key, 1000)
            assert [(i.run, i.holder, i.release, i.phase, i.data, i.verdict) for i in found] == [
                (row.run, row.holder, row.release, row.phase, row.data, row.verdict) for row in reversed(self.rows[key])
            ]
            row, newest = self.unfinished(key), reader.look(key)
            assert (newest is None) == (row is None)
            if newest is not None and row is not None:
                assert reader.is_held(newest) == self.is_held(row)
            for release in (None, "1", "2"):
                hold = reader.held(key, release)
                assert (hold.reason if hold else None) == self.holds.get((key, release))
        assert sum(len(holds(reader, key, 1000)) for key in KEYS) == len(self.holds) + self.lifted


TestPromotions = pytest.mark.thorough(Promotions.TestCase)
TestPromotions.settings = settings(max_examples=of_all(25), stateful_step_count=25, deadline=None)
