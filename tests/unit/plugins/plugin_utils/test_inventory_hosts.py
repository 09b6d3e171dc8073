# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets as hosts, and limits."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader

from ansible_collections.lockstep.sync.plugins.plugin_utils._inventory.hosts import Listing, harmless_variable, host_variables
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.action_services import limited


def test_a_cached_listing_has_grown_older() -> None:
    listing = Listing(1000.0, ({"zone": "a.", "age": 5.0}, {"zone": "b.", "age": None}))
    kept = Listing.from_cache(listing.for_cache())
    assert kept == listing
    assert list(kept.at(1060.0)) == [{"zone": "a.", "age": 65.0}, {"zone": "b.", "age": None}]
    # a clock that was set back makes nothing younger
    assert kept.at(900.0)[0]["age"] == 5.0


@pytest.mark.parametrize("value", [None, [], {}, {"read_at": "x", "targets": []}, {"read_at": 1.0, "targets": ["a"]}])
def test_what_is_no_listing_is_read_anew(value: object) -> None:
    assert Listing.from_cache(value) is None


def test_variables_keep_their_values() -> None:
    found = host_variables({"name": "{{ 1 }}", "status": {"text": ["{% x %}", None, 3]}}, "serveravatar")
    assert found == {"serveravatar_name": "{{ 1 }}", "serveravatar_status": {"text": ["{% x %}", None, 3]}}
    assert harmless_variable("plain") == "plain"


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        ("localhost,a.example.", ["a.example."]),
        ("*.example.", ["a.example.", "b.example."]),
        ("zones:!b*", ["a.example."]),
        ("other", ["b.example."]),
        ("localhost", []),
        ("localhost,typo.example.", []),
    ],
)
def test_limits_mean_what_they_mean_to_ansible(limit: str, kept: list[str]) -> None:
    zones = ["a.example.", "b.example."]
    groups = {"all": [*zones, "localhost"], "zones": zones, "other": ["b.example."], "ungrouped": []}
    assert limited(DataLoader(), zones, limit, groups) == kept
