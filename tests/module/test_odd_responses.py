# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses in which one field is missing or of another type, of every provider: a server's fault never looks like a bug of ours.

The tasks run in this process against the simulator; one node of one response is changed on its way to the client.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import importlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import HttpClient
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import Operation
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from tests.simulator.client import Simulator

from .process import MODULES

Json = dict[str, Any]
#: where something is in JSON
JsonPath = tuple[Any, ...]

#: changes for each task; they are chosen at random, the same at each run
CHANGES = (6, 30)
GONE = object()


@dataclasses.dataclass(frozen=True)
class Task:
    """A module with options that go through as many calls of the provider as possible."""

    part: str
    module: str
    options: Callable[[Json], Json]
    check: bool = True

    def __str__(self) -> str:
        return f"{self.module}{' --check' if self.check else ''}"


def vinyldns(info: Json) -> Json:
    backend = {key: value for key, value in info["dns"].items() if key != "kind"}
    login = {name: info[name] for name in ("access_key", "secret_key")}
    return {"api_url": info["url"], **login, "zones": [info["zone"]], "backend": backend}


def serveravatar(info: Json) -> Json:
    return {"api_url": info["url"], "api_token": info["api_token"], "organization": "5", "server": "15"}


def crafter(info: Json) -> Json:
    return {"api_url": info["url"], "api_token": info["api_token"], "sites": ["mysite"]}


#: the wait is short, and an outage ends it at once: what is asked here is only how a response is understood
PACE = {"poll_min_interval": 0.05, "poll_max_interval": 0.05, "wait_timeout": 3, "settle_grace": 0.1, "outage_grace": 0}
PATIENCE = ("wait_timeout", "settle_grace", "outage_grace")
TASKS = [
    Task("vinyldns", "vinyldns_zone_info", vinyldns),
    Task("vinyldns", "vinyldns_zone_sync", lambda info: {**vinyldns(info), **PACE}),
    Task("vinyldns", "vinyldns_zone_sync", lambda info: {**vinyldns(info), **PACE, "force": True}, check=False),
    Task("serveravatar", "serveravatar_staging_info", serveravatar),
    Task("serveravatar", "serveravatar_staging_sync", lambda info: {**serveravatar(info), **PACE, "applications": ["shop"]}),
    Task(
        "serveravatar",
        "serveravatar_staging_sync",
        lambda info: {**serveravatar(info), **PACE, "applications": ["shop"], "force": True},
        check=False,
    ),
    Task(
        "serveravatar",
        "serveravatar_backup",
        lambda info: {**serveravatar(info), **PACE, "applications": ["shop"], "storage": "Offsite S3"},
        check=False,
    ),
    Task("serveravatar", "serveravatar_restore", lambda info: {**serveravatar(info), **PACE, "backups": ["310"]}),
    Task("crafter", "crafter_publishing_info", crafter),
    Task("crafter", "crafter_staging_sync", lambda info: {**crafter(info), **PACE}),
    Task("crafter", "crafter_publish", lambda info: {**crafter(info), **PACE, "everything": True}, check=False),
    Task("plm", "plm_storage_sync", lambda info: {"api_url": info["url"], **PACE}, check=False),
]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start() as running:
        yield running


def places(value: Any, here: JsonPath = ()) -> Iterator[JsonPath]:
    """The places of all nodes; of a list, those of its first two entries."""
    yield here
    entries = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from places(inner, (*here, key))


def changed(body: Any, place: JsonPath, value: Any) -> Any:
    """``body`` with another value at one place."""
    if not place:
        return None if value is GONE else value
    body = copy.deepcopy(body)
    inner = body
    for key in place[:-1]:
        inner = inner[key]
    if value is not GONE:
        inner[place[-1]] = value
    elif isinstance(inner, dict):
        del inner[place[-1]]
    return body


class Interceptor:
    """Sees the JSON responses of a task, and changes one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bodies: list[Any] = []
        self.number = -1
        self.change: Callable[[Any], Any] = lambda body: body
        send = HttpClient.send

        def sent(client: HttpClient, *args: Any, **kwargs: Any) -> Response:
            response = send(client, *args, **kwargs)
            body = response.try_json()
            self.bodies.append(body)
            if len(self.bodies) - 1 == self.number:
                # the response may be another one than last time, which has no such place
                with contextlib.suppress(KeyError, IndexError, TypeError):
                    response.body = json.dumps(self.change(body)).encode()
            return response

        monkeypatch.setattr(HttpClient, "send", sent)

    def begin(self, number: int = -1, change: Callable[[Any], Any] = lambda body: body) -> None:
        self.bodies, self.number, self.change = [], number, change


def failures(result: Json) -> Iterator[Json]:
    for holder in (result, *result.get("syncs", ())):
        if holder.get("failure"):
            yield holder["failure"]


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_no_odd_response_is_taken_for_a_bug_of_ours(
    task: Task, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, repeats: Callable[[int, int], int]
) -> None:
    operation: Operation = importlib.import_module(f"{MODULES}.{task.module}").OPERATION
    monkeypatch.setenv("LOCKSTEP_LEDGER", str(tmp_path / "ledger.sqlite3"))
    given = task.options(simulator[task.part])
    interceptor = Interceptor(monkeypatch)

    def run(options: Json) -> Json:
        simulator.reset()
        checked = ArgumentSpecValidator(**operation.spec.as_kwargs()).validate(options)
        assert not checked.error_messages
        return operation.execute(checked.validated_parameters, Context(check_mode=task.check))

    interceptor.begin()
    # a busy machine may take longer than the odd responses are waited for
    assert list(failures(run({**given, **{name: 60 for name in PATIENCE if name in given}}))) == []
    bodies = interceptor.bodies
    nodes = [(number, place) for number, body in enumerate(bodies) for place in places(body)]
    values = (GONE, None, "odd", 5, True, [], {}, ["odd"], {"odd": 1})
    choice = random.Random(7)
    for number, place in choice.sample(nodes, min(repeats(*CHANGES), len(nodes))):
        value = choice.choice(values)
        interceptor.begin(number, lambda body, place=place, value=value: changed(body, place, value))  # type: ignore[misc]
        found = [failure["message"] for failure in failures(run(given)) if failure["code"] == "internal_error"]
        assert found == [], (number, place, value)
