# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for PLM Media Manager: what its one synchronizer shows over time."""

from __future__ import annotations

import json
import random
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Run, Services, Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import api, provider as plm
from tests.unit.plugins.support.clocks import StillClock

URL = "http://media.example.com/api/media-manager/v0"
ID = "$ee8370c0-be09-445c-b7f4-4cba853150ed+7980b24b-9735-4ef8-a3d1-ecc3f176f8dc"
NONE = (None, None, None)
DONE = ("completed", "completed", "completed")
Words = tuple[t.Optional[str], t.Optional[str], t.Optional[str]]
PUSHED: Words = (None, "completed", None)
DOWN: Words = ("error", "error", "error")
MADE_UP = "/storage/synchronizers/$x+y"
NO_CHANNEL: t.Any = None
TARGET = Target("storage", URL)
RUN = Run({"provider": "plm", "address": URL, "synchronizer": ID})


class Server:
    """Stands in for a channel: the states of the one synchronizer, by the time.

    With its database down, a server shows three errors for every id; else it has no states for one that is made up.
    """

    def __init__(self, clock: StillClock, *script: tuple[float, Words], healthy: bool = False) -> None:
        self.clock = clock
        self.script = script
        self.healthy = healthy
        self.deadline = self
        self.at = 1000.0
        self.sent: list[str] = []

    def observe(self, path: str) -> Response:
        self.sent.append(path)
        words = [words for since, words in self.script if since <= self.clock.elapsed][-1]
        if path == MADE_UP:
            down = words == DOWN and not self.healthy
            return response(200, described(DOWN if down else NONE, "$x+y"))
        return response(200, described(words))


def described(words: Words, identifier: str = ID) -> t.Any:
    """The body of GET: what is not known is left out."""
    directions = identifier[1:].split("+")
    overall, *parts = ({} if word is None else {"state": word} for word in words)
    push, pull = ({"id": f"${half}", **part} for half, part in zip(directions, parts))
    return {"status": 0, "synchronizer": {"id": identifier, **overall, "push": push, "pull": pull}}


def response(status: int, body: t.Any, method: str = "GET") -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(method, f"{URL}/storage/synchronizers", status, {}, text.encode())


def reading(*words: str | None) -> Reading:
    overall, push, pull = words
    return api.States(overall, push, pull).reading()


def provider(clock: StillClock | None = None, **options: t.Any) -> plm.PLM:
    connection = {"validate_certs": True, "request_timeout": 30.0, "max_parallel": 8, "api_url": URL}
    pace = {"poll_min_interval": 0.5, "poll_max_interval": 5.0, "settle_grace": 30.0, "if_running": "join", "wait": True}
    services = Services(clock or StillClock(), Redactor(), random.Random(1), lambda text: None)
    return plm.PLM({**connection, **pace, **options}, services)
