# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts and numbers of servers that no console, file or JSON may hold: every text of the responses of every provider has some."""

from __future__ import annotations

import contextlib
import importlib
import json
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import HttpClient
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._operations import task as _task
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import Operation
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from tests.simulator.client import Simulator

from .process import MODULES
from .test_odd_responses import TASKS, Task

Json = dict[str, Any]
HARM = "\x1b[31m\x1b]0;x\x07\x00\x9b2J\x7f\ud800\u202e"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start() as running:
        yield running


def with_harm(value: Any) -> Any:
    """A body in which all texts have more than they should."""
    if isinstance(value, dict):
        return {key: with_harm(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_harm(inner) for inner in value]
    return f"{value}{HARM}" if isinstance(value, str) else value


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def is_harmful(text: str) -> bool:
    return any((unicodedata.category(each) in ("Cc", "Cs") and each not in "\n\t") or each == "\u202e" for each in text)


@pytest.mark.parametrize("field", ["all", "one"])
@pytest.mark.parametrize("task", TASKS, ids=str)
def test_none_gets_out(task: Task, field: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In all texts of a response, or in the longest one of each, so that the task gets further."""
    operation: Operation = importlib.import_module(f"{MODULES}.{task.module}").OPERATION
    monkeypatch.setenv("LOCKSTEP_LEDGER", str(tmp_path / "ledger.sqlite3"))
    send, seen = HttpClient.send, []

    def sent(client: HttpClient, *args: Any, **kwargs: Any) -> Response:
        response = send(client, *args, **kwargs)
        body = response.try_json()
        if body is not None and field == "all":
            response.body = json.dumps(with_harm(body)).encode()
        elif body is not None:
            longest = max(texts(body), key=len, default="")
            response.body = response.body.replace(json.dumps(longest).encode(), json.dumps(longest + HARM).encode())
        elif response.body:
            response.body += HARM.encode("utf-8", "surrogatepass")
        seen.append(HARM.encode("utf-8", "surrogatepass") in response.body or b"\\ud800" in response.body)
        return response

    monkeypatch.setattr(HttpClient, "send", sent)
    monkeypatch.setattr(_task, "ticking", _shown_once)
    simulator.reset()
    report, lines = tmp_path / "report.json", []
    given = task.options(simulator[task.part])
    options = {**given, "report_path": str(report)} if "report_path" in operation.spec.arguments else given
    checked = ArgumentSpecValidator(**operation.spec.as_kwargs()).validate(options)
    result = operation.execute(checked.validated_parameters, Context(check_mode=task.check, diff=True, show=lines.append))
    assert any(seen)
    everything = [*texts(result), *lines, *(texts(json.loads(report.read_text())) if report.exists() else ())]
    assert [text for text in everything if is_harmful(text)] == []
    json.dumps(result, allow_nan=False, ensure_ascii=False).encode("utf-8")


@contextlib.contextmanager
def _shown_once(line: Callable[[float], str], show: Callable[[str], None], *others: Any) -> Iterator[None]:
    """Progress at the end of the work."""
    yield
    show(line(1.0))
