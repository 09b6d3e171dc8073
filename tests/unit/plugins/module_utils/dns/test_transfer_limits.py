# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a zone may be: ``backend.max_records`` and ``backend.max_bytes``."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from tests.unit.plugins.module_utils.dns.transfers import HOST, SOA, UNSIGNED, ZONE, MakeScripted, failure, fetch, respond

#: messages of two records each, between those of the SOA
HOSTS = 3
#: records of the zone
RECORDS = 1 + 2 * HOSTS
ENDLESS = 10**9


def messages(query: bytes, hosts: int = HOSTS) -> Iterator[bytes]:
    yield respond(query, SOA)
    for number in itertools.islice(itertools.count(), hosts):
        yield respond(query, HOST.replace("www", f"a{number}"), HOST.replace("www", f"b{number}"))
    yield respond(query, SOA)


def size(scripted: MakeScripted) -> int:
    """Octets of all messages, by the first query that is sent."""
    sizes: list[int] = []
    fetch(ZONE, UNSIGNED, 20, connect=scripted(lambda query, kind: [sizes.append(len(one)) or one for one in messages(query)]))
    return sum(sizes)


def test_a_zone_as_large_as_the_limits_is_transferred(scripted: MakeScripted) -> None:
    source = dataclasses.replace(UNSIGNED, max_records=RECORDS, max_bytes=size(scripted))
    assert len(fetch(ZONE, source, 20, connect=scripted(lambda query, kind: messages(query)))) == RECORDS


@pytest.mark.parametrize("option", ["max_records", "max_bytes"])
def test_a_larger_one_fails_and_names_the_option(option: str, scripted: MakeScripted) -> None:
    limit = {"max_records": RECORDS, "max_bytes": size(scripted)}[option] - 1
    source = dataclasses.replace(UNSIGNED, **{option: limit})
    error = failure(lambda: fetch(ZONE, source, 20, connect=scripted(lambda query, kind: messages(query))), "too_large")
    unit = "records" if option == "max_records" else "octets"
    assert error.message == f"zone {ZONE}, transfer from server.test:53: the zone has more than {limit} {unit} (backend.{option})"
    assert f"backend.{option}" in error.hint and "max-zone-size" in error.hint


@pytest.mark.parametrize("option", ["max_records", "max_bytes"])
def test_a_transfer_without_an_end_is_ended(option: str, scripted: MakeScripted) -> None:
    source = dataclasses.replace(UNSIGNED, **{option: 500})
    got: list[object] = []

    def consume() -> None:
        got.extend(fetch(ZONE, source, 600, connect=scripted(lambda query, kind: messages(query, ENDLESS))))

    failure(consume, "too_large")
    assert got == []


def test_the_limits_are_options() -> None:
    backend = Backend.from_options({"server": "ns1.example.net", "max_records": "7", "max_bytes": 9})
    assert (backend.max_records, backend.max_bytes) == (7, 9)
    assert Backend.from_options({"server": "ns1.example.net", "max_records": None}) == Backend("ns1.example.net")
    # ten times the max-zone-size of VinylDNS as shipped
    assert Backend("ns1.example.net").max_records == 10 * 60_000


@pytest.mark.parametrize("option", ["max_records", "max_bytes"])
@pytest.mark.parametrize("value", [0, -1, "many", "", True, 1.5])
def test_a_limit_is_a_number_above_0(option: str, value: object) -> None:
    with pytest.raises(SyncError) as caught:
        Backend.from_options({"server": "ns1.example.net", option: value})
    assert caught.value.code == "invalid_option" and f"backend.{option}" in caught.value.message
