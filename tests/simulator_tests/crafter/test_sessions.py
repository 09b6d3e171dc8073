# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions, tokens and headers."""

from __future__ import annotations

import base64
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.simulator.client import Simulator, wait_until
from tests.simulator_tests.crafter.client import API1, LOGIN, RESET, UNAUTHENTICATED, Client, anonymous, as_of, control, is_page


class TestSessions:
    """Section 2.2."""

    @pytest.mark.parametrize(
        ("profile", "keys"),
        [
            ("3.0", {"username", "first_name", "last_name", "email", "authentication_type"}),
            ("3.1", {"username", "firstName", "lastName", "email", "authenticationType"}),
        ],
    )
    def test_login(self, simulator: Simulator, profile: str, keys: set[str]) -> None:
        client = anonymous(simulator, profile)
        answer = client.post(LOGIN, {"username": "admin", "password": client.info["password"]})
        assert answer.status_code == 200
        assert set(answer.json()) == keys
        assert answer.json()["username"] == "admin"
        assert re.fullmatch(r"JSESSIONID=\w+; Path=/studio; HttpOnly", answer.headers["Set-Cookie"])

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_wrong_login(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        wrong = client.post(LOGIN, {"username": "admin", "password": "wrong"})
        assert (wrong.status_code, wrong.json()) == (401, {"message": "Unauthorized"})
        assert "Set-Cookie" not in wrong.headers
        bad = client.post(LOGIN, data="{")
        assert (bad.status_code, bad.json()) == (400, {"message": "Bad Request"})

    def test_the_session_id_changes_after_login(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        first = client.session.cookies["JSESSIONID"]
        assert client.get(API1 + "site/exists.json", site_id="mysite").status_code == 200
        second = client.session.cookies["JSESSIONID"]
        assert second != first
        assert client.reset().status_code == 200
        assert client.session.cookies["JSESSIONID"] == second
        client.session.cookies.set("JSESSIONID", first, path="/studio", domain="127.0.0.1")
        client.session.cookies.clear("127.0.0.1", "/studio", "JSESSIONID")
        answer = client.session.post(
            client.info["url"] + RESET, json={"site_id": "mysite"}, headers={"Cookie": f"XSRF-TOKEN=a-value; JSESSIONID={first}"}
        )
        assert is_page(answer, 401)

    @pytest.mark.parametrize(("rotation", "ids"), [("login", 1), ("first_use", 2), ("always", 4)])
    def test_rotation_knob(self, simulator: Simulator, rotation: str, ids: int) -> None:
        simulator.knob("crafter", session_rotation=rotation)
        client = as_of(simulator, "3.1")
        seen = {client.session.cookies["JSESSIONID"]}
        for dummy in range(3):
            assert client.get(API1 + "site/exists.json", site_id="mysite").status_code == 200
            seen.add(client.session.cookies["JSESSIONID"])
        assert len(seen) == ids

    def test_refused_requests_rotate_too(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        first = client.session.cookies["JSESSIONID"]
        assert client.reset("nowhere").status_code == 404
        assert client.session.cookies["JSESSIONID"] != first
        assert client.reset().status_code == 200

    def test_logout(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        assert client.post(API1 + "security/logout.json").status_code == 200
        assert is_page(client.reset(), 401)

    def test_sessions_end(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        control(simulator, "POST", "/logins/expire")
        assert is_page(client.reset(), 401)
        simulator.knob("crafter", session_seconds=0.0)
        assert is_page(as_of(simulator, "3.1").reset(), 401)

    @pytest.mark.parametrize("profile", ["3.0", "3.1"])
    def test_no_other_scheme(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        simulator.knob("crafter", basic_auth=True)
        client.session.headers["Authorization"] = f"Bearer {client.info['api_token']}"
        assert is_page(client.reset(), 401)
        client.session.auth = ("admin", client.info["password"])
        assert is_page(client.reset(), 401)

    def test_login_is_gone_in_4(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        credentials = {"username": "admin", "password": client.info["password"]}
        assert client.post(LOGIN, credentials).json() == UNAUTHENTICATED
        assert is_page(Client(simulator).post(LOGIN, credentials), 404)


class TestHeaders:
    """Section 2.3."""

    def test_cookies_do_not_authenticate(self, simulator: Simulator) -> None:
        client = as_of(simulator, "3.1")
        simulator.knob("crafter", profile="4.1")
        assert client.reset().json() == UNAUTHENTICATED

    def test_bearer_in_any_case(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        for scheme in ("Bearer", "bearer", "BEARER"):
            assert client.post(RESET, {"site_id": "mysite"}, headers={"Authorization": f"{scheme} {client.info['api_token']}"}).ok
        wrong = client.post(RESET, {"site_id": "mysite"}, headers={"Authorization": "Bearer eyJ.wrong"})
        assert wrong.json() == UNAUTHENTICATED

    def test_the_documented_header_name_is_wrong(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        answer = client.post(RESET, {"site_id": "mysite"}, headers={"Authentication": f"Bearer {client.info['api_token']}"})
        assert answer.json() == UNAUTHENTICATED

    @pytest.mark.parametrize("profile", ["4.0", "4.1", "4.2"])
    def test_basic_is_off_by_default(self, simulator: Simulator, profile: str) -> None:
        client = anonymous(simulator, profile)
        client.session.auth = ("admin", client.info["password"])
        answer = client.get("/api/2/users/me/sites")
        assert (answer.status_code, answer.json()) == (401, UNAUTHENTICATED)
        simulator.knob("crafter", basic_auth=True)
        assert client.get("/api/2/users/me/sites").status_code == 200
        client.session.auth = ("admin", "wrong")
        assert client.get("/api/2/users/me/sites").json() == UNAUTHENTICATED

    def test_broken_basic(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        simulator.knob("crafter", basic_auth=True)
        for value in ("Basic ???", "Basic " + base64.b64encode(b"\xff\xfe").decode(), "Basic", "Digest x"):
            assert client.post(RESET, {}, headers={"Authorization": value}).json() == UNAUTHENTICATED

    def test_token_life(self, simulator: Simulator, studio: Client) -> None:
        tokens = "/api/2/security/tokens"
        created = studio.post(tokens, {"label": "ansible", "expiresAt": "2130-01-01T00:00:00Z"})
        assert created.status_code == 201
        assert created.json()["response"]["code"] == 1
        token = created.json()["token"]
        assert token["token"].startswith("eyJ")
        assert (token["label"], token["enabled"], token["expiresAt"]) == ("ansible", True, "2130-01-01T00:00:00Z")
        listed = studio.entity("tokens", tokens)
        assert token["id"] in [entry["id"] for entry in listed]
        assert token["token"] not in str(listed)

        holder = Client(simulator, user=None)
        holder.session.headers["Authorization"] = f"Bearer {token['token']}"
        assert holder.reset().status_code == 200
        assert studio.post(f"{tokens}/{token['id']}", {"enabled": False}).json()["token"]["enabled"] is False
        assert holder.reset().json() == UNAUTHENTICATED
        assert studio.post(f"{tokens}/{token['id']}", {"enabled": True}).status_code == 200
        assert holder.reset().status_code == 200
        deleted = studio.session.delete(f"{studio.info['url']}{tokens}/{token['id']}")
        assert (deleted.status_code, deleted.json()["response"]["code"]) == (200, 2)
        assert holder.reset().json() == UNAUTHENTICATED
        assert studio.post(f"{tokens}/{token['id']}", {"enabled": True}).status_code == 404

    def test_expired_token(self, simulator: Simulator, studio: Client) -> None:
        created = studio.post("/api/2/security/tokens", {"label": "old", "expiresAt": "2020-01-01T00:00:00Z"}).json()
        holder = Client(simulator, user=None)
        holder.session.headers["Authorization"] = f"Bearer {created['token']['token']}"
        assert holder.reset().json() == UNAUTHENTICATED

    def test_tokens_need_a_permission(self, simulator: Simulator) -> None:
        assert as_of(simulator, "4.1", "publisher").get("/api/2/security/tokens").status_code == 403

    def test_ui_login(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        url, form = client.info["url"], {"username": "admin", "password": client.info["password"], "_csrf": "pair"}
        assert is_page(client.session.post(url + "/login", data=form, allow_redirects=False), 403)
        client.session.cookies.set("XSRF-TOKEN", "pair")
        wrong = client.session.post(url + "/login", data=form | {"password": "wrong"}, allow_redirects=False)
        assert "refresh_token" not in wrong.cookies
        refused = client.get("/refresh")
        assert (refused.status_code, refused.content) == (401, b"")
        simulator.knob("crafter", login_lock="off")
        right = client.session.post(url + "/login", data=form, allow_redirects=False)
        assert "refresh_token" in right.cookies
        token = client.get("/refresh").json()
        left = datetime.fromisoformat(token["expiresAt"]) - datetime.now(UTC)
        assert timedelta(seconds=290) < left <= timedelta(seconds=300)
        assert client.post(RESET, {"site_id": "mysite"}, headers={"Authorization": f"Bearer {token['token']}"}).ok
        control(simulator, "POST", "/logins/expire")
        assert client.get("/refresh").status_code == 401
        assert client.post(RESET, {}, headers={"Authorization": f"Bearer {token['token']}"}).json() == UNAUTHENTICATED

    def test_failed_logins_lock_the_name(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        simulator.knob("crafter", basic_auth=True, login_lock="on", login_lock_unit=0.2)

        def tried(password: str, user: str = "admin") -> int:
            client.session.auth = (user, password)
            return client.get("/api/2/users/me/sites").status_code

        right = client.info["password"]
        assert tried("wrong") == 401
        assert tried(right) == 401, "locked: the right password is refused like a wrong one"
        assert tried(client.info["users"]["member"]["password"], "member") == 200
        assert control(simulator, "GET", "/logins") == {"failed": {"admin": 1}}
        wait_until(lambda: tried(right) == 200)
        assert control(simulator, "GET", "/logins") == {"failed": {}}

    def test_each_failure_doubles_the_lock(self, simulator: Simulator) -> None:
        client = anonymous(simulator, "4.1")
        simulator.knob("crafter", basic_auth=True, login_lock="on", login_lock_unit=0.1)
        client.session.auth = ("admin", "wrong")
        client.get("/api/2/users/me/sites")
        time.sleep(0.2)
        locked = time.monotonic()
        client.get("/api/2/users/me/sites")
        assert control(simulator, "GET", "/logins") == {"failed": {"admin": 2}}
        client.session.auth = ("admin", client.info["password"])
        wait_until(lambda: client.get("/api/2/users/me/sites").status_code == 200)
        assert time.monotonic() - locked > 0.25

    @pytest.mark.parametrize(("lock", "status"), [("auto", 200), ("on", 401)])
    def test_lock_of_3_is_a_knob(self, simulator: Simulator, lock: str, status: int) -> None:
        simulator.knob("crafter", login_lock=lock)
        client = anonymous(simulator, "3.1")
        assert client.post(LOGIN, {"username": "admin", "password": "wrong"}).status_code == 401
        assert client.post(LOGIN, {"username": "admin", "password": client.info["password"]}).status_code == status
