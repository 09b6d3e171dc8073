# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the Crafter part, and plain git on its repositories. Sections are those of docs/reference/crafter.md."""

from __future__ import annotations

import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from tests.simulator.client import Simulator

API1 = "/api/1/services/api/1/"
RESET = API1 + "publish/reset-staging.json"
SYNC = API1 + "publish/sync-staging.json"
START = API1 + "publish/start.json"
STOP = API1 + "publish/stop.json"
STATUS1 = API1 + "publish/status.json"
LOGIN = API1 + "security/login.json"
STATUS = "/api/2/publish/status"
PACKAGES = "/api/2/publish/packages"
ITEM_STATES = "/api/2/workflow/item_states"
WORKFLOW_PUBLISH = "/api/2/workflow/publish"
PUBLISH_ALL = "/api/2/publish/all"

HOME = "/site/website/index.xml"
OFFERS = "/site/website/offers/index.xml"
STAGED, LIVE = 512, 1024

RESET_PROFILES = ("3.0", "3.1", "4.0", "4.1")
ENVELOPE_OK = {"code": 0, "message": "OK", "remedialAction": "", "documentationUrl": ""}
UNAUTHENTICATED = {
    "response": {"code": 2000, "message": "Unauthenticated", "remedialAction": "Please login first", "documentationUrl": ""}
}


class Client:
    """Speaks as a user of one release: by session and CSRF pair before 4.0, by token from then on."""

    def __init__(self, simulator: Simulator, user: str | None = "admin", stateless: bool = True) -> None:
        self.info = simulator["crafter"]
        self.session = requests.Session()
        self.session.trust_env = False
        if not stateless:
            self.session.cookies.set("XSRF-TOKEN", "a-value")
            self.session.headers["X-XSRF-TOKEN"] = "a-value"
            if user is not None:
                answer = self.post(LOGIN, {"username": user, "password": self.info["users"][user]["password"]})
                assert answer.status_code == 200
        elif user is not None:
            self.session.headers["Authorization"] = f"Bearer {self.info['users'][user]['api_token']}"

    def get(self, route: str, /, **query: Any) -> requests.Response:
        return self.session.get(self.info["url"] + route, params=query, timeout=30, allow_redirects=False)

    def post(self, path: str, body: Any = None, /, **options: Any) -> requests.Response:
        return self.session.post(self.info["url"] + path, json=body, timeout=30, allow_redirects=False, **options)

    def reset(self, site: str = "mysite", **extra: Any) -> requests.Response:
        return self.post(RESET, {"site_id": site, **extra})

    def entity(self, name: str, route: str, /, **query: Any) -> Any:
        """The content of a successful answer, without its envelope."""
        answer = self.get(route, **query)
        assert answer.status_code == 200, answer.text
        assert answer.json()["response"] == ENVELOPE_OK
        return answer.json()[name]


def as_of(simulator: Simulator, profile: str, user: str | None = "admin") -> Client:
    simulator.knob("crafter", profile=profile, version=None)
    return Client(simulator, user, stateless=profile >= "4" and profile != "documented")


def as_of_version(simulator: Simulator, version: str, user: str | None = "admin") -> Client:
    simulator.knob("crafter", profile="4.1", version=version)
    return Client(simulator, user, stateless=version >= "4")


def anonymous(simulator: Simulator, profile: str) -> Client:
    return as_of(simulator, profile, user=None)


def control(simulator: Simulator, method: str, path: str, body: object = None, **query: Any) -> Any:
    return simulator.control.part("crafter", method, path, body, **query)


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, timeout=30).stdout


def repository(simulator: Simulator, site: str = "mysite") -> str:
    return str(simulator["crafter"]["published_repo"].format(site=site))


def ls_remote(simulator: Simulator, site: str = "mysite", address: str | None = None) -> dict[str, str]:
    """The branches that are published to and their commits, as anybody can see them."""
    lines = git("ls-remote", "--heads", address or repository(simulator, site)).splitlines()
    found = {name.removeprefix("refs/heads/"): commit for commit, name in (line.split("\t") for line in lines)}
    return {name: commit for name, commit in found.items() if name != "master"}


def tree(simulator: Simulator, branch: str, site: str = "mysite") -> str:
    return git("-C", repository(simulator, site), "rev-parse", f"{branch}^{{tree}}").strip()


def has_repository(simulator: Simulator, site: str) -> bool:
    return Path(repository(simulator, site)).exists()


def resets(simulator: Simulator, site: str = "mysite") -> int:
    return int(control(simulator, "GET", "/sites")[site]["resets"])


def is_page(answer: requests.Response, status: int) -> bool:
    """An error page of the container: HTML, no JSON."""
    return answer.status_code == status and answer.headers["Content-Type"].startswith("text/html") and "<html" in answer.text


def in_background(work: Any, *arguments: Any) -> Future[Any]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work, *arguments)
    pool.shutdown(wait=False)
    return future
