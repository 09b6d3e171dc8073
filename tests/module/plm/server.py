# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated PLM Media Manager as the tests of modules see it."""

from __future__ import annotations

import dataclasses
import functools
import uuid
from typing import Any, Protocol

from tests.simulator.client import Simulator, wait_until
from tests.simulator.plm.knobs import PlmKnobs

from ..conftest import Outcome

#: on a busy machine, a process may take its time to start
eventually = functools.partial(wait_until, seconds=60.0)

SYNC, INFO, WAIT = "plm_storage_sync", "plm_storage_sync_info", "sync_wait"
COLLECTION = "/api/media-manager/v0/storage/synchronizers"
MADE_UP = f"{COLLECTION}/$x+y"
EXISTING = r"synchronizers/\$[^x]"
COMPLETED = {"state": "completed", "push": "completed", "pull": "completed"}
#: a sync takes a tenth of a second, where a test does not want another one
DEFAULTS = dataclasses.asdict(PlmKnobs(push_seconds=0.04, gap_seconds=0.03, pull_seconds=0.04))
LONG = 600.0  # a replication that does not end by itself within any test


class Server:
    """The emulated server as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.url: str = simulator["plm"]["url"]
        self.notifications_url: str = simulator["plm"]["notifications_url"]

    def options(self, **more: Any) -> dict[str, Any]:
        pace = {"poll_min_interval": 0.05, "poll_max_interval": 0.3, "settle_grace": 2, "wait_timeout": 20}
        return {"api_url": self.url, **pace, **more}

    def knob(self, **values: Any) -> None:
        self.simulator.knob("plm", **values)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("plm", method, path, body)

    def posts(self) -> int:
        """Triggers that reached the server, executed or not."""
        return len(self.simulator.requests(part="plm", method="POST"))

    def accepted(self) -> int:
        return int(self.control("GET", "/synchronizers")["posts"])

    def looks(self) -> list[str]:
        """The paths of the looks taken at synchronizers that exist."""
        return [path for path in self.gets() if path != MADE_UP]

    def gets(self) -> list[str]:
        """The paths of the looks taken at synchronizers, as they were sent; the first is at one that does not exist."""
        entries = self.simulator.requests(part="plm", method="GET", path=COLLECTION)
        return [str(entry["path"]) for entry in entries]

    def started_by_somebody(self) -> str:
        return str(self.control("POST", "/synchronizers")["id"])

    def newest(self) -> str:
        return str(self.control("GET", "/synchronizers")["synchronizers"][-1]["id"])

    def shows_newest(self) -> bool:
        """Whether clients can see the newest run yet."""
        return bool(self.control("GET", "/synchronizers")["synchronizers"][-1]["push"])

    def settle(self, **states: str) -> None:
        self.control("POST", "/settle", states)


@dataclasses.dataclass(frozen=True)
class Case:
    knobs: dict[str, Any] = dataclasses.field(default_factory=dict)
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


class SideBySide(Protocol):
    def __call__(self, cases: list[Case]) -> list[Outcome]:
        """Run modules at the same time."""


def failure(outcome: Outcome) -> dict[str, Any]:
    return dict(outcome.only["failure"])


def unknown_id() -> str:
    return f"${uuid.uuid4()}+{uuid.uuid4()}"
