# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of a status. Only one of them is documented, so the defaults have to make do with guesses that are safe."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.common import Patterns

DEFAULTS = Patterns({})


@pytest.mark.parametrize(
    ("status", "text", "percentage", "state"),
    [
        # the one that is documented
        ("staging_area_failed", "Staging area failed", 0, "failed"),
        # those of sibling endpoints
        ("Completed", "", 100, "succeeded"),
        ("Completed", "", None, "succeeded"),
        ("completed", "", 0, "succeeded"),
        ("failed", "", 100, "failed"),
        # guesses
        ("staging_area_completed", "Staging area completed", 100, "succeeded"),
        ("staging_area_in_progress", "Staging area in progress", 40, "running"),
        ("sync_success", "", 0, "succeeded"),
        ("finished", "", 0, "succeeded"),
        ("done", "", None, "succeeded"),
        ("", "", 0, "running"),
        ("", "", None, "running"),
        ("", "", 100, "succeeded"),
        ("copying_files", "Copying files", 99.5, "running"),
        ("copying_files", "Copying files", 100, "succeeded"),
        # of a restore, in the row of its backup
        ("Restoring", "", None, "running"),
        ("Being restored", "", None, "running"),
        ("Application backup restored in progress", "", None, "running"),
        ("could not be restored", "", None, "running"),
        ("Restored", "", None, "succeeded"),
        ("Restore Failed", "", None, "failed"),
        # a failure that only the text shows
        ("stopped", "Sync Failed", 100, "failed"),
        # words that look like success and are none
        ("incomplete", "", 10, "running"),
        ("completing", "", 10, "running"),
        ("finishing", "", 10, "running"),
        ("unfinished", "", 10, "running"),
        ("unsuccessful", "", 10, "running"),
        ("undone", "", 10, "running"),
        # a percentage that an earlier run has left behind
        ("staging_area_in_progress", "Staging area in progress", 100, "running"),
        ("pending", "", 100, "running"),
        ("queued", "", 100, "running"),
        # a text displayed does not make a success
        ("copying", "Backup completed, copying files", 10, "running"),
    ],
)
def test_default_patterns(status: str, text: str, percentage: float | None, state: str) -> None:
    assert DEFAULTS.state(status, text, percentage) == state


def test_patterns_can_be_given_one_by_one() -> None:
    patterns = Patterns({"status_patterns": {"success": "^live$", "failure": None, "running": None}})
    assert patterns.state("LIVE", "", 50) == "succeeded"
    assert patterns.state("completed", "", 50) == "running"
    assert patterns.state("failed") == "failed"


def test_failure_counts_before_success() -> None:
    patterns = Patterns({"status_patterns": {"success": "done", "failure": "bad", "running": "copy"}})
    assert patterns.state("done badly", "", 100) == "failed"
    assert patterns.state("copy done", "", 100) == "running"


@pytest.mark.parametrize("name", ["success", "failure", "running"])
@pytest.mark.parametrize("pattern", ["(", "*", ""])
def test_patterns_that_cannot_work_are_refused(name: str, pattern: str) -> None:
    with pytest.raises(SyncError) as caught:
        Patterns({"status_patterns": {name: pattern}})
    assert caught.value.code == "invalid_option"
    assert f"status_patterns.{name}" in caught.value.message
    assert caught.value.hint


@given(st.text(), st.text(), st.none() | st.floats())
def test_every_row_has_a_state(status: str, text: str, percentage: t.Any) -> None:
    assert DEFAULTS.state(status, text, percentage) in ("running", "succeeded", "failed")
