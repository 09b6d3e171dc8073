# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guard that refuses the plan of a target is named in the report as such, not only in a sentence."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import Violation
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.plan import guard_failure
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.checks import with_plan
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import Failure, ModuleResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import TargetState

from .states import answer, failure, target_of

GUARDS = [{"rule": "allow_initial_publish", "message": "puts the whole site live"}]


def refused() -> TargetState:
    broken = guard_failure([Violation(**guard) for guard in GUARDS]).as_failure()
    return with_plan(target_of(), ModuleResult.from_json(answer("refused", failure=broken)), 95.0)


def test_the_report_of_a_target_has_the_broken_guards() -> None:
    report: Any = json.loads(json.dumps(refused().report()))
    assert report["plan"]["failure"]["guards"] == GUARDS
    # between two steps it is JSON
    again = TargetState.from_json(json.loads(json.dumps(refused().to_json())))
    assert again == refused()


def test_other_failures_have_none() -> None:
    assert set(Failure.from_json(failure("busy")).to_json()) == {"code", "message", "http_status", "hint"}
