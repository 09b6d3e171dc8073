# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The handle that tests use::

with Simulator.start(parts=["vinyldns"]) as simulator:        # a subprocess, as in production use
    simulator.fault("drop_after", part="vinyldns", method="POST")
    ...
    assert len(simulator.requests(kind="mutate")) == 1

with Simulator.in_thread([ToyPart]) as simulator:             # the same, in a thread of this process
    ...
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import requests

from .framework import Part
from .server import Simulation

Dns = Literal["auto", "bind", "embedded"]
START_SECONDS = 60.0
STOP_SECONDS = 15.0


class ControlError(RuntimeError):
    """The control API refused."""


class Control:
    """The control API, see ``server.py``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # neither proxies nor .netrc between a test and its own simulator

    def call(self, verb: str, route: str, body: object = None, /, **query: Any) -> Any:
        """Any control route; returns the decoded JSON."""
        query = {name: value for name, value in query.items() if value is not None}
        answer = self._session.request(verb, self.url + route, json=body, params=query, timeout=300)
        if not answer.ok:
            raise ControlError(f"{verb} {route}: {answer.status_code} {answer.text}")
        return answer.json()

    def part(self, name: str, method: str, path: str, body: object = None, /, **query: Any) -> Any:
        """A route below ``/parts/<name>``, for example ``control.part("vinyldns", "POST", "/zones", {...})``."""
        return self.call(method, f"/parts/{name}{path}", body, **query)

    def requests(
        self,
        part: str | None = None,
        kind: str | None = None,
        method: str | None = None,
        path: str | None = None,
        since: int | None = None,
    ) -> list[dict[str, Any]]:
        """The request log, filtered; ``path`` is a regular expression on raw path and query."""
        answer = self.call("GET", "/requests", part=part, kind=kind, method=method, path=path, since=since)
        found: list[dict[str, Any]] = answer["requests"]
        return found

    def fault(self, kind: str, **rule: Any) -> int:
        """Add a fault rule (fields in ``faults.py``); returns its id."""
        return int(self.call("POST", "/faults", {"kind": kind, **rule})["ids"][0])

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/faults")["faults"]
        return found

    def knob(self, part: str, **values: Any) -> dict[str, Any]:
        """Set knobs of a part (or none) and return all of them."""
        knobs: dict[str, Any] = self.part(part, "PUT", "/knobs", values)
        return knobs

    def clear(self) -> None:
        """Forget logged requests and faults; parts keep their state."""
        self.call("DELETE", "/faults")
        self.call("DELETE", "/requests")

    def reset(self, part: str | None = None) -> None:
        """Everything as it was at the start, or only one part's state and knobs."""
        if part is None:
            self.call("POST", "/reset")
        else:
            self.part(part, "POST", "/reset")

    def offline(self, part: str) -> None:
        """Refuse connections."""
        self.part(part, "POST", "/offline")

    def online(self, part: str) -> None:
        self.part(part, "POST", "/online")

    def close(self) -> None:
        self._session.close()


class Simulator:
    """A running simulator: ``info`` is its JSON line, ``control`` steers it."""

    def __init__(self, info: dict[str, Any], stop: Callable[[], None]) -> None:
        self.info = info
        self.control = Control(info["control"]["url"])
        self.requests = self.control.requests
        self.fault = self.control.fault
        self.knob = self.control.knob
        self.clear = self.control.clear
        self.reset = self.control.reset
        self._stop = stop

    @classmethod
    def start(cls, parts: Iterable[str] = (), dns: Dns = "auto") -> Simulator:
        """A subprocess, ended by ``stop`` or by the end of this process."""
        arguments = [sys.executable, "-m", __package__ or "", "--json", "--watch-parent", "--dns", dns]
        for part in parts:
            arguments += ["--part", part]
        process = _Subprocess(arguments)
        return cls(process.info, process.stop)

    @classmethod
    def in_thread(cls, parts: Iterable[str | type[Part]] = (), dns: Dns = "auto") -> Simulator:
        """A thread of this process: quick to start, and takes part classes that are not in ``parts.py``."""
        thread = _Thread(Simulation(parts, dns=dns))
        return cls(thread.info, thread.stop)

    def stop(self) -> None:
        self.control.close()
        self._stop()

    def __getitem__(self, part: str) -> Any:
        """``simulator["vinyldns"]["url"]``"""
        return self.info[part]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


class _Subprocess:
    def __init__(self, arguments: list[str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (a file: an unread pipe could block the simulator)
        root = Path(__file__).parents[len((__package__ or "").split("."))]
        self._process = subprocess.Popen(arguments, cwd=root, stdout=subprocess.PIPE, stderr=self._errors)
        self.info = self._read_info()

    def _read_info(self) -> dict[str, Any]:
        guard = threading.Timer(START_SECONDS, self._process.kill)
        guard.start()
        try:
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
        finally:
            guard.cancel()
        if not line:
            self._process.wait()
            reason = self._stderr()
            self.stop()
            raise RuntimeError(f"the simulator did not start:\n{reason}")
        info: dict[str, Any] = json.loads(line)
        return info

    def _stderr(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


class _Thread:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)
        self._thread.start()
        try:
            self.info = asyncio.run_coroutine_threadsafe(simulation.start(), self._loop).result(START_SECONDS)
        except BaseException:
            self._end_loop()
            raise

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._simulation.stop(), self._loop).result(STOP_SECONDS)
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


def wait_until(condition: Callable[[], Any], seconds: float = 60.0, interval: float = 0.01) -> Any:
    """Poll until the condition is true and return its value; an AssertionError after ``seconds``.

    The default is more than a busy machine needs.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds} s")
        time.sleep(interval)
