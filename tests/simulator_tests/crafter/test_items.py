# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of items, and what sites and items can be found."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.simulator.client import Simulator
from tests.simulator_tests.crafter.client import (
    API1,
    HOME,
    ITEM_STATES,
    LIVE,
    OFFERS,
    STAGED,
    Client,
    as_of,
    as_of_version,
    control,
)


class TestItems:
    """Section 3.4."""

    def test_path_is_not_optional(self, studio: Client) -> None:
        for query in ({}, {"path": ""}, {"path": "("}):
            answer = studio.get(ITEM_STATES, siteId="mysite", **query)
            assert answer.status_code == 400
            assert answer.json()["response"]["code"] == 1001
            text = "Invalid parameter(s) : Parameter 'path' is not valid regular expression."
            assert answer.json()["response"]["message"] == text

    def test_any_bit_matches(self, studio: Client) -> None:
        def paths(**query: Any) -> set[str]:
            return {item["path"] for item in studio.entity("items", ITEM_STATES, siteId="mysite", path=".*", **query)}

        assert len(paths()) == 4
        assert paths(states=STAGED) == paths()
        assert paths(states=LIVE) == paths() - {OFFERS}
        assert paths(states=1 | LIVE) == paths()
        assert paths(states=1) == {OFFERS}
        assert paths(states=2) == {HOME}

    def test_bits_of_the_seed(self, studio: Client) -> None:
        items = {item["path"]: item["state"] for item in studio.entity("items", ITEM_STATES, siteId="mysite", path=".*")}
        assert items[OFFERS] & (STAGED | LIVE) == STAGED, "staged, never live"
        assert items[HOME] & (STAGED | LIVE | 2) == STAGED | LIVE | 2, "live, edited, staged again"

    def test_publishing_to_live_clears_bits(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/publish", {})
        items = studio.entity("items", ITEM_STATES, siteId="mysite", path=".*")
        assert {item["state"] for item in items} == {STAGED | LIVE}

    def test_editing_clears_neither(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/second/edit", {"files": {HOME: "edited"}})
        item = studio.entity("item", "/api/2/content/item_by_path", siteId="second", path=HOME)
        assert item["state"] == STAGED | LIVE | 2

    def test_pages(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/edit", {"files": {f"/site/website/{n}.xml": "x" for n in range(20)}})
        first = studio.get(ITEM_STATES, siteId="mysite", path=".*").json()
        assert (first["total"], first["offset"], first["limit"], len(first["items"])) == (24, 0, 10, 10)
        last = studio.entity("items", ITEM_STATES, siteId="mysite", path=".*", offset=20)
        assert len(last) == 4

    def test_rows_of_an_item(self, simulator: Simulator, studio: Client) -> None:
        path = "/api/2/content/item_by_path"
        item = studio.entity("item", path, siteId="mysite", path=OFFERS)
        assert set(item["staging"]) == {"datePublished", "publisher", "commitId", "dateScheduled"}
        assert item["live"] is None
        control(simulator, "POST", "/sites/mysite/publish", {"paths": [OFFERS]})
        after = studio.entity("item", path, siteId="mysite", path=OFFERS)
        assert after["staging"] == item["staging"], "a live publish writes no row for staging"
        assert after["live"]["datePublished"] > after["staging"]["datePublished"]
        assert studio.get(path, siteId="mysite", path="/none.xml").json()["response"]["code"] == 7000

    def test_a_deletion_is_published(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites/mysite/edit", {"files": {HOME: None}})
        control(simulator, "POST", "/sites/mysite/publish", {"paths": [HOME]})
        assert HOME[1:] not in control(simulator, "GET", "/sites/mysite/tree", branch="live")["files"]
        assert studio.get("/api/2/content/item_by_path", siteId="mysite", path=HOME).status_code == 404


class TestDiscovery:
    """Section 4."""

    @pytest.mark.parametrize("profile", ["documented", "3.0", "3.1", "4.0", "4.1", "4.2"])
    def test_exists(self, simulator: Simulator, profile: str) -> None:
        client, path = as_of(simulator, profile), API1 + "site/exists.json"
        assert client.get(path, site_id="mysite").json() == {"exists": True}
        assert client.get(path, site_id="nowhere").json() == {"exists": False}
        missing = client.get(path)
        assert (missing.status_code, missing.json()) == (400, {"message": "Invalid parameter(s): [site_id]"})

    def test_sites_of_3(self, simulator: Simulator) -> None:
        path = API1 + "site/get-per-user.json"
        old = as_of(simulator, "3.0")
        assert old.get(path).json() == {"message": "Invalid parameter(s): [username]"}
        assert old.get(path, username="unknown").status_code == 404
        assert old.get(path, username="member").json()["total"] == 2
        client = as_of(simulator, "3.1")
        answer = client.get(path).json()
        assert answer["total"] == 6
        entries = {entry["siteId"]: entry for entry in answer["sites"]}
        assert entries["mysite"]["publishingEnabled"] == 1
        assert entries["mysite"]["publishingStatusMessage"] == "ready|Ready"
        assert (entries["mysite"]["publishedRepoCreated"], entries["unpublished"]["publishedRepoCreated"]) == (1, 0)
        assert [entry["siteId"] for entry in client.get(path, start=1, number=2).json()["sites"]] == ["second", "nostaging"]
        assert client.get(path, start="x").json() == {"message": "Invalid parameter(s): [start]"}
        assert "publishedRepoCreated" not in as_of_version(simulator, "3.1.10").get(path).json()["sites"][0]

    def test_page_sizes(self, simulator: Simulator) -> None:
        control(simulator, "POST", "/sites", {"prefix": "bulk", "count": 30, "published": False})
        per_user = as_of(simulator, "3.1").get(API1 + "site/get-per-user.json").json()
        assert (per_user["total"], len(per_user["sites"])) == (36, 25)
        studio = as_of(simulator, "4.1")
        mine = studio.get("/api/2/users/me/sites").json()
        assert (mine["total"], mine["offset"], mine["limit"], len(mine["sites"])) == (36, 0, 10, 10)
        assert len(studio.entity("sites", "/api/2/users/me/sites", offset=30)) == 6
        assert len(studio.entity("sites", "/api/2/users/me/sites", limit=36)) == 36

    def test_my_sites(self, simulator: Simulator, studio: Client) -> None:
        entry = studio.entity("sites", "/api/2/users/me/sites")[0]
        assert set(entry) == {"siteId", "uuid", "name", "desc"} and entry["siteId"] == "mysite"
        assert as_of(simulator, "3.1").entity("sites", "/api/2/users/me/sites")[0]["state"] == "READY"
        member = as_of(simulator, "4.1", "member")
        assert [site["siteId"] for site in member.entity("sites", "/api/2/users/me/sites")] == ["mysite", "second"]

    @pytest.mark.parametrize("profile", ["4.1", "5.0"])
    def test_targets(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        for site, targets, published in (
            ("mysite", ["live", "staging"], True),
            ("nostaging", ["live"], True),
            ("unpublished", ["live", "staging"], False),
            ("qasite", ["live", "qa"], True),
        ):
            if profile == "5.0":
                answer = client.get(f"/api/2/publish/{site}/available_targets").json()
            else:
                answer = client.get("/api/2/publish/available_targets", siteId=site).json()
            assert answer["publishingTargets"] == [{"name": name, "order": 0} for name in targets]
            assert answer["published"] is published

    def test_has_initial_publish(self, studio: Client) -> None:
        path = "/api/2/publish/has_initial_publish"
        assert studio.entity("hasInitialPublish", path, siteId="mysite") is True
        assert studio.entity("hasInitialPublish", path, siteId="unpublished") is False

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_channels(self, simulator: Simulator, profile: str) -> None:
        client, path = as_of(simulator, profile), API1 + "deployment/get-available-publishing-channels.json"
        query = {"site_id": "mysite", "path": "/"}
        answer = client.get(path, **query).json()
        assert answer["availableUpdateStatusChannels"] == []
        assert [channel["name"] for channel in answer["availablePublishChannels"]] == ["live", "staging"]
        assert set(answer["availablePublishChannels"][0]) == {"name", "publish", "updateStatus", "order"}
        alone = client.get(path, site_id="nostaging").json()["availablePublishChannels"]
        assert [channel["name"] for channel in alone] == ["live"]

    def test_configuration(self, simulator: Simulator, studio: Client) -> None:
        def content(site: str) -> str:
            query = {"siteId": site, "module": "studio", "path": "/site-config.xml"}
            return str(studio.entity("content", "/api/2/configuration/get_configuration", **query))

        enabled = "<enable-staging-environment>true</enable-staging-environment>"
        assert re.search(rf"<published-repository>\s*{enabled}\s*</published-repository>", content("mysite"))
        assert "published-repository" not in content("nostaging")
        assert "<staging-environment>qa</staging-environment>" in content("qasite")
        control(simulator, "PUT", "/sites/mysite", {"staging_enabled": False})
        assert "<enable-staging-environment>false<" in content("mysite")
        control(simulator, "PUT", "/sites/mysite", {"config_xml": "<broken"})
        assert content("mysite") == "<broken"
        missing = studio.get("/api/2/configuration/get_configuration", siteId="mysite", module="studio")
        assert missing.json()["response"]["remedialAction"] == "Add missing parameter 'path' of type 'String'"

    def test_configuration_of_3(self, simulator: Simulator) -> None:
        client, path = as_of(simulator, "3.0"), API1 + "site/get-configuration.json"
        query = {"site_id": "qasite", "path": "/site-config.xml"}
        answer = client.get(path, **query).json()
        assert answer["published-repository"] == {"enable-staging-environment": "true", "staging-environment": "qa"}

    def test_configuration_stub_of_4(self, studio: Client) -> None:
        answer = studio.get(API1 + "site/get-configuration.json", site_id="mysite", path="/site-config.xml")
        assert answer.status_code == 301
        assert answer.headers["Location"] == studio.info["url"] + "/api/2/configuration/get_configuration"
