# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated Crafter Studio as the tests of modules see it."""

from __future__ import annotations

from typing import Any

import requests

from tests.simulator.client import Simulator

from ..conftest import Outcome

SYNC, PUBLISH, INFO = "crafter_staging_sync", "crafter_publish", "crafter_publishing_info"
RESET_CALL, SYNC_CALL = "reset-staging.json", "sync-staging.json"
HOME, OFFERS = "/site/website/index.xml", "/site/website/offers/index.xml"
LOGIN = "security/login.json"


class Server:
    """The emulated server as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.info = simulator["crafter"]
        self.repository: str = self.info["published_repo"]

    def options(self, sites: Any = "mysite", user: str = "admin", **more: Any) -> dict[str, Any]:
        token = self.info["users"][user]["api_token"]
        pace = {"poll_min_interval": 0.1, "poll_max_interval": 0.2, "settle_grace": 1, "wait_timeout": 20}
        return {"api_url": self.info["url"], "api_token": token, "sites": sites, **pace, **more}

    def with_password(self, sites: Any = "mysite", user: str = "admin", **more: Any) -> dict[str, Any]:
        login = {"api_token": None, "username": user, "password": self.info["users"][user]["password"]}
        return {**self.options(sites), **login, **more}

    def knob(self, **values: Any) -> None:
        self.simulator.knob("crafter", **values)

    def control(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        return self.simulator.control.part("crafter", method, path, body, **query)

    def refs(self, site: str = "mysite") -> dict[str, str]:
        refs = self.control("GET", f"/sites/{site}/refs")["refs"]
        return {name: ref["commit"] for name, ref in refs.items()}

    def resets(self, site: str = "mysite") -> int:
        return int(self.control("GET", "/sites")[site]["resets"])

    def mutations(self) -> list[str]:
        """Mutating requests that the server saw, executed or not."""
        return [str(entry["path"]) for entry in self.simulator.requests(part="crafter", kind="mutate")]

    def api(self, method: str, path: str, body: object = None) -> Any:
        """A request as its administrator sends it, which is not counted as one of the module's."""
        headers = {"Authorization": f"Bearer {self.info['api_token']}"}
        response = requests.request(method, self.info["url"] + path, json=body, headers=headers, timeout=30)
        response.raise_for_status()
        self.simulator.control.call("DELETE", "/requests")
        return response.json()

    def submit(self, site: str, items: list[str], target: str, schedule: str | None = None) -> None:
        """Publish items, now or later."""
        body = {"siteId": site, "items": items, "optionalDependencies": [], "publishingTarget": target, "schedule": schedule}
        self.api("POST", "/api/2/workflow/publish", {**body, "comment": "by somebody else"})

    def logins(self) -> int:
        return len(self.simulator.requests(part="crafter", method="POST", path=LOGIN))


def failure(outcome: Outcome) -> dict[str, Any]:
    found = outcome.only["failure"]
    assert found is not None, outcome.output
    return dict(found)


def refused(outcome: Outcome, code: str) -> dict[str, Any]:
    """A refusal that has a remedy."""
    found = failure(outcome)
    assert outcome.failed and not outcome.changed
    assert outcome.only["action"] == "refused" and found["code"] == code and found["hint"], found
    return found
