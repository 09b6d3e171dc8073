# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that are looked at many at a time: which pages of the list are read."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns import api, zone_table
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.rows import Zone
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.zone_table import ZoneTable
from tests.unit.plugins.support.clocks import FakeClock

PAGE = 5


class Listing:
    """A server with some zones, and the pages that were asked for."""

    def __init__(self, names: Iterable[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.names = sorted(names)
        self.pages: list[str] = []
        monkeypatch.setattr(api, "zones_after", self._page)

    def _page(self, channel: Any, name: str) -> api.ZonePage:
        self.pages.append(name)
        start = bisect.bisect_right(self.names, name)
        zones = [Zone(f"id of {each}", each, "Active", "Delete") for each in self.names[start : start + PAGE]]
        more = start + PAGE < len(self.names)
        return api.ZonePage(zones, zones[-1].name if more and zones else None, None)


def names(count: int, step: int = 1) -> list[str]:
    return [f"z{number:05d}.example." for number in range(0, count * step, step)]


def read(listing: Listing, wanted: Iterable[str], clock: FakeClock | None = None) -> ZoneTable:
    table = ZoneTable(clock or FakeClock())
    table.read(wanted, None)  # type: ignore[arg-type]  # the list does not use it
    return table


def test_each_page_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = Listing(names(50), monkeypatch)
    table = read(listing, reversed(names(50)))
    assert len(listing.pages) == 50 / PAGE
    assert all(table.by_name(name) for name in names(50))


def test_pages_without_a_wanted_zone_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = Listing(names(1000), monkeypatch)
    wanted = names(10) + names(1000)[500:510]
    table = read(listing, wanted)
    assert len(listing.pages) == 4 and all(table.by_name(name) for name in wanted)
    assert table.by_name(names(1000)[20]) is None


def test_reading_ends_where_it_is_not_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = Listing(names(1000), monkeypatch)
    read(listing, names(50, step=20))
    assert len(listing.pages) == zone_table.TRIAL


@given(st.sets(st.integers(0, 300)), st.sets(st.integers(0, 300)))
def test_there_are_never_more_pages_than_wanted_zones(existing: set[int], wanted: set[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zone_table, "TRIAL", 1000)
        listing = Listing((f"z{number:03d}.example." for number in existing), patch)
        table = read(listing, [f"z{number:03d}.example" for number in wanted])
        assert len(listing.pages) <= len(wanted)
        for number in existing & wanted:
            assert table.by_name(f"Z{number:03d}.EXAMPLE.") is not None


def test_ids_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = Listing(names(5), monkeypatch)
    read(listing, ["6d1c0000-0000-4000-8000-000000000000"])
    assert listing.pages == []


def test_what_was_seen_counts_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    table = read(Listing(names(3), monkeypatch), names(3), clock)
    clock.sleep(zone_table.LISTED_FOR)
    assert table.by_id(f"id of {names(1)[0]}") is not None
    clock.sleep(1)
    assert table.by_id(f"id of {names(1)[0]}") is None and table.by_name(names(1)[0]) is None


def test_what_was_taken_no_longer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    table = read(Listing(names(3), monkeypatch), names(3))
    assert table.take(f"id of {names(1)[0]}") is not None
    assert table.take(f"id of {names(1)[0]}") is None and table.by_id(f"id of {names(1)[0]}") is None
