# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated VinylDNS server as the tests of modules see it."""

from __future__ import annotations

import time
from typing import Any

from tests.simulator.client import Simulator
from tests.simulator_tests.vinyldns.vinyl import Vinyl

ZONE = "shop.example."
RECORDS = [f"host{number:02d} 300 A 192.0.2.{number}" for number in range(20)]


class Server:
    """The emulated server as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        info = simulator["vinyldns"]
        self.url, self.secret = info["url"], info["secret_key"]
        self.login = {"api_url": info["url"], "access_key": info["access_key"], "secret_key": info["secret_key"]}
        self.backend = {key: value for key, value in info["dns"].items() if key != "kind"}
        self.users = info["users"]

    def options(self, zones: Any = ZONE, **more: Any) -> dict[str, Any]:
        return {**self.login, "zones": zones, "backend": self.backend, "settle_grace": 3, "poll_min_interval": 0.1, **more}

    def add(self, name: str = ZONE, **order: Any) -> None:
        self.simulator.control.part("vinyldns", "POST", "/zones", {"zones": [{"name": name, "records": RECORDS, **order}]})

    def update_dns(self, zone: str = ZONE, **changes: Any) -> int:
        answer = self.simulator.control.part("vinyldns", "POST", "/dns/update", {"zone": zone, **changes})
        return int(answer["serial"])

    def accepted(self, zone: str | None = None) -> int:
        """Syncs that the server accepted."""
        return len(self.simulator.control.part("vinyldns", "GET", "/syncs", zone=zone)["syncs"])

    def changes(self, zone: str) -> list[dict[str, Any]]:
        """The record set changes of a zone as a plain client lists them, page after page."""
        vinyl = Vinyl(self.simulator)
        zone_id = vinyl.zone_id(zone)
        rows: list[dict[str, Any]] = []
        start: int | None = 0
        while start is not None:
            page = vinyl.get(f"/zones/{zone_id}/recordsetchanges?startFrom={start}&maxItems=100")
            rows += page["recordSetChanges"]
            start = page.get("nextId")
        vinyl.close()
        return rows

    def posts(self) -> int:
        """Mutating requests that the server saw."""
        return len(self.simulator.requests(kind="mutate"))


def drifted(server: Server) -> None:
    """One record set to create, one to update, one to delete, and the SOA."""
    server.add()
    server.update_dns(
        add=[["new", 300, "A", "198.51.100.1"]], replace=[["host01", 60, "A", "192.0.2.1"]], delete=[["host02", "A"]]
    )


def await_the_next_second(server: Server, zone: str = ZONE) -> None:
    """Let the server's clock leave the second in which it accepted the last sync of a zone.

    Record set changes name their sync by the zone's time stamp, which has whole seconds: of two syncs of one zone within the
    same second the changes cannot be attributed to either. A real server refuses the second one for minutes; the tests forget
    the first for it.
    """
    timestamp = server.simulator.control.part("vinyldns", "GET", "/zone", name=zone, records="no")["zone"]["updated"]
    while time.time() < timestamp // 1000 + 1:
        time.sleep(0.02)


def simulator_age(server: Server, seconds: float | None, zone: str = ZONE) -> None:
    server.simulator.control.part("vinyldns", "POST", "/latest-sync", {"zone": zone, "age": seconds})


def wait_until(condition: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
