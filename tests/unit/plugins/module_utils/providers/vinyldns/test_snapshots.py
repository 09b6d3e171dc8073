# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which changes of a zone are newer than a snapshot, and which of several syncs may be the one whose response was lost."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns import api
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.rows import ZoneChange
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.snapshots import (
    newer_changes,
    newest_sync,
    snapshot_of,
)


def change(name: str, time: str, status: str = "Synced", kind: str = "Sync", day: str = "2026-11-20") -> ZoneChange:
    return ZoneChange(name, status, kind, f"{day}T{time}Z")


def ids(changes: list[ZoneChange]) -> list[str]:
    return [each.id for each in changes]


def test_a_change_is_newer_also_if_the_clock_was_set_back_by_an_hour() -> None:
    known = [change("b", "10:00:00"), change("a", "09:00:00"), change("old", "08:00:00")]
    later = [known[0], change("new", "09:00:05"), *known[1:]]
    assert ids(newer_changes(later, snapshot_of(known))) == ["new"]


def test_none_is_newer_where_nothing_happened() -> None:
    known = [change("b", "10:00:00"), change("a", "10:00:00"), change("old", "08:00:00")]
    assert newer_changes(known, snapshot_of(known)) == []
    assert newer_changes([], snapshot_of([])) == []
    assert ids(newer_changes(known[:1], snapshot_of([]))) == ["b"]


def test_what_a_full_page_leaves_out_is_not_newer() -> None:
    known = [change(f"c{number}", f"10:{59 - number // 2:02}:00") for number in range(api.PAGE)]
    beyond = change("beyond", "10:09:59")
    assert newer_changes([*known[1:], beyond], snapshot_of(known)) == []


def test_a_snapshot_of_an_earlier_version_is_understood() -> None:
    # it names the changes of the newest second only
    snapshot = {"created": "2026-11-20T10:00:00Z", "ids": ["b"]}
    changes = [change("c", "10:00:00"), change("b", "10:00:00"), change("a", "09:00:00")]
    assert ids(newer_changes(changes, snapshot)) == ["c"]


def test_a_sync_that_failed_is_not_taken_for_ours_while_another_one_may_be_it() -> None:
    failed, ours, busy = change("f", "10:00:09", "Failed"), change("o", "10:00:05"), change("p", "10:00:07", "Pending")
    update = change("u", "10:00:10", kind="Update")
    assert newest_sync([update, failed, busy, ours]) is ours
    assert newest_sync([update, failed, busy]) is busy
    assert newest_sync([update, failed]) is failed
    assert newest_sync([update]) is None
