# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and single objects, and the order in which nested ids are looked at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator_tests.serveravatar.client import APP, SERVER, Api, refused

# Lists


def test_organizations_are_not_paginated(api: Api) -> None:
    found = api.ok("/organizations")
    assert set(found) == {"organizations"}
    assert [(each["id"], each["name"]) for each in found["organizations"]] == [(5, "Lockstep Demo"), (6, "Somebody Else")]
    assert set(found["organizations"][0]) == {"id", "name", "created_at", "members"}


PAGINATOR = {
    "current_page",
    "data",
    "first_page_url",
    "from",
    "last_page",
    "last_page_url",
    "links",
    "next_page_url",
    "path",
    "per_page",
    "prev_page_url",
    "to",
    "total",
}


def test_servers_are_paginated_only_on_request(api: Api) -> None:
    bare = api.ok("/organizations/5/servers")["servers"]
    assert len(bare) == 14
    page = api.ok("/organizations/5/servers?pagination=1")["servers"]
    assert set(page) == PAGINATOR
    assert [page[name] for name in ("current_page", "from", "to", "per_page", "last_page", "total")] == [1, 1, 12, 12, 2, 14]
    assert page["data"] == bare[:12]


def test_the_second_page_and_its_links(api: Api) -> None:
    path = "/organizations/5/servers"
    page = api.ok(path + "?pagination=1&page=2")["servers"]
    assert [each["id"] for each in page["data"]] == [15, 16]
    assert [page[name] for name in ("current_page", "from", "to", "next_page_url")] == [2, 13, 14, None]
    assert page["prev_page_url"] == page["first_page_url"] == f"{api.url}{path}?page=1"
    assert page["path"] == api.url + path
    assert page["links"] == [
        {"url": f"{api.url}{path}?page=1", "label": "&laquo; Previous", "active": False},
        {"url": f"{api.url}{path}?page=1", "label": "1", "active": False},
        {"url": f"{api.url}{path}?page=2", "label": "2", "active": True},
        {"url": None, "label": "Next &raquo;", "active": False},
    ]


def test_applications_are_always_paginated_by_ten(api: Api) -> None:
    first = api.ok(SERVER + "/applications")["applications"]
    second = api.ok(SERVER + "/applications?page=2")["applications"]
    assert (first["per_page"], first["total"], len(first["data"]), len(second["data"])) == (10, 17, 10, 7)
    assert "shop" not in [each["name"] for each in first["data"]]
    shop = next(each for each in second["data"] if each["name"] == "shop")
    assert (shop["id"], shop["server_id"], shop["active"], shop["primary_domain"]) == (88, 15, 1, "shop.test")


def test_applications_of_the_whole_organization(api: Api) -> None:
    page = api.ok("/organizations/5/applications")["applications"]
    assert page["total"] == 19
    assert {"ssl_type", "php_version", "active"} <= set(page["data"][0])


def test_page_sizes_can_be_set(api: Api) -> None:
    api.knob(applications_per_page=3)
    page = api.ok(SERVER + "/applications?page=6")["applications"]
    assert (page["last_page"], len(page["data"])) == (6, 2)


@pytest.mark.parametrize("page", ["0", "-1", "x", ""])
def test_a_page_that_is_none_is_the_first(api: Api, page: str) -> None:
    assert api.ok(f"{SERVER}/applications?page={page}")["applications"]["current_page"] == 1


def test_the_paginator_may_be_the_body_itself(api: Api) -> None:
    backups = api.ok("/organizations/5/backups")
    assert set(backups) == PAGINATOR
    assert (backups["per_page"], backups["total"]) == (10, 12)
    providers = api.ok("/organizations/5/cloud-storage-providers?pagination=1")
    assert set(providers) == PAGINATOR
    assert (providers["per_page"], len(providers["data"])) == (8, 3)
    assert set(providers["data"][0]) == {"id", "name", "provider", "email"}
    assert api.ok("/organizations/5/cloud-storage-providers") == providers["data"]


def test_an_empty_list_and_a_page_beyond_the_last(api: Api) -> None:
    empty = api.ok("/organizations/6/backups")
    assert [empty[name] for name in ("data", "from", "to", "total", "last_page")] == [[], None, None, 0, 1]
    beyond = api.ok("/organizations/5/backups?page=9")
    assert [beyond[name] for name in ("data", "from", "to", "total", "current_page")] == [[], None, None, 12, 9]


def test_databases_can_be_searched(api: Api) -> None:
    found = api.ok(SERVER + "/databases?pagination=1&search=wordpressite")["databases"]
    assert [each["name"] for each in found["data"]] == ["wordpressite_staging"]
    assert len(api.ok(SERVER + "/databases")["databases"]) == 17


# Single objects


def test_a_server_shows_a_secret_and_other_types_than_the_list(api: Api) -> None:
    shown = api.ok(SERVER)["server"]
    listed = next(each for each in api.ok("/organizations/5/servers")["servers"] if each["id"] == 15)
    assert shown["redis_password"]
    assert "redis_password" not in listed
    assert (listed["php_cli_version"], shown["php_cli_version"]) == (8, "8.0")
    assert (listed["php_versions"], shown["php_versions"]) == ('["8.0", "8.1", "8.2"]', ["8.0", "8.1", "8.2"])
    assert (listed["agent_status"], listed["ip"]) == ("1", "54.90.174.225")


def test_a_disconnected_server_and_a_full_disk_show(api: Api) -> None:
    api.knob(disconnected_servers=[15], disk_usage=97.5)
    server = api.ok(SERVER)["server"]
    assert (server["agent_status"], server["latest_monitor_log"]["disk_usage"]) == ("0", 97.5)


def test_organization_and_application(api: Api) -> None:
    assert api.ok("/organizations/5")["organization"]["name"] == "Lockstep Demo"
    shown = api.ok(APP)
    assert set(shown) == {"application", "gitDeployment", "server"}
    assert (shown["application"]["id"], shown["application"]["active"]) == (88, "1")


# The order in which nested ids are looked at


NESTED = [
    ("GET", ""),
    ("GET", "/staging-area-detail"),
    ("POST", "/staging-area"),
    ("GET", "/status"),
    ("GET", "/sync"),
    ("DELETE", "/remove-staging-area"),
    ("GET", "/toggle"),
]


@pytest.mark.parametrize(("method", "path"), NESTED)
@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ((99, 99, 99), "Organization not found!"),
        (("x", 15, 88), "Organization not found!"),
        ((5, 99, 99), "Server not found!"),
        ((6, 15, 88), "Server not found!"),
        ((5, "production", 88), "Server not found!"),
        ((5, 15, 99), "Application not found!"),
        ((5, 16, 88), "Application not found!"),
        ((5, 15, "shop"), "Application not found!"),
    ],
)
def test_ids_are_checked_from_the_outside_in(api: Api, method: str, path: str, ids: tuple[Any, Any, Any], text: str) -> None:
    organization, server, application = ids
    nested = f"/organizations/{organization}/servers/{server}/applications/{application}{path}"
    refused(api.call(method, nested), 404, text)
    assert api.control("GET", "/truth")["syncs_accepted"] == 0


@pytest.mark.parametrize("path", ["/servers", "/servers/15", "/applications", "/backups", "/cloud-storage-providers", ""])
def test_every_other_path_looks_for_the_organization_first(api: Api, path: str) -> None:
    refused(api.get("/organizations/99" + path), 404, "Organization not found!")
