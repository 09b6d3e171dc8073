# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks as processes that are killed and meet each other."""

from __future__ import annotations

import contextlib
import functools
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import wait_until

from .playbook import BLOG, SHOP, SUPPORT, Playbook, Running, Server

#: lasts until it is ended
LONG = 600.0

#: on a busy machine, a playbook may take its time
eventually = functools.partial(wait_until, seconds=90.0, interval=0.02)


class StoreReader:
    """Reads the promotion store, a file that outlives the runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def promotion(self, application: int) -> tuple[str, str] | None:
        """Run and phase of the unfinished promotion of an application."""
        if not self.path.exists():
            return None
        query = "SELECT run, phase FROM promotions WHERE target LIKE ? AND verdict IS NULL"
        # the tables may not be there yet
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as db, contextlib.suppress(sqlite3.OperationalError):
            found: tuple[str, str] | None = db.execute(query, (f"%/{application}",)).fetchone()
            return found
        return None


class Lane:
    """One application that is promoted by runs that are killed."""

    def __init__(self, server: Server, playbook: Playbook, store: StoreReader, application: int, with_children: bool) -> None:
        self.server = server
        self.playbook = playbook
        self.store = store
        self.application = application
        self.with_children = with_children
        self.first: str | None = None
        self.backups = set(server.truth(application)["backups"])

    def start(self, **variables: Any) -> Running:
        return self.playbook.start(targets=[self.server.target(self.application)], backup="required", **variables)

    def kill_in(self, phase: str, seen: Callable[[], Any], **variables: Any) -> None:
        """Start a run and kill it once the server shows the phase."""
        running = self.start(**variables)
        eventually(lambda: running.is_over() or seen())
        found = self.store.promotion(self.application)
        running.kill(self.with_children)
        assert running.process.returncode == -signal.SIGKILL, running.output
        assert found is not None and found[1] == phase, running.output
        assert self.server.token not in running.left()
        # all of them are one promotion
        self.first = self.first or found[0]
        assert found[0] == self.first

    def made(self) -> list[int]:
        """The backups that were made since."""
        return sorted(set(self.server.truth(self.application)["backups"]) - self.backups)

    def kill_in_backup(self) -> None:
        self.kill_in("backup", self.made)
        (made,) = self.made()
        self.server.control("PUT", f"/backups/{made}", {"status": "Completed", "done": True})

    def kill_in_sync(self) -> None:
        self.kill_in("sync", lambda: self.server.is_syncing(self.application))
        self.server.finish_sync(self.application)

    def kill_in_verification(self) -> None:
        before = self.server.looks(self.application)
        # it was looked at for the preflight of the first run only
        seen = functools.partial(self._is_soaking, before)
        self.kill_in("verify", seen, soak=LONG, verify_successes=2)

    def _is_soaking(self, before: int) -> bool:
        return self.server.looks(self.application) > before + 2

    def kill_in_restore(self) -> None:
        self.kill_in("rollback", lambda: self.server.restores(self.application), verify_timeout=1)

    def end(self, phase: str, **variables: Any) -> dict[str, Any]:
        """The last run, which is not disturbed.

        :param phase: in which it goes on.
        """
        played = self.start(**variables).finish()
        target = played.only()
        assert target["resumed"]["run"] == self.first, played.output
        assert (target["resumed"]["phase"], target["verdict"]) == (phase, played.verdict)
        assert self.store.promotion(self.application) is None
        assert len(self.made()) == 1
        assert target["backup"]["id"] == self.made()[0]
        assert self.server.syncs(self.application) == 1
        assert played.code == (0 if played.verdict == "succeeded" else 2), played.output
        return target


@pytest.fixture
def playbook(playbook: Playbook) -> Playbook:
    """With processes whose children are found, however they are killed."""
    playbook.prefix = []
    return playbook


@pytest.fixture
def store(ledger: Path) -> StoreReader:
    return StoreReader(ledger)


LASTING = {"backup_seconds": LONG, "sync_seconds": LONG, "restore_seconds": 6.0}


def check_rollback(server: Server, application: int, target: dict[str, Any]) -> None:
    assert (target["verdict"], target["rollback"]["state"]) == ("rolled_back", "succeeded"), target
    assert "status 500, wanted 200" in target["reason"]
    assert (server.truth(application)["production"], server.restores(application)) == ("release-1", 1)


@pytest.mark.long
def test_killed_anywhere_it_goes_on_and_does_nothing_twice(server: Server, playbook: Playbook, store: StoreReader) -> None:
    broken = {"broken_release": "release-2", "restore_seconds": 6.0}
    server.knob(applications={str(SHOP): LASTING, str(SUPPORT): broken})
    shop = Lane(server, playbook, store, SHOP, with_children=True)
    support = Lane(server, playbook, store, SUPPORT, with_children=True)

    def promote() -> dict[str, Any]:
        shop.kill_in_backup()
        shop.kill_in_sync()
        shop.kill_in_verification()
        return shop.end("verify")

    def roll_back() -> dict[str, Any]:
        support.kill_in_restore()
        return support.end("rollback", verify_timeout=20)

    with ThreadPoolExecutor(2) as lanes:
        first, second = lanes.submit(promote), lanes.submit(roll_back)
        promoted, rolled_back = first.result(), second.result()
    assert (promoted["verdict"], server.truth(SHOP)["production"], server.restores(SHOP)) == ("succeeded", "release-2", 0)
    check_rollback(server, SUPPORT, rolled_back)


@pytest.mark.long
def test_survived_by_orphans_it_goes_on_and_does_nothing_twice(server: Server, playbook: Playbook, store: StoreReader) -> None:
    server.knob(applications={str(BLOG): LASTING})
    blog = Lane(server, playbook, store, BLOG, with_children=False)
    blog.kill_in_backup()
    blog.kill_in_sync()
    blog.kill_in_verification()
    # the promoted release turns out to be broken while only an orphaned process is observing it
    server.knob(applications={str(BLOG): {**LASTING, "broken_release": "release-2"}})
    blog.kill_in_restore()
    check_rollback(server, BLOG, blog.end("rollback", verify_timeout=20))


@pytest.mark.long
def test_two_at_once_promote_once(server: Server, playbook: Playbook) -> None:
    server.knob(sync_seconds=LONG)
    both = [playbook.start(targets=[server.target()], lock_wait=0) for dummy in range(2)]
    eventually(lambda: any(run.is_over() for run in both))
    loser, winner = sorted(both, key=lambda run: not run.is_over())
    assert not winner.is_over(), winner.output
    refused = loser.finish()
    eventually(lambda: server.is_syncing(SHOP))
    server.finish_sync(SHOP)
    promoted = winner.finish()
    assert (promoted.code, promoted.verdict) == (0, "succeeded"), promoted.output
    assert (refused.code, refused.verdict) == (2, "refused"), refused.output
    assert promoted.report["run"] in refused.report["message"]
    assert promoted.report["run"] in refused.one_line
    assert (server.syncs(SHOP), len(server.sent())) == (1, 2)


def test_the_loser_of_a_race_waits_and_finds_the_release_done(server: Server, playbook: Playbook) -> None:
    playbook.prefix = None  # nothing is killed, so that they may be forked
    server.knob(sync_seconds=LONG)
    both = [playbook.start(targets=[server.target()]) for dummy in range(2)]
    eventually(lambda: server.is_syncing(SHOP))
    server.finish_sync(SHOP)
    played = [run.finish() for run in both]
    assert [(run.code, run.verdict) for run in played] == [(0, "succeeded")] * 2, played[0].output + played[1].output
    assert sorted(run.report["changed"] for run in played) == [False, True]
    assert (server.syncs(SHOP), len(server.sent())) == (1, 2)
