# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Syncs that fail, and replies that are lost."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.simulator_tests.vinyldns.vinyl import MAIN, Vinyl, changed

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
