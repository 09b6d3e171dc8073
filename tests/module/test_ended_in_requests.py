# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sync module is ended in the middle of each of its requests, by SIGKILL and by SIGTERM; those after it trigger nothing twice.

The server holds the request, before it has executed it or after, so that the process is certainly at work when it is ended.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.conftest import Repeats
from tests.simulator.client import Simulator, wait_until

from .conftest import Launch, Outcome, RunModule, checked, module_input
from .crafter.server import Server as StudioServer
from .plm.server import DEFAULTS, Server as MediaServer
from .serveravatar.server import Server as StagingServer
from .vinyldns.server import ZONE, Server as ZoneServer

Signal = Literal["kill", "terminate"]
Moment = Literal["hang", "delay_after"]
SIGNALS: tuple[Signal, ...] = ("kill", "terminate")
#: before the server has executed the request, and after
MOMENTS: tuple[Moment, ...] = ("hang", "delay_after")

#: no module of these tests sends more requests before it waits for its run
MOST_REQUESTS = 25
#: tasks that are run until one succeeds; one may say that the outcome of the one before is not known
TASKS = 3
PACE = {"settle_grace": 1, "poll_min_interval": 0.1, "wait_timeout": 60, "release": "1"}


@dataclasses.dataclass(frozen=True)
class System:
    """An emulated system with a target that nothing has synced yet.

    :param executed: how many syncs it has begun.
    """

    part: str
    module: str
    options: dict[str, Any]
    executed: Callable[[], int]


def zone(simulator: Simulator) -> System:
    server = ZoneServer(simulator)
    server.add()
    options = {**server.login, "zones": [ZONE], **PACE}
    return System("vinyldns", "vinyldns_zone_sync", options, lambda: server.accepted(ZONE))


def staging(simulator: Simulator) -> System:
    server = StagingServer(simulator)
    server.knob(sync_seconds=0.5)
    options = server.options("shop", **PACE)
    return System("serveravatar", "serveravatar_staging_sync", options, lambda: server.accepted)


def studio(simulator: Simulator) -> System:
    server = StudioServer(simulator)
    options = {**server.options(), **PACE}
    return System("crafter", "crafter_staging_sync", options, server.resets)


def media(simulator: Simulator) -> System:
    server = MediaServer(simulator)
    server.knob(**{**DEFAULTS, "duplicates": "independent"})
    return System("plm", "plm_storage_sync", server.options(**PACE), server.accepted)


SYSTEMS = {"vinyldns": zone, "serveravatar": staging, "crafter": studio, "plm": media}


@pytest.fixture
def simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    with Simulator.start(parts=[request.param]) as running:
        yield running


def end_in_request(
    simulator: Simulator, system: System, launch: Launch, number: int, moment: Moment, signal: Signal
) -> Outcome | None:
    """End a module in the middle of its request with this number; what it returned, if it did.

    :raises EOFError: it sends fewer requests.
    """
    simulator.clear()
    simulator.fault(moment, part=system.part, after=number, seconds=60.0)
    process = launch(system.module, module_input(system.options))
    wait_until(lambda: len(simulator.requests(part=system.part)) > number or not process.is_running, seconds=120)
    if len(simulator.requests(part=system.part)) <= number:
        raise EOFError
    assert process.is_running
    process.kill() if signal == "kill" else process.terminate()
    ended = None if signal == "kill" else checked(*process.finish(120))
    simulator.clear()
    return ended


def check_ended(system: System, ended: Outcome) -> None:
    """What the report of a module says that got SIGTERM."""
    record = ended.only
    assert ended.failed
    assert record["state"] in ("running", "unknown", "not_started")
    if system.executed():
        assert record["action"] in ("triggered", "joined")
    if record["state"] == "not_started":
        assert system.executed() == 0


def bring(system: System, run_module: RunModule) -> int:
    """Run tasks until one succeeds; how many of them said that the outcome of an earlier one is not known."""
    for unknown in range(TASKS):
        outcome = run_module(system.module, system.options)
        if not outcome.failed:
            return unknown
        assert outcome.codes == ["outcome_unknown"], outcome.output
    raise AssertionError(f"no task succeeds: {outcome.output}")


@pytest.mark.long
@pytest.mark.parametrize(
    ("make", "simulator"), [(make, name) for name, make in SYSTEMS.items()], ids=SYSTEMS, indirect=["simulator"]
)
def test_ended_in_any_request(
    make: Callable[[Simulator], System],
    simulator: Simulator,
    launch: Launch,
    run_module: RunModule,
    repeats: Repeats,
    ledger: Path,
) -> None:
    rng = random.Random(1129)
    last, ended_at = MOST_REQUESTS, 0
    trials = repeats(0, 8, 130)
    while ended_at < trials:
        number, moment, signal = rng.randrange(last), rng.choice(MOMENTS), rng.choice(SIGNALS)
        simulator.reset()
        system = make(simulator)
        for path in ledger.parent.glob("*") if ledger.parent.exists() else ():
            path.unlink()
        try:
            ended = end_in_request(simulator, system, launch, number, moment, signal)
        except EOFError:
            last = number
            continue
        ended_at += 1
        if ended is not None:
            check_ended(system, ended)
        unknown = bring(system, run_module)
        assert 1 <= system.executed() <= 1 + unknown, (number, moment, signal)
        again = run_module(system.module, system.options)
        assert (again.only["action"], system.executed() <= 1 + unknown) == ("skipped", True), (number, moment, signal)
