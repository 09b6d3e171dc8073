# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many Crafter sites in one task: what the list of sites shows is asked for once."""

from __future__ import annotations

from collections import Counter

import pytest

from ..conftest import RunModule
from .server import INFO, SYNC, Server

SITES = [f"many{number}" for number in range(1, 9)]


@pytest.fixture
def many(server: Server) -> Server:
    server.knob(profile="3.1")
    server.control("POST", "/sites", {"prefix": "many", "count": 8})
    return server


def lists(server: Server) -> int:
    """How often the list was asked for that shows what was published, after the login."""
    return len(server.simulator.requests(part="crafter", path="site/get-per-user.json")) - 1


def test_whether_sites_were_published_is_listed_once(many: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, many.with_password(SITES, published_repo=many.repository))
    assert not outcome.failed, outcome.output
    assert Counter(record["action"] for record in outcome.result["syncs"]) == {"skipped": 8}
    assert lists(many) == 1


def test_one_site_is_looked_up_as_before(many: Server, run_module: RunModule) -> None:
    run_module(SYNC, many.with_password(SITES[:1]), check=True)
    assert lists(many) == 1


def test_a_site_without_a_published_repository_is_looked_up_anew(many: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, many.with_password([*SITES, "unpublished"], max_parallel=1))
    assert outcome.codes == [None] * 8 + ["not_found"]
    assert "never published" in outcome.result["syncs"][-1]["failure"]["message"]
    assert lists(many) == 2 and many.resets("unpublished") == 0


def test_info_about_many_sites(many: Server, run_module: RunModule) -> None:
    options = {name: many.with_password()[name] for name in ("api_url", "username", "password")}
    outcome = run_module(INFO, {**options, "sites": [*SITES, "nosuch"]})
    assert [site["published"] for site in outcome.result["sites"]] == [True] * 8 + [None]
    assert lists(many) == 1
