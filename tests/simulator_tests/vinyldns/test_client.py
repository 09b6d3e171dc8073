# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unmodified client from PyPI against the VinylDNS part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from vinyldns.client import ForbiddenError, VinylDNSClient
from vinyldns.zone import Zone

from tests.simulator.client import wait_until
from tests.simulator_tests.vinyldns.vinyl import Vinyl

MAIN = "example.com."


@pytest.fixture
def client(any_vinyl: Vinyl) -> Iterator[VinylDNSClient]:
    keys = any_vinyl.info["users"]["ok"]
    made = VinylDNSClient(any_vinyl.url, keys["access_key"], keys["secret_key"])
    yield made
    made.session.close()


def test_finding_zones(client: VinylDNSClient) -> None:
    assert [zone.name for zone in client.list_zones(name_filter="ex").zones] == [MAIN]
    by_name = client.get_zone_by_name(MAIN)
    assert client.get_zone(by_name.id).name == MAIN
    assert by_name.connection.key_name == "vinyldns."
    assert client.get_zone("nope") is None


def test_a_whole_sync(client: VinylDNSClient, any_vinyl: Vinyl) -> None:
    zone = client.get_zone_by_name(MAIN)
    any_vinyl.update_dns(MAIN, replace=[["mail", 60, "A", "192.0.2.99"]])
    change = client.sync_zone(zone.id)
    assert (change.status, change.change_type, change.zone.status) == ("Pending", "Sync", "Syncing")

    def synced() -> bool:
        newest = client.list_zone_changes(zone.id).zone_changes[0]
        return bool(newest.id == change.id and newest.status == "Synced")

    wait_until(synced)
    made = client.list_record_set_changes(zone.id).record_set_changes
    assert {(item.record_set.name, item.change_type) for item in made} == {("mail", "Update"), (MAIN, "Update")}
    assert client.get_zone(zone.id).latest_sync > zone.latest_sync
    with pytest.raises(ForbiddenError, match="was recently synced"):
        client.sync_zone(zone.id)


def test_listing_record_sets(client: VinylDNSClient) -> None:
    zone = client.get_zone_by_name(MAIN)
    found = {(item.name, item.type) for item in client.list_record_sets(zone.id).record_sets}
    assert {("www", "AAAA"), (MAIN, "SOA"), ("_sip._tcp", "SRV"), ("host", "SSHFP")} <= found
    item = client.list_record_sets(zone.id, record_name_filter="mail").record_sets[0]
    assert client.get_record_set(zone.id, item.id).records[0].address == "192.0.2.25"


def test_connecting_and_abandoning(client: VinylDNSClient, any_vinyl: Vinyl) -> None:
    any_vinyl.add_zone_in_dns("pypi.example.", ["www A 192.0.2.1"])
    change = client.connect_zone(Zone(name="pypi.example.", email="a@example.org", admin_group_id="ok-group-id"))
    any_vinyl.control("POST", "/settle")
    assert client.get_zone(change.zone.id).status == "Active"
    client.abandon_zone(change.zone.id)
    any_vinyl.control("POST", "/settle")
    assert client.get_zone(change.zone.id) is None


def test_its_known_flaws_show(client: VinylDNSClient) -> None:
    """It knows neither DS nor NAPTR, and does not encode a slash in a name."""
    zone = client.get_zone_by_name("types.example.")
    with pytest.raises(KeyError):
        client.list_record_sets(zone.id)
    assert client.get_zone_by_name("0/27.2.0.192.in-addr.arpa.") is None
