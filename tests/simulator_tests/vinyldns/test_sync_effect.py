# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sync changes."""

from __future__ import annotations

from tests.simulator_tests.vinyldns.vinyl import MAIN, Vinyl, changed, drift

SOA = (MAIN, "SOA")


def test_a_sync_takes_over_what_dns_says(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    zone_id = vinyl.zone_id(MAIN)
    before = vinyl.record_sets(zone_id)
    drift(vinyl)
    change = vinyl.sync(zone_id)
    assert vinyl.finished(change)["status"] == "Synced"
    assert changed(vinyl, zone_id) == {
        ("new", "A"): "Create",
        ("mail", "A"): "Update",
        ("ftp", "CNAME"): "Delete",
        SOA: "Update",
    }
    after = vinyl.record_sets(zone_id)
    assert after.keys() == before.keys() - {("ftp", "CNAME")} | {("new", "A")}
    assert after["new", "A"]["records"] == [{"address": "192.0.2.77"}]
    assert after["new", "A"]["ttl"] == 60
    assert after["mail", "A"]["id"] == before["mail", "A"]["id"]
    assert after[SOA]["records"][0]["serial"] == before[SOA]["records"][0]["serial"] + 1


def test_record_changes_carry_what_identifies_the_sync(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    drift(vinyl)
    change = vinyl.sync(zone_id)
    vinyl.finished(change)
    items = {item["recordSet"]["name"]: item for item in vinyl.record_changes(zone_id)}
    for item in items.values():
        assert item["systemMessage"] == "Change applied via zone sync"
        assert (item["status"], item["userId"], item["userName"]) == ("Complete", "ok", "ok")
        assert item["zone"]["status"] == "Syncing"
        assert item["zone"]["updated"] == change["zone"]["updated"]
    assert items["mail"]["updates"]["records"] == [{"address": "192.0.2.25"}]
    assert items["mail"]["recordSet"]["records"] == [{"address": "192.0.2.26"}]
    assert items["ftp"]["updates"]["records"] == [{"cname": "www.example.com."}]
    assert "updates" not in items["new"]


def test_without_differences_nothing_is_logged(any_vinyl: Vinyl) -> None:
    """The copy is equal at the start, for every zone and every type."""
    vinyl = any_vinyl
    for zone in vinyl.get("/zones?ignoreAccess=true", "super-user")["zones"]:
        done = vinyl.finished(vinyl.sync(zone["id"], "super-user"))
        assert done["status"] == "Synced"
        assert vinyl.get(f"/zones/{zone['id']}/recordsetchanges", "super-user")["recordSetChanges"] == []


def test_only_the_serial(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.control("POST", "/dns/serial", {"zone": MAIN, "serial": 5})
    vinyl.sync_and_wait(zone_id)
    assert changed(vinyl, zone_id) == {SOA: "Update"}
    assert vinyl.record_sets(zone_id)[SOA]["records"][0]["serial"] == 5


def test_the_owner_survives_an_update_and_not_a_recreation(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    records = [{"address": "192.0.2.250"}]
    for name in ("mail", "gone"):
        owned = {"name": name, "type": "A", "ttl": 300, "records": records, "ownerGroupId": "ok-group-id", "account": "x"}
        vinyl.control("POST", "/record-sets", {"zone": MAIN, "put": [owned]})
    vinyl.sync_and_wait(zone_id)
    assert changed(vinyl, zone_id) == {("mail", "A"): "Update", ("gone", "A"): "Delete"}
    item = vinyl.record_sets(zone_id)["mail", "A"]
    assert (item["ownerGroupId"], item["ownerGroupName"], item["account"]) == ("ok-group-id", "ok-group", "system")


def test_types_that_are_not_known_are_dropped(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.update_dns(
        MAIN,
        add=[
            ["x", 60, "CAA", '0 issue "ca.example"'],
            ["y", 60, "DNAME", "example.net."],
            ["z", 60, "LOC", "51 0 0 N 0 0 0 W 0m"],
        ],
    )
    vinyl.sync_and_wait(zone_id)
    assert changed(vinyl, zone_id) == {SOA: "Update"}


def test_ttl_counts_and_spelling_does_not(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    put = [
        {"name": "www", "type": "AAAA", "ttl": 300, "records": [{"address": "2001:DB8::1"}]},
        {"name": "ftp", "type": "CNAME", "ttl": 300, "records": [{"cname": "WWW.example.com."}]},
        {"name": "mail", "type": "A", "ttl": 299, "records": [{"address": "192.0.2.25"}]},
    ]
    vinyl.control("POST", "/record-sets", {"zone": MAIN, "put": put})
    vinyl.sync_and_wait(zone_id)
    assert changed(vinyl, zone_id) == {("mail", "A"): "Update"}


def test_unequal_ttls_the_first_one_wins(vinyl: Vinyl) -> None:
    zone_id = vinyl.add_zone("ttl.example.", vinyldns=[], dns=["x 60 A 192.0.2.1", "x 60 A 192.0.2.2"])
    vinyl.sync_and_wait(zone_id)
    assert vinyl.record_sets(zone_id)["x", "A"]["ttl"] == 60


def test_names_that_differ_in_case_flap(vinyl: Vinyl) -> None:
    """Create and Delete are logged, the insertion is ignored by the index, and then the row is deleted."""
    zone_id = vinyl.add_zone("case.example.", vinyldns=["www A 192.0.2.1"], dns=["WWW A 192.0.2.1"])
    vinyl.sync_and_wait(zone_id)
    assert changed(vinyl, zone_id) == {("WWW", "A"): "Create", ("www", "A"): "Delete", ("case.example.", "SOA"): "Update"}
    assert not {name for name, rdtype in vinyl.record_sets(zone_id) if rdtype == "A"}
    vinyl.control("POST", "/latest-sync", {"zone": "case.example.", "age": 60})
    vinyl.sync_and_wait(zone_id)
    assert ("WWW", "A") in vinyl.record_sets(zone_id)


def test_names_that_differ_in_case_do_not_flap_with_a_binary_collation(vinyl: Vinyl) -> None:
    vinyl.knob(collation="binary")
    zone_id = vinyl.add_zone("case.example.", vinyldns=["www A 192.0.2.1"], dns=["WWW A 192.0.2.1"])
    vinyl.sync_and_wait(zone_id)
    assert {name for name, rdtype in vinyl.record_sets(zone_id) if rdtype == "A"} == {"WWW"}


def test_a_legacy_name_with_a_dot_is_updated(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.control("POST", "/record-sets", {"zone": MAIN, "delete": [{"name": "mail", "type": "A"}]})
    legacy = {"name": "mail.", "type": "A", "ttl": 300, "records": [{"address": "192.0.2.25"}]}
    vinyl.control("POST", "/record-sets", {"zone": MAIN, "put": [legacy]})
    vinyl.sync_and_wait(zone_id)
    assert changed(vinyl, zone_id) == {("mail", "A"): "Update"}


def test_a_text_that_cannot_be_turned_back_is_updated_every_time(vinyl: Vinyl) -> None:
    # four characters for each octet, so that the split falls before the last digit of an escape
    text = "\\228" * 64
    zone_id = vinyl.add_zone("text.example.", records=[f't TXT "{text}"'])
    for _round in range(2):
        vinyl.control("POST", "/latest-sync", {"zone": "text.example.", "age": 60})
        vinyl.sync_and_wait(zone_id)
    assert [item["changeType"] for item in vinyl.record_changes(zone_id)] == ["Update", "Update"]


def test_a_zone_lost_in_dns_empties_vinyldns(vinyl: Vinyl) -> None:
    """There is no guard: this is why ours exists."""
    zone_id = vinyl.zone_id(MAIN)
    vinyl.control("POST", "/dns/fault", {"fault": "apex_only", "zone": MAIN})
    assert vinyl.sync_and_wait(zone_id)["status"] == "Synced"
    assert set(vinyl.record_sets(zone_id)) == {SOA, (MAIN, "NS")}


def test_a_zone_changed_meanwhile_is_set_back(vinyl: Vinyl) -> None:
    """The lost-update hazard: the zone is saved as it was when the sync was accepted."""
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(sync_duration=0.2)
    change = vinyl.sync(zone_id)
    vinyl.control("PATCH", "/zone", {"zone": MAIN, "set": {"email": "new@example.com"}})
    vinyl.finished(change)
    assert vinyl.zone(zone_id)["email"] == "dns@example.com"
