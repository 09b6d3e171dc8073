# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pages of the list of sites are read to know what was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.published_sites import PublishedSites
from tests.unit.plugins.support.clocks import FakeClock

DEADLINE = Deadline(FakeClock(), 900)
PAGES: list[dict[str, object]] = [{"a": 1, "b": 0, "c": None}, {"d": True, "e": False}, {"f": 1}]


class Listing:
    def __init__(self) -> None:
        self.read = 0

    def pages(self) -> Iterator[Mapping[str, object]]:
        for page in PAGES:
            self.read += 1
            yield page


def test_pages_are_read_as_far_as_needed_and_remembered() -> None:
    sites, listing = PublishedSites(), Listing()
    assert sites.has("d", listing.pages(), DEADLINE) is True and listing.read == 2
    assert sites.has("a", listing.pages(), DEADLINE) is True and listing.read == 2
    assert sites.has("f", listing.pages(), DEADLINE) is True and listing.read == 5


def test_what_has_none_is_looked_up_anew() -> None:
    sites, listing = PublishedSites(), Listing()
    assert [sites.has("b", listing.pages(), DEADLINE) for _again in range(2)] == [False, False] and listing.read == 2
    assert sites.has("b", [{"b": 1}], DEADLINE) is True


def test_what_the_list_does_not_say() -> None:
    sites, listing = PublishedSites(), Listing()
    assert sites.has("c", listing.pages(), DEADLINE) is None and listing.read == 1
    assert sites.has("nosuch", listing.pages(), DEADLINE) is None and listing.read == 4
