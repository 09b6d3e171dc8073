# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault matrix: each call of each sync module, with each fault, in both ways in which a module runs.

A row is one run of a module against a simulator of its own, through a proxy that does one harm. What must hold is in ``check``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import multiprocessing.connection
import os
import random
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import FAILURE_CODES
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import DESCRIPTORS
from tests.module.process import ModuleProcess
from tests.simulator.client import Simulator

from .cases import PARTS, Case, Truth
from .faults import FAULTS, Fault
from .proxy import Call, FaultyProxy, Plan
from .ways import WAYS

Json = dict[str, Any]

WAIT, REQUEST = 3.0, 0.8
#: the wait is short, and so is every other patience
PACE: Json = {"wait_timeout": WAIT, "request_timeout": REQUEST, "settle_grace": 1, "outage_grace": 1, "poll_min_interval": 0.1}
#: seconds that a module may take beyond its wait_timeout, and beyond what starting and ending takes on this machine
LATE = 2.0
#: MiB that a module process may have in memory
MEMORY = 200
CODES = FAILURE_CODES.union(*(descriptor.failure_codes for descriptor in DESCRIPTORS.values())) - {"internal_error"}
#: seconds after which a process is stuck
STUCK = 120.0


@dataclasses.dataclass(frozen=True)
class Row:
    """One run.

    :param lasting: whether the fault happens to every such call, and not to the first one alone.
    :param fails: whether the sync fails at the server.
    :param first: how many requests come before the first such call.
    """

    case: Case
    call: Call
    fault: Fault
    way: str
    lasting: bool
    fails: bool
    first: int

    def __str__(self) -> str:
        often = "always" if self.lasting else "once"
        return f"{self.case} ({self.way}), {self.call}: {self.fault} {often}{', the sync fails' if self.fails else ''}"


@dataclasses.dataclass(frozen=True)
class Ended:
    """What became of it.

    :param happened: whether the fault did.
    :param sent: requests of triggers that the proxy saw.
    :param executed: mutating requests that the server executed.
    :param truth: what the server knew of the sync when the module had ended.
    """

    row: Row
    happened: bool
    sent: int
    executed: int
    truth: Truth
    code: int
    output: str
    errors: str
    seconds: float
    mebibytes: float

    @property
    def result(self) -> Json:
        lines = self.output.strip().splitlines()
        try:
            found = json.loads(lines[-1], parse_constant=_no_json) if lines else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def record(self) -> Json:
        records = self.result.get("syncs") or [{}]
        return dict(records[0])

    @property
    def failure_code(self) -> str:
        failure = self.record.get("failure") or self.result.get("failure")
        return str(failure["code"]) if failure else ""


def _no_json(constant: str) -> None:
    raise ValueError(constant)


def check(ended: Ended, allowance: float) -> list[str]:
    """What does not hold.

    :param allowance: seconds for starting and ending a process on this machine.
    """
    record, result = ended.record, ended.result
    succeeded = record.get("state") == "succeeded"
    waits = ended.row.case.waits
    own = 0 if waits else ended.executed
    claims_nothing = record.get("action") == "refused" or record.get("state") == "not_started"
    observed = record.get("changed") and record.get("changed_basis") == "observed"
    wrong = {
        "no result": not record,
        "a traceback": "Traceback" in ended.output + ended.errors,
        "triggered twice": own > 1 or (waits and ended.sent > 0),
        "succeeded, though the sync did not": succeeded and ended.truth != "succeeded",
        "changed as observed, though nothing ran": bool(observed) and ended.truth == "none",
        "nothing was started, though it was": claims_nothing and own > 0,
        "no change, though there may be one": own > 0 and not record.get("changed") and ended.truth == "succeeded",
        "triggered, though nothing was sent": record.get("action") == "triggered" and ended.sent == 0,
        "failed without a code": bool(result.get("failed")) and not ended.failure_code,
        "a code that is not documented": bool(ended.failure_code) and ended.failure_code not in CODES,
        "no failure, and no success": not result.get("failed") and not succeeded,
        "another exit status": (ended.code != 0) is not bool(result.get("failed")),
        "too late": ended.seconds > WAIT + LATE + allowance,
        "too large": ended.mebibytes > MEMORY,
    }
    return [what for what, holds in wrong.items() if holds]


def rows_of(case: Case, calls: Sequence[Call], failing: Sequence[Call] = ()) -> list[Row]:
    """The rows of a case, given the calls of a run without faults in their order, and those of a run whose sync fails.

    Each call has each fault in both ways: once in one of them, and every time in the other.
    """
    rows = []
    for call in dict.fromkeys(calls):
        for fault in FAULTS:
            mark = zlib.crc32(f"{case} {call} {fault}".encode())
            for number, way in enumerate(WAYS):
                # a third of the syncs fail, whatever else happens, where that can be arranged
                fails = call in failing and (mark >> 8) % 3 == number
                rows.append(Row(case, call, fault, way, mark % 2 == number, fails, calls.index(call)))
    return rows


def sample(rows: Sequence[Row], faults: Iterable[Fault], seed: int) -> list[Row]:
    """Few rows that have each call, each way and each of these faults at least once, the same for the same seed."""
    wanted: set[object] = {fault.name for fault in faults}
    wanted |= {row.call for row in rows} | {(row.way, row.lasting, row.fails) for row in rows}
    chosen: list[Row] = []
    for row in random.Random(seed).sample(list(rows), len(rows)):
        has = {row.call, row.fault.name, (row.way, row.lasting, row.fails)}
        if wanted & has:
            chosen.append(row)
            wanted -= has
    return chosen


class Bench:
    """A place for one row at a time: a simulator, and a folder."""

    def __init__(self, folder: Path, simulator: Simulator) -> None:
        self.folder, self.simulator = folder, simulator

    def begin(self, case: Case, fails: bool = False) -> Json:
        """Everything as at the start, and the options of the module but for its address."""
        self.simulator.reset()
        case.prepare(self.simulator)
        if fails and case.fail is not None:
            case.fail(self.simulator)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return case.options(self.simulator[case.part])

    def start(self, module: str, options: Json, way: str = "module") -> ModuleProcess:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "LOCKSTEP_LEDGER": str(self.folder / "ledger.sqlite3"),
        }
        arguments = {**options, "_ansible_check_mode": False, "_ansible_diff": False, "_ansible_remote_tmp": "~/.ansible/tmp"}
        text = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
        return ModuleProcess(module, text, environment, folder, WAYS[way])

    def options(self, case: Case, given: Json, url: str, request_timeout: float = REQUEST) -> Json:
        """The options for a server at ``url``; for ``sync_wait``, a run is started that it waits for."""
        if not case.waits:
            return {**given, **PACE, "request_timeout": request_timeout, "api_url": url}
        direct = {**given, "api_url": self.simulator[case.part]["url"], "wait": False}
        dummy, output, _errors = self.start(case.module, direct).finish(STUCK)
        handle = json.loads(output)["syncs"][0]["handle"]
        names = ("api_token", "access_key", "secret_key")
        login = {name: given[name] for name in names if name in given}
        pace = {name: PACE[name] for name in ("wait_timeout", "outage_grace", "poll_min_interval")}
        connection = {**login, "api_url": url, "request_timeout": request_timeout}
        return {"handles": [{**handle, "address": url}], "connections": {handle["provider"]: connection}, **pace}

    def calls(self, case: Case, fails: bool = False) -> list[Call]:
        """The calls of a run without faults."""
        given = self.begin(case, fails)
        with FaultyProxy(self.simulator[case.part]["url"], case.is_trigger, 0, started=case.waits) as proxy:
            # as long as a busy machine needs
            options = {**self.options(case, given, proxy.url, STUCK), "wait_timeout": STUCK}
            code, output, errors = self.start("sync_wait" if case.waits else case.module, options).finish(STUCK)
            if bool(code) is not fails or case.truth(self.simulator) != ("failed" if fails else "succeeded"):
                raise RuntimeError(f"{case} without a fault: {output} {errors}")
            return list(proxy.seen)


class Running:
    """A row at work."""

    def __init__(self, bench: Bench, row: Row) -> None:
        self.bench, self.row = bench, row
        self._stack = contextlib.ExitStack()
        case = row.case
        given = bench.begin(case, row.fails)
        plan = Plan(row.fault, row.call, row.lasting, row.first)
        proxy = FaultyProxy(bench.simulator[case.part]["url"], case.is_trigger, 2 * REQUEST, plan, case.waits)
        options = bench.options(case, given, proxy.url)
        # from now on
        self._executed = self._mutations()
        self.proxy = self._stack.enter_context(proxy)
        self.process = bench.start("sync_wait" if case.waits else case.module, options, row.way)

    def _mutations(self) -> int:
        return sum(entry["executed"] for entry in self.bench.simulator.requests(kind="mutate"))

    def finish(self) -> Ended:
        with self._stack:
            code, output, errors = self.process.finish(STUCK)
            truth = self.row.case.truth(self.bench.simulator)
            executed = self._mutations() - self._executed
        process, proxy = self.process, self.proxy
        return Ended(
            self.row, proxy.fault_used, proxy.triggers, executed, truth, code, output, errors, process.seconds, process.mebibytes
        )


class Matrix:
    """Runs rows, some at a time."""

    def __init__(self, benches: Sequence[Bench]) -> None:
        self.benches = benches

    def rows(self, case: Case) -> list[Row]:
        bench = self.benches[0]
        return rows_of(case, bench.calls(case), bench.calls(case, fails=True) if case.fail else ())

    def run(self, rows: Sequence[Row]) -> Iterator[Ended]:
        """The rows in the order in which they end."""
        left, free = list(reversed(rows)), list(self.benches)
        at_work: list[Running] = []
        while left or at_work:
            while left and free:
                at_work.append(Running(free.pop(), left.pop()))
            ended = next((each for each in at_work if not each.process.is_running), None)
            if ended is None:
                multiprocessing.connection.wait([each.process.sentinel for each in at_work], STUCK)
                continue
            at_work.remove(ended)
            yield ended.finish()
            free.append(ended.bench)

    def allowance(self) -> float:
        """Seconds that a process may take for starting and ending: four times what it does now, with as many at once."""
        self.benches[0].folder.mkdir(parents=True, exist_ok=True)
        ways = list(WAYS) * len(self.benches)
        processes = [self.benches[0].start("sync_wait", {"handles": []}, way) for way in ways[: len(self.benches) + 1]]
        for process in processes:
            process.finish(STUCK)
        return 4 * max(process.seconds for process in processes)


@contextlib.contextmanager
def benches(count: int, parts: Sequence[str] = PARTS) -> Iterator[Matrix]:
    """A matrix with simulators of its own."""
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory(prefix="lockstep-faults-") as folder:
        made = []
        for number in range(count):
            simulator = stack.enter_context(Simulator.start(parts=parts, dns="embedded"))
            made.append(Bench(Path(folder) / str(number), simulator))
        matrix = Matrix(made)
        # the first process that is forked waits until everything has been imported
        matrix.allowance()
        yield matrix
