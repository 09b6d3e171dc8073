# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger that cannot be relied on says nothing about the sync that an interrupted run had triggered."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import ResumedFrom
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.sync import with_sync
from tests.unit.plugins.plugin_utils.promotion.states import BEGIN, failure, result, target_of


@pytest.mark.parametrize("code", ["ledger_damaged", "ledger_unsafe"])
@pytest.mark.parametrize(("resumed", "verdict"), [(ResumedFrom("p-0", "sync", BEGIN), "unknown"), (None, "failed")])
def test_how_it_ended_is_not_known(code: str, resumed: ResumedFrom | None, verdict: str) -> None:
    target = with_sync(target_of(resumed=resumed), result("refused", failure=failure(code)))
    assert target.verdict == verdict
    assert "it says no" in target.reason
