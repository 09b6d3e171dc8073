# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may reset, what is refused, and unknown addresses."""

from __future__ import annotations

import pytest

from tests.simulator.client import Simulator
from tests.simulator_tests.crafter.client import (
    API1,
    LOGIN,
    PACKAGES,
    RESET,
    RESET_PROFILES,
    STATUS,
    STATUS1,
    SYNC,
    UNAUTHENTICATED,
    Client,
    anonymous,
    as_of,
    as_of_version,
    is_page,
    resets,
)

PROFILES = ("documented", *RESET_PROFILES, "4.2", "5.0")


class TestWhoMayReset:
    """Section 1.4."""

    @pytest.mark.parametrize(
        ("version", "member_may"),
        [("3.0.14", True), ("3.1.14", True), ("3.1.15", False), ("4.0.0", False), ("4.1.8", False)],
    )
    def test_by_release(self, simulator: Simulator, version: str, member_may: bool) -> None:
        assert as_of_version(simulator, version, "publisher").reset().status_code == 200
        assert as_of_version(simulator, version, "admin").reset().status_code == 200
        assert resets(simulator) == 2
        answer = as_of_version(simulator, version, "member").reset()
        assert (answer.status_code == 200) is member_may
        assert resets(simulator) == 2 + member_may

    def test_not_even_membership_was_needed(self, simulator: Simulator) -> None:
        assert as_of_version(simulator, "3.1.14", "member").reset("qasite").status_code == 200

    def test_an_unknown_site_is_found_out_first(self, simulator: Simulator) -> None:
        assert as_of(simulator, "4.1", "member").reset("nowhere").status_code == 404


class TestRefusals:
    """Section 1.5."""

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_no_login_in_3(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        for answer in (client.reset(), client.get(STATUS1, site_id="mysite")):
            assert is_page(answer, 401)
            assert "Unauthorized" in answer.text

    @pytest.mark.parametrize("profile", ["4.0", "4.1", "4.2", "5.0"])
    def test_no_login_in_4(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        for answer in (client.reset(), client.get("/api/2/users/me/sites"), client.get(STATUS1)):
            assert (answer.status_code, answer.json()) == (401, UNAUTHENTICATED)

    @pytest.mark.parametrize("profile", ["4.0", "4.1"])
    def test_no_login_at_the_root(self, simulator: Simulator, profile: str) -> None:
        simulator.knob("crafter", context_path="")
        client = anonymous(simulator, profile)
        root = client.info["url"].removesuffix("/studio")
        first = client.session.post(root + RESET, json={"site_id": "mysite"})
        assert (first.status_code, first.json()) == (401, {"message": "Unauthorized"})
        second = client.session.get(root + "/api/2/users/me/sites")
        assert (second.status_code, second.json()) == (401, UNAUTHENTICATED)
        admin = Client(simulator)
        assert admin.session.post(root + RESET, json={"site_id": "mysite"}).json() == {"message": "OK"}
        assert is_page(admin.reset(), 404)

    def test_not_allowed_in_3(self, simulator: Simulator) -> None:
        answer = as_of(simulator, "3.1", "member").reset()
        assert answer.status_code == 401
        assert answer.content == b'{ "message": "Unauthorized" }'

    @pytest.mark.parametrize("profile", ["4.0", "4.1"])
    def test_not_allowed_in_4(self, simulator: Simulator, profile: str) -> None:
        assert is_page(as_of(simulator, profile, "member").reset(), 403)

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_csrf_pair_in_3(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        for cookie, header in (("", ""), ("a", ""), ("", "a"), ("a", "b")):
            client.session.cookies.set("XSRF-TOKEN", cookie)
            client.session.headers["X-XSRF-TOKEN"] = header
            assert is_page(client.reset(), 403)
            assert is_page(client.post(LOGIN, {"username": "admin", "password": client.info["password"]}), 403)
            assert client.get(API1 + "site/exists.json", site_id="mysite").json() == {"exists": True}

    def test_csrf_is_off_in_4(self, studio: Client) -> None:
        studio.session.cookies.set("XSRF-TOKEN", "one")
        studio.session.headers["X-XSRF-TOKEN"] = "other"
        assert studio.reset().status_code == 200

    def test_not_allowed_in_api_2(self, simulator: Simulator) -> None:
        answer = as_of(simulator, "4.1", "member").get(PACKAGES, siteId="mysite")
        assert answer.status_code == 403
        assert answer.json()["response"]["code"] == 2001
        assert answer.json()["response"]["remedialAction"].startswith("You don't have permission")

    def test_outside_the_context(self, studio: Client) -> None:
        root = studio.info["url"].removesuffix("/studio")
        assert is_page(studio.session.post(root + RESET, json={"site_id": "mysite"}), 404)
        assert is_page(studio.session.get(root + "/"), 404)


class TestUnknownUrls:
    """Section 1.6."""

    @pytest.mark.parametrize("profile", PROFILES)
    def test_by_release(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        path = RESET if profile in ("documented", "4.2", "5.0") else SYNC
        answer = client.post(path, {"site_id": "mysite", "environment": "staging"})
        if profile in ("documented", "3.0", "3.1"):
            assert (answer.status_code, answer.json()) == (400, {"message": "REST script not found"})
        elif profile == "4.0":
            assert (answer.status_code, answer.json()) == (404, {"message": "REST script not found"})
        else:
            assert is_page(answer, 404)
        assert resets(simulator) == 0

    @pytest.mark.parametrize("profile", PROFILES)
    def test_api_2(self, simulator: Simulator, profile: str) -> None:
        client = as_of(simulator, profile)
        answer = client.get("/api/2/no/such/thing")
        if profile == "4.0":
            assert answer.status_code == 404 and answer.json() == {"message": "REST script not found"}
        else:
            assert is_page(answer, 404)

    def test_wrong_method(self, studio: Client) -> None:
        assert is_page(studio.post(STATUS), 405)

    def test_authentication_comes_first(self, simulator: Simulator) -> None:
        assert is_page(anonymous(simulator, "3.1").post(SYNC, {}), 401)
        assert anonymous(simulator, "4.2").post(RESET, {}).json() == UNAUTHENTICATED

    def test_a_missing_site_differs(self, studio: Client) -> None:
        assert studio.reset("nowhere").json()["message"] == "Site not found"
        assert "Site not found" not in studio.post(SYNC, {"site_id": "mysite"}).text

    def test_api_2_understands_a_suffix_in_4(self, simulator: Simulator, studio: Client) -> None:
        assert studio.get(STATUS + ".json", siteId="mysite").json() == studio.get(STATUS, siteId="mysite").json()
        assert is_page(as_of(simulator, "3.1").get(STATUS + ".json", siteId="mysite"), 404)
