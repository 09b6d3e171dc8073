# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sync would change: the rules of docs/reference/vinyldns.md#2.5 by example, and how plans are shown."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess
import sys

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import DriftBuilder, serial_compare
from ansible_collections.lockstep.sync.plugins.module_utils._dns.json_rows import stored_set
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import ResourceRecord
from tests.unit.plugins.module_utils.dns.zones import (
    ZONE,
    Json,
    actions,
    drift_of,
    plan,
    rr,
    soa,
    stored,
    stored_soa,
    synced,
)


def test_equal_sides_have_no_drift() -> None:
    drift = drift_of([rr("www", "A", "192.0.2.1")], [synced("www", "A", "192.0.2.1")])
    assert drift.changes == ()
    assert drift.in_sync
    assert not drift.soa_only


def test_what_is_only_in_dns_is_created() -> None:
    drift = drift_of([rr("www", "A", "192.0.2.1"), rr("www", "A", "192.0.2.2", ttl=60)], [])
    (change,) = drift.changes
    assert change.to_record() == {
        "name": "www",
        "type": "A",
        "action": "create",
        "before": None,
        "after": {"ttl": 300, "records": ["192.0.2.1", "192.0.2.2"]},
    }
    assert (drift.creates, drift.updates, drift.deletes) == (1, 0, 0)
    assert not drift.in_sync


def test_what_is_only_stored_is_deleted() -> None:
    drift = drift_of([], [synced("www", "A", "192.0.2.1", ownerGroupId="g1")])
    (change,) = drift.changes
    assert change.to_record() == {
        "name": "www",
        "type": "A",
        "action": "delete",
        "before": {"ttl": 300, "records": ["192.0.2.1"]},
        "after": None,
    }
    assert change.owner_group_id == "g1"
    assert (drift.creates, drift.updates, drift.deletes) == (0, 0, 1)


def test_what_differs_is_updated() -> None:
    drift = drift_of([rr("www", "A", "192.0.2.1", ttl=60)], [synced("www", "A", "192.0.2.1")])
    (change,) = drift.changes
    assert (change.action, change.before, change.after) == (
        "update",
        {"ttl": 300, "records": ["192.0.2.1"]},
        {"ttl": 60, "records": ["192.0.2.1"]},
    )
    assert (drift.creates, drift.updates, drift.deletes) == (0, 1, 0)


def test_types_of_one_name_are_different_record_sets() -> None:
    drift = drift_of([rr("www", "AAAA", "2001:db8::1")], [synced("www", "A", "192.0.2.1")])
    assert actions(drift) == [("delete", "www", "A"), ("create", "www", "AAAA")]


def test_names_that_differ_by_case_are_different_record_sets() -> None:
    drift = drift_of([rr("WWW", "A", "192.0.2.1")], [synced("www", "A", "192.0.2.1")])
    assert actions(drift) == [("create", "WWW", "A"), ("delete", "www", "A")]


@pytest.mark.parametrize("name", ["www.", "www.example.com."])
def test_legacy_names_with_a_dot_are_updated(name: str) -> None:
    drift = drift_of([rr("www", "A", "192.0.2.1")], [synced(name, "A", "192.0.2.1")])
    assert actions(drift) == [("update", "www", "A")]


@pytest.mark.parametrize(("name", "expected"), [("@", ["update"]), ("example.com", ["update"]), ("example.com.", [])])
def test_all_names_of_the_apex_are_the_apex(name: str, expected: list[str]) -> None:
    # names without a dot at the end are not written as the server writes them, and are therefore updated
    drift = drift_of([rr("@", "MX", "10 mx.example.net.")], [synced(name, "MX", "10 mx.example.net.")])
    assert [change.action for change in drift.changes] == expected
    assert all(change.name == "example.com." for change in drift.changes)


def test_a_host_named_like_the_zone_falls_into_the_apex() -> None:
    backend = [rr("@", "A", "192.0.2.1"), rr("example.com", "A", "192.0.2.2")]
    assert actions(drift_of(backend, [synced(ZONE, "A", "192.0.2.1", "192.0.2.2")])) == []
    # when it comes first, its name and its TTL count
    turned = [rr("example.com", "A", "192.0.2.2", ttl=60), rr("@", "A", "192.0.2.1")]
    drift = drift_of(turned, [synced(ZONE, "A", "192.0.2.1", "192.0.2.2", ttl=60)])
    assert actions(drift) == [("update", "example.com.", "A")]


def test_record_sets_stored_under_two_names_of_one_host_are_compared_together() -> None:
    backend = [rr("www", "A", "192.0.2.1"), rr("www", "A", "192.0.2.2")]
    both = [synced("www", "A", "192.0.2.1"), synced("www.example.com.", "A", "192.0.2.2")]
    assert actions(drift_of(backend, both)) == []
    assert drift_of(backend, both).stored_total == 3
    assert actions(drift_of(backend, both[:1])) == [("update", "www", "A")]
    # the name of the first one counts
    assert actions(drift_of(backend, both[::-1])) == [("update", "www", "A")]
    assert drift_of(backend, [*both, *both]).stored_total == 3
    # also where the first one alone would match
    assert actions(drift_of(backend[:1], both)) == [("update", "www", "A")]


def test_a_group_stays_known_when_names_are_compared_together() -> None:
    both = [synced("www", "A", "192.0.2.1", ownerGroupId="g1"), synced("www.", "A", "192.0.2.2")]
    assert [change.owner_group_id for change in drift_of([], both).changes] == ["g1"]


def test_a_record_set_may_be_listed_twice() -> None:
    builder = DriftBuilder(ZONE)
    builder.add_backend([soa(), rr("www", "A", "192.0.2.1")])
    matching, gone = stored_set(synced("www", "A", "192.0.2.1")), stored_set(synced("old", "A", "192.0.2.9"))
    assert builder.feed_all([stored_set(stored_soa()), matching, gone, matching, gone]) == 3
    assert [builder.feed(matching), builder.feed(gone)] == [False, False]
    drift = builder.finish()
    assert (drift.stored_total, actions(drift)) == (3, [("delete", "old", "A")])


@pytest.mark.parametrize(("rtype", "number"), [("CAA", 257), ("DNSKEY", 48), ("TYPE65280", 65280)])
def test_other_types_are_counted_and_nothing_else(rtype: str, number: int) -> None:
    other = ResourceRecord(rr("www", "A", "192.0.2.1").owner, 300, number, b"anything")
    drift = drift_of([other, other], [])
    assert drift.unsupported_types == {rtype: 2}
    assert (drift.changes, drift.in_sync) == ((), True)


def test_record_sets_of_other_types_that_are_stored_get_deleted() -> None:
    assert actions(drift_of([], [stored("old", "UNKNOWN")])) == [("delete", "old", "UNKNOWN")]


def test_a_record_set_that_is_no_dns_data_is_always_updated() -> None:
    broken = stored("www", "A", {"address": "nonsense"})
    drift = drift_of([rr("www", "A", "192.0.2.1")], [broken])
    assert actions(drift) == [("update", "www", "A")]
    assert drift.changes[0].before == {"ttl": 300, "records": ['{"address":"nonsense"}']}


def test_a_transferred_text_that_the_server_cannot_split_is_always_updated() -> None:
    text = "\\228" * 64
    assert actions(drift_of([rr("www", "TXT", f'"{text}"')], [stored("www", "TXT", {"text": text})])) == [
        ("update", "www", "TXT")
    ]


@pytest.mark.parametrize("end", ["\\228", '\\"', "\\\\n"])
def test_a_text_with_a_lone_backslash_at_the_end_of_a_chunk_is_in_sync(end: str) -> None:
    text = "x" * 254 + end
    wanted = f'"{text[:254]}" "{text[254:]}"'
    for rtype in ("TXT", "SPF"):
        assert actions(drift_of([rr("www", rtype, wanted)], [stored("www", rtype, {"text": text})])) == []


def test_a_new_serial_alone_counts_as_in_sync() -> None:
    drift = plan([soa(2)], [stored_soa(1)])
    assert (drift.serial, drift.stored_serial) == (2, 1)
    assert (drift.creates, drift.updates, drift.deletes) == (0, 1, 0)
    assert drift.soa_only
    assert drift.in_sync


def test_a_new_serial_is_not_all_there_is() -> None:
    drift = plan([soa(2), rr("www", "A", "192.0.2.1")], [stored_soa(1)])
    assert not drift.soa_only
    assert not drift.in_sync
    assert (drift.creates, drift.updates) == (1, 1)


def test_a_zone_that_was_never_synced_has_no_stored_serial() -> None:
    drift = plan([soa(2)], [])
    assert (drift.stored_serial, drift.stored_total, drift.creates) == (None, 0, 1)


def test_a_backend_without_soa_is_no_zone() -> None:
    builder = DriftBuilder(ZONE)
    builder.add_backend([rr("www", "A", "192.0.2.1")])
    with pytest.raises(SyncError) as caught:
        builder.finish()
    assert caught.value.code == "bad_response"


@pytest.mark.parametrize("item", [None, [], {}, {"name": "www"}, {"name": 5, "type": "A"}, {"name": "www", "type": None}])
def test_a_record_set_needs_name_and_type(item: object) -> None:
    with pytest.raises(SyncError) as caught:
        stored_set(item)
    assert caught.value.code == "bad_response"


def test_a_zone_needs_a_name() -> None:
    with pytest.raises(SyncError) as caught:
        DriftBuilder("a..b")
    assert caught.value.code == "invalid_option"


def test_the_backend_must_come_first() -> None:
    builder = DriftBuilder(ZONE)
    builder.add_backend([soa()])
    builder.feed(stored_set(stored_soa()))
    with pytest.raises(RuntimeError):
        builder.add_backend_rr(rr("www", "A", "192.0.2.1"))


@pytest.mark.parametrize(
    ("backend", "empty"),
    [
        ([], True),
        ([rr("@", "NS", "ns1.example.net.")], True),
        ([rr("@", "MX", "10 mx.example.net.")], False),
        ([rr("sub", "NS", "ns1.example.net.")], False),
        ([rr("www", "A", "192.0.2.1")], False),
        ([ResourceRecord(rr("www", "A", "192.0.2.1").owner, 300, 257, b"")], True),  # VinylDNS would not see it
    ],
)
def test_a_backend_is_empty_with_nothing_but_soa_and_ns(backend: list[ResourceRecord], empty: bool) -> None:
    assert drift_of(backend, []).empty is empty


def test_the_numbers_that_guards_need() -> None:
    api = [synced(ZONE, "NS", "ns1.example.net."), synced("www", "A", "192.0.2.1"), synced("sub", "NS", "ns1.example.net.")]
    drift = drift_of([rr("@", "NS", "ns1.example.net."), rr("www", "A", "192.0.2.1"), rr("www", "A", "192.0.2.2")], api)
    assert (drift.stored_total, drift.stored_content) == (4, 2)
    assert drift.backend_content == 1
    assert (drift.counted("update"), drift.counted("delete"), drift.counted("create")) == (1, 1, 0)


def test_changes_are_sorted_with_the_apex_first() -> None:
    names = ["b", "@", "A", "a", "B", "c"]
    drift = drift_of([rr(name, "A", "192.0.2.1") for name in names] + [rr("@", "MX", "1 a.")], [])
    assert [(change.name, change.type) for change in drift.changes] == [
        ("example.com.", "A"),
        ("example.com.", "MX"),
        ("A", "A"),
        ("a", "A"),
        ("B", "A"),
        ("b", "A"),
        ("c", "A"),
    ]


BACKEND = [rr("www", "A", "192.0.2.1"), rr("www", "A", "192.0.2.2"), rr("web", "CNAME", "www.example.com.")]
API = [synced("old", "A", "192.0.2.9"), synced("web", "CNAME", "old.example.com.")]


def test_the_digest_names_the_plan_and_not_its_spelling() -> None:
    digest = plan([soa(7), *BACKEND], [stored_soa(6), *API]).digest
    assert re.fullmatch("[0-9a-f]{32}", digest)
    assert plan([soa(7), *BACKEND], [stored_soa(6), *API]).digest == digest
    spelled = [rr("web", "CNAME", "WWW.example.com."), BACKEND[1], BACKEND[0]]
    assert plan([soa(7), *spelled], [*reversed(API), stored_soa(6)]).digest == digest
    # what is in sync is no part of the plan
    more = rr("same", "A", "192.0.2.5")
    assert plan([soa(7), *BACKEND, more], [stored_soa(6), *API, synced("same", "A", "192.0.2.5")]).digest == digest


@pytest.mark.parametrize(
    ("backend", "api", "serial"),
    [
        (BACKEND, API, 8),
        (BACKEND[:2], API, 7),
        (BACKEND, API[:1], 7),
        ([rr("www", "A", "192.0.2.3"), *BACKEND], API, 7),
        ([*BACKEND[:2], rr("web", "CNAME", "www.example.com.", ttl=1)], API, 7),
        (BACKEND, [synced("old", "A", "192.0.2.8"), API[1]], 7),
    ],
)
def test_another_plan_has_another_digest(backend: list[ResourceRecord], api: list[Json], serial: int) -> None:
    assert plan([soa(serial), *backend], [stored_soa(6), *api]).digest != plan([soa(7), *BACKEND], [stored_soa(6), *API]).digest


def test_another_serial_has_another_digest_even_where_the_soa_is_in_sync() -> None:
    assert plan([soa(8), *BACKEND], [stored_soa(8), *API]).digest != plan([soa(7), *BACKEND], [stored_soa(7), *API]).digest


def test_the_digest_does_not_depend_on_the_process() -> None:
    code = """
from tests.unit.plugins.module_utils.dns.zones import drift_of, rr
print(drift_of([rr("www", "A", f"192.0.2.{index}") for index in range(20)], []).digest)
"""
    here = drift_of([rr("www", "A", f"192.0.2.{index}") for index in range(20)], []).digest
    root = pathlib.Path(__file__).parents[5]
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {here}


def test_another_zone_has_another_digest() -> None:
    assert drift_of([], [], "example.net.").digest != drift_of([], []).digest


def test_the_result_holds_what_the_contract_names() -> None:
    drift = plan([soa(7), *BACKEND], [stored_soa(6), *API])
    result = drift.to_result()
    assert {key: value for key, value in result.items() if key != "records"} == {
        "creates": 1,
        "updates": 2,
        "deletes": 1,
        "ignored": 0,
        "soa_only": False,
        "unsupported_types": {},
        "serial": 7,
        "digest": drift.digest,
        "truncated": False,
    }
    assert [(item["action"], item["name"]) for item in result["records"]] == [
        ("update", "example.com."),
        ("delete", "old"),
        ("update", "web"),
        ("create", "www"),
    ]
    assert all(list(item) == ["name", "type", "action", "before", "after"] for item in result["records"])


def test_a_result_can_be_cut_and_says_so() -> None:
    drift = drift_of(BACKEND, API)
    assert (len(drift.to_result(2)["records"]), drift.to_result(2)["truncated"]) == (2, True)
    assert (len(drift.to_result(3)["records"]), drift.to_result(3)["truncated"]) == (3, False)
    assert drift.to_result(2)["deletes"] == 1
    assert drift.to_result(0)["records"] == []


def test_ignored_changes_are_listed_but_are_no_drift() -> None:
    drift = plan([soa(7), *BACKEND], [stored_soa(6), *API]).ignoring(lambda change: change.name in ("www", "old"))
    assert [item["name"] for item in drift.to_result()["records"] if item.get("ignored")] == ["old", "www"]
    assert drift.to_result()["ignored"] == 2
    assert drift.deletes == 1
    assert drift.counted("delete") == 0
    assert not drift.in_sync
    assert drift.ignoring(lambda change: change.name in ("www", "old", "web")).in_sync
    assert not drift.ignoring(lambda change: True).soa_only
    assert drift.digest == plan([soa(7), *BACKEND], [stored_soa(6), *API]).digest


def test_the_diff_shows_exactly_what_differs() -> None:
    same = rr("same", "A", "192.0.2.5")
    drift = plan([soa(7), *BACKEND, same], [stored_soa(6), *API, synced("same", "A", "192.0.2.5")])
    assert drift.to_diff() == {
        "before_header": "example.com. in VinylDNS (serial 6)",
        "after_header": "example.com. in the DNS backend (serial 7)",
        "before": (
            "example.com. 300 IN SOA ns1.example.net. hostmaster.example.net. 6 3600 600 86400 60\n"
            "old 300 IN A 192.0.2.9\n"
            "web 300 IN CNAME old.example.com.\n"
        ),
        "after": (
            "example.com. 300 IN SOA ns1.example.net. hostmaster.example.net. 7 3600 600 86400 60\n"
            "web 300 IN CNAME www.example.com.\n"
            "www 300 IN A 192.0.2.1\n"
            "www 300 IN A 192.0.2.2\n"
        ),
    }


def test_a_diff_can_be_cut_and_says_so() -> None:
    diff = drift_of(BACKEND, API).to_diff(1)
    assert diff["before"] == "old 300 IN A 192.0.2.9\n; and 2 more record sets that differ\n"
    assert diff["after"] == "; and 2 more record sets that differ\n"


def test_a_diff_of_nothing_is_empty() -> None:
    diff = plan([soa()], []).ignoring(lambda change: False).to_diff(0)
    assert diff["before_header"] == "example.com. in VinylDNS (no SOA)"
    assert drift_of([], []).to_diff()["before"] == drift_of([], []).to_diff()["after"] == ""


def test_a_plan_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        drift_of([], []).digest = "other"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        (1, 1, 0),
        (2, 1, 1),
        (1, 2, -1),
        (0, 2**32 - 1, 1),
        (2**32 - 1, 0, -1),
        (2**31 - 1, 0, 1),
        (0, 2**31 - 1, -1),
        (2**31, 0, None),
        (0, 2**31, None),
        (2**31 + 1, 0, -1),
        (2026112001, 2026112000, 1),
    ],
)
def test_serials_are_ordered_by_rfc_1982(one: int, other: int, order: int | None) -> None:
    assert serial_compare(one, other) == order


def test_a_host_that_falls_into_the_apex_recurs_and_ordinary_names_do_not() -> None:
    odd = rr("example.com", "A", "192.0.2.1")
    drift = plan(
        [soa(), odd, rr("www", "A", "192.0.2.2"), rr(r"d\.ot", "A", "192.0.2.3"), rr("*", "A", "192.0.2.4")], [stored_soa()]
    )
    assert [(change.name, change.type) for change in drift.recurring()] == [(ZONE, "A")]
    again = plan([soa(), odd], [stored_soa(), synced(ZONE, "A", "192.0.2.1")])
    assert actions(again) == [("update", ZONE, "A")] and len(again.recurring()) == 1
    assert again.ignoring(lambda change: True).recurring() == []


def test_renames_differ_in_case_only() -> None:
    drift = plan(
        [soa(), rr("www", "A", "192.0.2.1"), rr("new", "A", "192.0.2.1"), rr("www", "TXT", '"x"')],
        [stored_soa(), synced("WWW", "A", "192.0.2.1"), synced("old", "A", "192.0.2.1")],
    )
    assert [(change.name, change.type) for change in drift.renames()] == [("www", "A")]
