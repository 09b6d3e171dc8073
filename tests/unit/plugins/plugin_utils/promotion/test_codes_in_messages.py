# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message of a promotion has the code of each failure that it names, by which the documentation explains it."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.report import evaluate
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.sync import with_sync

from .states import failure, result, state_of, target_of


@pytest.mark.parametrize(
    ("code", "action", "expected"),
    [
        ("guard_refused", "refused", "refused. shop-0: guard_refused: not synced: it says no."),
        ("auth_failed", "refused", "failed. shop-0: auth_failed: not synced: it says no."),
        ("outcome_unknown", "triggered", "unknown. shop-0: outcome_unknown: it says no. Run the playbook again"),
    ],
)
def test_a_target_that_failed_shows_its_code(code: str, action: str, expected: str) -> None:
    target = with_sync(target_of(), result(action, failure=failure(code)))
    assert evaluate(state_of().with_target(target)).message.startswith(expected)


def test_a_target_that_went_well_shows_none_of_what_it_did_without() -> None:
    target = target_of(failure=with_sync(target_of(), result("refused", failure=failure("busy"))).failure)
    state = state_of().with_target(target.with_verdict("succeeded", "synced"))
    assert evaluate(state).message == "succeeded. shop-0: synced."
