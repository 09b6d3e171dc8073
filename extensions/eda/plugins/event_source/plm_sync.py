# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source of ansible-rulebook: what a PLM Media Manager announces of its synchronizers (docs/reference/plm.md#8).

ansible-rulebook runs this file by its path, so it imports nothing from the collection.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: plm_sync
short_description: Yields the beginnings and ends of syncs that a PLM Media Manager announces
description:
  - Subscribes to the notifications of the server (a WebSocket) and yields an event for each sync that begins or ends, those
    that others have started included.
  - The server repeats nothing. What it announces while there is no connection is lost, so each subscription is an event as
    well, and rules can look at the synchronizers that they wait for.
  - The connection is made again when it ends, after O(reconnect_min) seconds at first, twice as long after each further
    failure, and at most O(reconnect_max). One that lasted as long as O(reconnect_max) was a success.
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
options:
  notifications_url:
    description: The address of the notifications, such as V(ws://media.example.com:9002/notifications).
    type: str
    required: true
  validate_certs:
    description: Whether the certificate of a C(wss) address is validated.
    type: bool
    default: true
  ca_path:
    description: A file with the certificates of authorities to trust, instead of those of the system.
    type: path
  reconnect_min:
    description: Seconds before the first try to connect again.
    type: float
    default: 1
  reconnect_max:
    description: Seconds between two tries at most.
    type: float
    default: 60
notes:
  - An event has RV(ignore:event), which is C(sync.started), C(sync.completed), C(subscribed) or C(disconnected).
  - The first two have RV(ignore:synchronizer), its id, RV(ignore:state), RV(ignore:push) and RV(ignore:pull), as the server
    announces them, and C(sync.completed) has RV(ignore:outcome). The server announces the state C(completed) after a failure,
    too, so the outcome follows from both halves. It is C(succeeded), C(failed), or C(unknown) if the server does not show
    them. What is unknown is read with M(lockstep.sync.plm_storage_sync_info).
  - C(disconnected) has RV(ignore:problem).
"""

EXAMPLES = r"""
- name: Syncs of a media server
  lockstep.sync.plm_sync:
    notifications_url: ws://media.example.com:9002/notifications
"""

import asyncio
import dataclasses
import json
import logging
import os
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp

logger = logging.getLogger(__name__)

GREETING = "connection.established"
SYNCHRONIZERS = "/storage/synchronizers"
EVENTS = ("sync.started", "sync.completed")
#: the only text that is ever sent: some versions of the server end at any other (docs/reference/plm.md#8)
SUBSCRIBE = json.dumps({"resource": "_client", "event": "subscribe", "data": {"resource": SYNCHRONIZERS}})
#: seconds for connecting, and for the greeting of the server
CONNECT_SECONDS = 30.0
#: seconds between two pings, by which a connection without a server is found out
HEARTBEAT_SECONDS = 30.0
#: octets of a message
MAX_MESSAGE = 2**20
#: CouchDB 2 says "failed", other databases say "error" (docs/reference/plm.md#4)
FAILED = ("error", "failed")


class Queue(Protocol):
    """What ansible-rulebook passes: the queue of a rule set behind its filters."""

    async def put(self, data: dict[str, object], /) -> None:
        """Wait until there is room, and put an event."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The options of this source, checked.

    :param trust: as aiohttp takes it: a context, or whether to validate.
    """

    url: str
    trust: ssl.SSLContext | bool
    reconnect_min: float
    reconnect_max: float

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Settings:
        """:raises ValueError: names the option."""
        low = _number(args, "reconnect_min", 1)
        return cls(_url(args.get("notifications_url")), _trust(args), low, max(low, _number(args, "reconnect_max", 60)))


class Pauses:
    """Seconds before each try to connect: from the shortest, doubled, to the longest.

    A subscription has to last as long as the longest pause to count as a success: otherwise a server that greets and ends would
    be asked again and again without a pause, with two events each time.
    """

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._next = shortest
        self._subscribed_at: float | None = None

    def note_subscription(self, now: float) -> None:
        """:param now: seconds of a clock that does not go back."""
        self._subscribed_at = now

    def take(self, now: float) -> float:
        """The next one, after a connection has ended or could not be made."""
        if self._subscribed_at is not None and now - self._subscribed_at >= self._longest:
            self._next = self._shortest
        self._subscribed_at = None
        pause, self._next = self._next, min(2 * self._next, self._longest)
        return pause


def decoded(text: str) -> dict[str, Any]:
    """A message of the server; empty if it is no JSON object."""
    try:
        frame = json.loads(text)
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}


def event_of(frame: Mapping[str, Any]) -> dict[str, object] | None:
    """The event that follows from a message; None if it is not about a synchronizer."""
    name, data = frame.get("event"), frame.get("data")
    if frame.get("resource") != SYNCHRONIZERS or name not in EVENTS or not isinstance(data, dict):
        return None
    synchronizer = data.get("id")
    if not isinstance(synchronizer, str):
        return None
    push, pull = _state(data.get("push")), _state(data.get("pull"))
    event: dict[str, object] = {
        "event": name,
        "synchronizer": synchronizer,
        "state": _state(data),
        "push": push,
        "pull": pull,
    }
    if name == "sync.completed":
        event["outcome"] = outcome_of(push, pull)
    return event


def outcome_of(push: str | None, pull: str | None) -> str:
    """What both halves of a sync that has ended mean together."""
    if push in FAILED or pull in FAILED:
        return "failed"
    return "succeeded" if push == pull == "completed" else "unknown"


def _state(part: object) -> str | None:
    state = part.get("state") if isinstance(part, dict) else None
    return state if isinstance(state, str) else None


async def listen(session: aiohttp.ClientSession, queue: Queue, settings: Settings, pauses: Pauses) -> str:
    """Connect, subscribe and put events; why the connection has ended.

    :raises aiohttp.ClientError: it could not be made.
    :raises asyncio.TimeoutError: the server is silent.
    """
    connecting = session.ws_connect(
        settings.url, ssl=settings.trust, max_msg_size=MAX_MESSAGE, heartbeat=HEARTBEAT_SECONDS, autoping=True
    )
    async with await asyncio.wait_for(connecting, CONNECT_SECONDS) as socket:
        greeting = decoded(await socket.receive_str(timeout=CONNECT_SECONDS))
        if greeting.get("event") != GREETING:
            return "the server does not greet as a PLM Media Manager does"
        await socket.send_str(SUBSCRIBE)
        pauses.note_subscription(time.monotonic())
        await queue.put({"event": "subscribed"})
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                event = event_of(decoded(message.data))
                if event is not None:
                    await queue.put(event)
        problem = socket.exception()
        return str(problem) if problem else "the server has closed the connection"


async def follow(queue: Queue, settings: Settings) -> None:
    """Put events, and connect again when a connection ends, until cancelled."""
    pauses = Pauses(settings.reconnect_min, settings.reconnect_max)
    was_connected = True
    redirects = aiohttp.TraceConfig()
    redirects.on_request_redirect.append(_refuse_redirect)
    async with aiohttp.ClientSession(trust_env=False, trace_configs=[redirects]) as session:
        while True:
            try:
                problem = await listen(session, queue, settings, pauses)
                was_connected = True
            except asyncio.TimeoutError:
                problem = "the server does not answer in time"
            except (aiohttp.ClientError, OSError, TypeError) as error:
                problem = str(error) or type(error).__name__
            if was_connected:
                was_connected = False
                logger.warning("no notifications from %s: %s", settings.url, problem)
                await queue.put({"event": "disconnected", "problem": problem})
            await asyncio.sleep(pauses.take(time.monotonic()))


async def _refuse_redirect(session: aiohttp.ClientSession, context: object, params: aiohttp.TraceRequestRedirectParams) -> None:
    """aiohttp has no option against redirects of WebSockets.

    :raises aiohttp.ClientError: always.
    """
    raise aiohttp.ClientError(f"the server redirects (HTTP {params.response.status}), which is not followed")


def _url(value: object) -> str:
    """The address. It must not hold a secret, as the log shows it."""
    form = "use ws://host[:port][/path] or wss://host[:port][/path]"
    if not isinstance(value, str) or any(mark in value for mark in "@?#"):
        raise ValueError(f"notifications_url: is missing, or has credentials, a query or a fragment; {form}")
    try:
        parts = urllib.parse.urlsplit(value.strip())
        usable = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # brackets that are not closed, a port beyond 65535
        usable = False
    if not usable:
        raise ValueError(f"notifications_url: is not the address of a WebSocket; {form}")
    return urllib.parse.urlunsplit(parts)


def _trust(args: Mapping[str, Any]) -> ssl.SSLContext | bool:
    validate = args.get("validate_certs", True)
    if not isinstance(validate, bool):
        raise ValueError(f"validate_certs: {validate!r} is neither true nor false")
    if not validate:
        return False
    try:
        return ssl.create_default_context(cafile=os.path.expanduser(args["ca_path"])) if args.get("ca_path") else True
    except OSError as error:
        raise ValueError(f"ca_path: cannot be read: {error}") from None


def _number(args: Mapping[str, Any], name: str, default: float) -> float:
    value = args.get(name)
    try:
        number = default if value is None else float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} is not a number") from None
    if not 0.01 <= number <= 86400:
        raise ValueError(f"{name}: {value!r} is not between 0.01 and 86400")
    return number


async def main(queue: Queue, args: dict[str, Any]) -> None:
    """Follow the notifications until cancelled.

    :raises ValueError: an option is wrong.
    """
    await follow(queue, Settings.from_args(args))
