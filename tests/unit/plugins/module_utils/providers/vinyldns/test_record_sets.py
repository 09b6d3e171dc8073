# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets of a zone are listed in few requests, each of them once (docs/reference/vinyldns.md#2.7)."""

from __future__ import annotations

import functools
import itertools
import json
import operator
import random
import threading
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import StopSignal
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import DriftBuilder
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import Soa
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import ResourceRecord
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel, HttpClient, HttpSettings, RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns import evidence
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.record_sets import RecordSetReader, boundaries
from tests.unit.plugins.module_utils.dns.zones import Json, rr, soa, stored_soa, synced
from tests.unit.plugins.support.clocks import FakeClock

ZONE = "example.com."
TARGET = Target("zone-1", ZONE)
WIDTH = 8
NS = "ns1.example.net."


class Server:
    """Lists record sets as VinylDNS does: ordered by full name, continued by relative name.

    :param cursors: ``names`` as VinylDNS has them, or ``numbers``.
    :param hidden: names that no list of several pages shows, as if each page lost them.
    :param together: requests for further pages that are answered only when so many are at work.
    """

    def __init__(
        self, record_sets: list[Json], cursors: str = "names", hidden: frozenset[str] = frozenset(), together: int = 1
    ) -> None:
        self.rows = sorted(
            ({**row, "id": str(number)} for number, row in enumerate(record_sets)), key=lambda row: (self._fqdn(row), row["type"])
        )
        self.cursors, self.hidden = cursors, hidden
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.at_work = self.most_at_work = 0
        self._together = together
        self._lock = threading.Condition()
        self.client = HttpClient(
            HttpSettings("https://vinyldns.example.com", pool_size=WIDTH), FakeClock(), Redactor(), rng=random.Random(1)
        )
        self.client.send = self.send  # type: ignore[method-assign]
        self.channel = Channel(self.client, Deadline(FakeClock(), 900.0), RequestCount(), StopSignal())

    @staticmethod
    def _fqdn(row: Json) -> str:
        return str(row["name"] if row["name"] == ZONE else f"{row['name']}.{ZONE}")

    @property
    def requests(self) -> int:
        return len(self.queries)

    def paths(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _query in self.queries]

    def send(self, session: object, method: str, url: str, timeout: object, **kwargs: object) -> Response:
        parts = urllib.parse.urlsplit(url)
        query = dict(urllib.parse.parse_qsl(parts.query))
        with self._lock:
            self.queries.append((parts.path, query))
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
            self._lock.notify_all()
            if "startFrom" in query:
                self._lock.wait_for(lambda: self.most_at_work >= self._together, 60)
        # lets the other threads go on
        time.sleep(0.001)
        body = {"count": len(self.rows)} if parts.path.endswith("/recordsetcount") else self._page(query)
        with self._lock:
            self.at_work -= 1
        return Response(method, url, 200, {}, json.dumps(body).encode())

    def _page(self, query: dict[str, str]) -> Json:
        rows = self.rows
        if "recordTypeFilter" in query:
            rows = [row for row in rows if row["type"] in query["recordTypeFilter"].split(",")]
        if "recordNameFilter" in query:
            rows = [row for row in rows if row["name"] == query["recordNameFilter"]]
        elif self.hidden:
            rows = [row for row in rows if row["name"] not in self.hidden]
        if query.get("nameSort") == "DESC":
            rows = rows[::-1]
        if self.cursors == "numbers":
            start = int(query.get("startFrom", 0))
            more: Json = {"nextId": str(start + 100)} if start + 100 < len(rows) else {}
            return {"recordSets": rows[start : start + 100], **more}
        start_from = query.get("startFrom", "").partition("<....>")[0]
        if start_from:
            is_next = operator.gt if query.get("nameSort") == "DESC" else operator.lt
            rows = list(itertools.islice((row for row in rows if is_next(start_from, row["name"])), 101))
        more = {"nextId": f"{rows[99]['name']}<....>1"} if len(rows) > 100 else {}
        return {"recordSets": rows[:100], **more}


def hosts(count: int, prefix: str = "host-") -> tuple[list[ResourceRecord], list[Json]]:
    """Records of the DNS server, and the same as record sets of VinylDNS; SOA and NS included."""
    found = [host(f"{prefix}{number:05d}") for number in range(count)]
    backend = [soa(), rr("@", "NS", NS), *(record for record, _stored in found)]
    return backend, [stored_soa(), synced(ZONE, "NS", NS), *(stored for _record, stored in found)]


@functools.cache
def host(name: str) -> tuple[ResourceRecord, Json]:
    return rr(name, "A", "192.0.2.1"), synced(name, "A", "192.0.2.1")


def listed(server: Server, backend: list[ResourceRecord], width: int = WIDTH) -> DriftBuilder:
    """The plan's builder after a listing, which has shown each record set once."""
    builder = DriftBuilder(ZONE)
    builder.add_backend(backend)
    reader = RecordSetReader(server.channel, "zone-1")
    pages = [reader.first()]
    builder.feed_all(pages[0])
    if reader.has_more:
        for page in reader.rest(builder, len(server.rows), width):
            builder.feed_all(page)
            pages.append(page)
    names = [(one.name, one.type) for page in pages for one in page]
    assert len(names) == len(set(names))
    return builder


@pytest.mark.parametrize("width", [1, WIDTH])
def test_a_zone_of_one_page_is_one_request(width: int) -> None:
    backend, stored = hosts(98)
    server = Server(stored)
    assert listed(server, backend, width).finish().changes == ()
    assert server.requests == 1


@pytest.mark.parametrize("width", [1, WIDTH])
def test_a_large_zone_is_listed_completely(width: int) -> None:
    backend, stored = hosts(4_998)
    server = Server(stored, together=width)
    drift = listed(server, backend, width).finish()
    assert (drift.changes, drift.stored_total) == ((), 5_000)
    # a range ends with the page on which it meets the next one
    assert server.requests == 50 if width == 1 else 50 < server.requests < 75
    assert server.most_at_work == width


def test_ranges_are_of_about_equal_size() -> None:
    backend, stored = hosts(4_998)
    server = Server(stored, together=WIDTH)
    listed(server, backend)
    begun = [query["startFrom"] for _path, query in server.queries if "startFrom" in query]
    known = {name: position for position, name in enumerate(sorted(row["name"] for row in stored))}
    positions = sorted(known[start.partition("<")[0]] for start in begun)
    # no page is read twice but where ranges meet
    assert len(positions) < 75
    assert max(b - a for a, b in zip(positions, positions[1:])) <= 100


@pytest.mark.parametrize("place", ["before", "between", "behind"])
def test_record_sets_that_only_vinyldns_has_are_listed(place: str) -> None:
    """Many of them, and in one place, where the names of the DNS server show no range to begin."""
    backend, stored = hosts(1_500)
    prefix = {"before": "aaa-", "between": "host-00700-", "behind": "zzz-"}[place]
    _none, more = hosts(1_500, prefix)
    server = Server([*stored, *more[2:]])
    drift = listed(server, backend).finish()
    assert (drift.creates, drift.updates, drift.deletes) == (0, 0, 1_500)


def test_a_server_with_other_starts_is_listed_one_page_after_the_other() -> None:
    backend, stored = hosts(1_500)
    server = Server(stored, cursors="numbers")
    assert listed(server, backend).finish().changes == ()
    assert server.requests == 16 and server.most_at_work == 1


@pytest.mark.parametrize("width", [1, WIDTH])
def test_rows_that_pages_lose_are_looked_up_by_name(width: int) -> None:
    """``srv`` comes after ``srv-00099`` in the list, and is left out when that is continued behind this name."""
    backend, stored = hosts(1_500, "srv-")
    backend.append(rr("srv", "A", "192.0.2.1"))
    server = Server([*stored, synced("srv", "A", "192.0.2.1")])
    assert listed(server, backend, width).finish().changes == ()
    asked = [query["recordNameFilter"] for _path, query in server.queries if "recordNameFilter" in query]
    assert asked in ([], ["srv"])
    assert width > 1 or asked == ["srv"]
    assert server.requests < 50


def test_rows_that_only_another_order_shows_are_found_by_it() -> None:
    """VinylDNS alone has ``srv``, so that it cannot be looked for."""
    backend, stored = hosts(1_500, "srv-")
    server = Server([*stored, synced("srv", "A", "192.0.2.1")])
    drift = listed(server, backend, 1).finish()
    assert [(change.name, change.action) for change in drift.changes] == [("srv", "delete")]


def test_a_listing_that_stays_incomplete_is_no_plan() -> None:
    backend, stored = hosts(500)
    server = Server([*stored, synced("lost", "A", "192.0.2.1")], hidden=frozenset(["lost"]))
    with pytest.raises(SyncError, match=r"lists only 502 of the 503 record sets") as caught:
        listed(server, backend)
    assert caught.value.code == "bad_response"


def test_a_failure_within_a_range_ends_the_listing() -> None:
    backend, stored = hosts(5_000)
    server = Server(stored)
    answer = server.send

    def failing(session: object, method: str, url: str, timeout: object, **kwargs: object) -> Response:
        if len(server.queries) == 20:
            return Response(method, url, 403, {}, b'"no"')
        return answer(session, method, url, timeout, **kwargs)

    server.client.send = failing  # type: ignore[method-assign]
    with pytest.raises(SyncError) as caught:
        listed(server, backend)
    assert caught.value.http_status == 403


def test_requests_of_all_zones_together_are_limited() -> None:
    """Two zones that are listed at the same time have as many requests at work as one."""
    backend, stored = hosts(3_000)
    server = Server(stored, together=WIDTH)
    threads = [threading.Thread(target=listed, args=(server, backend)) for _zone in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.most_at_work == WIDTH


def test_boundaries_divide_names_evenly_without_regard_to_case() -> None:
    names = ["c", "B", "a", "D", "e", "F", "a"]
    assert boundaries(names, 3) == ["c", "e"]
    assert boundaries(["a"], 3) == []


# -- the evidence of a zone ---------------------------------------------------------------------------------------------


def options(**more: Any) -> dict[str, Any]:
    return {"backend": {"server": "192.0.2.53"}, "request_timeout": 30.0, "max_parallel": WIDTH, **more}


@pytest.fixture
def transferred(monkeypatch: pytest.MonkeyPatch) -> list[ResourceRecord]:
    """The records that the DNS server sends."""
    records: list[ResourceRecord] = []

    def transfer(zone: str, backend: Backend, timeout: float) -> Iterator[ResourceRecord]:
        return iter(records)

    monkeypatch.setattr(evidence, "transfer", transfer)
    return records


def test_an_emptied_zone_is_refused_by_its_count(transferred: list[ResourceRecord]) -> None:
    _backend, stored = hosts(5_000)
    transferred += [soa(2), rr("@", "NS", NS)]
    server = Server(stored)
    found = evidence.DriftEvaluator.from_options(options(), in_full=False).gather(TARGET, server.channel)
    assert server.paths() == ["recordsets", "recordsetcount", "recordsets"]
    assert [violation.rule for violation in found.violations] == ["max_delete_percent", "allow_empty"]
    assert "5000 of 5002 record sets" in found.violations[0].message
    assert found.result["deletes"] == 5_000 and found.result["updates"] == 1 and found.result["record_sets"] == 5_002
    # it was not listed, so there is nothing that could be approved
    assert found.result["digest"] == "" and found.result["truncated"] and "approve" not in found.violations[0].message
    assert found.in_sync is False and found.reason == "drift: 0 to create, 1 to update, 5000 to delete"


@pytest.mark.parametrize(
    ("more", "in_full"),
    [
        ({}, True),
        ({"report_path": "/report.json"}, False),
        ({"approve": ["0" * 32]}, False),
        ({"guard": {"allow_empty": True}}, False),
    ],
)
def test_an_emptied_zone_is_listed_where_its_plan_matters(
    transferred: list[ResourceRecord], more: dict[str, Any], in_full: bool
) -> None:
    _backend, stored = hosts(500)
    transferred += [soa(2), rr("@", "NS", NS)]
    server = Server(stored)
    found = evidence.DriftEvaluator.from_options(options(**more), in_full).gather(TARGET, server.channel)
    assert len(found.result["records"]) == 501 and len(found.result["digest"]) == 32
    assert found.drift is not None and found.drift.deletes == 500 and found.drift.unlisted_deletes == 0


def test_a_small_zone_that_was_emptied_is_listed_anyway(transferred: list[ResourceRecord]) -> None:
    _backend, stored = hosts(50)
    transferred += [soa(2), rr("@", "NS", NS)]
    server = Server(stored)
    found = evidence.DriftEvaluator.from_options(options(), in_full=False).gather(TARGET, server.channel)
    assert server.requests == 1 and len(found.result["records"]) == 51 and found.result["digest"]


@pytest.mark.parametrize("serial", [1, 2])
def test_serials_cost_one_query_and_one_request(monkeypatch: pytest.MonkeyPatch, serial: int) -> None:
    queries: list[str] = []

    def read_soa(zone: str, backend: Backend, timeout: float) -> Soa:
        queries.append(zone)
        return Soa(serial, "a.", "b.", 1, 2, 3, 4, 300)

    monkeypatch.setattr(evidence, "read_soa", read_soa)
    _backend, stored = hosts(5_000)
    server = Server(stored)
    found = evidence.DriftEvaluator.from_options(options(drift="serial")).gather(TARGET, server.channel)
    assert found.in_sync is (True if serial == 1 else None)
    assert queries == [ZONE]
    assert server.queries == [("/zones/zone-1/recordsets", {"recordTypeFilter": "SOA", "maxItems": "100"})]
