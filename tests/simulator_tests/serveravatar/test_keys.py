# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One key is active at a time."""

from __future__ import annotations

import pytest

from tests.simulator_tests.serveravatar.client import APP, Api, refused


@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_a_new_key_ends_the_old_one(api: Api, scheme: str) -> None:
    assert api.get("/organizations").status_code == 200
    key = api.control("POST", "/key")["api_token"]
    assert key != api.token
    refused(api.get(APP + "/sync", headers={"Authorization": scheme + api.token}), 401, "Unauthenticated.")
    assert api.truth()["runs"] == []
    assert api.get("/organizations", headers={"Authorization": scheme + key}).status_code == 200


def test_without_api_access_there_is_no_key(api: Api) -> None:
    api.control("DELETE", "/key")
    for value in (api.token, f"Bearer {api.token}", "", "None", "Bearer None", None):
        refused(api.get("/organizations", headers={"Authorization": value}), 401, "Unauthenticated.")
    api.control("POST", "/reset")
    assert api.get("/organizations").status_code == 200


def test_the_limit_is_that_of_a_key(api: Api) -> None:
    api.knob(rate_limit=1, rate_window=3600.0)
    assert [api.get("/organizations").status_code for dummy in range(2)] == [200, 429]
    key = api.control("POST", "/key")["api_token"]
    assert api.get("/organizations", headers={"Authorization": key}).status_code == 200
