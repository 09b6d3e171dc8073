# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same requests to a real Crafter Studio and to its emulator: status, envelope and shape of the responses are the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import requests

from tests.real import servers
from tests.real.servers import HOME, V1, StudioServer

pytestmark = pytest.mark.real_studio


class Request(NamedTuple):
    method: str
    path: str
    body: object = None
    account: str = "admin"

    def __str__(self) -> str:
        return f"{self.account}: {self.method} {self.path}" + (f" {json.dumps(self.body)}" if self.body is not None else "")


RESET = f"{V1}/publish/reset-staging.json"
SYNC = f"{V1}/publish/sync-staging.json"
PUBLISH_ALL, PUBLISH = "/api/2/publish/all", "/api/2/workflow/publish"
ITEM = "/api/2/content/item_by_path?siteId=mysite&path="
STATES = "/api/2/workflow/item_states?siteId=mysite"
UNKNOWN_ITEM = {"items": ["/site/nosuch.xml"], "optionalDependencies": [], "publishingTarget": "staging"}
CONFIGURATION = "/api/2/configuration/get_configuration"

#: what the collection sends, right and wrong; nothing here changes a branch
REQUESTS = (
    Request("GET", "/api/2/monitoring/version?token=defaultManagementToken", account="anonymous"),
    Request("GET", "/api/2/monitoring/version?token=wrong", account="anonymous"),
    Request("GET", "/api/2/monitoring/version"),
    Request("GET", "/api/2/users/me/sites?offset=0&limit=1"),
    Request("GET", "/api/2/users/me/sites", account="publisher"),
    Request("GET", "/api/2/users/me/sites", account="visitor"),
    Request("GET", "/api/2/users/me/sites", account="anonymous"),
    Request("GET", "/api/2/users/me/sites", account="wrong"),
    Request("GET", f"{V1}/site/exists.json?site_id=mysite"),
    Request("GET", f"{V1}/site/exists.json?site_id=Mysite"),
    Request("GET", f"{V1}/site/exists.json?site_id=mysite", account="visitor"),
    Request("GET", f"{V1}/site/exists.json?site_id=nosuch"),
    Request("GET", f"{V1}/site/exists.json"),
    Request("GET", "/api/2/publish/status?siteId=mysite"),
    Request("GET", "/api/2/publish/status?siteId=unpublished"),
    Request("GET", "/api/2/publish/status?siteId=mysite", account="publisher"),
    Request("GET", "/api/2/publish/status?siteId=mysite", account="visitor"),
    Request("GET", "/api/2/publish/status?siteId=nosuch"),
    Request("GET", "/api/2/publish/status"),
    Request("GET", f"{V1}/publish/status.json?site_id=mysite"),
    Request("GET", "/api/2/publish/available_targets?siteId=mysite"),
    Request("GET", "/api/2/publish/available_targets?siteId=unpublished"),
    Request("GET", "/api/2/publish/available_targets?siteId=mysite", account="visitor"),
    Request("GET", "/api/2/publish/packages?siteId=mysite&states=READY_FOR_LIVE,PROCESSING&offset=0&limit=1000"),
    Request("GET", "/api/2/publish/packages?siteId=mysite", account="publisher"),
    Request("GET", "/api/2/publish/packages?siteId=nosuch"),
    Request("GET", f"{CONFIGURATION}?siteId=mysite&module=studio&path=/nosuch.xml"),
    Request("GET", f"{STATES}&path=.*&states=512&offset=0&limit=100"),
    Request("GET", f"{STATES}&states=512"),
    Request("GET", ITEM + HOME),
    Request("GET", ITEM + HOME, account="publisher"),
    Request("GET", ITEM + "/site/website/nosuch/index.xml"),
    Request("POST", RESET, {"site_id": "nosuch"}),
    Request("POST", RESET, {}),
    Request("POST", RESET, {"site_id": "unpublished"}),
    Request("POST", RESET, {"site_id": "mysite"}, account="visitor"),
    Request("POST", RESET, {"site_id": "mysite"}, account="anonymous"),
    Request("POST", RESET, {"site_id": "mysite"}, account="wrong"),
    Request("GET", RESET),
    Request("POST", SYNC, {"site_id": "mysite", "environment": "staging"}),
    Request("POST", PUBLISH_ALL, {"siteId": "mysite", "publishingTarget": "staging"}, account="publisher"),
    Request("POST", PUBLISH_ALL, {"siteId": "mysite", "publishingTarget": "lvie"}),
    Request("POST", PUBLISH, {"siteId": "mysite", "items": [], "publishingTarget": "staging"}),
    Request("POST", PUBLISH, {"items": [HOME], "publishingTarget": "staging"}),
    Request(
        "POST",
        PUBLISH,
        {"siteId": "mysite", "items": ["/site/nosuch.xml"], "optionalDependencies": [], "publishingTarget": "staging"},
    ),
    Request("POST", "/api/2/publish/cancel", {"siteId": "mysite", "packageIds": []}),
    *(
        Request("GET", f"{path}?siteId={site}&{more}")
        for site in ("Mysite", "nosuch")
        for path, more in (
            ("/api/2/publish/status", ""),
            ("/api/2/publish/available_targets", ""),
            ("/api/2/publish/has_initial_publish", ""),
            ("/api/2/publish/packages", ""),
            ("/api/2/workflow/item_states", "path=.*"),
            ("/api/2/content/item_by_path", f"path={HOME}"),
            (CONFIGURATION, "module=studio&path=/site-config.xml"),
        )
    ),
    *(
        Request("POST", path, {key: site, **more})
        for site in ("Mysite", "nosuch")
        for path, key, more in (
            (RESET, "site_id", {}),
            (f"{V1}/publish/start.json", "site_id", {}),
            (f"{V1}/publish/stop.json", "site_id", {}),
            (PUBLISH_ALL, "siteId", {"publishingTarget": "staging"}),
            (PUBLISH, "siteId", {"items": [HOME], "optionalDependencies": [], "publishingTarget": "staging"}),
        )
    ),
    Request(
        "POST", PUBLISH, {"siteId": "mysite", "items": [HOME[1:]], "optionalDependencies": [], "publishingTarget": "staging"}
    ),
    Request("GET", "/api/2/publish/package?siteId=mysite&packageId=bad"),
    Request("GET", f"{CONFIGURATION}?siteId=mysite&module=studio&path=/site-config.xml", account="visitor"),
    Request("POST", f"{V1}/security/logout.json", {}),
    Request("POST", f"{V1}/security/logout.json", {}, account="anonymous"),
    Request("POST", "/api/2/security/tokens", {"label": "x"}, account="publisher"),
    Request("GET", "/api/2/nosuch"),
    Request("POST", f"{V1}/security/login.json", {"username": "admin", "password": "x"}, account="anonymous"),
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StudioServer, StudioServer]]:
    with servers.real(tmp_path_factory.mktemp("studio")) as studio, servers.emulated() as emulator:
        for server in (studio, emulator):
            server.calm_down()
            server.make_ahead()
        yield studio, emulator


def send(server: StudioServer, request: Request) -> requests.Response:
    accounts = {"anonymous": None, "wrong": ("admin", "wrong")}
    auth = accounts.get(request.account) if request.account in accounts else server.credentials(request.account)
    return requests.request(
        request.method, server.url + request.path, json=request.body, auth=auth, allow_redirects=False, timeout=60
    )


def shape(value: Any, depth: int = 3) -> Any:
    """The keys of an object, and those of the first entry of a list; values of our own world count for their type only."""
    if isinstance(value, dict) and depth:
        return {key: shape(item, depth - 1) for key, item in sorted(value.items())}
    if isinstance(value, list) and depth:
        return [shape(value[0], depth - 1)] if value else []
    return type(value).__name__ if value is not None else "null"


def view(response: requests.Response) -> dict[str, Any]:
    """What a client can rely on."""
    try:
        body = response.json()
    except ValueError:
        return {"status": response.status_code, "body": "page" if "<" in response.text else response.text.strip()}
    if isinstance(body, dict) and isinstance(body.get("response"), dict):
        envelope = body["response"]
        return {
            "status": response.status_code,
            "code": envelope.get("code"),
            "message": envelope.get("message"),
            "keys": sorted(envelope),
            "rest": shape({key: item for key, item in body.items() if key != "response"}),
        }
    return {"status": response.status_code, "body": body if set(body) <= {"message", "exists"} else shape(body)}


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_same_response(request_: Request, both: tuple[StudioServer, StudioServer]) -> None:
    studio, emulator = both
    seen, emulated = send(studio, request_), send(emulator, request_)
    assert view(emulated) == view(seen), f"{request_}\n{studio.label}: {seen.text[:600]}\n{emulator.label}: {emulated.text[:600]}"
