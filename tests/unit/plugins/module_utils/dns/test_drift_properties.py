# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of random zones: exactly what the simulated server does, and stable under everything that must not matter."""

from __future__ import annotations

import random
from collections.abc import Iterable

import dns.name
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._dns.fidelity import fidelity, observed_changes
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import ResourceRecord
from tests.properties import thorough
from tests.simulator.vinyldns.diff import DnsView, StoredView, differences
from tests.simulator.vinyldns.model import RecordSet
from tests.simulator.vinyldns.records import comparable
from tests.unit.plugins.module_utils.dns.zones import ZONE, Json, actions, plan, rdata_of, recorded, rr, soa, stored_soa, synced

Record = tuple[str, str, str, int]  # name, type, presentation format, TTL

NAMES = ["@", "a", "A", "b", "*", "x.y", r"d\.ot", r"sp\032ace", "_sip._tcp", "0/27", "é"]
TARGETS = ["www.example.com.", "WWW.example.com.", "web.example.net.", r"d\.ot.example.com.", "."]
SHORT = st.binary(max_size=12)
#: sizes around the split, with and without octets that need escapes
LONG = st.builds(
    lambda size, fill, end: fill * size + end,
    st.integers(240, 260),
    st.sampled_from([b"x", b"\xe4"]),
    st.sampled_from([b"", b'"', b"\\", b"yy"]),
)


def quoted(strings: Iterable[bytes]) -> str:
    return " ".join('"' + "".join(f"\\{octet:03d}" for octet in string) + '"' for string in strings)


def pieces(text: bytes) -> list[bytes]:
    return [text[start : start + 200] for start in range(0, len(text), 200)] or [b""]


texts = st.one_of(st.lists(SHORT, min_size=1, max_size=3), LONG.map(pieces)).map(quoted)
target = st.sampled_from(TARGETS)
data = st.one_of(
    st.tuples(st.just("A"), st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"])),
    st.tuples(st.just("AAAA"), st.sampled_from(["2001:db8::1", "2001:db8::a:0", "::"])),
    st.tuples(st.sampled_from(["CNAME", "NS", "PTR"]), target),
    st.tuples(st.just("MX"), st.builds("{} {}".format, st.integers(0, 2), target)),
    st.tuples(st.just("SRV"), st.builds("1 2 {} {}".format, st.integers(0, 2), target)),
    st.tuples(st.just("DS"), st.builds("{} 13 2 {}".format, st.integers(0, 2), st.just("Ab" * 32))),
    st.tuples(st.just("SSHFP"), st.builds("4 2 {}".format, st.sampled_from(["ab" * 32, "CD" * 32]))),
    st.tuples(
        st.just("NAPTR"),
        st.builds('1 2 "{}" "E2U+sip" {} {}'.format, st.sampled_from("uS"), SHORT.map(lambda s: quoted([s])), target),
    ),
    st.tuples(st.sampled_from(["TXT", "SPF"]), texts),
)
records = st.builds(lambda name, pair, ttl: (name, *pair, ttl), st.sampled_from(NAMES), data, st.sampled_from([60, 300]))
zones = st.lists(records, max_size=12)
#: two zones that have much in common, as the sides of a sync have
pairs = st.builds(
    lambda common, one, other: (common + one, common + other), zones, st.lists(records, max_size=3), st.lists(records, max_size=3)
)


def grouped(zone: list[Record]) -> dict[tuple[str, str], tuple[int, list[str]]]:
    """Record sets by stored name and type: the TTL of the first record, and all presentation formats."""
    sets: dict[tuple[str, str], tuple[int, list[str]]] = {}
    for name, rtype, text, ttl in zone:
        relative = ZONE if name == "@" else dns.name.from_text(name, dns.name.empty).to_text()
        sets.setdefault((relative, rtype), (ttl, []))[1].append(text)
    return sets


def transferred(zone: list[Record]) -> list[ResourceRecord]:
    return [rr(*record) for record in zone]


def api(zone: list[Record]) -> list[Json]:
    return [synced(name, rtype, *found, ttl=ttl) for (name, rtype), (ttl, found) in grouped(zone).items()]


def form_of(item: Json) -> str | None:
    """What the simulated server compares; ``None`` for what it cannot turn into DNS records."""
    return comparable(item["type"], item["ttl"], item["records"])


def model(backend: list[Record], stored: list[Json]) -> list[tuple[str, str, str]]:
    """What the simulated server would do."""
    dns_side = [
        DnsView(RecordSet("z1", item["name"], item["type"], item["ttl"], tuple(item["records"])), form_of(item))
        for item in api(backend)
    ]
    stored_side = [StoredView(str(index), item["name"], item["type"], form_of(item)) for index, item in enumerate(stored)]
    found = []
    for difference in differences(ZONE, stored_side, dns_side):
        side = difference.dns or difference.stored
        assert side is not None
        action = "delete" if difference.dns is None else "create" if difference.stored is None else "update"
        found.append((action, ZONE if side.name in ("@", ZONE) else side.name.rstrip("."), side.type))
    return sorted(found)


def predicted(backend: list[Record], stored: list[Json]) -> list[tuple[str, str, str]]:
    return sorted(actions(plan([soa(), *transferred(backend)], [stored_soa(), *stored])))


@thorough(200)
@given(pairs)
def test_plans_are_what_the_simulated_server_does(pair: tuple[list[Record], list[Record]]) -> None:
    backend, before = pair
    assert predicted(backend, api(before)) == model(backend, api(before))


@thorough(100)
@given(zones)
def test_a_zone_right_after_a_sync_is_in_sync(zone: list[Record]) -> None:
    split_badly = {
        (name, rtype)
        for (name, rtype), (ttl, found) in grouped(zone).items()
        if comparable(rtype, ttl, synced(name, rtype, *found)["records"]) is None
    }
    again = plan([soa(), *transferred(zone)], [stored_soa(), *api(zone)])
    assert {(change.name, change.type) for change in again.changes} == split_badly
    assert all(change.action == "update" for change in again.changes)


@thorough(100)
@given(pairs)
def test_a_plan_that_is_carried_out_is_exact_and_leaves_nothing(pair: tuple[list[Record], list[Record]]) -> None:
    backend, before = pair
    after = {(item["name"], item["type"]): item for item in api(backend)}
    was = {(item["name"], item["type"]): item for item in api(before)}
    drift = plan([soa(), *transferred(backend)], [stored_soa(), *was.values()])
    items = [
        {"changeType": change.action.capitalize(), "recordSet": after.get(key) or was[key], "updates": was.get(key)}
        for change in drift.changes
        for key in [(change.name, change.type)]
    ]
    assert fidelity(drift, observed_changes(ZONE, recorded(items))).differences == []
    for change in drift.changes:
        key = (change.name, change.type)
        if change.action == "delete":
            del was[key]
        else:
            was[key] = after[key]
    assert set(was) == set(after)
    left = plan([soa(), *transferred(backend)], [stored_soa(), *was.values()])
    # all that is left are texts that the server cannot split, and updates at each sync
    assert {change.action for change in left.changes} <= {"update"}
    assert all(comparable(change.type, 0, after[change.name, change.type]["records"]) is None for change in left.changes)


def spelled_otherwise(item: Json, rng: random.Random) -> Json:
    """The same record set as a user might have typed it."""
    found = [dict(record) for record in item["records"]]
    for record in found:
        for field in ("cname", "nsdname", "ptrdname", "exchange", "target", "replacement"):
            if field in record and "\\" not in record[field]:
                record[field] = rng.choice([record[field], record[field].upper(), record[field].title()])
        for field in ("digest", "fingerprint"):
            if field in record:
                record[field] = rng.choice([record[field].lower(), record[field]])
        if item["type"] == "AAAA":
            record["address"] = rng.choice([record["address"], record["address"].replace(":", ":0"), record["address"].upper()])
    found += [dict(record) for record in found if rng.random() < 0.3]
    rng.shuffle(found)
    return {**item, "records": found}


def chunked_otherwise(zone: list[Record], rng: random.Random) -> list[Record]:
    """The same texts in other strings, and records repeated."""
    result = []
    for name, rtype, text, ttl in zone:
        if rtype in ("TXT", "SPF"):
            whole = b"".join(rdata_of(rtype, text).strings)  # type: ignore[attr-defined]  # those types have strings
            size = rng.randint(50, 255)
            text = quoted([whole[start : start + size] for start in range(0, len(whole), size)] or [b"", b""])
        result += [(name, rtype, text, ttl)] * rng.choice([1, 1, 2])
    return result


@thorough(100)
@given(pairs, st.randoms(use_true_random=False))
def test_spelling_order_and_repetition_change_nothing(pair: tuple[list[Record], list[Record]], rng: random.Random) -> None:
    backend, before = pair
    first = plan([soa(), *transferred(backend)], [stored_soa(), *api(before)])
    stored = [spelled_otherwise(item, rng) for item in api(before)]
    rng.shuffle(stored)
    # the order of record sets does not matter; that of the records in one set decides about the TTL
    keys = list(grouped(backend))
    rng.shuffle(keys)
    order = {key: index for index, key in enumerate(keys)}
    shuffled = sorted(
        chunked_otherwise(backend, rng),
        key=lambda record: order[
            ZONE if record[0] == "@" else dns.name.from_text(record[0], dns.name.empty).to_text(), record[1]
        ],
    )
    second = plan([soa(), *transferred(shuffled)], [*stored, stored_soa(), *stored])
    assert actions(second) == actions(first)
    assert second.digest == first.digest
    assert second.stored_total == first.stored_total
