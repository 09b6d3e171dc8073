# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Act two: the three other systems, each looked at, synced once, and left alone by a second run."""

from __future__ import annotations

from typing import Any

from .stage import Stage


def play(stage: Stage) -> None:
    _serveravatar(stage)
    _crafter(stage)
    _plm(stage)


def _three_runs(stage: Stage, part: str, module: str, arguments: dict[str, Any]) -> None:
    """Check mode, a run, and the same run again, with what the server saw of each."""
    stage.module(module, arguments, "--check")
    stage.expect(stage.mutations(part) == 0, "check mode: the server saw 0 mutating calls")
    stage.module(module, arguments)
    stage.expect(stage.mutations(part) == 1, "the server saw exactly 1 mutating call")
    again = stage.module(module, arguments)
    stage.expect(not again["changed"] and stage.mutations(part) == 1, "again: unchanged, and no further mutating call")


def _serveravatar(stage: Stage) -> None:
    info = stage.simulator["serveravatar"]
    stage.environment.update(SERVERAVATAR_API_URL=info["url"], SERVERAVATAR_API_TOKEN=info["api_token"])
    stage.title("ServerAvatar: staging overwrites production, triggered by a GET whose answer gets lost")
    stage.simulator.fault("drop_after", part="serveravatar", path_regex="/sync$")
    arguments = {
        "organization": info["organization_name"],
        "server": info["server_name"],
        "application": info["application_names"][0],
        "release": "2026.11",
    }
    _three_runs(stage, "serveravatar", "serveravatar_staging_sync", arguments)
    truth = stage.simulator.control.part("serveravatar", "GET", "/truth")
    stage.expect(truth["syncs_accepted"] == 1, "production was overwritten once, although the answer to the trigger was lost")


def _crafter(stage: Stage) -> None:
    info = stage.simulator["crafter"]
    stage.environment.update(CRAFTER_STUDIO_URL=info["url"], CRAFTER_STUDIO_TOKEN=info["api_token"])
    stage.title("CrafterCMS Studio: the published branch staging becomes live, seen in a real git repository")
    arguments = {
        "site": info["site"],
        "published_repo": info["published_repo"],
    }
    _three_runs(stage, "crafter", "crafter_staging_sync", arguments)


def _plm(stage: Stage) -> None:
    info = stage.simulator["plm"]
    stage.environment.update(PLM_MEDIA_MANAGER_URL=info["url"])
    stage.title("PLM Media Manager: push and then pull, woken up by notifications")
    _three_runs(
        stage,
        "plm",
        "plm_storage_sync",
        {"release": "2026.11", "notifications_url": info["notifications_url"], "settle_grace": 5},
    )
