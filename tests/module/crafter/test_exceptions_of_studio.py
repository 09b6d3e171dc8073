# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Studio says although it is not so: ready while it publishes, sites without an id, items that it cannot show."""

from __future__ import annotations

import json

import pytest

from ..conftest import RunModule
from .server import HOME, INFO, PUBLISH, SYNC, Server, refused


@pytest.mark.parametrize("repository", [False, True])
def test_a_package_that_is_being_published_is_waited_for(server: Server, run_module: RunModule, repository: bool) -> None:
    server.knob(queue_seconds=600)
    server.submit("identical", [HOME], "staging")
    (package,) = server.control("GET", "/sites/identical")["packages"]
    server.control("PUT", f"/sites/identical/packages/{package['id']}", {"state": "PROCESSING"})
    server.control("PUT", "/sites/identical/publisher", {"status": "ready"})
    more = {"published_repo": server.repository} if repository else {}
    outcome = run_module(SYNC, server.options("identical", wait_timeout=1, **more))
    assert "a package is being published" in refused(outcome, "busy")["message"]
    assert server.mutations() == []
    # the branches are equal, and will not be
    check = run_module(SYNC, server.options("identical", **more), check=True)
    assert check.only["action"] == "would_trigger"
    assert check.only["detail"]["publisher"]["packages"] == {"running": 1, "due": 0, "scheduled": 0}


@pytest.mark.parametrize("permission", ["publish", "publish_all", "get_publishing_queue"])
def test_a_refusal_names_the_permissions_that_there_are(server: Server, run_module: RunModule, permission: str) -> None:
    outcome = run_module(PUBLISH, server.options(user="publisher", everything=True))
    assert f" {permission} to " in refused(outcome, "permission_denied")["hint"]


def test_a_site_without_an_id_is_not_called_none(server: Server, run_module: RunModule) -> None:
    envelope = {"code": 0, "message": "OK", "remedialAction": "", "documentationUrl": ""}
    sites = [{"siteId": None, "name": "nameless"}, {"name": "keyless"}, {"siteId": "mysite", "name": "mysite"}]
    body = json.dumps({"response": envelope, "total": 3, "offset": 0, "limit": 3, "sites": sites})
    server.simulator.fault(
        "status", path_regex="users/me/sites", code=200, body=body, content_type="application/json", times=None
    )
    connection = {key: server.options()[key] for key in ("api_url", "api_token")}
    entries = run_module(INFO, connection).result["sites"]
    assert [entry["site"] for entry in entries] == ["mysite"]
    for module, more in ((SYNC, {}), (PUBLISH, {"everything": True})):
        outcome = run_module(module, server.options("None", **more))
        assert "has no site None" in refused(outcome, "not_found")["message"]
    assert server.mutations() == []


def test_an_item_that_exists_and_cannot_be_shown_is_published(server: Server, run_module: RunModule) -> None:
    """The refusal names the form of its content type, and not the item."""
    form = "/config/studio/content-types/page/x/form-definition.xml"
    remedy = f"Check that path '{form}' is correct and it exists in site 'mysite'"
    envelope = {"code": 7000, "message": "Content not found", "remedialAction": remedy, "documentationUrl": ""}
    answer = {"code": 404, "body": json.dumps({"response": envelope}), "content_type": "application/json", "times": None}
    server.simulator.fault("status", path_regex="item_by_path", **answer)
    outcome = run_module(PUBLISH, server.options(items=[HOME]))
    assert outcome.only["state"] == "succeeded"
    assert len(server.mutations()) == 1


def test_info_does_not_ask_git_for_a_site_that_was_never_published(server: Server, run_module: RunModule) -> None:
    connection = {key: server.options()[key] for key in ("api_url", "api_token")}
    outcome = run_module(INFO, {**connection, "sites": ["unpublished"], "published_repo": server.repository})
    (entry,) = outcome.result["sites"]
    assert (entry["published"], entry["in_sync"], entry["in_sync_basis"], entry["failure"]) == (False, None, "unknown", None)
