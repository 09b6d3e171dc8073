# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that can be put between a client and a part.

A rule picks requests (``part``, ``method``, ``path_regex`` on the raw path and query, ``request_kind``), skips the first
``after`` of them, applies to the next ``times`` (null: to all), and does one thing:

=============== ======== =================================================================================
kind            executed the client sees
=============== ======== =================================================================================
status          no       ``code`` (default 503), ``body``, ``content_type``, ``headers``
html            no       200 with an HTML page (a login page or a proxy's)
redirect        no       ``code`` (default 302) to ``location``
drop_before     no       the connection closed without a byte
hang            no       nothing for ``seconds`` (default: until it gives up), then a closed connection
delay           yes      the right answer, begun ``seconds`` later
delay_after     yes      executed at once, answered ``seconds`` later
drop_after      yes      the connection reset without a byte: a lost reply
status_after    yes      ``code`` (default 502) with an HTML page, or the given ``body``: a gateway that lost the reply
truncate        yes      the right status and headers, half of the body (``chunked``: in chunks), then a closed connection
=============== ======== =================================================================================
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

from .framework import Call, Kind

HTML_PAGE = "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
FOREVER = 3600.0

Execute = Callable[[], Awaitable[web.StreamResponse]]


class FaultError(ValueError):
    """A rule that cannot work."""


class ConnectionCut(Exception):
    """The client gets no (full) answer; the log shows status null."""


@dataclass
class Fault:
    """One rule, see the module docstring."""

    kind: str
    part: str | None = None
    method: str | None = None
    path_regex: str | None = None
    request_kind: Kind | None = None
    times: int | None = 1
    after: int = 0
    code: int | None = None
    body: str | None = None
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float | None = None
    location: str | None = None
    chunked: bool = False
    id: int = 0
    seen: int = 0
    applied: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fault:
        try:
            fault = cls(**data)
            re.compile(fault.path_regex or "")
        except (TypeError, re.error) as error:
            raise FaultError(str(error)) from error
        if fault.kind not in APPLY:
            raise FaultError(f"unknown kind {fault.kind!r}, known: {', '.join(sorted(APPLY))}")
        if fault.kind in ("delay", "delay_after") and fault.seconds is None:
            raise FaultError(f"{fault.kind} needs seconds")
        if fault.kind == "redirect" and not fault.location:
            raise FaultError("redirect needs a location")
        return fault

    def matches(self, part: str, call: Call, request_kind: Kind) -> bool:
        return (
            self.part in (None, part)
            and self.method in (None, call.method)
            and self.request_kind in (None, request_kind)
            and (self.path_regex is None or re.search(self.path_regex, call.target) is not None)
        )

    @property
    def spent(self) -> bool:
        return self.times is not None and self.applied >= self.times

    async def apply(self, call: Call, execute: Execute) -> web.StreamResponse:
        """Answer the call with this fault; ``execute`` runs the real handler."""
        return await APPLY[self.kind](self, call, execute)


class FaultBook:
    """The rules in force; the first one that is armed for a request wins."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._next_id = 1

    def add(self, data: Mapping[str, Any]) -> Fault:
        fault = Fault.from_json({**data, "id": self._next_id, "seen": 0, "applied": 0})
        self._next_id += 1
        self._rules.append(fault)
        return fault

    def clear(self, part: str | None = None) -> None:
        self._rules = [rule for rule in self._rules if part is not None and rule.part != part]

    def describe(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self._rules]

    def take(self, part: str, call: Call, request_kind: Kind) -> Fault | None:
        for rule in self._rules:
            if rule.spent or not rule.matches(part, call, request_kind):
                continue
            rule.seen += 1
            if rule.seen > rule.after:
                rule.applied += 1
                return rule
        return None


def _page(fault: Fault, code: int) -> web.Response:
    body = HTML_PAGE.format(title=f"{code} from the simulator's fault injection") if fault.body is None else fault.body
    content_type = fault.content_type or ("text/html" if fault.body is None else "text/plain")
    return web.Response(body=body.encode(), status=code, headers={**fault.headers, "Content-Type": content_type})


async def _status(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    return _page(fault, fault.code or 503)


async def _html(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    return _page(fault, fault.code or 200)


async def _redirect(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    return web.Response(status=fault.code or 302, headers={**fault.headers, "Location": fault.location or ""})


async def _drop_before(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    close(call.request)
    raise ConnectionCut


async def _drop_after(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    await execute()
    reset(call.request)
    raise ConnectionCut


async def _status_after(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    await execute()
    return _page(fault, fault.code or 502)


async def _delay(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    await asyncio.sleep(fault.seconds or 0)
    return await execute()


async def _delay_after(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    response = await execute()
    await asyncio.sleep(fault.seconds or 0)
    return response


async def _hang(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    await hold(call.request, FOREVER if fault.seconds is None else fault.seconds)
    raise ConnectionCut


async def _truncate(fault: Fault, call: Call, execute: Execute) -> web.StreamResponse:
    answer = await execute()
    body = answer.body if isinstance(answer, web.Response) else None
    if isinstance(body, (bytes, bytearray)):
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
        cut = web.StreamResponse(status=answer.status, headers=headers)
        if fault.chunked:
            cut.enable_chunked_encoding()
        else:
            cut.content_length = len(body)
        await cut.prepare(call.request)
        await cut.write(bytes(body[: len(body) // 2]))
    close(call.request)
    raise ConnectionCut


APPLY: dict[str, Callable[[Fault, Call, Execute], Awaitable[web.StreamResponse]]] = {
    "status": _status,
    "html": _html,
    "redirect": _redirect,
    "drop_before": _drop_before,
    "drop_after": _drop_after,
    "status_after": _status_after,
    "delay": _delay,
    "delay_after": _delay_after,
    "hang": _hang,
    "truncate": _truncate,
}


async def hold(request: web.BaseRequest, seconds: float) -> None:
    """Keep a request unanswered for a while, or until the client has gone; then close its connection."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(0.02)
    close(request)


def close(request: web.BaseRequest) -> None:
    """End the connection in order: the client reads an end of file."""
    if request.transport is not None:
        request.transport.close()


def reset(request: web.BaseRequest) -> None:
    """End the connection with RST, as a crashing process or a firewall does."""
    if request.transport is None:
        return
    sock = request.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
