# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""serveravatar_staging_info."""

from __future__ import annotations

import pytest

from ..conftest import RunModule
from .server import Server


def test_info(server: Server, run_module: RunModule) -> None:
    options = {**server.place, "applications": ["shop", "blog.test", "77", "nope", "4711"]}
    outcome = run_module("serveravatar_staging_info", options)
    shop, blog, landing, nope, gone = outcome.result["applications"]
    assert shop["staging"] == {
        "available": True,
        "server": "54.90.174.225",
        "application": "stagingareatest",
        "domain": "siteexample.tk",
        "database": "wordpressite_staging",
    }
    updated_at = shop["status"].pop("updated_at")
    assert len(updated_at) == 19
    assert shop["status"] == {
        "text": "Staging area completed",
        "percent": 100,
        "state": "staging_area_completed",
        "running": False,
    }
    assert [blog[key] for key in ("application", "id", "name")] == ["blog.test", 90, "blog"]
    assert (landing["id"], landing["staging"]["available"], landing["status"]) == (77, False, None)
    for unknown, name in ((nope, "nope"), (gone, "4711")):
        assert unknown == {"application": name, "id": None, "name": None, "staging": None, "status": None}
    assert (outcome.failed, outcome.changed, server.sent) == (False, False, [])
    assert "redis" not in outcome.output


def test_info_about_a_whole_server(server: Server, run_module: RunModule) -> None:
    server.knob(sync_seconds=60)
    server.control("POST", "/applications/90/sync")
    outcome = run_module("serveravatar_staging_info", {**server.place, "organization": "Lockstep Demo", "server": "production"})
    entries = outcome.result["applications"]
    assert len(entries) == 17
    assert {entry["name"] for entry in entries if entry["staging"]["available"]} == {"shop", "blog", "support", "intranet"}
    assert {entry["application"] for entry in entries if entry["status"] and entry["status"]["running"]} == {"blog"}
    assert server.sent == []


@pytest.mark.parametrize("more", [{"server": "99"}, {"organization": "Unknown"}, {"api_token": "wrong"}])
def test_info_fails_where_the_api_refuses(server: Server, run_module: RunModule, more: dict[str, str]) -> None:
    outcome = run_module("serveravatar_staging_info", {**server.place, "applications": ["shop"], **more})
    assert outcome.failed
    assert outcome.result["failure"]["code"] in ("not_found", "auth_failed")
