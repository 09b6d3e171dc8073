# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the result of a backup and of a sync."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.backup import backup_result, no_backup
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import ModuleResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.sync import with_sync
from tests.unit.plugins.plugin_utils.promotion.states import LISTED, Json, answer, failure, result, target_of


class TestBackup:
    @pytest.mark.parametrize(("action", "state"), [("triggered", "made"), ("joined", "made"), ("skipped", "found")])
    def test_one_that_is_listed(self, action: str, state: str) -> None:
        backup = backup_result(result(action, detail={"backup": LISTED}))
        assert backup.to_json() == {
            **LISTED,
            "state": state,
            "reason": f"because of {action}",
            "elapsed": 2.5,
            "failure": None,
        }

    @pytest.mark.parametrize(
        ("outcome", "state", "words"),
        [
            (answer("would_trigger"), "planned", "because of would_trigger"),
            (answer("would_join"), "planned", "because of would_join"),
            (answer("triggered"), "failed", "not listed"),
            (answer("refused", failure=failure("disk_full")), "failed", "it says no. Look at it."),
            ({"failed": True, "msg": "Unsupported parameters: x"}, "failed", "Unsupported parameters: x."),
        ],
    )
    def test_one_that_is_not(self, outcome: Json, state: str, words: str) -> None:
        backup = backup_result(ModuleResult.from_json(outcome))
        assert (backup.state, backup.id) == (state, None)
        assert words in backup.reason
        assert set(backup.to_json()) == set(no_backup("").to_json())


class TestSync:
    @pytest.mark.parametrize(
        ("outcome", "verify", "verdict"),
        [
            (answer("triggered", state="succeeded"), True, "not_started"),
            (answer("joined", state="succeeded"), True, "not_started"),
            (answer("skipped"), True, "not_started"),
            (answer("triggered", state="unknown"), True, "not_started"),
            # production may have been overwritten in part
            (answer("triggered", state="failed", failure=failure("run_failed")), True, "not_started"),
            (answer("triggered", state="running", timed_out=True, failure=failure("timed_out")), False, "unknown"),
            (answer("triggered", state="unknown", failure=failure("outcome_unknown")), False, "unknown"),
            (answer("refused", failure=failure("disk_full")), False, "failed"),
            (answer("refused", failure=failure("guard_refused")), False, "refused"),
            ({"failed": True, "msg": "no"}, False, "failed"),
        ],
    )
    def test_what_follows(self, outcome: Json, verify: bool, verdict: str) -> None:
        target = with_sync(target_of(), ModuleResult.from_json(outcome))
        assert (target.verdict == "not_started") is verify
        assert target.verdict == verdict
        record = (outcome.get("syncs") or [{}])[0]
        assert target.changed == bool(record.get("changed"))
        assert (target.failure is None) == (record.get("failure", 1) is None)

    def test_what_an_earlier_run_changed_stays_changed(self) -> None:
        target = with_sync(target_of(changed=True), result("skipped"))
        assert target.changed
