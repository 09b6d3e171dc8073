# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers with one ledger: a PID namespace each, host names that are equal or differ, and one trigger in all."""

from __future__ import annotations

import collections
import functools
import json
import pathlib
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import LEASE_SECONDS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import PromotionStore
from tests.conftest import Repeats
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.controllers import new_controller, promote_in_container, serve_controllers, sync_in_container
from tests.unit.plugins.support.databases import Database, SqliteFile
from tests.unit.plugins.support.mirrors import TOKEN, Mirror, Mirrors
from tests.unit.plugins.support.namespaces import enter_container
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.promotion_users import KEY
from tests.unit.plugins.support.web import Web

#: pairs that are at work at the same time
AT_ONCE = 10


class System:
    """A service in real time, and tasks that sync it by one ledger."""

    def __init__(self, serve: Serve, ledger: str) -> None:
        self.service = Mirrors(SystemClock())
        self.service.duration = 0.3
        self.web: Web = serve(self.service.respond)
        self.ledger = ledger

    def options(self, mirror: str, **options: t.Any) -> dict[str, t.Any]:
        common = {"api_url": self.web.url, "token": TOKEN, "ledger": self.ledger, "poll_min_interval": 0.05}
        return {**common, "mirrors": [mirror], "release": "1", "wait_timeout": 120, **options}

    def sync(self, hostname: str = "", **options: t.Any) -> Process:
        return Process(sync_in_container, self.options("seven", **options), enter=functools.partial(enter_container, hostname))

    @property
    def triggers(self) -> collections.Counter[str]:
        """The number of refresh requests for each mirror."""
        return collections.Counter(request.path.split("/")[2] for request in self.web.log if request.method == "POST")


@pytest.fixture
def system(serve: Serve, database: Database) -> System:
    return System(serve, database.location)


def outcome(process: Process) -> tuple[str, str]:
    line = json.loads(process.line())
    process.end()
    assert (line["pid"], line["failure"]) == (1, None)
    return line["action"], line["state"]


@pytest.mark.parametrize("hostnames", [("", ""), ("automation-job-101", "automation-job-102")])
def test_a_container_does_not_take_another_one_for_gone(system: System, hostnames: tuple[str, str]) -> None:
    """All have a process 1. The first is at work, waiting for the answer to its trigger, while the others look."""
    triggered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        triggered.set()
        assert go_on.wait(60)

    system.service.before["POST /mirrors/7/refresh"] = hold
    first = system.sync(hostnames[0])
    assert triggered.wait(60)
    others = [system.sync(hostnames[1]) for _other in range(2)]
    looks = system.web.lines.count("GET /mirrors/7")
    until = time.monotonic() + 60
    # each of them has looked several times, and waits
    while system.web.lines.count("GET /mirrors/7") < looks + 6 and time.monotonic() < until:
        time.sleep(0.05)
    assert system.triggers == {"7": 1}
    go_on.set()
    assert outcome(first) == ("triggered", "succeeded")
    for other in others:
        assert outcome(other) in (("joined", "succeeded"), ("skipped", "not_started"))
    assert system.triggers == {"7": 1}


def test_of_each_pair_of_containers_one_triggers_and_the_other_ends_well(
    system: System, database: Database, tmp_path: pathlib.Path, repeats: Repeats
) -> None:
    pairs = repeats(20, 200, 1000) if isinstance(database, SqliteFile) else repeats(10, 100, 2000)
    names = [f"mirror-{number}" for number in range(pairs)]
    system.service.mirrors = {str(number): Mirror(str(number), name) for number, name in enumerate(names)}
    controllers = Process(serve_controllers)
    assert controllers.line() == "ready"
    actions: dict[str, list[str]] = collections.defaultdict(list)
    for first in range(0, pairs, AT_ONCE):
        at_once = names[first : first + AT_ONCE]
        for name in at_once:
            for hostname in ("automation-job-101", "automation-job-102"):
                controllers.go_on(new_controller(system.options(name), hostname, tmp_path / name / hostname))
        for _line in range(2 * len(at_once)):
            line = json.loads(controllers.line())
            assert (line["pid"], line["failure"]) == (1, None)
            actions[line["target"]].append(line["action"])
    assert controllers.end() == 0
    assert len(actions) == pairs
    assert {tuple(sorted(both)) for both in actions.values()} <= {("joined", "triggered"), ("skipped", "triggered")}
    assert system.triggers == {str(number): 1 for number in range(pairs)}


# -- promotions -------------------------------------------------------------------------------------------------------


def promote(location: str, run: str, wait: float, hostname: str) -> Process:
    return Process(promote_in_container, location, run, wait, enter=functools.partial(enter_container, hostname))


def age(location: str, seconds: float) -> None:
    """Have the last beat of all locks be that long ago."""
    store = PromotionStore(location, SystemClock())
    found = store.look(KEY)
    assert found is not None
    moved = found.expires_at.timestamp() - seconds
    expires_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moved))
    store._store.write(lambda db: db.execute("UPDATE promotions SET expires_at = ?", expires_at))


def test_a_promotion_in_another_container_is_waited_for_while_it_lives(database: Database) -> None:
    first = promote(database.location, "p-1", 0, "automation-job-101")
    assert first.line() == "locked"
    second = promote(database.location, "p-2", 0, "automation-job-102")
    assert "run p-1 of root@automation-job-101 (process 1 on automation-job-101) is promoting it" in second.line()
    second.end()
    waiting = promote(database.location, "p-3", 60, "automation-job-102")
    time.sleep(1)
    PromotionStore(database.location, SystemClock()).finish("p-1", KEY, "succeeded")
    assert waiting.line() == "locked"
    first.end()
    waiting.end()


def test_a_promotion_whose_container_was_killed_is_taken_over_once_its_lease_has_expired(database: Database) -> None:
    first = promote(database.location, "p-1", 0, "automation-job-101")
    assert first.line() == "locked"
    first.kill()
    second = promote(database.location, "p-2", 120, "automation-job-102")
    time.sleep(1)
    age(database.location, LEASE_SECONDS)
    taken_over = second.line()
    assert taken_over.startswith("locked run p-1 of root@automation-job-101 (process 1 on automation-job-101), which was last")
    second.end()


@pytest.mark.long
def test_that_takes_a_minute_and_no_longer(database: Database) -> None:
    first = promote(database.location, "p-1", 0, "automation-job-101")
    assert first.line() == "locked"
    # beats prolong it
    time.sleep(25)
    first.kill()
    killed = time.monotonic()
    second = promote(database.location, "p-2", 120, "automation-job-102")
    assert second.line().startswith("locked run p-1")
    assert 40 < time.monotonic() - killed < LEASE_SECONDS + 30
    second.end()
