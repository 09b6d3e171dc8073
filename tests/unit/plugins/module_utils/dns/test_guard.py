# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards: each rule at its boundary, and what lifts it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import Drift
from ansible_collections.lockstep.sync.plugins.module_utils._dns.guard import (
    Approval,
    GuardPolicy,
    check,
)
from tests.unit.plugins.module_utils.dns.zones import ZONE, Json, drift_of, plan, rr, soa, stored_soa, synced


def policy(**options: object) -> GuardPolicy:
    return GuardPolicy.from_options(options)


def rules(drift: Drift, approve: str | None = None, **options: object) -> list[str]:
    return [violation.rule for violation in check(drift, policy(**options), approve)]


def message(drift: Drift, rule: str, **options: object) -> str:
    (found,) = [violation.message for violation in check(drift, policy(**options)) if violation.rule == rule]
    return found


def hosts(count: int, address: str = "192.0.2.1", **more: Any) -> list[Json]:
    return [synced(f"h{index}", "A", address, **more) for index in range(count)]


def deleting(count: int, stored: int, serial: int = 1) -> Drift:
    """A plan that deletes so many of so many record sets, the SOA among them."""
    kept = [rr(f"h{index}", "A", "192.0.2.1") for index in range(stored - 1 - count)]
    # something to be kept in any case, so that the backend is not empty
    return plan([soa(serial), *kept, rr("@", "TXT", "new")], [stored_soa(1), *hosts(stored - 1)])


def updating(count: int, stored: int) -> Drift:
    backend = [rr(f"h{index}", "A", "192.0.2.2" if index < count else "192.0.2.1") for index in range(stored - 1)]
    return drift_of(backend, hosts(stored - 1))


# -- percentages and counts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "stored", "broken"), [(3, 10, False), (4, 10, True), (30, 100, False), (31, 100, True), (0, 10, False)]
)
def test_a_percentage_must_be_exceeded(count: int, stored: int, broken: bool) -> None:
    assert rules(deleting(count, stored)) == ["max_delete_percent"] * broken
    assert rules(updating(count, stored)) == ["max_update_percent"] * broken


def test_small_zones_have_no_percentages() -> None:
    assert rules(deleting(8, 9)) == []
    assert rules(updating(8, 9)) == []
    assert rules(deleting(8, 9), min_records=9) == ["max_delete_percent"]
    assert rules(updating(8, 9), min_records=9) == ["max_update_percent"]


@pytest.mark.parametrize(("percent", "broken"), [(0, True), (39.9, True), (40, False), (100, False)])
def test_percentages_can_be_set(percent: float, broken: bool) -> None:
    assert rules(deleting(4, 10), max_delete_percent=percent) == ["max_delete_percent"] * broken
    assert rules(updating(4, 10), max_update_percent=percent) == ["max_update_percent"] * broken


def test_percentages_say_their_numbers_and_what_lifts_them() -> None:
    drift = deleting(41, 104)
    assert message(drift, "max_delete_percent") == (
        "would delete 41 of 104 record sets (39.4 %), more than max_delete_percent 30. "
        f"If the plan is right, set approve to {drift.digest} or raise guard.max_delete_percent"
    )


@pytest.mark.parametrize(("limit", "broken"), [(0, True), (1, True), (2, False), (None, False)])
def test_counts_hold_for_small_zones_too(limit: int | None, broken: bool) -> None:
    assert rules(deleting(2, 5), max_deletes=limit) == ["max_deletes"] * broken
    assert rules(updating(2, 5), max_updates=limit) == ["max_updates"] * broken


def test_counts_say_their_numbers() -> None:
    assert message(deleting(2, 5), "max_deletes", max_deletes=1).startswith(
        "would delete 2 record sets, more than max_deletes 1. "
    )


def test_the_soa_is_not_counted() -> None:
    drift = plan([soa(2), *(rr(f"h{index}", "A", "192.0.2.1") for index in range(9))], [stored_soa(1), *hosts(9)])
    assert drift.updates == 1
    assert rules(drift, max_update_percent=0, max_updates=0) == []


def test_creations_are_never_too_many() -> None:
    drift = drift_of([rr(f"n{index}", "A", "192.0.2.1") for index in range(100)], [])
    assert rules(drift, max_update_percent=0, max_delete_percent=0, min_records=0) == []


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 100))
def test_the_percentage_rule_is_exact(count: int, more: int, percent: int) -> None:
    stored = count + more + 1
    broken = stored >= 10 and count / stored > percent / 100 + 1e-12
    assert rules(deleting(count, stored), max_delete_percent=percent) == ["max_delete_percent"] * broken


# -- dangers -----------------------------------------------------------------------------------------------------------


def test_an_empty_backend_must_not_empty_a_zone() -> None:
    drift = drift_of([rr("@", "NS", "ns1.example.net.")], [synced(ZONE, "NS", "ns1.example.net."), *hosts(3)])
    assert rules(drift) == ["allow_empty"]
    assert "3 other record sets" in message(drift, "allow_empty")
    assert rules(drift, allow_empty=True) == []


def test_a_zone_that_is_empty_anyway_may_have_an_empty_backend() -> None:
    assert rules(drift_of([rr("@", "NS", "ns1.example.net.")], [synced(ZONE, "NS", "ns1.example.net.")])) == []


@pytest.mark.parametrize(
    ("backend", "action"),
    [(["ns2.example.net."], "update"), ([], "delete"), (["ns1.example.net.", "ns2.example.net."], "update")],
)
def test_the_name_servers_of_the_zone_must_not_change(backend: list[str], action: str) -> None:
    api = [synced(ZONE, "NS", "ns1.example.net."), *hosts(1)]
    drift = drift_of([rr("h0", "A", "192.0.2.1"), *(rr("@", "NS", name) for name in backend)], api)
    assert rules(drift) == ["allow_apex_ns_change"]
    assert f"would {action} the NS records of the zone itself, ns1.example.net. -> " in message(drift, "allow_apex_ns_change")
    assert rules(drift, allow_apex_ns_change=True) == []


def test_name_servers_may_not_appear_out_of_nowhere_either() -> None:
    drift = drift_of([rr("h0", "A", "192.0.2.1"), rr("@", "NS", "ns1.example.net.")], hosts(1))
    assert rules(drift) == ["allow_apex_ns_change"]
    assert "none -> ns1.example.net." in message(drift, "allow_apex_ns_change")


def test_a_zone_that_stores_nothing_gets_its_name_servers() -> None:
    assert rules(plan([soa(), rr("@", "NS", "ns1.example.net.")], [])) == []


def test_delegations_may_change() -> None:
    assert rules(drift_of([rr("sub", "NS", "ns2.example.net.")], [synced("sub", "NS", "ns1.example.net.")])) == []


def test_owned_record_sets_must_not_be_deleted() -> None:
    drift = drift_of([rr("h0", "A", "192.0.2.1")], [*hosts(1), synced("old", "A", "192.0.2.9", ownerGroupId="g1")])
    assert rules(drift) == ["allow_owner_group_loss"]
    assert "1 record sets that belong to a group" in message(drift, "allow_owner_group_loss")
    assert "old/A" in message(drift, "allow_owner_group_loss")
    assert rules(drift, allow_owner_group_loss=True) == []


def test_a_change_of_case_loses_the_owner_too() -> None:
    drift = drift_of([rr("WWW", "A", "192.0.2.1")], [synced("www", "A", "192.0.2.1", ownerGroupId="g1")])
    assert rules(drift) == ["allow_owner_group_loss"]
    assert "(1 of them only change the case of their name)" in message(drift, "allow_owner_group_loss")


def test_an_update_keeps_the_owner() -> None:
    assert rules(drift_of([rr("www", "A", "192.0.2.2")], [synced("www", "A", "192.0.2.1", ownerGroupId="g1")])) == []


@pytest.mark.parametrize(
    ("backend", "stored", "broken"),
    [
        (1, 1, False),
        (2, 1, False),
        (1, 2, True),
        (0, 2**32 - 1, False),
        (2**32 - 1, 0, True),
        (2**31, 0, True),
        (2**31 - 1, 0, False),
    ],
)
def test_the_serial_must_not_go_back(backend: int, stored: int, broken: bool) -> None:
    drift = plan([soa(backend), rr("h0", "A", "192.0.2.1")], [stored_soa(stored), *hosts(1)])
    assert rules(drift) == ["allow_serial_regression"] * broken
    assert rules(drift, allow_serial_regression=True) == []


def test_a_serial_that_went_back_says_from_where() -> None:
    drift = plan([soa(5)], [stored_soa(7)])
    assert "serial 5 of the backend is older than the stored serial 7" in message(drift, "allow_serial_regression")
    undefined = plan([soa(2**31)], [stored_soa(0)])
    assert "has no defined order (RFC 1982) to the stored serial 0" in message(undefined, "allow_serial_regression")


def test_a_zone_without_stored_soa_has_no_serial_to_go_back_from() -> None:
    assert rules(plan([soa(5), rr("h0", "A", "192.0.2.1")], hosts(1))) == []


# -- patterns ----------------------------------------------------------------------------------------------------------

MIXED = drift_of(
    [
        rr("www", "A", "192.0.2.2"),
        rr("@", "MX", "10 mx."),
        rr("_acme.www", "TXT", "x"),
        rr("0/27", "PTR", "a."),
        rr("*", "A", "192.0.2.2"),
    ],
    [synced("www", "A", "192.0.2.1"), *hosts(1)],
)


@pytest.mark.parametrize(
    ("pattern", "ignored"),
    [
        ("www", ["www/A"]),
        ("WWW", ["www/A"]),
        ("www/A", ["www/A"]),
        ("www/a", ["www/A"]),
        ("www/AAAA", []),
        ("www/A*", ["www/A"]),
        ("@", ["example.com./MX"]),
        ("@/MX", ["example.com./MX"]),
        ("@/NS", []),
        ("example.com.", []),
        ("*", ["example.com./MX", "*/A", "0/27/PTR", "_acme.www/TXT", "h0/A", "www/A"]),
        ("[*]", ["*/A"]),
        ("*/TXT", ["_acme.www/TXT"]),
        ("_acme*", ["_acme.www/TXT"]),
        ("*.www", ["_acme.www/TXT"]),
        ("0/27/PTR", ["0/27/PTR"]),
        ("0/27/*", ["0/27/PTR"]),
        ("h?", ["h0/A"]),
        ("ww", []),
    ],
)
def test_patterns_choose_record_sets(pattern: str, ignored: list[str]) -> None:
    marked = policy(ignore=[pattern]).mark_ignored(MIXED)
    assert [f"{change.name}/{change.type}" for change in marked.changes if change.ignored] == ignored
    assert rules(MIXED, protect=[pattern], max_update_percent=100) == ["protect"] * bool(ignored)


@pytest.mark.parametrize("pattern", ["0/27", "www/", "/A", "", "www/CAA", "/"])
@pytest.mark.parametrize("option", ["protect", "ignore"])
def test_patterns_that_match_nothing_are_refused(option: str, pattern: str) -> None:
    with pytest.raises(SyncError) as caught:
        policy(**{option: [pattern]})
    assert caught.value.code == "invalid_option"
    assert f"guard.{option}" in caught.value.message


def test_a_name_with_a_slash_gets_a_hint() -> None:
    with pytest.raises(SyncError) as caught:
        policy(protect=["0/27"])
    assert "0/27/*" in caught.value.hint


@pytest.mark.parametrize("name", ["www", "h0", "@"])  # updated, deleted, created
def test_protected_record_sets_must_not_be_touched(name: str) -> None:
    assert rules(MIXED, protect=["other", name]) == ["protect"]


def test_protection_names_what_would_change() -> None:
    assert "would change 6 protected record sets: example.com./MX, */A, 0/27/PTR, _acme.www/TXT, h0/A and 1 more." in message(
        MIXED, "protect", protect=["*"]
    )


def test_protection_is_about_changes() -> None:
    assert rules(drift_of([rr("h0", "A", "192.0.2.1")], hosts(1)), protect=["*"]) == []


def test_what_is_ignored_counts_neither_as_drift_nor_in_numbers() -> None:
    drift = deleting(4, 10)
    assert rules(drift, max_deletes=3) == ["max_delete_percent", "max_deletes"]
    assert rules(drift, max_deletes=3, ignore=["h8"]) == []
    marked = policy(ignore=["h*", "@"]).mark_ignored(drift)
    assert marked.in_sync
    assert marked.to_result()["ignored"] == 5
    assert [record.get("ignored") for record in marked.to_result()["records"]] == [True] * 5


def test_what_is_ignored_is_applied_all_the_same_and_therefore_guarded() -> None:
    owned = drift_of([rr("h0", "A", "192.0.2.1")], [*hosts(1), synced("old", "A", "192.0.2.9", ownerGroupId="g1")])
    assert rules(owned, ignore=["old"]) == ["allow_owner_group_loss"]
    assert rules(MIXED, ignore=["www"], protect=["www"]) == ["protect"]


# -- approval ----------------------------------------------------------------------------------------------------------


def test_approval_lifts_numbers_for_that_plan() -> None:
    drift = deleting(6, 10)
    assert rules(drift, max_deletes=1) == ["max_delete_percent", "max_deletes"]
    assert rules(drift, drift.digest, max_deletes=1) == []
    assert rules(drift, f" {drift.digest.upper()} ", max_deletes=1) == []
    changed = updating(6, 10)
    assert rules(changed, changed.digest, max_updates=1) == []


def test_approval_lifts_nothing_else() -> None:
    drift = drift_of([], [*hosts(12, ownerGroupId="g1"), synced(ZONE, "NS", "ns1.example.net.")])
    dangers = ["allow_empty", "allow_apex_ns_change", "allow_owner_group_loss", "protect"]
    assert rules(drift, drift.digest, protect=["h1"]) == dangers
    back = plan([soa(1), rr("h0", "A", "192.0.2.1")], [stored_soa(2), *hosts(1)])
    assert rules(back, back.digest) == ["allow_serial_regression"]


def test_approval_of_another_plan_is_named_where_it_matters() -> None:
    drift = deleting(6, 10)
    for approve in ("0" * 32, drift.digest[:8], drift.digest + "0", ""):
        assert rules(drift, approve) == ["max_delete_percent", "approve"]
    (mismatch,) = [violation for violation in check(drift, policy(), "0" * 32) if violation.rule == "approve"]
    assert drift.digest in mismatch.message
    assert "0" * 32 in mismatch.message
    assert rules(deleting(1, 10), "0" * 32) == []


def test_of_several_approvals_one_is_enough() -> None:
    drift = deleting(6, 10)
    assert check(drift, policy(), Approval(("0" * 32, drift.digest.upper()))) == []
    refused = check(drift, policy(), Approval(("0" * 32, "1" * 32)))
    assert [violation.rule for violation in refused] == ["max_delete_percent", "approve"]
    assert refused[1].message.startswith("none of the 2 approved digests is the digest of this plan")
    assert check(deleting(1, 10), policy(), Approval(("0" * 32,))) == []


def test_where_approval_is_required_no_other_plan_passes() -> None:
    harmless, same = deleting(1, 10), plan([soa(1)], [stored_soa(1)])
    assert check(harmless, policy(), Approval((harmless.digest,), required=True)) == []
    (mismatch,) = check(harmless, policy(), Approval(("0" * 32,), required=True))
    assert mismatch.rule == "approve"
    assert harmless.digest in mismatch.message
    # there is nothing to approve
    assert not same.changes
    assert check(same, policy(), Approval(("0" * 32,), required=True)) == []


def test_approval_is_void_after_the_serial_moved() -> None:
    reviewed = deleting(6, 10, serial=1)
    assert rules(deleting(6, 10, serial=2), reviewed.digest) == ["max_delete_percent", "approve"]


def test_everything_broken_is_listed() -> None:
    api = [*hosts(12, ownerGroupId="g1"), synced(ZONE, "NS", "ns1.example.net."), stored_soa(5)]
    drift = plan([soa(4)], api)
    assert rules(drift, "x", max_deletes=1, protect=["h1"]) == [
        "max_delete_percent",
        "max_deletes",
        "allow_empty",
        "allow_apex_ns_change",
        "allow_owner_group_loss",
        "allow_serial_regression",
        "protect",
        "approve",
    ]


# -- options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [None, {}, {"max_delete_percent": None, "protect": None}])
def test_the_defaults_are_those_of_the_contract(options: dict[str, object] | None) -> None:
    assert GuardPolicy.from_options(options) == GuardPolicy(
        max_delete_percent=30,
        max_update_percent=30,
        min_records=10,
        max_deletes=None,
        max_updates=None,
        allow_empty=False,
        allow_apex_ns_change=False,
        allow_owner_group_loss=False,
        allow_serial_regression=False,
        protect=(),
        ignore=(),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_delete_percent", -0.1),
        ("max_delete_percent", 100.1),
        ("max_delete_percent", float("nan")),
        ("max_update_percent", "30"),
        ("max_update_percent", True),
        ("min_records", -1),
        ("min_records", 1.5),
        ("max_deletes", -1),
        ("max_deletes", True),
        ("max_updates", "1"),
        ("allow_empty", "yes"),
        ("allow_apex_ns_change", 1),
        ("protect", "www"),
        ("ignore", [1]),
        ("allow_everything", True),
    ],
)
def test_bad_values_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(SyncError) as caught:
        policy(**{name: value})
    assert caught.value.code == "invalid_option"
    assert name in caught.value.message
    assert caught.value.hint
