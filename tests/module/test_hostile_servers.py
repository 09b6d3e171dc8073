# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every sync module against servers that never come to an end: in time, small, and true in what it says.

The server is a proxy in front of the simulator. It either attacks from the first request on, or passes on all but the trigger.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import Repeats
from tests.simulator.client import Simulator, wait_until
from tests.unit.plugins.support import hostile
from tests.unit.plugins.support.hostile import Hostile

from .conftest import Launch, Outcome, checked, module_input
from .process import ModuleProcess

#: seconds that a module may take beyond its wait_timeout, and beyond what starting and ending takes on this machine
LATE = 2.0
#: MiB that a module process may have in memory
MEMORY = 200
ZONES = ["example.com.", "example.net."]
#: a synchronizer as the PLM Media Manager names them
SYNCHRONIZER = "$" + "a" * 32 + "+" + "b" * 32


@dataclasses.dataclass(frozen=True)
class Case:
    """A sync module, its options, and the one request that it triggers with; ``sync_wait`` has none."""

    module: str
    part: str
    options: Callable[[dict[str, Any]], dict[str, Any]]
    trigger: str = ""

    def is_trigger(self, method: str, path: str) -> bool:
        return bool(self.trigger) and re.fullmatch(self.trigger, f"{method} {path}") is not None

    def is_any(self, method: str, path: str) -> bool:
        return True


def serveravatar(**more: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda info: {"api_token": info["api_token"], "organization": "5", "server": "15", **more}


def crafter(**more: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda info: {"api_token": info["users"]["admin"]["api_token"], "sites": "mysite", **more}


def vinyldns(info: dict[str, Any]) -> dict[str, Any]:
    backend = {key: value for key, value in info["dns"].items() if key != "kind"}
    return {"access_key": info["access_key"], "secret_key": info["secret_key"], "zones": ZONES, "backend": backend}


CASES = [
    Case("serveravatar_staging_sync", "serveravatar", serveravatar(applications="shop"), r"GET .*/applications/88/sync"),
    Case("serveravatar_backup", "serveravatar", serveravatar(applications="shop", storage="Offsite S3"), r"POST .*"),
    Case("serveravatar_restore", "serveravatar", serveravatar(backups=[305]), r"GET .*/restore"),
    Case("crafter_staging_sync", "crafter", crafter(), r"POST .*/reset-staging\.json"),
    Case("crafter_publish", "crafter", crafter(everything=True), r"POST .*publish.*"),
    Case("plm_storage_sync", "plm", lambda info: {}, r"POST .*/synchronizers"),
    Case("vinyldns_zone_sync", "vinyldns", vinyldns, r"POST .*/sync"),
    Case("sync_wait", "plm", lambda info: {}),
]


#: the modules that take several targets, with several
SEVERAL = [
    Case(
        "serveravatar_staging_sync", "serveravatar", serveravatar(applications=["shop", "blog"]), r"GET .*/applications/\d+/sync"
    ),
    Case("serveravatar_restore", "serveravatar", serveravatar(backups=[305, 302]), r"GET .*/restore"),
    Case("crafter_publish", "crafter", lambda info: crafter(everything=True, sites=info["sites"][:2])(info), r"POST .*publish.*"),
    Case("vinyldns_zone_sync", "vinyldns", vinyldns, r"POST .*/sync"),
    Case("sync_wait", "plm", lambda info: {}),
]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["serveravatar", "crafter", "plm", "vinyldns"], dns="embedded") as running:
        order = {"records": ["www 300 A 192.0.2.1"], "dns": ["www 300 A 192.0.2.2"]}
        running.control.part("vinyldns", "POST", "/zones", {"zones": [{**order, "name": name} for name in ZONES]})
        yield running


def start_nothing(folder: Path) -> ModuleProcess:
    """A module process that has nothing to do."""
    return ModuleProcess("sync_wait", module_input({"handles": []}), {"HOME": str(folder)}, folder)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The first process that is forked waits until all modules have been imported."""
    start_nothing(tmp_path_factory.mktemp("warm")).finish(120)


@pytest.fixture
def late(warm: None, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How late a module may be: four times what as many processes with nothing to do need just now, and two seconds."""
    processes = [start_nothing(tmp_path_factory.mktemp("nothing")) for _case in CASES]
    for process in processes:
        process.finish(120)
    return LATE + 4 * max(process.seconds for process in processes)


@dataclasses.dataclass(frozen=True)
class Ended:
    """A module process that has ended."""

    case: Case
    server: Hostile
    outcome: Outcome
    seconds: float
    mebibytes: float

    def __repr__(self) -> str:
        return f"{self.case.module} after {self.seconds:.1f} s with {self.mebibytes:.0f} MiB: {self.outcome.output}"


@dataclasses.dataclass(frozen=True)
class Running:
    """A module process at work, and its server."""

    case: Case
    server: Hostile
    process: ModuleProcess
    report_path: Path

    def finish(self) -> Ended:
        outcome = checked(*self.process.finish(60))
        return Ended(self.case, self.server, outcome, self.process.seconds, self.process.mebibytes)


class Attack:
    """All sync modules at once, each against a hostile server of its own."""

    def __init__(self, simulator: Simulator, launch: Launch, respond: Callable[[], hostile.Response], reports: Path) -> None:
        self.simulator = simulator
        self.launch = launch
        self.respond = respond
        self.reports = reports

    @contextlib.contextmanager
    def on(self, cases: Iterable[Case], at_trigger: bool, **options: Any) -> Iterator[list[Running]]:
        with contextlib.ExitStack() as stack:
            yield [self._start(case, at_trigger, options, stack) for case in cases]

    def _start(self, case: Case, at_trigger: bool, options: dict[str, Any], stack: contextlib.ExitStack) -> Running:
        info = self.simulator[case.part]
        attacks = case.is_trigger if at_trigger else case.is_any
        server = stack.enter_context(Hostile(self.respond, info["url"], attacks))
        own = {**case.options(info), "api_url": server.url, "settle_grace": 1, "force": True}
        if case.module == "sync_wait":
            handle = {"provider": "plm", "address": server.url, "synchronizer": SYNCHRONIZER}
            own = {"handles": [handle] * 8}
        # one for each, since they write at the same time
        report_path = self.reports / f"{urlsplit(server.url).port}.json"
        arguments = {**own, "report_path": str(report_path), **options}
        return Running(case, server, self.launch(case.module, module_input(arguments)), report_path)


@pytest.fixture(params=[hostile.silent, hostile.dripping_body, hostile.dripping_headers, hostile.head_only, hostile.endless_body])
def attack(request: pytest.FixtureRequest, simulator: Simulator, launch: Launch, tmp_path: Path) -> Attack:
    return Attack(simulator, launch, request.param, tmp_path)


@pytest.fixture
def seconds(repeats: Repeats) -> int:
    """The time that the modules are given."""
    return repeats(2, 5)


def check(seconds: float, ended: Ended) -> None:
    """In time, small, and what the records say of the trigger is what the server saw.

    :param seconds: by which it has to end.
    """
    assert ended.seconds < seconds, ended
    assert ended.mebibytes < MEMORY, ended
    assert ended.outcome.failed, ended
    sent = [seen for seen in ended.server.log if ended.case.is_trigger(*seen)]
    assert len(sent) == len(set(sent)), ended
    for record in ended.outcome.result["syncs"]:
        reported = (record["action"], record["state"], record["changed"])
        code = record["failure"]["code"]
        if sent:
            assert (reported, code) == (("triggered", "unknown", True), "outcome_unknown"), ended
        elif ended.case.module == "sync_wait":
            assert (reported, code, record["timed_out"]) == (("joined", "unknown", True), "timed_out", True), ended
        else:
            assert reported == ("refused", "not_started", False), ended
            assert code in ("connection_failed", "timed_out", "bad_response"), ended


def test_a_server_that_attacks_from_the_first_request_on(attack: Attack, seconds: int, late: float) -> None:
    with attack.on(CASES, at_trigger=False, wait_timeout=seconds) as running:
        for ended in [each.finish() for each in running]:
            assert ended.server.log, ended
            check(seconds + late, ended)


def test_a_server_that_attacks_at_the_trigger(attack: Attack, seconds: int, late: float) -> None:
    with attack.on([case for case in CASES if case.trigger], at_trigger=True, wait_timeout=seconds) as running:
        for ended in [each.finish() for each in running]:
            assert len(ended.server.log) == len(ended.outcome.result["syncs"]), ended
            check(seconds + late, ended)


@pytest.mark.parametrize("at_trigger", [False, True])
def test_a_module_that_is_asked_to_stop_ends_at_once_and_reports(
    simulator: Simulator, launch: Launch, tmp_path: Path, at_trigger: bool, late: float
) -> None:
    cases = [case for case in SEVERAL if case.trigger or not at_trigger]
    attack = Attack(simulator, launch, hostile.silent, tmp_path)
    with attack.on(cases, at_trigger) as running:
        for each in running:
            wait_until(lambda each=each: each.server.log, 30)
            began = time.monotonic()
            each.process.terminate()
            ended = each.finish()
            assert time.monotonic() - began < late, ended
            report = json.loads(each.report_path.read_text())
            assert report["syncs"] == ended.outcome.result["syncs"]
            assert report["failure"]["code"] == "outcome_unknown", ended
            triggers = sum(each.case.is_trigger(*seen) for seen in each.server.log)
            unknown = [record["action"] for record in report["syncs"]].count("triggered")
            assert triggers <= unknown, ended
            assert (unknown > 0) is at_trigger or each.case.part == "plm", ended
