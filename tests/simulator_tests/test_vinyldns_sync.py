# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a sync, as a client sees it."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.simulator.client import ControlError, wait_until
from tests.simulator_tests.vinyl import Vinyl

MAIN = "example.com."
SOA = (MAIN, "SOA")


def drift(vinyl: Vinyl) -> None:
    """One creation, one update, one deletion, and with them a new serial."""
    vinyl.update_dns(
        MAIN,
        add=[["new", 60, "A", "192.0.2.77"]],
        replace=[["mail", 300, "A", "192.0.2.26"]],
        delete=[["ftp"]],
    )


def changed(vinyl: Vinyl, zone_id: str) -> dict[tuple[str, str], str]:
    """What kind of change each record set went through."""
    changes = [(change["recordSet"], change["changeType"]) for change in vinyl.record_changes(zone_id)]
    return {(record_set["name"], record_set["type"]): action for record_set, action in changes}


# -- what is answered --------------------------------------------------------------------------------------------------


def test_the_answer_is_a_pending_change(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    before = vinyl.zone(zone_id)
    change = vinyl.sync(zone_id)
    zone = change["zone"]
    assert {name: change[name] for name in ("userId", "changeType", "status")} == {
        "userId": "ok",
        "changeType": "Sync",
        "status": "Pending",
    }
    assert set(change) == {"zone", "userId", "changeType", "status", "created", "id"}
    assert zone["status"] == "Syncing"
    assert zone["updated"] == change["created"] != before["updated"]
    assert zone["latestSync"] == before["latestSync"]
    assert zone["isTest"] is False
    assert "adminGroupName" not in zone
    assert "accessLevel" not in zone
    assert change["id"] != zone_id


@pytest.mark.parametrize(
    ("user", "zone", "group"),
    [
        ("dummy", MAIN, "ok-group-id"),
        ("support-user", MAIN, "ok-group-id"),
        ("ok", "shared.example.", "shared-zone-group-id"),
    ],
)
def test_who_may_not_sync(vinyl: Vinyl, user: str, zone: str, group: str) -> None:
    answer = vinyl.call("POST", f"/zones/{vinyl.zone_id(zone)}/sync", user)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/json")
    text = f"User '{user}' cannot create or modify zone '{zone}' because they are not in the Zone Admin Group '{group}'"
    assert answer.json() == text


@pytest.mark.parametrize(("user", "zone"), [("super-user", MAIN), ("sharedZoneUser", "shared.example.")])
def test_who_may_sync(vinyl: Vinyl, user: str, zone: str) -> None:
    assert vinyl.sync(vinyl.zone_id(zone), user)["userId"] in (f"{user}-id", user)


def test_an_unknown_zone_is_not_found(vinyl: Vinyl) -> None:
    answer = vinyl.call("POST", "/zones/nope/sync")
    assert (answer.status_code, answer.json()) == (404, "Zone with id nope does not exists")


# -- the recent-sync rule ----------------------------------------------------------------------------------------------


def test_a_successful_sync_blocks_the_next_one(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.sync_and_wait(zone_id)
    answer = vinyl.call("POST", f"/zones/{zone_id}/sync")
    assert (answer.status_code, answer.json()) == (403, "Zone example.com. was recently synced. Cannot complete sync")
    vinyl.control("POST", "/latest-sync", {"zone": MAIN, "age": 11})
    vinyl.sync(zone_id)


def test_the_delay_is_in_milliseconds(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(sync_delay_ms=60_000)
    vinyl.sync_and_wait(zone_id)
    vinyl.control("POST", "/latest-sync", {"zone": MAIN, "age": 30})
    assert vinyl.call("POST", f"/zones/{zone_id}/sync").status_code == 403
    vinyl.control("POST", "/latest-sync", {"zone": MAIN, "age": 61})
    vinyl.sync(zone_id)


def test_a_failed_sync_does_not_block(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(fail_syncs="no")
    assert vinyl.sync_and_wait(zone_id)["status"] == "Failed"
    vinyl.knob(fail_syncs=None)
    assert vinyl.sync_and_wait(zone_id)["status"] == "Synced"


def test_a_zone_never_synced_is_not_blocked(vinyl: Vinyl) -> None:
    zone_id = vinyl.add_zone("fresh.example.", age=None)
    assert "latestSync" not in vinyl.zone(zone_id)
    vinyl.sync(zone_id)


# -- states in order ---------------------------------------------------------------------------------------------------


def states(vinyl: Vinyl, change: dict[str, Any]) -> list[tuple[str, str | None, bool]]:
    """Each state once, in order: zone status, change status, whether latestSync has moved."""
    seen: list[tuple[str, str | None, bool]] = []
    start = vinyl.control("GET", "/zone", name=MAIN, records="no")["zone"]["latest_sync"]
    while not seen or seen[-1][1] not in ("Synced", "Failed"):
        now = vinyl.control("GET", "/zone", name=MAIN, records="no")
        status = next((item["status"] for item in now["changes"] if item["id"] == change["id"]), None)
        state = (now["zone"]["status"], status, now["zone"]["latest_sync"] != start)
        if not seen or seen[-1] != state:
            seen.append(state)
    return seen


def test_the_order_of_writes_of_a_success(vinyl: Vinyl) -> None:
    vinyl.knob(queue_latency=0.4, sync_duration=0.4, write_gap=0.4)
    drift(vinyl)
    assert states(vinyl, vinyl.sync(vinyl.zone_id(MAIN))) == [
        ("Active", None, False),
        ("Syncing", None, False),
        ("Syncing", "Pending", False),
        ("Active", "Pending", True),
        ("Active", "Synced", True),
    ]


def test_the_order_of_writes_of_a_failure(vinyl: Vinyl) -> None:
    vinyl.knob(queue_latency=0.4, sync_duration=0.4, write_gap=0.4, fail_syncs="no")
    assert states(vinyl, vinyl.sync(vinyl.zone_id(MAIN))) == [
        ("Active", None, False),
        ("Syncing", None, False),
        ("Syncing", "Pending", False),
        ("Active", "Pending", False),
        ("Active", "Failed", False),
    ]


def test_record_changes_are_visible_before_the_end(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(write_gap=0.3)
    drift(vinyl)
    change = vinyl.sync(zone_id)
    wait_until(lambda: vinyl.record_changes(zone_id))
    seen = vinyl.change(zone_id, change["id"])
    assert seen is not None
    assert seen["status"] == "Pending"
    assert vinyl.finished(change)["status"] == "Synced"


def test_the_finished_change_embeds_the_finished_zone(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    change = vinyl.sync(zone_id)
    done = vinyl.finished(change)
    assert (done["id"], done["created"]) == (change["id"], change["created"])
    assert done["zone"]["status"] == "Active"
    assert done["zone"]["latestSync"] == vinyl.zone(zone_id)["latestSync"] != change["zone"]["latestSync"]


def test_a_stuck_sync_stays(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(stuck_syncing=True)
    change = vinyl.sync(zone_id)
    vinyl.control("POST", "/settle")
    assert vinyl.zone(zone_id)["status"] == "Syncing"
    seen = vinyl.change(zone_id, change["id"])
    assert seen is not None
    assert seen["status"] == "Pending"


def test_nothing_runs_while_processing_is_disabled(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    answer = vinyl.call("POST", "/status?processingDisabled=true", "super-user")
    assert (answer.status_code, answer.json()["processingDisabled"]) == (200, True)
    change = vinyl.sync(zone_id)
    time.sleep(0.2)
    assert vinyl.change(zone_id, change["id"]) is None
    assert vinyl.control("GET", "/queue") == {"waiting": 1, "running": 0}
    vinyl.call("POST", "/status?processingDisabled=false", "super-user")
    assert vinyl.finished(change)["status"] == "Synced"


# -- several at once ---------------------------------------------------------------------------------------------------


def test_syncs_of_a_syncing_zone_are_accepted_and_all_run(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(sync_duration=0.2)
    first = vinyl.sync(zone_id)
    wait_until(lambda: vinyl.zone(zone_id)["status"] == "Syncing")
    second = vinyl.sync(zone_id)
    assert first["id"] != second["id"]
    assert [vinyl.finished(change)["status"] for change in (first, second)] == ["Synced", "Synced"]
    accepted = vinyl.control("GET", "/syncs", zone=MAIN)["syncs"]
    assert [item["change_id"] for item in accepted] == [first["id"], second["id"]]


@pytest.mark.parametrize(
    ("workers", "batch_size", "seconds", "together"),
    [(4, 1, 0.5, 4), (1, 1, 0.05, 1), (4, 10, 0.05, 1)],
)
def test_batches_run_side_by_side_and_their_messages_in_a_row(
    vinyl: Vinyl, workers: int, batch_size: int, seconds: float, together: int
) -> None:
    ids = [vinyl.add_zone(f"w{i}.example.") for i in range(8)]
    vinyl.knob(workers=workers, batch_size=batch_size, sync_duration=seconds, processing_disabled=True)
    for zone_id in ids:
        vinyl.sync(zone_id)
    vinyl.knob(processing_disabled=False)
    most = 0
    while any(vinyl.control("GET", "/queue").values()):
        zones = vinyl.get("/zones?nameFilter=w")["zones"]
        most = max(most, sum(zone["status"] == "Syncing" for zone in zones))
    assert most == together


# -- what changes ------------------------------------------------------------------------------------------------------


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


# -- failures ----------------------------------------------------------------------------------------------------------


def failed(vinyl: Vinyl, zone: str = MAIN) -> dict[str, Any]:
    """A sync that fails, checked for everything that a failure has to leave alone."""
    zone_id = vinyl.zone_id(zone)
    before, records = vinyl.zone(zone_id), vinyl.record_sets(zone_id)
    change = vinyl.sync(zone_id)
    done = vinyl.finished(change)
    after = vinyl.zone(zone_id)
    assert done["status"] == "Failed"
    assert (after["status"], after["latestSync"]) == ("Active", before["latestSync"])
    assert after["updated"] == change["zone"]["updated"]
    assert vinyl.record_sets(zone_id) == records
    assert vinyl.record_changes(zone_id) == []
    return done


def own_connection(vinyl: Vinyl, **values: str) -> dict[str, str]:
    dns = vinyl.info["dns"]
    right = {
        "name": MAIN,
        "keyName": dns["tsig_name"],
        "key": dns["tsig_secret"],
        "primaryServer": f"{dns['server']}:{dns['port']}",
        "algorithm": dns["tsig_algorithm"].upper(),
    }
    return {**right, **values}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"keyName": "stranger."}, "know the key"),
        ({"key": "d3Jvbmc="}, "signature"),
        ({"algorithm": "HMAC-SHA1"}, "know the key"),
        ({"algorithm": "HMAC-NOPE"}, "unknown TSIG algorithm HMAC-NOPE"),
        ({"primaryServer": "127.0.0.1:1"}, "refused"),
    ],
)
def test_a_failed_transfer_has_no_message_unless_asked(any_vinyl: Vinyl, values: dict[str, str], reason: str) -> None:
    vinyl = any_vinyl
    vinyl.control("PATCH", "/zone", {"zone": MAIN, "set": {"connection": own_connection(vinyl, **values)}})
    assert "systemMessage" not in failed(vinyl)
    vinyl.knob(failed_with_message=True)
    message = vinyl.sync_and_wait(vinyl.zone_id(MAIN))["systemMessage"]
    assert re.search(reason, message), message


@pytest.mark.parametrize("fault", ["truncated", "no_final_soa", "unsigned", "unsigned_end", "refused", "servfail"])
def test_broken_transfers_fail(vinyl: Vinyl, fault: str) -> None:
    vinyl.control("POST", "/dns/fault", {"fault": fault, "zone": MAIN})
    failed(vinyl)
    vinyl.control("DELETE", "/dns/fault")
    assert vinyl.sync_and_wait(vinyl.zone_id(MAIN))["status"] == "Synced"


def test_a_silent_server_fails_after_the_timeout(vinyl: Vinyl) -> None:
    vinyl.knob(transfer_timeout=0.3, failed_with_message=True)
    vinyl.control("POST", "/dns/fault", {"fault": "silent", "zone": MAIN})
    assert "timed out" in failed(vinyl)["systemMessage"]


def test_too_many_records_fail(vinyl: Vinyl) -> None:
    vinyl.knob(max_zone_size=5, failed_with_message=True)
    message = failed(vinyl)["systemMessage"]
    assert message.startswith("Zone too large example.com., ")
    assert message.endswith("records exceeded max 5")


def test_dropped_types_do_not_count_for_the_size(vinyl: Vinyl) -> None:
    lines = ['a CAA 0 issue "x"', 'b CAA 0 issue "x"', "c A 192.0.2.1"]
    zone_id = vinyl.add_zone("size.example.", records=lines)
    vinyl.knob(max_zone_size=3)
    assert vinyl.sync_and_wait(zone_id)["status"] == "Synced"


def test_failures_of_all_zones_are_listed_for_everybody(vinyl: Vinyl) -> None:
    vinyl.knob(fail_syncs="no")
    done = failed(vinyl)
    page = vinyl.get("/metrics/health/zonechangesfailure", "dummy")
    assert [change["id"] for change in page["failedZoneChanges"]] == [done["id"]]
    assert {name: page[name] for name in ("nextId", "startFrom", "maxItems")} == {"nextId": 0, "startFrom": 0, "maxItems": 100}


def test_a_transfer_connection_counts_only_with_a_connection(vinyl: Vinyl) -> None:
    broken = own_connection(vinyl, primaryServer="127.0.0.1:1")
    vinyl.control("PATCH", "/zone", {"zone": MAIN, "set": {"connection": None, "transfer_connection": broken}})
    zone_id = vinyl.zone_id(MAIN)
    assert vinyl.sync_and_wait(zone_id)["status"] == "Synced"
    vinyl.control("PATCH", "/zone", {"zone": MAIN, "set": {"connection": own_connection(vinyl)}})
    vinyl.control("POST", "/latest-sync", {"zone": MAIN, "age": 60})
    failed(vinyl)


# -- scheduled syncs ---------------------------------------------------------------------------------------------------


def test_an_automated_sync_ignores_the_delay_and_sets_it(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.sync_and_wait(zone_id)
    drift(vinyl)
    change_id = vinyl.control("POST", "/automated-sync", {"zone": MAIN, "requestor": "super-user"})["id"]
    vinyl.control("POST", "/settle")
    seen = vinyl.change(zone_id, change_id)
    assert seen is not None
    assert (seen["changeType"], seen["status"], seen["userId"]) == ("AutomatedSync", "Synced", "super-user")
    assert {item["userName"] for item in vinyl.record_changes(zone_id)} == {"unknown user"}


# -- over the network --------------------------------------------------------------------------------------------------


def test_a_lost_reply_was_executed(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    zone_id = vinyl.zone_id(MAIN)
    vinyl.simulator.fault("drop_after", part="vinyldns", method="POST")
    with pytest.raises(requests.ConnectionError):
        vinyl.sync(zone_id)
    vinyl.control("POST", "/settle")
    assert len(vinyl.control("GET", "/syncs")["syncs"]) == 1
    (entry,) = vinyl.simulator.requests(kind="mutate")
    assert (entry["path"], entry["status"], entry["executed"], entry["authorization"]) == (
        f"/zones/{zone_id}/sync",
        None,
        True,
        True,
    )


def test_a_dropped_request_was_not(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.simulator.fault("drop_before", part="vinyldns", method="POST")
    with pytest.raises(requests.ConnectionError):
        vinyl.sync(zone_id)
    assert vinyl.control("GET", "/syncs")["syncs"] == []


def test_the_reverse_zone_syncs(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    name = "0/27.2.0.192.in-addr.arpa."
    zone_id = vinyl.zone_id(name)
    assert vinyl.call("GET", f"/zones/name/{quote(name)}").status_code == 404, "an unencoded slash is another path"
    vinyl.update_dns(name, add=[["7", 60, "PTR", "seven.example.com."]])
    vinyl.sync_and_wait(zone_id)
    assert changed(vinyl, zone_id) == {("7", "PTR"): "Create", (name, "SOA"): "Update"}


# -- the arrangement of tests ------------------------------------------------------------------------------------------


def test_zones_may_exist_on_one_side_only(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    orders = [
        {"name": "both.example.", "records": ["a A 192.0.2.1"]},
        {"name": "dns-only.example.", "vinyldns": None},
        {"name": "vinyldns-only.example.", "dns": None, "connection": True},
    ]
    ids = vinyl.control("POST", "/zones", {"zones": orders})["ids"]
    assert ids["dns-only.example."] is None
    assert vinyl.call("GET", "/zones/name/dns-only.example.").status_code == 404
    assert vinyl.control("GET", "/dns/serial", zone="dns-only.example.") == {"serial": 2}
    assert vinyl.sync_and_wait(ids["both.example."])["status"] == "Synced"
    assert vinyl.sync_and_wait(ids["vinyldns-only.example."])["status"] == "Failed"
    vinyl.control("DELETE", "/zones", {"zones": ["both.example."], "where": "vinyldns"})
    assert vinyl.call("GET", f"/zones/{ids['both.example.']}").status_code == 404
    assert vinyl.control("GET", "/dns/serial", zone="both.example.") == {"serial": 1}


def test_a_reset_is_a_fresh_start(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    start = {name: item["records"] for name, item in vinyl.record_sets(vinyl.zone_id(MAIN)).items()}
    vinyl.knob(sync_duration=5.0)
    drift(vinyl)
    vinyl.add_zone("extra.example.")
    vinyl.sync(vinyl.zone_id(MAIN))
    vinyl.simulator.reset("vinyldns")
    assert vinyl.control("GET", "/queue") == {"waiting": 0, "running": 0}
    assert vinyl.control("GET", "/dns/serial", zone=MAIN) == {"serial": 2026010101}
    assert {name: item["records"] for name, item in vinyl.record_sets(vinyl.zone_id(MAIN)).items()} == start
    assert vinyl.call("GET", "/zones/name/extra.example.").status_code == 404
    assert vinyl.sync_and_wait(vinyl.zone_id(MAIN))["status"] == "Synced"
    assert vinyl.record_changes(vinyl.zone_id(MAIN)) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("GET", "/zone?name=nope.", None, "VinylDNS has no zone nope."),
        ("PATCH", "/zone", {"zone": MAIN, "set": {"colour": 1}}, "unknown fields"),
        ("POST", "/record-sets", {"zone": MAIN, "delete": [{"name": "nope", "type": "A"}]}, "does not have all of"),
        ("POST", "/dns/fault", {"fault": "nope"}, "unknown DNS fault"),
        ("POST", "/zones", {"zones": [{"name": "x.", "colour": 1}]}, "colour"),
    ],
)
def test_control_mistakes_are_explained(vinyl: Vinyl, method: str, path: str, body: object, text: str) -> None:
    with pytest.raises(ControlError, match=f"400 .*{text}"):
        vinyl.control(method, path, body)


def test_bind_does_not_misbehave_on_demand(bind_simulator: Any) -> None:
    with pytest.raises(ControlError, match="only the embedded DNS server"):
        bind_simulator.control.part("vinyldns", "POST", "/dns/fault", {"fault": "refused"})
