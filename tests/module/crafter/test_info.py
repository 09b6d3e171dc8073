# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""crafter_publishing_info."""

from __future__ import annotations

import pytest

from ..conftest import RunModule
from .server import INFO, PUBLISH, SYNC, Server, refused


@pytest.mark.parametrize("profile", ["3.0", "3.1", "4.0", "4.1", "4.2", "5.0"])
def test_info_of_each_version(profile: str, server: Server, run_module: RunModule) -> None:
    server.knob(profile=profile, basic_auth=True)
    connection = {name: server.with_password()[name] for name in ("api_url", "username", "password")}
    options = {**connection, "published_repo": server.repository, "sites": ["second", "mysite", "nosuch"]}
    second, mysite, nosuch = run_module(INFO, options).result["sites"]
    assert mysite["version"].startswith(profile) and mysite["exists"] and set(mysite["targets"]) == {"live", "staging"}
    assert mysite["staging_enabled"] is True and mysite["publisher"]["status"] in ("ready", "idle")
    assert mysite["sync_endpoint"] == (None if profile in ("4.2", "5.0") else "reset-staging")
    assert (second["in_sync"], second["in_sync_basis"]) == (True, "git_tree")
    assert mysite["in_sync"] is False and mysite["refs"] == server.refs()
    assert nosuch["site"] == "nosuch" and nosuch["exists"] is False and nosuch["in_sync"] is None
    assert set(nosuch) == set(mysite)
    assert server.mutations() == []


def test_info_of_all_sites_without_repository(server: Server, run_module: RunModule) -> None:
    options = {"api_url": server.info["url"], "api_token": server.info["api_token"]}
    sites = {entry["site"]: entry for entry in run_module(INFO, options).result["sites"]}
    assert list(sites) == server.info["sites"]
    assert (sites["mysite"]["in_sync"], sites["mysite"]["in_sync_basis"]) == (False, "item_states")
    assert (sites["second"]["in_sync"], sites["second"]["in_sync_basis"]) == (None, "unknown")
    assert sites["nostaging"]["staging_enabled"] is False and sites["unpublished"]["published"] is False
    server.knob(profile="3.0")
    connection = {name: server.with_password()[name] for name in ("api_url", "username", "password")}
    assert [entry["site"] for entry in run_module(INFO, connection).result["sites"]] == server.info["sites"]


def test_site_ids_are_case_sensitive(server: Server, run_module: RunModule) -> None:
    for name, options in ((SYNC, {}), (PUBLISH, {"everything": True})):
        outcome = run_module(name, server.options("Mysite", **options))
        assert "Did you mean mysite?" in refused(outcome, "not_found")["hint"]
    connection = {key: server.options()[key] for key in ("api_url", "api_token")}
    (entry,) = run_module(INFO, {**connection, "sites": ["Mysite"]}).result["sites"]
    assert entry["exists"] is False and entry["failure"] is None
    assert server.mutations() == []


def test_a_site_of_others_is_a_matter_of_permissions(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options("qasite", user="member"))
    assert "not a member" in refused(outcome, "permission_denied")["message"] and server.mutations() == []


def test_info_names_the_site_that_fails_and_spares_the_others(server: Server, run_module: RunModule) -> None:
    connection = {key: server.options(user="member")[key] for key in ("api_url", "api_token")}
    options = {**connection, "sites": ["qasite", "mysite", "nosuch"]}
    qasite, mysite, nosuch = run_module(INFO, options).result["sites"]
    assert qasite["failure"]["code"] == "permission_denied" and qasite["in_sync"] is None
    assert mysite["failure"] is None and mysite["targets"] and nosuch["exists"] is False
    broken = {**connection, "sites": ["mysite", "second"], "published_repo": "/nowhere/{site}/published"}
    outcome = run_module(INFO, broken)
    assert not outcome.failed
    for entry in outcome.result["sites"]:
        assert entry["failure"]["code"] == "not_found" and entry["in_sync"] is None and entry["targets"]
