# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One world in two servers: the same sites and accounts in a real Crafter Studio and in the emulator of that release."""

from __future__ import annotations

import abc
import contextlib
import re
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from tests.simulator.client import Simulator, wait_until

from .downloads import STUDIO_VERSION
from .studio import RealStudio, start

#: of the requests that the test itself sends
AGENT = "lockstep-scenarios"
V1 = "/api/1/services/api/1"
HOME = "/site/website/index.xml"
OFFERS = "/site/website/offers/index.xml"
#: published to both branches, and never published
PUBLISHED, UNPUBLISHED = "mysite", "unpublished"
SITES = (PUBLISHED, UNPUBLISHED)

PAGE = """\
<page><content-type>/page/entry</content-type><display-template>/templates/web/pages/home.ftl</display-template>
<objectId>{id}</objectId><internal-name>{title}</internal-name><title_t>{title}</title_t></page>
"""


class StudioServer(abc.ABC):
    """A Crafter Studio as scenarios see it."""

    #: in messages
    label: str
    url: str

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.headers["User-Agent"] = AGENT
        self._number = 0
        self._mark = 0

    @abc.abstractmethod
    def credentials(self, account: str) -> tuple[str, str]:
        """User and password of ``admin``, ``publisher`` (with the default role of that name) or ``visitor`` (in no group)."""

    @abc.abstractmethod
    def repository(self, site: str) -> Path:
        """The published git repository of a site."""

    @abc.abstractmethod
    def edit(self, site: str, path: str, title: str) -> None:
        """Change an item in the sandbox."""

    @abc.abstractmethod
    def posts(self) -> list[str]:
        """The paths of all POST requests so far, in order; where that can be seen, without those of the test itself."""

    # -- for both alike ------------------------------------------------------------------------------------------------

    def options(self, sites: str | list[str] = PUBLISHED, account: str = "admin", **more: Any) -> dict[str, Any]:
        """Options of a module."""
        username, password = self.credentials(account)
        pace = {"poll_min_interval": 0.1, "poll_max_interval": 0.3, "settle_grace": 5, "wait_timeout": 60}
        login = {"api_url": self.url, "username": username, "password": password, "auth_method": "basic"}
        return {**login, "sites": sites, **pace, **more}

    def published_repo(self) -> str:
        return str(self.repository("{site}"))

    def request(self, method: str, path: str, account: str = "admin", **arguments: Any) -> requests.Response:
        """A request of the test's own."""
        return self._session.request(method, self.url + path, auth=self.credentials(account), timeout=60, **arguments)

    def api(self, method: str, path: str, body: object = None) -> Any:
        """The same, of an administrator, and successful."""
        response = self.request(method, path, json=body)
        assert response.ok, f"{self.label}: {method} {path}: {response.status_code} {response.text}"
        return response.json()

    def submit(self, items: list[str], target: str, schedule: str | None = None, site: str = PUBLISHED) -> None:
        """Have items published, now or later."""
        body = {"siteId": site, "items": items, "optionalDependencies": [], "publishingTarget": target, "schedule": schedule}
        self.api("POST", "/api/2/workflow/publish", {**body, "comment": "by somebody else"})

    def status(self, site: str = PUBLISHED) -> dict[str, Any]:
        found: dict[str, Any] = self.api("GET", f"/api/2/publish/status?siteId={site}")["publishingStatus"]
        return found

    def waiting(self, site: str = PUBLISHED) -> list[dict[str, Any]]:
        """Packages that are not published yet."""
        path = f"/api/2/publish/packages?siteId={site}&states=READY_FOR_LIVE,PROCESSING&offset=0&limit=100"
        found: list[dict[str, Any]] = self.api("GET", path)["packages"]
        return found

    def enable_publisher(self, enabled: bool, site: str = PUBLISHED) -> None:
        self.api("POST", f"{V1}/publish/{'start' if enabled else 'stop'}.json", {"site_id": site})

    def make_ahead(self, path: str = HOME) -> str:
        """Have staging differ from live; the new title of the item."""
        self._number += 1
        title = f"Offer {self._number} {time.time():.0f}"
        self.edit(PUBLISHED, path, title)
        self.submit([path], "staging")
        wait_until(lambda: not self.waiting(), seconds=30, interval=0.2)
        return title

    def calm_down(self) -> None:
        """Nothing waits for the publisher, which works."""
        self.enable_publisher(True)
        identifiers = [package["id"] for package in self.waiting()]
        if identifiers:
            self.api("POST", "/api/2/publish/cancel", {"siteId": PUBLISHED, "packageIds": identifiers})
        wait_until(lambda: not self.waiting(), seconds=30, interval=0.2)

    def mark(self) -> None:
        """Count mutating requests from now on."""
        self._mark = len(self.posts())

    def mutations(self) -> list[str]:
        """The POST requests since :meth:`mark`, without the context path."""
        prefix = urllib.parse.urlsplit(self.url).path
        return [path.removeprefix(prefix) for path in self.posts()[self._mark :]]


class EmulatedServer(StudioServer):
    """The emulator, as the release that the real one has."""

    label = f"emulator of {STUDIO_VERSION}"

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self._simulator = simulator
        self._info = simulator["crafter"]
        simulator.knob("crafter", profile="4.0", version=STUDIO_VERSION, basic_auth=True, queue_seconds=0.2)
        self.url = self._info["url"]

    def credentials(self, account: str) -> tuple[str, str]:
        return account, self._info["users"][account]["password"]

    def repository(self, site: str) -> Path:
        return Path(self._info["published_repo"].replace("{site}", site))

    def edit(self, site: str, path: str, title: str) -> None:
        files = {path: PAGE.format(id=1, title=title)}
        self._simulator.control.part("crafter", "POST", f"/sites/{site}/edit", {"files": files})

    def posts(self) -> list[str]:
        return [entry["path"].partition("?")[0] for entry in self._simulator.requests(part="crafter", method="POST")]


class RealServer(StudioServer):
    """A real Crafter Studio with the sites and the accounts that the emulator has from the start."""

    label = f"Crafter Studio {STUDIO_VERSION}"
    password = "Publ1sh-passw0rd!"

    def __init__(self, studio: RealStudio) -> None:
        super().__init__()
        self._studio = studio
        self.url = studio.url
        for site in SITES:
            self._make_site(site)
        self._make_user("publisher", "Pat")
        self._add_to_group("publisher", "site_publisher")
        self._make_user("visitor", "Vic")
        for path in (HOME, OFFERS):
            self.edit(PUBLISHED, path, "First")
        body = {"siteId": PUBLISHED, "publishingTarget": "live", "submissionComment": "first"}
        self.api("POST", "/api/2/publish/all", body)
        # publishing everything leaves no trace at the items, and the emulator's items were published by themselves
        self.submit([HOME, OFFERS], "live")
        wait_until(lambda: not self.waiting(), seconds=30, interval=0.2)

    def credentials(self, account: str) -> tuple[str, str]:
        return account, "admin" if account == "admin" else self.password

    def repository(self, site: str) -> Path:
        return self._studio.repository(site)

    def edit(self, site: str, path: str, title: str) -> None:
        folder, _slash, name = path.rpartition("/")
        query = urllib.parse.urlencode({"site": site, "path": folder, "fileName": name, "contentType": "/page/entry"})
        address = f"{V1}/content/write-content.json?{query}&unlock=true"
        body = PAGE.format(id=abs(hash(path)), title=title).encode()
        response = self.request("POST", address, data=body, headers={"Content-Type": "application/xml"})
        assert response.ok, response.text

    def posts(self) -> list[str]:
        # a request is logged some time after its response: those of the test itself could count after ``mark``
        found = self._studio.access_log()
        return [path.partition("?")[0] for method, path, _status, agent in found if method == "POST" and agent != AGENT]

    def _make_site(self, site: str) -> None:
        blueprint = {"blueprint": "org.craftercms.blueprint.empty", "sandbox_branch": "master", "description": ""}
        self.api("POST", f"{V1}/site/create.json", {"site_id": site, "name": site, **blueprint})
        place = {"siteId": site, "module": "studio", "path": "/site-config.xml"}
        query = urllib.parse.urlencode(place)
        content = self.api("GET", f"/api/2/configuration/get_configuration?{query}")["content"]
        enabled = re.sub(r"(<enable-staging-environment>)false", r"\1true", content)
        self.api("POST", "/api/2/configuration/write_configuration", {**place, "content": enabled})

    def _make_user(self, name: str, first_name: str) -> None:
        user = {"username": name, "password": self.password, "firstName": first_name, "lastName": name.capitalize()}
        user |= {"email": f"{name}@example.com"}
        self.api("POST", "/api/2/users", {**user, "enabled": True, "externallyManaged": False})

    def _add_to_group(self, user: str, name: str) -> None:
        groups = self.api("GET", "/api/2/groups?offset=0&limit=50")["groups"]
        group = next(group["id"] for group in groups if group["name"] == name)
        self.api("POST", f"/api/2/groups/{group}/members", {"usernames": [user]})


@contextlib.contextmanager
def emulated() -> Iterator[StudioServer]:
    with Simulator.start(parts=["crafter"]) as simulator:
        yield EmulatedServer(simulator)


@contextlib.contextmanager
def real(folder: Path) -> Iterator[StudioServer]:
    with start(folder) as studio:
        yield RealServer(studio)
