# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets: their lists with the flaws of paging, and how they are written."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.simulator_tests.vinyldns.vinyl import MAIN, Vinyl, answer_of

# -- record sets -------------------------------------------------------------------------------------------------------


def test_a_record_set_in_a_list_and_alone(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    page = vinyl.get(f"/zones/{zone_id}/recordsets?recordTypeFilter=TXT&recordNameFilter=example.com.")
    (item,) = page["recordSets"]
    assert item == {
        "type": "TXT",
        "zoneId": zone_id,
        "name": MAIN,
        "ttl": 3600,
        "status": "Active",
        "created": item["created"],
        "records": [{"text": "v=spf1 -all"}],
        "id": item["id"],
        "account": "system",
        "recordSetGroupChange": {"ownershipTransferStatus": "None"},
        "accessLevel": "Delete",
        "fqdn": MAIN,
    }
    alone = {name: value for name, value in item.items() if name != "accessLevel"}
    assert vinyl.get(f"/zones/{zone_id}/recordsets/{item['id']}") == {"recordSet": alone}
    assert (page["nameSort"], page["recordTypeSort"], page["maxItems"]) == ("ASC", "NONE", 100)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("recordTypeFilter=MX", [MAIN]),
        ("recordTypeFilter=mx,SRV", ["_sip._tcp", MAIN]),
        ("recordTypeFilter=MX,NOPE", [MAIN]),
        ("recordNameFilter=www", ["www", "www"]),
        ("recordNameFilter=w%2A&recordTypeFilter=A", ["www"]),
        ("recordNameFilter=nope", []),
        ("recordTypeFilter=A&nameSort=DESC", ["www", "sip", "mail", "*.wild"]),
    ],
)
def test_record_set_filters(vinyl: Vinyl, query: str, names: list[str]) -> None:
    page = vinyl.get(f"/zones/{vinyl.zone_id(MAIN)}/recordsets?{query}")
    assert [item["name"] for item in page["recordSets"]] == names


def test_unknown_types_alone_filter_nothing(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    everything = vinyl.get(f"/zones/{zone_id}/recordsets")["recordSets"]
    assert vinyl.get(f"/zones/{zone_id}/recordsets?recordTypeFilter=NOPE")["recordSets"] == everything
    assert vinyl.get(f"/zones/{zone_id}/recordsetcount") == {"count": len(everything)}


def paged(vinyl: Vinyl, zone_id: str) -> list[str]:
    seen: list[str] = []
    start = ""
    while True:
        page = vinyl.get(f"/zones/{zone_id}/recordsets?maxItems=100{start}")
        seen += [item["name"] for item in page["recordSets"]]
        if "nextId" not in page:
            return seen
        start = "&startFrom=" + quote(page["nextId"], safe="")


def test_paging_loses_a_row(vinyl: Vinyl) -> None:
    """ "srv" sorts after "srv-001" by full name but before it by name: at the edge of a page it vanishes."""
    lines = ["srv A 192.0.2.1", *(f"srv-{i:03} A 192.0.2.1" for i in range(253))]
    zone_id = vinyl.add_zone("lossy.example.", records=lines)
    count = vinyl.get(f"/zones/{zone_id}/recordsetcount")["count"]
    seen = paged(vinyl, zone_id)
    assert (count, len(seen), "srv" in seen) == (256, 255, False)
    vinyl.knob(lossy_paging=False)
    seen = paged(vinyl, zone_id)
    assert (len(seen), len(set(seen)), "srv" in seen) == (256, 255, True)


def test_the_key_of_a_page(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    first = vinyl.get(f"/zones/{zone_id}/recordsets?maxItems=1")
    assert first["nextId"] == "*.wild<....>1"
    second = vinyl.get(f"/zones/{zone_id}/recordsets?maxItems=1&startFrom={quote(first['nextId'], safe='')}")
    assert second["startFrom"] == first["nextId"]
    assert second["nextId"] == "_sip._tcp<....>8"


def test_every_type_as_json(any_vinyl: Vinyl) -> None:
    """As a real transfer delivers it."""
    vinyl = any_vinyl
    zone_id = vinyl.zone_id("types.example.")
    vinyl.control("POST", "/record-sets", {"zone": "types.example.", "put": []})
    shown = {key: item["records"] for key, item in vinyl.record_sets(zone_id).items()}
    assert shown["signed", "DS"] == [
        {"keytag": 60485, "algorithm": 5, "digesttype": 1, "digest": "2BB183AF5F22588179A53B0A98631FAD1A292118"}
    ]
    assert shown["naptr2", "NAPTR"][0]["regexp"] == "!^(.*)$!\\\\1!"
    assert shown["naptr", "NAPTR"][0]["replacement"] == "."
    assert shown["old", "SPF"] == [{"text": "v=spf1 -all"}]
    assert shown["a.b", "A"] == [{"address": "192.0.2.7"}]
    assert {rdtype for _name, rdtype in shown} == {"SOA", "NS", "DS", "NAPTR", "SPF", "A"}


# -- writing record sets -----------------------------------------------------------------------------------------------


def record_set(name: str, address: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "type": "A", "ttl": 300, "records": [{"address": address}], **values}


def test_a_record_set_goes_to_dns_and_then_to_the_store(any_vinyl: Vinyl) -> None:
    vinyl = any_vinyl
    zone_id = vinyl.zone_id(MAIN)
    serial = vinyl.control("GET", "/dns/serial", zone=MAIN)["serial"]
    base = f"/zones/{zone_id}/recordsets"
    status, change = answer_of(vinyl, "POST", base, body=record_set("api", "192.0.2.3", zoneId=zone_id))
    assert (status, change["status"], change["changeType"], change["recordSet"]["status"]) == (
        202,
        "Pending",
        "Create",
        "Pending",
    )
    vinyl.control("POST", "/settle")
    item = vinyl.record_sets(zone_id)["api", "A"]
    assert item["status"] == "Active"
    path = f"{base}/{item['id']}"
    assert answer_of(vinyl, "PUT", path, body=record_set("api", "192.0.2.4", zoneId=zone_id, id=item["id"]))[0] == 202
    vinyl.control("POST", "/settle")
    assert vinyl.record_sets(zone_id)["api", "A"]["records"] == [{"address": "192.0.2.4"}]
    assert answer_of(vinyl, "DELETE", path)[0] == 202
    vinyl.control("POST", "/settle")
    assert ("api", "A") not in vinyl.record_sets(zone_id)
    assert vinyl.control("GET", "/dns/serial", zone=MAIN)["serial"] == serial + 3
    vinyl.sync_and_wait(zone_id)
    assert [item["recordSet"]["type"] for item in vinyl.record_changes(zone_id)][:1] == ["SOA"], (
        "an own write moves the serial, too"
    )


@pytest.mark.parametrize(
    ("user", "body", "status", "text"),
    [
        ("dummy", record_set("x", "192.0.2.1"), 403, "User dummy does not have access to create x.example.com."),
        ("ok", record_set("www", "192.0.2.1"), 409, "RecordSet with name www and type A already exists in zone example.com."),
        ("ok", {"name": "x"}, 400, "Missing RecordSet.type"),
        ("ok", record_set("x", "300.0.2.1"), 400, "A must be a valid IPv4 Address"),
        ("ok", [], 400, "Failed to parse JSON"),
    ],
)
def test_record_sets_that_are_refused(vinyl: Vinyl, user: str, body: object, status: int, text: str) -> None:
    zone_id = vinyl.zone_id(MAIN)
    body = {**body, "zoneId": zone_id} if isinstance(body, dict) else body
    found, answer = answer_of(vinyl, "POST", f"/zones/{zone_id}/recordsets", user, body)
    assert found == status
    assert text in json.dumps(answer)


def test_the_type_of_a_record_set_is_fixed(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    item = vinyl.record_sets(zone_id)["mail", "A"]
    body = {"name": "mail", "type": "TXT", "ttl": 30, "records": [{"text": "x"}], "zoneId": zone_id, "id": item["id"]}
    assert answer_of(vinyl, "PUT", f"/zones/{zone_id}/recordsets/{item['id']}", body=body) == (
        422,
        "Cannot update RecordSet's record type.",
    )


def test_a_refused_update_of_dns_fails_the_change(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.control("POST", "/dns/fault", {"fault": "refused", "on": "update"})
    vinyl.call("POST", f"/zones/{zone_id}/recordsets", json=record_set("x", "192.0.2.1", zoneId=zone_id))
    vinyl.control("POST", "/settle")
    (item,) = vinyl.get(f"/metrics/health/zones/{zone_id}/recordsetchangesfailure")["failedRecordSetChanges"]
    assert item["status"] == "Failed"
    assert item["systemMessage"].startswith(f"Failed applying update to DNS for change {item['id']}:x: ")
    assert ("x", "A") not in vinyl.record_sets(zone_id)
