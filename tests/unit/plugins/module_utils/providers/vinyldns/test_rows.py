# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from the JSON of VinylDNS, and what of it counts as absent or as wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.json_reader import JsonReader
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns import rows
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.rows import (
    SYNC_MESSAGE,
    Accepted,
    Zone,
    ZoneChange,
)
from tests.unit.plugins.module_utils.dns.zones import synced

DATE = "2026-11-28T10:00:00Z"
ZONE = {"id": "z1", "name": "example.com.", "adminGroupId": "g1"}
CHANGE = {"id": "c1", "status": "Synced", "changeType": "Sync", "created": DATE, "zone": {"updated": DATE, "status": "Active"}}
RECORD = synced("www", "A", "192.0.2.1", ownerGroupId="g2")
RECORD_CHANGE = {"id": "r1", "created": DATE, "changeType": "Create", "zone": {"updated": DATE}, "recordSet": RECORD}


def reader(body: Any) -> JsonReader:
    return JsonReader(Response("GET", "https://vinyldns.example.com/x", 200, {}, json.dumps(body).encode()), "Check api_url.")


@pytest.mark.parametrize(
    "absent", [{}, {"status": None, "latestSync": None}, {"status": 5, "latestSync": 1732788000, "accessLevel": []}]
)
def test_optional_texts_of_a_zone_may_be_absent_or_odd(absent: dict[str, Any]) -> None:
    zone = rows.zone_in(reader({"zone": {**ZONE, **absent}}))
    assert zone == Zone("z1", "example.com.", admin_group_id="g1")
    assert (zone.synced_at, zone.admin_group) == (None, "g1")


def test_a_zone_knows_when_it_was_synced_and_whose_it_is() -> None:
    zone = rows.zone_in(reader({"zone": {**ZONE, "latestSync": DATE, "adminGroupName": "ops", "accessLevel": "Delete"}}))
    assert zone.synced_at is not None and zone.synced_at.isoformat() == "2026-11-28T10:00:00+00:00"
    assert (zone.latest_sync, zone.admin_group, zone.access_level) == (DATE, "ops", "Delete")


def test_a_change_of_a_zone_has_the_state_of_the_zone() -> None:
    (change,) = rows.zone_changes_in(reader({"zoneChanges": [CHANGE]}))
    assert change == ZoneChange("c1", "Synced", "Sync", DATE, "", "Active", None, DATE)
    assert change.transfers and not ZoneChange("c2", "Synced", "Update", DATE).transfers


def test_the_answer_to_a_sync_is_its_id_and_dates() -> None:
    assert rows.accepted_in(reader(CHANGE)) == Accepted("c1", DATE, DATE)


def test_only_changes_of_a_sync_are_read_in_full() -> None:
    odd = {**RECORD_CHANGE, "recordSet": {"type": 5}}
    by_sync = {**RECORD_CHANGE, "systemMessage": SYNC_MESSAGE}
    first, second = rows.record_set_changes_in(reader({"recordSetChanges": [odd, by_sync]}))
    assert (first.by_sync, first.change) == (False, None)
    assert second.by_sync and second.zone_updated == DATE and second.change is not None
    assert second.change.to_record() == {
        "name": "www",
        "type": "A",
        "action": "create",
        "before": None,
        "after": {"ttl": 300, "records": ["192.0.2.1"]},
    }


@pytest.mark.parametrize("record_set", [None, {"type": "A"}, {"name": "www", "type": 1}])
def test_a_change_of_a_sync_needs_a_record_set(record_set: Any) -> None:
    row = {**RECORD_CHANGE, "systemMessage": SYNC_MESSAGE, "recordSet": record_set}
    with pytest.raises(SyncError) as caught:
        rows.record_set_changes_in(reader({"recordSetChanges": [row]}))
    assert caught.value.code == "bad_response"


def test_the_serial_is_that_of_the_first_soa() -> None:
    soa = {"id": "s1", "name": "example.com.", "type": "SOA", "records": [{"serial": 7}]}
    assert rows.soa_serial_in(reader({"recordSets": [{**RECORD, "id": "s0"}, {**soa, "records": []}, soa]})) == 7
    assert rows.soa_serial_in(reader({"recordSets": []})) is None
    with pytest.raises(SyncError, match=r"recordSets\[0\]\.records\[0\]\.serial"):
        rows.soa_serial_in(reader({"recordSets": [{**soa, "records": [{}]}]}))
