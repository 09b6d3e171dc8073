# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure code of what keeps a module from beginning: its options, and libraries that are not installed."""

from __future__ import annotations

import pytest

from .conftest import RunModule
from .test_missing_options import OPERATIONS


@pytest.mark.parametrize("name", OPERATIONS)
def test_options_that_cannot_be_used(name: str, run_module: RunModule) -> None:
    outcome = run_module(name, {"zonez": []})

    assert outcome.failed
    failure = outcome.result["failure"]
    assert failure["code"] == "invalid_option"
    assert failure["message"] == outcome.result["msg"]
    assert "missing required" in failure["message"] or "zonez" in failure["message"]


def test_a_failure_of_a_target_has_its_own_code(run_module: RunModule) -> None:
    options = {"api_url": "http://127.0.0.1:9", "access_key": "a", "secret_key": "s", "zones": ["a.example."], "wait_timeout": 1}
    outcome = run_module("vinyldns_zone_sync", options)

    assert outcome.failed
    assert "failure" not in outcome.result
    assert outcome.result["syncs"][0]["failure"]["code"] == "connection_failed"
