# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan against what the server recorded."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.fidelity import fidelity, observed_changes
from tests.unit.plugins.module_utils.dns.zones import ZONE, Json, plan, recorded, rr, soa, stored, stored_soa, synced

DRIFT = plan(
    [soa(2), rr("new", "A", "192.0.2.1"), rr("web", "CNAME", "WWW.example.com.")],
    [stored_soa(1), synced("old", "A", "192.0.2.9", ownerGroupId="g1"), synced("web", "CNAME", "old.example.com.")],
)

CREATED = {"changeType": "Create", "recordSet": synced("new", "A", "192.0.2.1"), "id": "c1"}
UPDATED = {
    "changeType": "Update",
    "recordSet": synced("web", "CNAME", "www.example.com."),
    "updates": synced("web", "CNAME", "old.example.com."),
    "id": "c2",
}
DELETED = {
    "changeType": "Delete",
    "recordSet": synced("old", "A", "192.0.2.9"),
    "updates": synced("old", "A", "192.0.2.9", ownerGroupId="g1"),
    "id": "c3",
}
SERIAL = {"changeType": "Update", "recordSet": stored_soa(2), "updates": stored_soa(1), "id": "c4"}


def compare(*items: Json) -> list[str]:
    result = fidelity(DRIFT, observed_changes(ZONE, recorded(items)))
    assert result.verdict == ("differs" if result.differences else "exact")
    return result.differences


def test_what_was_planned_and_nothing_else_is_exact() -> None:
    assert compare(SERIAL, DELETED, UPDATED, CREATED) == []


def test_repeated_items_and_other_kinds_of_change_do_not_count() -> None:
    assert compare(CREATED, SERIAL, {**CREATED, "id": "c9"}, UPDATED, DELETED, {**UPDATED, "changeType": "Sync"}, {}) == []


def test_a_serial_that_moved_shows() -> None:
    (difference,) = compare(CREATED, UPDATED, DELETED, {**SERIAL, "recordSet": stored_soa(3)})
    assert difference == (
        "example.com./SOA: update 300 ns1.example.net. hostmaster.example.net. 1 3600 600 86400 60 -> "
        "300 ns1.example.net. hostmaster.example.net. 3 3600 600 86400 60, but planned was: "
        "update 300 ns1.example.net. hostmaster.example.net. 1 3600 600 86400 60 -> "
        "300 ns1.example.net. hostmaster.example.net. 2 3600 600 86400 60"
    )


def test_a_change_that_was_not_planned_shows() -> None:
    late = {"changeType": "Create", "recordSet": synced("late", "A", "192.0.2.7"), "id": "c5"}
    assert compare(CREATED, UPDATED, DELETED, SERIAL, late) == ["late/A: create 300 192.0.2.7, which was not planned"]


def test_a_change_that_did_not_happen_shows() -> None:
    assert compare(CREATED, UPDATED, SERIAL) == ["old/A: planned was: delete 300 192.0.2.9, but the server recorded no change"]


def test_another_action_or_another_outcome_shows() -> None:
    other = {**CREATED, "changeType": "Update", "updates": synced("new", "A", "192.0.2.5")}
    assert compare(other, UPDATED, DELETED, SERIAL) == [
        "new/A: update 300 192.0.2.5 -> 300 192.0.2.1, but planned was: create 300 192.0.2.1"
    ]
    assert len(compare({**CREATED, "recordSet": synced("new", "A", "192.0.2.1", ttl=60)}, UPDATED, DELETED, SERIAL)) == 1
    assert len(compare(CREATED, {**UPDATED, "updates": synced("web", "CNAME", "x.")}, DELETED, SERIAL)) == 1


def test_two_different_records_of_one_change_show() -> None:
    other = {**CREATED, "recordSet": synced("new", "A", "192.0.2.2")}
    assert len(compare(CREATED, other, UPDATED, DELETED, SERIAL)) == 1
    assert len(compare(other, CREATED, UPDATED, DELETED, SERIAL)) == 1


def test_observed_changes_look_like_a_plan() -> None:
    observed = observed_changes(ZONE, recorded([UPDATED, DELETED, CREATED, SERIAL]))
    assert [change.to_record() for change in observed] == [
        {**record, "after": {"ttl": 300, "records": ["www.example.com."]}} if record["name"] == "web" else record
        for record in DRIFT.to_result()["records"]
    ]
    assert [change.owner_group_id for change in observed] == [None, None, "g1", None]


def test_a_deletion_may_lack_the_previous_record_set() -> None:
    (change,) = observed_changes(ZONE, recorded([{"changeType": "Delete", "recordSet": synced("old", "A", "192.0.2.9")}]))
    assert change.effect() == observed_changes(ZONE, recorded([DELETED]))[0].effect()


def test_texts_that_no_split_suits_are_compared_as_texts() -> None:
    text = "\\228" * 64
    drift = plan([soa(), rr("t", "TXT", f'"{text}"')], [stored_soa()])
    item = {"changeType": "Create", "recordSet": stored("t", "TXT", {"text": text})}
    assert fidelity(drift, observed_changes(ZONE, recorded([item]))).verdict == "exact"


def test_an_item_needs_a_record_set() -> None:
    with pytest.raises(SyncError) as caught:
        recorded([{"changeType": "Create"}])
    assert caught.value.code == "bad_response"
