# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a simulated system ("part") is made of.  This docstring is the guide for writing one.

A part is one class in its own module, listed by one line in ``parts.py``::

    @dataclass
    class ToyKnobs(Knobs):
        sync_seconds: float = 0.2            # settable while running: PUT /parts/toy/knobs

    class ToyPart(Part):
        name = "toy"
        knobs: ToyKnobs

        def __init__(self, env: Environment) -> None:
            super().__init__(env, ToyKnobs())
            self.reset_state()

        def routes(self) -> list[Route]:
            return [
                Route("GET", "/things/{thing}", self.get_thing),
                Route("GET", "/things/{thing}/sync", self.sync, kind=MUTATE),   # a GET that changes things
                Route("POST", "/git/{path:rest}", self.git),                    # {x:rest} spans slashes
            ]

        def control_routes(self) -> list[Route]:
            return [Route("POST", "/finish", self.finish)]      # POST /parts/toy/finish on the control port

        def describe(self) -> dict[str, Any]:
            return {"url": self.url, "api_token": self.token}   # this part's value in the JSON line

        async def reset(self) -> None:
            self.reset_state()                                  # the framework restores the knobs

        async def get_thing(self, call: Call) -> web.StreamResponse:
            thing = self.things.get(call.params["thing"])
            if thing is None:
                raise Abort(json_answer({"message": "Not found"}, status=404))
            return json_answer(thing)

What the framework does for a part, so that no part needs to:

* **Listening.**  A free port on 127.0.0.1 for each entry of ``ports`` (normally only ``"main"``), with TCP_NODELAY.
  ``self.url`` is the main one, ``self.urls[name]`` any other; a ``Route`` names its port.  WebSocket: a handler may
  return a prepared ``aiohttp.web.WebSocketResponse`` made from ``call.request``.
* **Routing on the raw path.**  Templates are matched against the path exactly as it was sent, percent-encoding and all,
  and parameters are decoded afterwards, so ``%2F`` inside a segment stays inside it.  ``call.raw_path``,
  ``call.raw_query``, ``call.headers`` and ``call.body`` are the bytes on the wire.  Override ``no_route`` for the
  system's own 404 and 405, ``on_error`` for its 500.
* **The request log.**  Every request is logged before it is handled.  ``Route.kind`` says whether it observes or mutates
  (default: GET and HEAD observe); unmatched requests count by method, see ``kind_of``.  Only the presence of credentials
  is logged.  Name query parameters that carry secrets in ``secret_query``.
* **Faults.**  Injected around the handler, see ``faults.py``.
* **Time.**  Work that takes time belongs in a task (``self.spawn(coroutine)``), which is cancelled on stop; blocking
  work (subprocesses, big files) in ``asyncio.to_thread``, or in ``in_daemon_thread`` if it may never end.  Never block
  the loop: all parts share it.
* **Files.**  Everything belongs below ``self.env.workdir``, which exists and is removed at the end.

In tests a part runs alone in a thread or as a subprocess, see ``client.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
import threading
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import parse_qsl, unquote

from aiohttp import web

Kind = Literal["observe", "mutate"]
OBSERVE: Kind = "observe"
MUTATE: Kind = "mutate"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class KnobError(ValueError):
    """A knob that does not exist, or a value of the wrong type."""


@dataclass
class Knobs:
    """Base of a part's settings: a dataclass whose every field has a default.

    Fields may be ``bool``, ``int``, ``float``, ``str``, ``list``, ``dict`` or ``X | None`` of these.
    """

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def update(self, values: Mapping[str, object]) -> None:
        """Set several knobs, or none of them if one is wrong."""
        hints = typing.get_type_hints(type(self))
        for name, value in values.items():
            if name not in hints:
                raise KnobError(f"unknown knob {name!r}, known: {', '.join(sorted(hints))}")
            if not _accepts(hints[name], value):
                raise KnobError(f"knob {name!r} does not accept {value!r}")
        for name, value in values.items():
            setattr(self, name, value)

    def restore(self) -> None:
        """Back to the defaults, in place because helpers of a part may hold a reference."""
        self.update(type(self)().as_dict())


def _accepts(hint: Any, value: object) -> bool:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_accepts(option, value) for option in typing.get_args(hint))
    if origin is Literal:
        return value in typing.get_args(hint)
    if isinstance(value, bool):  # bool is an int to isinstance, but not to anyone who sets a knob
        return hint is bool
    if hint is float:
        return isinstance(value, (int, float))
    return isinstance(value, origin or hint)


@dataclass(frozen=True)
class Environment:
    """What a part may use of its surroundings."""

    workdir: Path
    dns: Literal["auto", "bind", "embedded"] = "auto"


@dataclass(frozen=True)
class Call:
    """One request, as it came over the wire."""

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]  # case-insensitive
    body: bytes
    request: web.BaseRequest
    params: Mapping[str, str] = field(default_factory=dict)
    port: str = "main"

    @property
    def target(self) -> str:
        """Path and query exactly as sent."""
        return f"{self.raw_path}?{self.raw_query}" if self.raw_query else self.raw_path

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def query(self) -> dict[str, str]:
        """Decoded query parameters; the last one of a name wins."""
        return dict(self.query_items)

    @property
    def query_items(self) -> list[tuple[str, str]]:
        return parse_qsl(self.raw_query, keep_blank_values=True)

    def json(self) -> Any:
        """The body as JSON; raises ``json.JSONDecodeError`` (a ValueError) when it is none."""
        return json.loads(self.body or b"null")


Handler = Callable[[Call], Awaitable[web.StreamResponse]]
Result = TypeVar("Result")


async def in_daemon_thread(function: Callable[..., Result], *arguments: Any) -> Result:
    """Like ``asyncio.to_thread``, but work that never ends (a dead peer) does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def report(result: Result | None, error: BaseException | None) -> None:
        if future.done():  # cancelled meanwhile
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(typing.cast(Result, result))

    def work() -> None:
        result, error = None, None
        try:
            result = function(*arguments)
        except BaseException as raised:  # noqa: BLE001 (it is reported to the waiting thread)
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended, so nothing waits for it
            loop.call_soon_threadsafe(report, result, error)

    threading.Thread(target=work, daemon=True).start()
    return await future


class Abort(Exception):
    """Raised by a handler to answer at once."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_answer(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON body with the content type most servers send, without a charset."""
    body = json.dumps(data, separators=(",", ":")).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def text_answer(
    text: str, status: int = 200, content_type: str = "text/plain", headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(text=text, status=status, headers=headers, content_type=content_type, charset="utf-8")


_PARAMETER = re.compile(r"\{(\w+)(:rest)?\}")


@dataclass(frozen=True)
class Route:
    """One method and path of a part.

    ``{name}`` in the path stands for one raw segment, ``{name:rest}`` for everything up to the end.
    """

    method: str
    path: str
    handler: Handler
    kind: Kind | None = None  # None: by method
    port: str = "main"
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pieces, end = [], 0
        for found in _PARAMETER.finditer(self.path):
            pieces.append(re.escape(self.path[end : found.start()]))
            pieces.append(f"(?P<{found[1]}>{'.*' if found[2] else '[^/]+'})")
            end = found.end()
        pieces.append(re.escape(self.path[end:]))
        object.__setattr__(self, "pattern", re.compile("".join(pieces)))

    def match(self, raw_path: str) -> dict[str, str] | None:
        found = self.pattern.fullmatch(raw_path)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


def find_route(routes: list[Route], call: Call) -> tuple[Route | None, Call, list[str]]:
    """The route for a call with its parameters filled in; else the methods the path would allow."""
    allowed: list[str] = []
    for route in routes:
        if route.port != call.port:
            continue
        params = route.match(call.raw_path)
        if params is None:
            continue
        if route.method == call.method:
            return route, dataclasses.replace(call, params=params), []
        if route.method not in allowed:
            allowed.append(route.method)
    return None, call, allowed


def kind_by_method(method: str) -> Kind:
    return OBSERVE if method in SAFE_METHODS else MUTATE


async def _nothing() -> None:
    """What listening is for a part that nothing runs."""


class Part(ABC):
    """One simulated system.  See the module docstring."""

    name: ClassVar[str]
    ports: ClassVar[tuple[str, ...]] = ("main",)
    server_header: ClassVar[str] = "lockstep-simulator"  # the Server header of the real system
    secret_query: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, env: Environment, knobs: Knobs | None = None) -> None:
        self.env = env
        self.knobs = knobs or Knobs()
        self.urls: dict[str, str] = {}  # filled in before start()
        self.offline: Callable[[], Awaitable[None]] = (
            _nothing  # refuse connections and cut open ones; these are set by the server
        )
        self.online: Callable[[], Awaitable[None]] = _nothing  # listen again on the same ports
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return self.urls["main"]

    @abstractmethod
    def routes(self) -> list[Route]:
        """Asked once, after construction; the first match wins."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """This part's value in the JSON line; called after start()."""

    @abstractmethod
    async def reset(self) -> None:
        """Back to the state right after the start."""

    def control_routes(self) -> list[Route]:
        """Extra routes on the control port, relative to ``/parts/<name>``."""
        return []

    async def start(self) -> None:  # noqa: B027 (most parts have nothing to do here)
        """Called once, when the ports are known and before the first request."""

    async def stop(self) -> None:  # noqa: B027 (likewise)
        """Called once, after the last request; tasks of ``spawn`` are already gone."""

    def no_route(self, call: Call, allowed: list[str]) -> web.StreamResponse:
        """The answer to an unknown path, or (when ``allowed`` is not empty) to a wrong method."""
        if allowed:
            return text_answer("Method Not Allowed", status=405, headers={"Allow": ", ".join(allowed)})
        return text_answer("Not Found", status=404)

    def on_error(self, call: Call, error: Exception) -> web.StreamResponse:
        """The answer when a handler fails by mistake."""
        return text_answer("Internal Server Error", status=500)

    def kind_of(self, call: Call) -> Kind:
        """The kind of a request that matched no route."""
        return kind_by_method(call.method)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run work in the background until the part stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def cancel_tasks(self) -> None:
        """End everything that ``spawn`` started; a reset usually wants this too."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
