# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published repository, by which the effect of a sync is observed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..conftest import RunModule
from .server import SYNC, Server, failure, refused


def test_repository_over_http_and_for_one_site(server: Server, run_module: RunModule) -> None:
    url = server.info["published_repo_url"].replace("{site}", "mysite")
    outcome = run_module(SYNC, server.options(published_repo=url))
    assert outcome.changed and outcome.only["changed_basis"] == "observed" and server.resets() == 1
    several = run_module(SYNC, server.options(["mysite", "second"], published_repo=url))
    assert several.result["failure"]["code"] == "invalid_option" and "{site}" in several.result["failure"]["hint"]


def test_repository_that_is_not_there_fails_before_any_trigger(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    outcome = run_module(SYNC, server.options(published_repo=str(tmp_path / "nothing")))
    assert "published_repo" in refused(outcome, "not_found")["message"] and server.mutations() == []


def test_addresses_that_are_refused(server: Server, run_module: RunModule) -> None:
    outcome = run_module(SYNC, server.options(published_repo="ext::sh -c touch% x"))
    assert outcome.result["failure"]["code"] == "invalid_option" and server.simulator.requests(part="crafter") == []


def test_git_is_missing(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    outcome = run_module(SYNC, server.options(published_repo=server.repository), env={"PATH": str(tmp_path)})
    assert "Install git" in refused(outcome, "invalid_option")["hint"] and server.mutations() == []


def test_repository_that_is_a_stale_copy(server: Server, run_module: RunModule, tmp_path: Path) -> None:
    source = server.repository.replace("{site}", "mysite")
    subprocess.run(["git", "clone", "--quiet", "--mirror", source, str(tmp_path / "copy")], check=True)
    outcome = run_module(SYNC, server.options(published_repo=str(tmp_path / "copy"), settle_grace=0.3))
    assert outcome.codes == ["run_failed"] and "copy" in failure(outcome)["hint"] and server.resets() == 1
