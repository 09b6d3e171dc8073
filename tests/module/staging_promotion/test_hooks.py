# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hooks run when something is done, and stop what they must."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.vocabulary import HOOKS

from .playbook import BLOG, SHOP, SUPPORT, Playbook, Server


class Hooks:
    """Task files that say when they run, in the folder of a playbook of the user."""

    def __init__(self, folder: Path) -> None:
        self.playbook = folder / "site.yml"
        role: dict[str, Any] = {"role": "lockstep.sync.staging_promotion"}
        self.playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "roles": [role]}]))
        (folder / "hooks").mkdir()
        self._folder = folder / "hooks"

    def __call__(self, base: str, *names: str, failing: tuple[str, ...] = ()) -> dict[str, Any]:
        return {name: self._write(name, base, name in failing) for name in [*names, *failing]}

    def _write(self, name: str, base: str, failing: bool) -> Any:
        message = f"ran at {name} in {{{{ staging_promotion_begun.run }}}} for release {{{{ staging_promotion_release }}}}"
        tasks: list[dict[str, Any]] = [{"name": "Say so", "ansible.builtin.debug": {"msg": message}}]
        if failing:
            tasks.append({"name": "Fail", "ansible.builtin.fail": {"msg": f"{name} does not want to"}})
        file = f"{'failing_' if failing else ''}{name}.yml"
        (self._folder / file).write_text(json.dumps(tasks))
        # both ways to write it
        return f"{base}/{file}" if name.startswith("before") else [f"{base}/{file}"]


def test_hooks_run_when_something_is_done(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    hooks = Hooks(tmp_path)
    moments = [name for name in HOOKS if name != "on_failure"]
    # relative to the playbook, not to the working directory
    starting = playbook.start(str(hooks.playbook), targets=[server.target()], hooks=hooks("hooks", *HOOKS))
    refusing = hooks(
        "../hooks", "before_backup", "after_sync", "after_rollback", "on_failure", failing=("before_sync", "before_report")
    )
    stopping = playbook.start(targets=[server.target(BLOG)], hooks=refusing)
    first, stopped = starting.finish(), stopping.finish()
    assert (first.code, first.verdict) == (0, "succeeded"), first.output
    assert first.hooks == [name for name in moments if "rollback" not in name]
    assert (stopped.code, stopped.verdict) == (2, "failed"), stopped.output
    assert "before_sync does not want to" in stopped.report["message"]
    assert stopped.hooks == ["before_backup", "before_sync", "before_report", "on_failure"]
    assert server.syncs(BLOG) == 0

    repeating = playbook.start(targets=[server.target()], hooks=hooks("../hooks", *HOOKS))
    regretting = hooks("../hooks", "after_verify", "before_rollback", "after_rollback", "on_failure", failing=("after_sync",))
    rolling_back = playbook.start(targets=[server.target(SUPPORT)], hooks=regretting)
    again, rolled_back = repeating.finish(), rolling_back.finish()
    assert (again.code, again.verdict) == (0, "succeeded"), again.output
    assert again.hooks == ["before_preflight", "before_report", "after_report", "after_notify"]
    assert (rolled_back.code, rolled_back.verdict) == (2, "rolled_back"), rolled_back.output
    assert "after_sync does not want to" in rolled_back.report["message"]
    assert rolled_back.hooks == ["after_sync", "before_rollback", "after_rollback", "on_failure"]
    assert (server.syncs(SUPPORT), server.restores(SUPPORT), server.truth(SUPPORT)["production"]) == (1, 1, "release-1")


class Sites:
    """Playbooks of a user that run the role."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, **play: Any) -> str:
        file = self._folder / "site.yml"
        file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, **play}]))
        return str(file)


ROLE: dict[str, Any] = {"role": "lockstep.sync.staging_promotion"}


def test_a_failing_hook_stops_the_promotion_whatever_the_play_ignores(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    hooks = Hooks(tmp_path)
    file = Sites(tmp_path)(ignore_errors=True, roles=[ROLE])
    played = playbook(file, targets=[server.target()], hooks=hooks("hooks", failing=("before_sync",)))
    assert (played.code, played.verdict) == (0, "failed"), played.output
    assert "Fail: before_sync does not want to" in played.report["message"]
    assert server.syncs(SHOP) == 0


def test_check_mode_of_a_block(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    role = {"name": "Promote", "ansible.builtin.import_role": {"name": "lockstep.sync.staging_promotion"}}
    file = Sites(tmp_path)(tasks=[{"check_mode": True, "block": [role]}])
    played = playbook(file, targets=[server.target()])
    assert (played.code, played.verdict, played.report["check_mode"]) == (0, "planned", True), played.output
    assert server.sent() == []
