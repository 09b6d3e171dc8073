# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated ServerAvatar as the tests of modules see it.

What counts is what the server saw: how many requests that change something, and how many runs it began.
"""

from __future__ import annotations

from typing import Any

from tests.simulator.client import Simulator

SYNC = "serveravatar_staging_sync"
PATH = "/organizations/5/servers/15/applications/88/sync"
#: how soon and how long modules look at a run
PACE = {"settle_grace": 5, "poll_min_interval": 0.1}


class Service:
    """The emulated service as all tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        info = simulator["serveravatar"]
        self.url: str = info["url"]
        self.token: str = info["api_token"]
        self.login = {"api_url": self.url, "api_token": self.token}
        self.place = {**self.login, "organization": "5", "server": "15"}

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("serveravatar", method, path, body)

    def truth(self, application: int = 88) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", f"/applications/{application}")
        return found

    @property
    def sent(self) -> list[str]:
        """Requests that change something."""
        return [entry["path"] for entry in self.simulator.requests(kind="mutate")]


class Server(Service):
    """The emulated service as the tests of syncs see it."""

    def options(self, applications: Any = "shop", **more: Any) -> dict[str, Any]:
        return {**self.place, "applications": applications, **PACE, **more}

    def fault(self, kind: str, application: int = 88, **rule: Any) -> None:
        """Something happens to the next trigger for an application."""
        path = f"/applications/{application}/sync"
        self.simulator.fault(kind, part="serveravatar", request_kind="mutate", path_regex=path, **rule)

    def add(self, count: int) -> dict[int, str]:
        """More applications with staging areas, by id."""
        made = self.control("POST", "/applications", {"count": count})["applications"]
        return {each["id"]: each["name"] for each in made}

    def finish(self) -> None:
        """Whatever keeps the shop busy ends well."""
        self.control("POST", "/applications/88/finish")

    def looks(self) -> int:
        """How often somebody looked at the status row of the shop."""
        return len(self.simulator.requests(path=r"/88/status$"))

    @property
    def accepted(self) -> int:
        """Syncs that the API began."""
        return int(self.control("GET", "/truth")["syncs_accepted"])
