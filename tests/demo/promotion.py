# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Act three: staging promotion, with a release that works and one that does not."""

from __future__ import annotations

import json
from typing import Any

from .stage import Stage

PLAYBOOK = "lockstep.sync.promote_staging"
APPLICATION, STAGING = 90, 91


def play(stage: Stage) -> None:
    stage.title("Staging promotion: the blog, with backup, verification and rollback")
    before = stage.mutations("serveravatar")
    _variables(stage)
    stage.playbook(PLAYBOOK, "-e", "@promotion.json", "--check")
    stage.expect(stage.mutations("serveravatar") == before, "check mode: the server saw 0 mutating calls")
    stage.playbook(PLAYBOOK, "-e", "@promotion.json")
    stage.expect(stage.mutations("serveravatar") == before + 2, "the server saw 2 mutating calls: one backup, one sync")
    stage.expect(_serves(stage) == "release-2", "production serves release-2")

    stage.title("The next release does not work")
    stage.simulator.control.part("serveravatar", "PUT", f"/applications/{APPLICATION}/content", {"staging": "release-3"})
    stage.simulator.control.call("PUT", "/parts/serveravatar/knobs", {"broken_release": "release-3"})
    _variables(stage, release="release-3", report="rolled_back")
    stage.playbook(PLAYBOOK, "-e", "@promotion.json", fails=True)
    stage.expect(stage.mutations("serveravatar") == before + 5, "one backup, one sync, one restore more")
    stage.expect(_serves(stage) == "release-2", "production serves release-2 again")
    _variables(stage, release="release-3", report="held_back")
    stage.playbook(PLAYBOOK, "-e", "@promotion.json", fails=True)
    stage.expect(stage.mutations("serveravatar") == before + 5, "held back: the same release is not promoted again by itself")


def _variables(stage: Stage, release: str = "release-2", report: str = "promotion") -> None:
    info = stage.simulator["serveravatar"]
    target: dict[str, Any] = {
        "provider": "serveravatar",
        "options": {"organization": info["organization_name"], "server": info["server_name"], "application": "blog"},
        "backup": {"storage": str(info["backup_provider"])},
        "verify_staging": [{"name": "staging", "url": f"{info['url']}/sites/{STAGING}/health"}],
        "verify": [
            {"name": "front page", "url": f"{info['url']}/sites/{APPLICATION}/", "headers": {"X-Release": f"^{release}$"}},
            {"name": "health", "url": f"{info['url']}/sites/{APPLICATION}/health", "json": [{"path": "status", "equals": "ok"}]},
        ],
    }
    variables = {
        "staging_promotion_targets": [target],
        "staging_promotion_release": release,
        "staging_promotion_backup": "required",
        "staging_promotion_verify_interval": 0.2,
        "staging_promotion_verify_timeout": 3,
        "staging_promotion_report_path": str(stage.output.resolve() / f"{report}.json"),
    }
    (stage.scratch / "promotion.json").write_text(json.dumps(variables))


def _serves(stage: Stage) -> str:
    facts = stage.simulator.control.part("serveravatar", "GET", f"/applications/{APPLICATION}")
    return str(facts["production"])
