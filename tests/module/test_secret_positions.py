# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that is a secret, of every module, with secrets of awkward shapes: nothing that leaves a task has any of them.

The server repeats the secret in every response, in headers, addresses and bodies, as it is and encoded. The positions are read
from the options of the modules, so that a new one is in the table, too.
"""

from __future__ import annotations

import base64
import dataclasses
import html
import importlib
import json
import os
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import Operation
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from tests.unit.plugins.support.web import Reply, Request, Web

from .process import MODULES, NAMES

Json = dict[str, Any]

#: each has letters that nothing else has, but for the word
SHAPES = {
    "four characters": "Zq7x",
    "word of a result": "running",
    "of URLs": "Zq&7=x%41+?#/y",
    "of HTML": "Zq<7>&\"x'y",
    "backslashes": "Zq\\7\\\\x\\n\\u0041",
    "line break": "Zq7x\nZq8y",
    "not ASCII": "Zqé7😀ü",
    "not UTF-8": "Zq7\udce9x",
    "lone surrogate": "Zq7\ud800x",
    "base64": "Wnk3L3grY2FuYXJ5PT0=",
    "percent-encoded": "Zq%267%2Fx%25y",
    "long": "Zq7x-" * 60,
}
#: enough for a module to come as far as its first requests
OPTIONS: dict[str, Json] = {
    "crafter": {"sites": ["mysite"], "api_token": "other-token"},
    "serveravatar": {"organization": "5", "server": "15", "api_token": "other-token"},
    "vinyldns": {"access_key": "a", "secret_key": "other-secret", "zones": ["example.com."]},
    "plm": {},
}
MORE: dict[str, Json] = {
    "crafter_publish": {"everything": True},
    "serveravatar_staging_sync": {"applications": ["shop"]},
    "serveravatar_backup": {"applications": ["shop"], "storage": "Offsite"},
    "serveravatar_restore": {"backups": ["310"]},
    "plm_storage_sync_info": {"synchronizers": ["a" * 36]},
}
#: options that are not for this server, or of a module that says so by its probes
BEYOND = ("tsig_secret", "url_password", "request_headers", "published_repo")
PACE = {"poll_min_interval": 0.05, "poll_max_interval": 0.05, "wait_timeout": 1, "settle_grace": 0.1, "outage_grace": 0}


@dataclasses.dataclass(frozen=True)
class Position:
    """Where a secret is given.

    :param path: names of options, from the outermost.
    :param variable: the environment variable that is used instead.
    """

    module: str
    path: tuple[str, ...]
    variable: str = ""

    def __str__(self) -> str:
        return f"{self.module}:{self.variable or '.'.join(self.path)}"


def operation_of(module: str) -> Operation:
    found: Operation = importlib.import_module(f"{MODULES}.{module}").OPERATION
    return found


def secret_options(spec: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    for name, each in spec.items():
        if each.get("no_log") or name.endswith("_url"):
            yield (*path, name), each
        yield from secret_options(each.get("options") or {}, (*path, name))


def positions() -> Iterator[Position]:
    for module in sorted(NAMES):
        if not hasattr(importlib.import_module(f"{MODULES}.{module}"), "OPERATION"):
            continue
        for path, spec in secret_options(operation_of(module).spec.arguments):
            yield Position(module, path)
            if path[-1] == "url_password":
                yield Position(module, (*path[:-1], "request_headers"))
            if spec.get("no_log") and spec.get("fallback"):
                yield Position(module, path, spec["fallback"][1][0])


def written(secret: str) -> list[str]:
    """What a server may make of it."""
    raw = secret.encode("utf-8", "surrogatepass")
    return [
        secret,
        html.escape(secret),
        urllib.parse.quote(raw, safe=""),
        urllib.parse.quote_plus(raw),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        base64.b64encode(raw).decode(),
        base64.b64encode(secret.encode("utf-8", "surrogateescape" if secret.isprintable() else "surrogatepass")).decode()
        if "\ud800" not in secret
        else "",
    ]


class Echo:
    """Answers whatever is asked for, with the secret in all forms; each response has another status."""

    STATUSES = (200, 401, 422, 500, 302, 403, 404, 429, 200)

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.web = Web(self.answer)

    def answer(self, request: Request) -> Reply:
        status = self.STATUSES[len(self.web.log) % len(self.STATUSES)]
        text = " ".join(f"«{form}»" for form in written(self.secret))
        header = urllib.parse.quote(self.secret.encode("utf-8", "surrogatepass"))
        headers = {"X-Echo": header, "Location": f"http://127.0.0.1:9/{header}", "Retry-After": "0", "WWW-Authenticate": header}
        names = ("message", "error_message", "errors", "status", "name", "title", "version", "packageVersion", "state")
        body = {**dict.fromkeys(names, text), "response": {"message": text, "remedialAction": text}, text: text}
        if len(self.web.log) % 3 == 2:
            return Reply(status, f"<html>{text}".encode("utf-8", "surrogatepass"), {**headers, "Content-Type": "text/html"})
        return Reply(status, body, headers)


def options_of(position: Position, address: str, value: str, ledger: str) -> Json:
    """The options of a module with a secret in one place."""
    provider = position.module.partition("_")[0]
    spec = operation_of(position.module).spec.arguments
    options: Json = {**OPTIONS.get(provider, {}), **MORE.get(position.module, {}), "api_url": address, "allow_http": True}
    if position.module == "http_probe":
        probe = {"url": f"{address}/x", "url_username": "joe", "json": [{"path": "status", "equals": "up"}], "request_timeout": 5}
        options = {"probes": [{**probe, "headers": {"X-Echo": "^$"}}], "timeout": 0}
    if position.module == "sync_wait":
        provider = position.path[1]
        options = {"handles": [{"provider": provider, "address": address}], "connections": {provider: {"api_url": address}}}
    if "wait_timeout" in spec:
        options |= {**PACE, "ledger": ledger, "report_path": f"{ledger}.report.json"}
    place: Any = options
    for name in position.path[:-1]:
        place = place.setdefault(name, {"server": "127.0.0.1", "port": 9, "tsig_name": "k."})
        place = place[0] if isinstance(place, list) else place
    last = position.path[-1]
    if last == "password":
        place.pop("api_token", None)
        place["username"] = "joe"
    if position.variable:
        place.pop(last, None)
    elif last == "request_headers":
        place.pop("url_username")
        place[last] = {"X-Key": value}
    elif last == "published_repo":
        place[last] = f"http://joe:{urllib.parse.quote(value, safe='', errors='replace')}@{address.partition('//')[2]}/{{site}}"
    elif last.endswith("_url"):
        scheme = "ws" if last == "notifications_url" else "http"
        place[last] = f"{scheme}://joe:{value}@127.0.0.1:9/x"
    else:
        place[last] = value
    return {name: each for name, each in options.items() if name in spec and each is not None}


def run(position: Position, secret: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """All that leaves a task, by the way it does."""
    echo, operation = Echo(secret), operation_of(position.module)
    shown: list[str] = []
    try:
        with monkeypatch.context() as patch:
            if position.variable:
                patch.setenv(position.variable, os.fsdecode(os.fsencode(secret)))
            options = options_of(position, echo.web.url, secret, str(folder / "ledger.sqlite3"))
            validated = ArgumentSpecValidator(**operation.spec.as_kwargs()).validate(options)
            assert not validated.error_messages, validated.error_messages
            context = Context(diff=True, show=shown.append, given=options)
            result = operation.execute(validated.validated_parameters, context)
    finally:
        echo.web.stop()
    codes = {failure["code"] for failure in failures(result)}
    assert "internal_error" not in codes, result
    # an address with a password is refused, and so are secrets that no request can carry
    assert echo.web.log or codes & {"invalid_option"} or position.path[-1] in BEYOND, result
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "report_path" not in options or "ledger.sqlite3.report.json" in files
    channels = {"result": json.dumps(result).encode(), "as UTF-8": json.dumps(result, ensure_ascii=False).encode()}
    return {**channels, "progress": "\n".join(shown).encode(), "warnings": "\n".join(context.warnings).encode(), **files}


def failures(result: Json) -> list[Json]:
    """Those of the task and of its targets."""
    return [holder["failure"] for holder in (result, *result.get("syncs", ()), *result.get("sites", ())) if holder.get("failure")]


def found(channels: dict[str, bytes], secret: str) -> list[str]:
    """Where the secret is, in any form; a word is one of ours unless it is between the marks of the server."""
    marks = ("«", "»") if secret == SHAPES["word of a result"] else ("", "")
    forms = [f"{marks[0]}{form}{marks[1]}" for form in written(secret) if form]
    encoded = [form.encode("utf-8", "surrogatepass") for form in forms] + [json.dumps(form)[1:-1].encode() for form in forms]
    return [f"{form!r} in {name}" for name, content in channels.items() for form in encoded if form in content]


POSITIONS = list(positions())


def shapes_for(number: int, count: int) -> list[str]:
    """Some of the shapes, others for each position; all of them if the count says so."""
    names = list(SHAPES)
    return [names[(number * 5 + step) % len(names)] for step in range(min(count, len(names)))]


def test_every_provider_has_positions() -> None:
    """Lest the other test looks at nothing."""
    assert len(POSITIONS) >= 40
    assert {position.module.partition("_")[0] for position in POSITIONS} == {
        "crafter",
        "http",
        "plm",
        "serveravatar",
        "sync",
        "vinyldns",
    }


@pytest.mark.parametrize("number", range(len(POSITIONS)), ids=lambda number: str(POSITIONS[number]))
def test_nothing_that_leaves_a_task_has_the_secret(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repeats: Callable[[int, int], int]
) -> None:
    position = POSITIONS[number]
    for shape in shapes_for(number, repeats(2, len(SHAPES))):
        secret = SHAPES[shape]
        if shape == "lone surrogate" and position.variable:
            # no environment has it
            continue
        if shape in ("lone surrogate", "not UTF-8") and position.path[-1] == "published_repo":
            # no percent-encoding has it
            continue
        folder = tmp_path / shape.replace(" ", "-")
        folder.mkdir()
        leaks = found(run(position, secret, folder, monkeypatch), secret)
        assert leaks == [], f"{shape}: {leaks}"
