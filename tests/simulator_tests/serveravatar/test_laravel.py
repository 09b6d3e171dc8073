# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the framework behind ServerAvatar does with every request and every list, whatever the endpoint is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.simulator.client import Simulator
from tests.simulator.serveravatar import ServerAvatarPart

SERVER = "/organizations/5/servers/15"
BACKUPS = "/organizations/5/backups"
INSTANT = {
    "provider": "amazon_s3",
    "cloud_storage_provider_id": 7,
    "automatic_backup": 0,
    "type": "application",
    "application_id": 88,
    "name": "before",
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.in_thread([ServerAvatarPart]) as running:
        yield running


class Client:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.url: str = simulator["serveravatar"]["url"]
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"Authorization": simulator["serveravatar"]["api_token"], "Accept": "application/json"})

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self._session.request(method, self.url + path, timeout=10, allow_redirects=False, **options)

    def listed(self, path: str) -> dict[str, Any]:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def newest_backup(self) -> str:
        return str(self.listed(BACKUPS)["data"][0]["backup_configuration"]["name"])

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)


@pytest.fixture
def client(simulator: Simulator) -> Client:
    simulator.reset()
    return Client(simulator)


# -- the rate limit ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/organizations/99/servers", 404),
        ("GET", f"{SERVER}/applications/77/sync", 404),
        ("POST", f"{SERVER}/backups", 422),
        ("POST", f"{SERVER}/applications/88/staging-area", 422),
    ],
)
def test_refusals_count_and_say_what_is_left(client: Client, method: str, path: str, status: int) -> None:
    client.knob(rate_limit=5, rate_window=3600.0)
    answers = [client.call(method, path) for _attempt in range(2)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["4", "3"]
    assert [answer.headers["X-RateLimit-Limit"] for answer in answers] == ["5", "5"]


def test_a_refused_token_and_an_unknown_path_do_not_count(client: Client) -> None:
    client.knob(rate_limit=5, rate_window=3600.0)
    for answer in (client.call("GET", "/organizations", headers={"Authorization": "x"}), client.call("GET", "/nothing")):
        assert "X-RateLimit-Remaining" not in answer.headers
    assert client.call("GET", "/organizations").headers["X-RateLimit-Remaining"] == "4"


def test_too_many_requests_say_when_the_next_one_may_come(client: Client) -> None:
    client.knob(rate_limit=0, rate_window=60.0)
    before = int(time.time())
    answer = client.call("GET", "/organizations")
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["X-RateLimit-Remaining"]) == (429, "60", "0")
    assert before + 60 <= int(answer.headers["X-RateLimit-Reset"]) <= time.time() + 60


# -- pages -------------------------------------------------------------------------------------------------------------


def test_a_page_beyond_the_last_has_a_previous_one_and_no_next_one(client: Client) -> None:
    beyond = client.listed(f"{BACKUPS}?page=9")
    previous = f"{client.url}{BACKUPS}?page=8"
    assert (beyond["data"], beyond["prev_page_url"], beyond["next_page_url"]) == ([], previous, None)
    assert (beyond["links"][0]["url"], beyond["links"][-1]["url"]) == (previous, None)
    assert [link["active"] for link in beyond["links"]] == [False] * 4


@pytest.mark.parametrize(
    ("page", "labels"),
    [
        (1, "1 2 3 4 5 6 7 8 9 10 ... 16 17"),
        (7, "1 2 3 4 5 6 7 8 9 10 ... 16 17"),
        (8, "1 2 ... 5 6 7 8 9 10 11 ... 16 17"),
        (10, "1 2 ... 7 8 9 10 11 12 13 ... 16 17"),
        (11, "1 2 ... 8 9 10 11 12 13 14 15 16 17"),
        (17, "1 2 ... 8 9 10 11 12 13 14 15 16 17"),
    ],
)
def test_a_long_list_has_links_to_the_pages_around(client: Client, page: int, labels: str) -> None:
    client.knob(applications_per_page=1)
    links = client.listed(f"{SERVER}/applications?page={page}")["applications"]["links"][1:-1]
    assert " ".join(link["label"] for link in links) == labels
    assert [link["label"] for link in links if link["active"]] == [str(page)]
    assert {link["label"] for link in links if link["url"] is None} == {"..."}


def test_few_pages_have_a_link_each(client: Client) -> None:
    client.knob(backups_per_page=1)
    links = client.listed(BACKUPS)["links"][1:-1]
    assert [link["label"] for link in links] == [str(page) for page in range(1, 13)]


# -- bodies ------------------------------------------------------------------------------------------------------------


def test_a_form_is_read_as_json_is(client: Client) -> None:
    answer = client.call("POST", f"{SERVER}/backups", data=INSTANT)
    assert (answer.status_code, client.newest_backup()) == (200, "before")


def test_fields_may_be_in_the_query(client: Client) -> None:
    answer = client.call("POST", f"{SERVER}/backups?name=queried", json={**INSTANT, "name": None})
    assert answer.status_code == 200
    assert client.newest_backup() == "instant shop"
    answer = client.call("POST", f"{SERVER}/backups?name=queried", json={k: v for k, v in INSTANT.items() if k != "name"})
    assert (answer.status_code, client.newest_backup()) == (200, "queried")


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", None])
def test_json_that_does_not_call_itself_so_has_no_fields(client: Client, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = client.call("POST", f"{SERVER}/backups", data=json.dumps(INSTANT), headers=headers)
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 5)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.api+json"])
def test_json_by_another_name(client: Client, content_type: str) -> None:
    body = json.dumps(INSTANT)
    answer = client.call("POST", f"{SERVER}/backups", data=body, headers={"Content-Type": content_type})
    assert (answer.status_code, client.newest_backup()) == (200, "before")


def test_texts_lose_the_blanks_around_them(client: Client) -> None:
    answer = client.call("POST", f"{SERVER}/backups", json={**INSTANT, "name": "  before \n", "type": " application "})
    assert (answer.status_code, client.newest_backup()) == (200, "before")
    answer = client.call("POST", f"{SERVER}/backups", json={**INSTANT, "type": "   "})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["type"])


# -- storages and files of backups -------------------------------------------------------------------------------------


def test_a_storage_belongs_to_one_organization(client: Client) -> None:
    own, others = (
        {row["id"]: row["name"] for row in client.call("GET", f"/organizations/{number}/cloud-storage-providers").json()}
        for number in (5, 6)
    )
    assert (own[7], others) == ("Offsite S3", {11: "Offsite S3"})
    assert 11 not in own
    answer = client.call("POST", f"{SERVER}/backups", json={**INSTANT, "cloud_storage_provider_id": 11})
    assert (answer.status_code, answer.json()) == (404, {"message": "Cloud storage Provider not found!"})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"application_extension": ".zip"}, "application_extension"),
        ({"type": "filesystem", "application_extension": ".zip"}, "application_extension"),
        ({"database_extension": ".dump"}, "database_extension"),
        ({"type": "database", "database_extension": ".dump"}, "database_extension"),
        ({"type": "filesystem", "application_extension": ".tar.gz", "database_extension": ".dump"}, None),
        ({"type": "database", "application_extension": ".zip", "database_extension": ".sql"}, None),
    ],
)
def test_files_of_backups_end_as_documented(client: Client, change: dict[str, Any], field: str | None) -> None:
    answer = client.call("POST", f"{SERVER}/backups", json={**INSTANT, **change})
    if field is None:
        assert answer.status_code == 200
    else:
        text = f"The selected {field.replace('_', ' ')} is invalid."
        assert (answer.status_code, answer.json()["errors"]) == (422, {field: [text]})
