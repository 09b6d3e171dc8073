# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repositories, and the control routes of the part."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.client import ControlError, Simulator
from tests.simulator_tests.crafter.client import (
    HOME,
    ITEM_STATES,
    OFFERS,
    Client,
    control,
    git,
    has_repository,
    ls_remote,
    repository,
    resets,
    tree,
)


class TestGit:
    """The published repositories are real."""

    def test_http_agrees_with_the_path(self, simulator: Simulator, studio: Client) -> None:
        address = simulator["crafter"]["published_repo_url"].format(site="mysite")
        before = ls_remote(simulator)
        assert ls_remote(simulator, address=address) == before
        studio.reset()
        assert ls_remote(simulator, address=address) == ls_remote(simulator) != before
        assert {entry["kind"] for entry in simulator.requests(path="^/mysite/published")} == {"observe"}

    @pytest.mark.parametrize("protocol", ["0", "2"])
    @pytest.mark.parametrize("key", ["published_repo", "published_repo_url"])
    def test_fetch(self, simulator: Simulator, tmp_path: Path, key: str, protocol: str) -> None:
        address = simulator["crafter"][key].format(site="second")
        many = {f"page{n}.txt": f"{n}\n" * 50 for n in range(200)}
        control(simulator, "POST", "/sites/second/commit", {"branch": "live", "files": many})
        control(simulator, "POST", "/sites/second/commit", {"branch": "staging", "files": many})
        clone = str(tmp_path / "clone")
        git("init", "--quiet", "--bare", clone)
        git("-C", clone, "-c", f"protocol.version={protocol}", "fetch", "--quiet", address, "live:l", "staging:s")
        assert git("-C", clone, "rev-parse", "l^{tree}") == git("-C", clone, "rev-parse", "s^{tree}")
        assert git("-C", clone, "rev-parse", "l") != git("-C", clone, "rev-parse", "s")

    def test_http_is_read_only(self, simulator: Simulator) -> None:
        address = simulator["crafter"]["published_repo_url"].format(site="mysite")
        assert requests.get(f"{address}/info/refs", params={"service": "git-receive-pack"}).status_code == 403
        assert requests.get(f"{address.replace('mysite', 'unpublished')}/info/refs").status_code == 404
        assert requests.get(address).status_code == 404

    def test_a_delivery_node_does_not_see_the_reset(self, simulator: Simulator, studio: Client, tmp_path: Path) -> None:
        """It pulls, and staging moved back to what it has already merged."""
        control(simulator, "POST", "/sites/identical/edit", {"files": {HOME: "for review"}})
        control(simulator, "POST", "/sites/identical/publish", {"target": "staging"})
        clone = str(tmp_path / "delivery")
        git("clone", "--quiet", "--branch", "staging", repository(simulator, "identical"), clone)
        before = git("-C", clone, "rev-parse", "HEAD").strip()
        assert studio.reset("identical").status_code == 200
        assert "Already up to date" in git("-C", clone, "pull", "--no-rebase", "--strategy-option=theirs")
        assert git("-C", clone, "rev-parse", "HEAD").strip() == before != ls_remote(simulator, "identical")["staging"]

    def test_the_working_tree_follows(self, simulator: Simulator) -> None:
        control(simulator, "POST", "/sites/mysite/publish", {})
        assert git("-C", repository(simulator), "status", "--porcelain") == ""
        assert Path(repository(simulator), OFFERS[1:]).is_file()


class TestControl:
    def test_commits_are_real_and_unknown_to_studio(self, simulator: Simulator, studio: Client) -> None:
        before = studio.entity("items", ITEM_STATES, siteId="second", path=".*")
        files = {"site/website/index.xml": "by hand", "static-assets/css/main.css": None}
        commit = control(simulator, "POST", "/sites/second/commit", {"branch": "staging", "files": files})["commit_id"]
        assert ls_remote(simulator, "second")["staging"] == commit
        found = control(simulator, "GET", "/sites/second/tree", branch="staging")["files"]
        assert found["site/website/index.xml"] == "by hand"
        assert "static-assets/css/main.css" not in found
        assert studio.entity("items", ITEM_STATES, siteId="second", path=".*") == before

    def test_refs(self, simulator: Simulator) -> None:
        shown = control(simulator, "GET", "/sites/mysite/refs")
        assert {name: ref["commit"] for name, ref in shown["refs"].items()} == ls_remote(simulator)
        assert shown["refs"]["staging"]["tree"] == tree(simulator, "staging")
        assert control(simulator, "GET", "/sites/unpublished/refs") == {"head": None, "refs": {}}

    def test_making_sites(self, simulator: Simulator, studio: Client) -> None:
        made = control(simulator, "POST", "/sites", {"prefix": "n", "count": 12, "drift": "ahead", "staging_branch": "test"})
        assert made["sites"] == [f"n{number_}" for number_ in range(1, 13)]
        assert studio.reset("n7").status_code == 200
        seventh, eighth = ls_remote(simulator, "n7"), ls_remote(simulator, "n8")
        assert seventh["test"] == seventh["live"] == eighth["live"]
        assert eighth["test"] != eighth["live"]
        counts = {site: about["resets"] for site, about in control(simulator, "GET", "/sites").items()}
        assert (counts["n7"], counts["n8"]) == (1, 0)
        control(simulator, "DELETE", "/sites/n8")
        assert studio.reset("n8").status_code == 404
        assert not has_repository(simulator, "n8")

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("POST", "/sites", {"sites": ["mysite"]}, 400),
            ("POST", "/sites", {"sites": ["../x"]}, 400),
            ("POST", "/sites", {"sites": ["x"], "drift": "behind"}, 400),
            ("PUT", "/sites/mysite", {"colour": "red"}, 400),
            ("PUT", "/sites/mysite/publisher", {"colour": "red"}, 400),
            ("GET", "/sites/nowhere", None, 404),
            ("GET", "/sites/unpublished/tree", None, 409),
        ],
    )
    def test_refusals(self, simulator: Simulator, method: str, path: str, body: Any, status: int) -> None:
        with pytest.raises(ControlError, match=f": {status} "):
            control(simulator, method, path, body)

    def test_parallel_resets(self, simulator: Simulator, studio: Client) -> None:
        control(simulator, "POST", "/sites", {"prefix": "p", "count": 8, "drift": "ahead"})
        sites = [f"p{number_}" for number_ in range(1, 9)] + ["mysite"] * 4
        barrier = threading.Barrier(len(sites))

        def reset(site: str) -> int:
            client = Client(simulator)
            barrier.wait()
            return client.reset(site).status_code

        with ThreadPoolExecutor(len(sites)) as pool:
            assert set(pool.map(reset, sites)) == {200}
        assert resets(simulator) == 4
        for site in set(sites):
            refs = ls_remote(simulator, site)
            assert refs["staging"] == refs["live"]
        assert studio.reset().status_code == 200

    def test_lost_reply(self, simulator: Simulator, studio: Client) -> None:
        simulator.fault("drop_after", part="crafter", method="POST")
        with pytest.raises(requests.ConnectionError):
            studio.reset()
        refs = ls_remote(simulator)
        assert refs["staging"] == refs["live"]
