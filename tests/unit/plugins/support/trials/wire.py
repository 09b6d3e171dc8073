# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of a trial, between the HTTP client and the upstream system, with everything that may go wrong on the way."""

from __future__ import annotations

import dataclasses
import email.utils
import json as json_codec
import typing as t
import urllib.parse

import requests

from ansible_collections.lockstep.sync.plugins.module_utils._http import transport
from ansible_collections.lockstep.sync.plugins.module_utils._http.limits import Limits
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response

if t.TYPE_CHECKING:
    from .controller import Controller

#: what may happen to a request; after ``lost_request`` and ``refused``, the system has not executed it
FATES = (
    "refused",
    "lost_request",
    "lost_reply",
    "late_reply",
    "late_execution",
    "gateway_before",
    "gateway_after",
    "rate_limited",
    "cut_reply",
    "duplicate",
)
#: seconds after which a delayed request is executed at the latest: less than ``settle_grace``
LATEST = 10.0


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request as the system gets it.

    :param number: equal for all deliveries of one request.
    :param controller: that has sent it.
    :param repeats: what a trigger does once more that it must not, as known when it was sent.
    """

    method: str
    path: str
    query: t.Mapping[str, str]
    body: t.Any
    is_trigger: bool
    number: int
    controller: Controller
    release: str
    repeats: str = ""


@dataclasses.dataclass(frozen=True)
class Answered:
    """What the system answers."""

    status: int = 200
    body: t.Any = None


class Wire:
    """Takes the place of :meth:`HttpClient.send` of one task."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._world = controller.world

    def send(
        self,
        sender: object,
        method: str,
        url: str,
        timeout: tuple[float, float],
        within: Limits,
        received: list[bytes] | None = None,
        json: t.Any = None,
        headers: t.Mapping[str, str] | None = None,
    ) -> Response:
        world, controller = self._world, self._controller
        controller.burn()
        fate = self._fate()
        if fate == "refused" or world.system.is_offline:
            raise requests.exceptions.ConnectionError("refused")
        triggers = transport.send_tracker.triggering
        if triggers:
            transport.send_tracker.begin()
            transport.send_tracker.sent = True
        asked = self._asked(method, url, json, triggers)
        if triggers and world.at_triggers:
            world.at_triggers.pop()()
        world.others_go_on()
        answered = self._deliver(asked, fate, timeout[1])
        if controller.burns():
            # the kernel has sent it by then
            controller.die()
        controller.check()
        world.others_go_on()
        return self._reply(asked, answered, fate, timeout[1], received)

    def _fate(self) -> str:
        chance = self._world.chance
        if self._world.fates:
            return self._world.fates.pop(0)
        return "" if chance.random() < self._world.calm else str(chance.choice(FATES))

    def _asked(self, method: str, url: str, json: t.Any, triggers: bool) -> Asked:
        parts = urllib.parse.urlsplit(url)
        query = dict(urllib.parse.parse_qsl(parts.query))
        number = next(self._world.numbers)
        repeats = self._world.system.repeated_by(self._controller) if triggers else ""
        return Asked(method, parts.path, query, json, triggers, number, self._controller, self._controller.release, repeats)

    def _deliver(self, asked: Asked, fate: str, patience: float) -> Answered | None:
        """What the system answers; ``None`` if nothing comes of it for now."""
        world = self._world
        if fate == "lost_request":
            return None
        if fate == "late_execution":
            world.at(patience + world.chance.uniform(0, LATEST), lambda: self._execute_late(asked), outside=True)
            return None
        if fate == "gateway_before":
            return Answered(503, "no upstream")
        if fate == "rate_limited":
            return Answered(429, "too many")
        answered = world.system.receive(asked)
        if fate == "duplicate" and asked.is_trigger:
            # not by a controller, but by what is on the way
            world.system.trigger(None)
        return answered

    def _execute_late(self, asked: Asked) -> None:
        if not self._world.system.is_offline:
            self._world.system.receive(asked)

    def _reply(
        self, asked: Asked, answered: Answered | None, fate: str, patience: float, received: list[bytes] | None
    ) -> Response:
        world = self._world
        if answered is None:
            world.sleep(patience)
            raise requests.exceptions.ReadTimeout("no answer")
        if fate == "late_reply":
            delay = world.chance.uniform(0, 1.5 * min(patience, 30.0))
            world.sleep(min(delay, patience))
            if delay > patience:
                raise requests.exceptions.ReadTimeout("no answer in time")
        if fate == "lost_reply":
            raise requests.exceptions.ConnectionError("reset by peer")
        if fate == "gateway_after":
            answered = Answered(502, "bad gateway")
        data = json_codec.dumps(answered.body).encode()
        if fate == "cut_reply":
            if received is not None:
                received.append(data[: len(data) // 2])
            raise requests.exceptions.ConnectionError("connection broken")
        headers = {"Date": email.utils.format_datetime(world.server_now().replace(microsecond=0), usegmt=True)}
        headers["Content-Type"] = "application/json"
        return Response(asked.method, f"https://trial{asked.path}", answered.status, headers, data)
