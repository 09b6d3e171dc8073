# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The imaginary system behind the fifth provider: mirrors, and runs that refresh them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import threading
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import Clock, isoformat

from .web import Reply, Request

TOKEN = "canary-of-the-fifth"


@dataclasses.dataclass
class MirrorRun:
    """A refresh.

    :param ending: its state once ``duration`` has passed.
    """

    id: int
    mirror: str
    start: float
    started: str
    duration: float
    ending: str = "done"
    files: tuple[str, ...] = ("a", "b")
    hidden: bool = False


@dataclasses.dataclass
class Mirror:
    """What is to be refreshed, and what the service reports about it."""

    id: str
    name: str
    in_sync: bool | None = None
    age: float | None = None
    revision: int = 1
    loss: int = 0
    full: bool = False
    note: str = "stale\n"


#: what happens to a trigger: ``accept`` it, and ``lose`` the answer or ``hide`` the run as well, ``drop`` it without
#: executing it, or give a reply of any kind after accepting (``executed``) or instead of it
Fate = t.Union[str, Reply, tuple[str, Reply]]


class Mirrors:
    """The service.

    :param clock: whose time it has.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.mirrors = {number: Mirror(number, name) for number, name in (("7", "seven"), ("8", "eight"), ("9", "nine"))}
        self.runs: list[MirrorRun] = []
        self.duration = 10.0
        self.ending = "done"
        #: of the triggers to come; without any they are accepted
        self.fates: list[Fate] = []
        #: called before a request is answered, once
        self.before: dict[str, t.Callable[[], t.Any]] = {}
        #: replies that are given instead of the true ones
        self.instead: dict[str, list[Reply]] = {}

    def respond(self, request: Request) -> Reply:
        self.before.pop(request.line, lambda: None)()
        with self.lock:
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return Reply(401, {"error": "who are you?"})
            if self.instead.get(request.line):
                return self.instead[request.line].pop(0)
            return self._route(request)

    def _route(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        if parts == ["mirrors"]:
            return Reply(body=[{"id": mirror.id, "name": mirror.name} for mirror in self.mirrors.values()])
        if parts[0] == "mirrors" and parts[1] in self.mirrors:
            return self._trigger(parts[1]) if request.method == "POST" else Reply(body=self._mirror(parts[1]))
        if parts == ["runs"]:
            return Reply(body=[self._run(run) for run in self.runs])
        if parts[0] == "runs":
            for run in self.runs:
                if str(run.id) == parts[1]:
                    return Reply(body=list(run.files) if parts[2:] == ["files"] else self._run(run))
        return Reply(404, {"error": "no such thing"})

    def _mirror(self, number: str) -> dict[str, t.Any]:
        runs = [self._run(run) for run in reversed(self.runs) if run.mirror == number and not run.hidden]
        return {**dataclasses.asdict(self.mirrors[number]), "runs": runs}

    def _run(self, run: MirrorRun) -> dict[str, t.Any]:
        left = run.start + run.duration - self.clock.monotonic()
        state = run.ending if left <= 0 else "busy"
        ended = isoformat(self.clock.now() + dt.timedelta(seconds=left)) if left <= 0 else None
        return {"id": run.id, "state": state, "text": "out of paper", "started": run.started, "ended": ended}

    def _trigger(self, number: str) -> Reply:
        fate = self.fates.pop(0) if self.fates else "accept"
        if isinstance(fate, Reply):
            return fate
        if fate == "drop":
            return Reply(end="close")
        run = self.start(number)
        if isinstance(fate, tuple):
            return fate[1]
        run.hidden = fate == "hide"
        return Reply(202, self._run(run), end="" if fate == "accept" else "close")

    def start(self, number: str) -> MirrorRun:
        """Begin a run."""
        with self.lock:
            started = str(isoformat(self.clock.now()))
            run = MirrorRun(len(self.runs) + 1, number, self.clock.monotonic(), started, self.duration, self.ending)
            self.runs.append(run)
            return run

    def change(self, number: str) -> None:
        """Have the mirror change, which makes plans void."""
        self.mirrors[number].revision += 1


def dumps(value: t.Any) -> str:
    """All of a result as text."""
    return json.dumps(value, default=str)
