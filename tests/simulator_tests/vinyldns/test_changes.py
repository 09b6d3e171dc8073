# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of zones and of record sets, page by page, and what the server says of itself."""

from __future__ import annotations

import time

from tests.simulator_tests.vinyldns.vinyl import MAIN, Vinyl, answer_of

# -- changes -----------------------------------------------------------------------------------------------------------


def test_changes_are_paged_by_time(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(sync_delay_ms=0)
    made = []
    for _round in range(4):
        made.append(vinyl.sync_and_wait(zone_id)["id"])
        time.sleep(0.002)  # the key of a page is a millisecond
    seen: list[str] = []
    start = ""
    while True:
        page = vinyl.get(f"/zones/{zone_id}/changes?maxItems=2{start}")
        assert page["zoneId"] == zone_id
        seen += [change["id"] for change in page["zoneChanges"]]
        if "nextId" not in page:
            break
        assert page["nextId"].isdigit()
        start = f"&startFrom={page['nextId']}"
    assert seen[:4] == made[::-1]
    assert len(seen) == 5, "the creation of the zone is the oldest change"


def test_changes_start_at_an_epoch_in_milliseconds(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    change = vinyl.sync(zone_id)
    vinyl.finished(change)
    created = vinyl.control("GET", "/zone", name=MAIN)["changes"][0]["created"]

    def ids(start: int) -> list[str]:
        return [item["id"] for item in vinyl.get(f"/zones/{zone_id}/changes?startFrom={start}")["zoneChanges"]]

    assert ids(created)[0] == change["id"]
    assert change["id"] not in ids(created - 1)


def test_record_changes_are_paged_by_offset(vinyl: Vinyl) -> None:
    zone_id = vinyl.add_zone("offset.example.", vinyldns=[], dns=[f"h{i} A 192.0.2.{i}" for i in range(9)])
    vinyl.sync_and_wait(zone_id)
    vinyl.knob(shuffled_ties=False)
    first = vinyl.get(f"/zones/{zone_id}/recordsetchanges?maxItems=4")
    second = vinyl.get(f"/zones/{zone_id}/recordsetchanges?maxItems=4&startFrom=4")
    third = vinyl.get(f"/zones/{zone_id}/recordsetchanges?maxItems=4&startFrom=8")
    assert (first["nextId"], second["nextId"], "nextId" in third) == (4, 8, False)
    assert [len(page["recordSetChanges"]) for page in (first, second, third)] == [4, 4, 2]
    assert len({item["id"] for page in (first, second, third) for item in page["recordSetChanges"]}) == 10
    assert ("startFrom" in first, second["startFrom"]) == (False, 4)


def test_history_is_by_name_and_type(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.update_dns(MAIN, replace=[["mail", 60, "A", "192.0.2.1"]])
    vinyl.sync_and_wait(zone_id)
    page = vinyl.get(f"/recordsetchange/history?zoneId={zone_id}&fqdn=mail.example.com.&recordType=A")
    assert [item["changeType"] for item in page["recordSetChanges"]] == ["Update"]
    other = vinyl.get(f"/recordsetchange/history?zoneId={zone_id}&fqdn=mail.example.com.&recordType=TXT")
    assert other["recordSetChanges"] == []


# -- the server --------------------------------------------------------------------------------------------------------


def test_the_server_describes_itself_without_a_signature(vinyl: Vinyl) -> None:
    texts = {path: vinyl.session.get(vinyl.url + path, timeout=5) for path in ("/ping", "/health", "/color", "/status")}
    assert [texts[path].text for path in ("/ping", "/health", "/color")] == ["PONG", "OK", "green"]
    assert texts["/status"].json() == {
        "processingDisabled": False,
        "color": "green",
        "keyName": "vinyldns.",
        "version": "0.21.6",
    }
    assert texts["/ping"].headers["Server"].startswith("akka-http/")
    assert "Date" in texts["/ping"].headers


def test_groups_can_be_read(vinyl: Vinyl) -> None:
    assert [group["name"] for group in vinyl.get("/groups")["groups"]] == ["ok-group"]
    assert vinyl.get("/groups/ok-group-id")["members"] == [{"id": "ok"}]
    (admin,) = vinyl.get("/groups/ok-group-id/admins")["admins"]
    assert (admin["id"], admin["userName"], admin["lockStatus"]) == ("ok", "ok", "Unlocked")
    assert vinyl.get("/groups/ok-group-id/members") == {"members": [{**admin, "isAdmin": True}], "maxItems": 100}


def test_only_super_users_set_the_status(vinyl: Vinyl) -> None:
    path = "/status?processingDisabled=true"
    assert vinyl.session.post(vinyl.url + path, timeout=10).status_code == 401
    refused = answer_of(vinyl, "POST", path, "ok")
    assert refused == (403, "Not authorized. User 'ok' cannot make the requested change.")
    assert vinyl.get("/status")["processingDisabled"] is False
    assert vinyl.call("POST", path, "super-user").json()["processingDisabled"] is True


def test_odd_starts_and_empty_parameters_of_changes(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    assert vinyl.get(f"/zones/{zone_id}/changes?startFrom=abc")["zoneChanges"] == []
    everything = vinyl.get(f"/zones/{zone_id}/changes")["zoneChanges"]
    assert vinyl.get(f"/zones/{zone_id}/changes?startFrom=&maxItems=")["zoneChanges"] == everything


def test_pages_of_record_changes_overlap_where_their_times_are_equal(vinyl: Vinyl) -> None:
    zone_id = vinyl.add_zone("ties.example.", vinyldns=[], dns=[f"h{i} A 192.0.2.{i % 250}" for i in range(600)])
    vinyl.sync_and_wait(zone_id)
    path = f"/zones/{zone_id}/recordsetchanges?maxItems=100&startFrom="
    ids = [item["id"] for start in range(0, 700, 100) for item in vinyl.get(path + str(start))["recordSetChanges"]]
    assert len(ids) == 601 > len(set(ids))
