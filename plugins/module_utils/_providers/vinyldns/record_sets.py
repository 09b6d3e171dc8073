# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The record sets that VinylDNS has of a zone: each exactly once, in few round trips (docs/reference/vinyldns.md#2.7).

A page has 100 record sets at most, and names where the next one begins. So a large zone is listed in ranges, several at a time: a
range begins at a name that the DNS server has, and ends where the next one began. Pages lose rows, in a range as in one listing.
Therefore the rows are counted; missing ones that the DNS server has too are looked up by their names, and if others are missing,
the zone is listed again in other orders, which lose other rows.
"""

from __future__ import annotations

import itertools
import typing as t

from ..._core.errors import SyncError
from ..._dns.records import StoredSet
from ..._http.client import Channel
from ..._http.json_reader import JsonReader
from . import rows
from .at_once import at_once
from .ranges import Page, Ranges
from .signing import encode_segment

PAGE = 100
#: the types that VinylDNS knows (docs/reference/vinyldns.md#2.4)
RECORD_TYPES = ("A", "AAAA", "CNAME", "DS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "TXT")
#: pages of a range at least: its last page is the first one of the next range as a rule
MIN_PAGES = 4
#: ranges for each request at a time, so that those with more record sets than others do not come last
RANGES_EACH = 2
#: names for each range, among which its first one is chosen
SAMPLES = 32
#: record sets that are looked up one by one at most, or as many as the zone has pages
MAX_LOOKUPS = 200


def count_record_sets(channel: Channel, zone_id: str) -> int:
    """The number of record sets that VinylDNS has of a zone."""
    return _read(channel, zone_id, "recordsetcount").number_at("count")


def soa_serial(channel: Channel, zone_id: str) -> int | None:
    """The SOA serial as of the last successful sync; ``None`` if there was none. As a rule it costs one request."""
    start: object = None
    while True:
        body = _page(channel, zone_id, start, {"recordTypeFilter": "SOA"})
        serial, start = rows.soa_serial_in(body), rows.next_start_in(body)
        if serial is not None or not start:
            return serial


def has_record_set(channel: Channel, zone_id: str, name: str, record_type: str) -> bool:
    """Whether VinylDNS has a record set with exactly this name, the case included."""
    found = RecordSetReader(channel, zone_id).named(name, record_type)
    return any((record_set.name, record_set.type) == (name, record_type) for dummy, record_set in found)


class KnownSets(t.Protocol):
    """The record sets that the DNS server has of the zone; as a rule VinylDNS has nearly the same."""

    def sample_names(self, size: int) -> list[str]:
        """About ``size`` of their names, from all parts of the zone."""

    def not_fed(self) -> t.Iterator[tuple[str, str]]:
        """Name and type of those that VinylDNS has not shown so far."""


class RecordSetReader:
    """Lists the record sets of a zone: the first page, and then either the rest or only what is at the apex."""

    def __init__(self, channel: Channel, zone_id: str) -> None:
        self._channel = channel
        self._zone_id = zone_id
        self._first: Page | None = None
        #: ids of the rows so far, and the range that each was seen in
        self._seen: dict[str, int] = {}

    @property
    def has_more(self) -> bool:
        """Whether there are more pages than the first one."""
        return self._first is not None and bool(self._first.next_start)

    def first(self) -> list[StoredSet]:
        """The first page, which most zones have no other than."""
        self._first = self._fetch(None)
        return self._new(self._first)

    def apex(self, zone: str) -> list[StoredSet]:
        """SOA and NS of the zone itself, of those that have not been listed yet.

        :param zone: its name with the dot, which is the name of these record sets.
        """
        return self._new(Page(self.named(zone, "SOA,NS"), None))

    def rest(self, known: KnownSets, count: int, width: int = 1) -> t.Iterator[list[StoredSet]]:
        """All others, page by page.

        :param count: of the zone.
        :param width: requests at a time.
        :raises SyncError: ``bad_response`` if the listing cannot be completed.
        """
        yield from self._ranges(known, count, width)
        if len(self._seen) < count:
            yield from self._look_up(known, count, width)
        if len(self._seen) < count:
            yield from self._list_again()

    def named(self, name: str, record_types: str) -> rows.RecordSets:
        """The record sets with this name; case does not matter, and ``_`` and ``%`` in it match other characters, too."""
        found: rows.RecordSets = []
        for page in self._pages({"recordNameFilter": name, "recordTypeFilter": record_types}):
            found += page.record_sets
        return found

    def _ranges(self, known: KnownSets, count: int, width: int) -> t.Iterator[list[StoredSet]]:
        first = t.cast(Page, self._first)
        starts = [first.next_start]
        number = min(RANGES_EACH * width, count // (MIN_PAGES * PAGE)) if width > 1 else 1
        template = _Start.of(first)
        if template is not None and number > 1:
            starts += [template.at(name) for name in boundaries(known.sample_names(SAMPLES * number), number)]
        yield from Ranges(self._fetch, starts, self._seen).pages(width)

    def _look_up(self, known: KnownSets, count: int, width: int) -> t.Iterator[list[StoredSet]]:
        """Ask for record sets that the DNS server has, and that pages may have lost."""
        # a name with a wildcard would list all record sets of its type
        limit = max(MAX_LOOKUPS, count // PAGE)
        candidates = [one for one in itertools.islice(known.not_fed(), limit + 1) if "*" not in one[0]]
        if len(candidates) > limit:
            return
        for start in range(0, len(candidates), width):
            for found in at_once(lambda one: self.named(*one), candidates[start : start + width]):
                yield self._new(Page(found, None))
            if len(self._seen) >= count:
                return

    def _list_again(self) -> t.Iterator[list[StoredSet]]:
        # the zone may have changed meanwhile
        count = count_record_sets(self._channel, self._zone_id)
        for params in _orders():
            if len(self._seen) >= count:
                return
            yield from map(self._new, self._pages(params))
            count = count_record_sets(self._channel, self._zone_id)
        if len(self._seen) < count:
            raise SyncError(
                "bad_response",
                f"VinylDNS lists only {len(self._seen)} of the {count} record sets of the zone, in every order that was tried",
                "Run the task again while the zone is not being changed.",
            )

    def _new(self, page: Page) -> list[StoredSet]:
        new = [record_set for row_id, record_set in page.record_sets if row_id not in self._seen]
        self._seen.update((row_id, 0) for row_id, dummy in page.record_sets if row_id not in self._seen)
        return new

    def _pages(self, params: t.Mapping[str, str]) -> t.Iterator[Page]:
        page = self._fetch(None, params)
        yield page
        while page.next_start:
            page = self._fetch(page.next_start, params)
            yield page

    def _fetch(self, start: object, params: t.Mapping[str, str] | None = None) -> Page:
        body = _page(self._channel, self._zone_id, start, params or {})
        return Page(rows.record_sets_in(body), rows.next_start_in(body))


class _Start(t.NamedTuple):
    """The ``startFrom`` of a page, which begins with the name of a record set (docs/reference/vinyldns.md#2.7)."""

    suffix: str

    @classmethod
    def of(cls, page: Page) -> _Start | None:
        """As the server made it for the page behind ``page``; ``None`` if it has another form."""
        name = page.record_sets[-1][1].name if page.record_sets else ""
        start = page.next_start
        if not name or not isinstance(start, str) or not start.startswith(name):
            return None
        return cls(start[len(name) :])

    def at(self, name: str) -> str:
        return name + self.suffix


def boundaries(names: t.Iterable[str], ranges: int) -> list[str]:
    """Where all ranges but the first one begin, if ``names`` are to be in ranges of about equal size."""
    ordered = sorted(set(names), key=str.lower)
    return [ordered[len(ordered) * number // ranges] for number in range(1, ranges)] if len(ordered) >= ranges else []


def _orders() -> t.Iterator[dict[str, str]]:
    # the usual order was the first
    yield {"nameSort": "DESC"}
    for record_type in RECORD_TYPES:
        for order in ("ASC", "DESC"):
            yield {"nameSort": order, "recordTypeFilter": record_type}


def _page(channel: Channel, zone_id: str, start: object, params: t.Mapping[str, str]) -> JsonReader:
    return _read(channel, zone_id, "recordsets", {**params, "startFrom": start, "maxItems": PAGE})


def _read(channel: Channel, zone_id: str, what: str, params: t.Mapping[str, object] | None = None) -> JsonReader:
    # record sets contain no zone, and so no keys that would have to be removed (docs/reference/vinyldns.md#2.6)
    return JsonReader(channel.observe(f"/zones/{encode_segment(zone_id)}/{what}", params), "Check api_url.")
