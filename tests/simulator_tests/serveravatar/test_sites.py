# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sites, and the part itself."""

from __future__ import annotations

import pytest
import requests

from tests.simulator.client import wait_until
from tests.simulator_tests.serveravatar.client import APP, INSTANT, LONG, SERVER, Api

# The sites


def test_sites_tell_their_release(api: Api) -> None:
    production, staging = api.site(), api.site(89, "/any/page?x=1")
    assert (production.status_code, production.headers["X-Release"], production.headers["X-Site"]) == (
        200,
        "release-1",
        "production",
    )
    assert (staging.status_code, staging.headers["X-Release"], staging.headers["X-Site"]) == (200, "release-2", "staging")
    assert "shop release-1" in production.text
    assert api.site(path="/health").json() == {"status": "ok", "release": "release-1"}
    assert requests.get(f"{api.url}/sites/shop/", timeout=10).text == production.text
    assert requests.get(f"{api.url}/sites/unknown/", timeout=10).status_code == 404


def test_a_sync_shows_on_the_site_of_production(api: Api) -> None:
    api.knob(sync_seconds=0)
    api.ok(APP + "/sync")
    assert api.site().headers["X-Release"] == "release-2"


def test_a_release_may_break_production_only(api: Api) -> None:
    api.knob(sync_seconds=0, broken_release="release-2")
    assert (api.site().status_code, api.site(89).status_code) == (200, 200)
    api.ok(APP + "/sync")
    assert (api.site().status_code, api.site(89).status_code) == (500, 200)
    assert api.site(path="/health").json() == {"status": "broken", "release": "release-2"}


def test_production_may_be_down_while_and_after_it_is_overwritten(api: Api) -> None:
    api.knob(sync_seconds=LONG, site_during_sync="down", site_warmup_seconds=0.4)
    api.ok(APP + "/sync")
    assert api.site(path="/health").json()["status"] == "updating"
    api.control("POST", "/applications/88/finish")
    assert (api.site(path="/health").status_code, api.site(path="/health").json()["status"]) == (503, "starting")
    assert wait_until(lambda: api.site().status_code == 200)


def test_a_disabled_application_has_no_site(api: Api) -> None:
    api.ok(APP + "/toggle")
    assert api.site().status_code == 503


# The part itself


def test_reset_restores_everything(api: Api) -> None:
    api.knob(sync_seconds=0, backup_seconds=0)
    api.ok(APP + "/sync")
    api.post(SERVER + "/backups", INSTANT)
    api.ok(APP + "/toggle")
    api.call("DELETE", SERVER + "/applications/90/remove-staging-area")
    api.simulator.reset()
    truth = api.truth()
    assert (truth["production"], truth["runs"], truth["active"], truth["backups"]) == ("release-1", [], True, [301, 305, 309])
    assert api.truth(90)["staging"] == "release-2"
    assert api.words() == (100, "Staging area completed", "staging_area_completed")


def test_what_was_due_before_a_reset_does_not_happen_after_it(api: Api) -> None:
    api.knob(sync_seconds=0.1)
    api.ok(APP + "/sync")
    api.simulator.reset()
    with pytest.raises(AssertionError):
        wait_until(lambda: api.truth()["production"] == "release-2", seconds=0.2)


def test_many_applications_can_be_added(api: Api) -> None:
    made = api.control("POST", "/applications", {"count": 30, "prefix": "tenant"})["applications"]
    assert [each["name"] for each in made] == [f"tenant-{number}" for number in range(1, 31)]
    api.knob(sync_seconds=0)
    for each in made:
        api.ok(f"{SERVER}/applications/{each['id']}/sync")
    assert api.control("GET", "/truth")["overwritten"] == 30
    assert api.ok(SERVER + "/applications")["applications"]["total"] == 17 + 60


def test_the_description_is_true(api: Api) -> None:
    about = api.simulator["serveravatar"]
    server = f"/organizations/{about['organization']}/servers/{about['server']}"
    assert api.ok(server)["server"]["name"] == about["server_name"]
    assert api.ok(f"/organizations/{about['organization']}")["organization"]["name"] == about["organization_name"]
    for number, name in zip(about["applications"], about["application_names"], strict=True):
        assert api.ok(f"{server}/applications/{number}")["application"]["name"] == name
        assert api.ok(f"{server}/applications/{number}/staging-area-detail")["is_availabel_staging_area"]
    without = about["application_without_staging"]
    assert not api.ok(f"{server}/applications/{without}/staging-area-detail")["is_availabel_staging_area"]
    assert api.ok(f"{server}/applications/{without}")["application"]["name"] == about["application_without_staging_name"]
    assert (about["application"], about["application_name"], about["staging_application"]) == (88, "shop", 89)
    providers = {each["id"]: each["provider"] for each in api.ok("/organizations/5/cloud-storage-providers")}
    assert providers[about["backup_provider"]] == about["backup_provider_type"]
    assert requests.get(about["sites"]["production"], timeout=10).headers["X-Site"] == "production"
    assert requests.get(about["sites"]["staging"], timeout=10).headers["X-Site"] == "staging"
