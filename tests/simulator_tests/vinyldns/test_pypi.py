# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of the client from PyPI, but for those of batch changes, against the VinylDNS part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from vinyldns.client import ForbiddenError, VinylDNSClient
from vinyldns.membership import Group, User
from vinyldns.record import AData, RecordSet, TXTData
from vinyldns.zone import ACLRule, Zone

from tests.simulator_tests.vinyldns.vinyl import Vinyl

MAIN, EMPTY, SHARED = "example.com.", "empty.example.", "shared.example."
Login = Callable[[str], VinylDNSClient]


@pytest.fixture
def login(vinyl: Vinyl) -> Iterator[Login]:
    """A client for the user of a name."""
    made: list[VinylDNSClient] = []

    def client(user: str = "ok") -> VinylDNSClient:
        keys = vinyl.info["users"][user]
        made.append(VinylDNSClient(vinyl.url, keys["access_key"], keys["secret_key"]))
        return made[-1]

    yield client
    for each in made:
        each.session.close()


@pytest.fixture
def client(login: Login) -> VinylDNSClient:
    return login("ok")


def test_the_server(login: Login, client: VinylDNSClient, vinyl: Vinyl) -> None:
    assert [client.ping(), client.health(), client.color()] == ["PONG", "OK", "green"]
    assert client.get_status().processing_disabled is False
    admin = login("super-user")
    assert admin.update_status(True).processing_disabled is True
    assert admin.update_status(False).processing_disabled is False
    vinyl.sync_and_wait(vinyl.zone_id(MAIN))
    metric = "vinyldns_core_route_Monitor_zone_sync_latency_count"
    assert f"{metric} 1.0" in client.metrics_prometheus([metric])
    assert client.metrics_prometheus(["nothing"]) == ""


def test_users_can_be_locked_out(login: Login, client: VinylDNSClient) -> None:
    found = client.get_user("dummy")
    assert (found.id, found.user_name, [group.id for group in found.group_ids]) == ("dummy", "dummy", ["dummy-group-id"])
    assert client.get_user("nope") is None
    with pytest.raises(ForbiddenError, match="Not authorized"):
        client.lock_user("dummy")
    admin = login("super-user")
    assert admin.lock_user("dummy").lock_status == "Locked"
    with pytest.raises(ForbiddenError, match="is locked"):
        login("dummy").list_zones()
    assert admin.unlock_user("dummy").lock_status == "Unlocked"
    assert [zone.name for zone in login("dummy").list_zones().zones] == ["dummy.example."]


def test_groups(client: VinylDNSClient, vinyl: Vinyl) -> None:
    people = [User("ok"), User("dummy")]
    made = client.create_group(Group("new-group", "a@example.org", "of two", members=people, admins=[User("ok")]))
    assert client.get_group(made.id).description == "of two"
    assert [group.name for group in client.list_my_groups("NEW-").groups] == ["new-group"]
    assert [group.name for group in client.list_all_my_groups().groups] == ["new-group", "ok-group"]
    made.members = [User("ok"), User("history-id")]
    made.name = "renamed"
    assert client.update_group(made).name == "renamed"
    members = client.list_members_group(made.id, max_items=1)
    assert [(member.id, member.is_admin) for member in members.members] == [("history-id", False)]
    assert [member.id for member in client.list_members_group(made.id, start_from=members.next_id).members] == ["ok"]
    assert [admin.id for admin in client.list_group_admins(made.id).admins] == ["ok"]
    newest, oldest = client.list_group_changes(made.id).changes
    assert (newest.change_type, oldest.change_type, oldest.group_change_message) == ("Update", "Create", "Group Created.")
    text = (
        "Group name changed to 'renamed'. Group member/s with user name/s 'history-user' added. "
        "Group member/s with user name/s 'dummy' removed."
    )
    assert client.get_group_change(newest.id).group_change_message == newest.group_change_message == text
    vinyl.knob(email_domains=["example.org"])
    assert client.list_group_valid_domains() == ["example.org"]
    client.delete_group(made.id)
    assert client.get_group(made.id) is None


def test_zones(client: VinylDNSClient, vinyl: Vinyl) -> None:
    vinyl.add_zone_in_dns("late.example.", ["www A 192.0.2.1"])
    zone_id = client.connect_zone(Zone(name="late.example.", email="a@example.org", admin_group_id="ok-group-id")).zone.id
    vinyl.control("POST", "/settle")
    zone = client.get_zone(zone_id)
    zone.email = "b@example.org"
    assert client.update_zone(zone).change_type == "Update"
    vinyl.control("POST", "/settle")
    assert client.get_zone_details(zone_id).email == "b@example.org"
    assert client.list_zone_backend_ids() == ["default", "secondary"]
    assert [change.change_type for change in client.list_zone_changes(zone_id).zone_changes] == ["Update", "Create"]
    vinyl.knob(fail_syncs="no", sync_delay_ms=0)
    failed = client.sync_zone(zone_id)
    vinyl.control("POST", "/settle")
    assert [change.id for change in client.list_zone_changes_failure().failed_zone_changes] == [failed.id]
    client.abandon_zone(zone_id)
    vinyl.control("POST", "/settle")
    (gone,) = client.list_deleted_zones(name_filter="late").zones_deleted_info
    assert (gone.zone_change.zone.id, gone.admin_group_name, gone.user_name) == (zone_id, "ok-group", "ok")


def test_acl_rules(login: Login, client: VinylDNSClient, vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(EMPTY)
    rule = ACLRule("Write", "for tests", user_id="dummy", record_mask="mine.*", record_types=["A", "TXT"])
    client.add_zone_acl_rule(zone_id, rule)
    vinyl.control("POST", "/settle")
    (found,) = client.get_zone(zone_id).acl.rules
    assert (found.user_id, found.record_mask, found.record_types) == ("dummy", "mine.*", ["A", "TXT"])
    dummy = login("dummy")
    dummy.create_record_set(RecordSet(zone_id, "mine-1", "A", 300, records=[AData("192.0.2.1")]))
    with pytest.raises(ForbiddenError, match=r"does not have access to create other\.empty\.example\."):
        dummy.create_record_set(RecordSet(zone_id, "other", "A", 300, records=[AData("192.0.2.1")]))
    client.delete_zone_acl_rule(zone_id, rule)
    vinyl.control("POST", "/settle")
    assert client.get_zone(zone_id).acl.rules == []
    with pytest.raises(ForbiddenError, match="cannot access zone"):
        dummy.get_zone(zone_id)


def test_record_sets(client: VinylDNSClient, vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(EMPTY)
    made = client.create_record_set(RecordSet(zone_id, "www", "A", 300, records=[AData("192.0.2.1")]))
    vinyl.control("POST", "/settle")
    item = client.get_record_set(zone_id, made.record_set.id)
    assert (item.name, item.status) == ("www", "Active")
    assert client.get_record_set_change(zone_id, item.id, made.id).status == "Complete"
    item.ttl = 600
    client.update_record_set(item)
    vinyl.control("POST", "/settle")
    assert client.list_record_sets(zone_id, record_name_filter="www").record_sets[0].ttl == 600
    assert client.get_record_set_count(zone_id).count == 3, "with SOA and NS"
    assert [found.id for found in client.search_record_sets(record_name_filter="www.empty.*").record_sets] == [item.id]
    client.delete_record_set(zone_id, item.id)
    vinyl.control("POST", "/settle")
    assert client.get_record_set(zone_id, item.id) is None
    assert client.get_record_set_change(zone_id, item.id, "nope") is None
    expected = ["Delete", "Update", "Create"]
    assert [change.change_type for change in client.list_record_set_changes(zone_id).record_set_changes] == expected
    history = client.list_record_set_change_history(zone_id, "www.empty.example.", "A")
    assert [change.change_type for change in history.record_set_changes] == expected


def test_changes_that_fail(client: VinylDNSClient, vinyl: Vinyl) -> None:
    """DNS holds something else of this name and type, which VinylDNS does not know."""
    zone_id = vinyl.zone_id(EMPTY)
    vinyl.update_dns(EMPTY, add=[["taken", 300, "TXT", '"theirs"']])
    change = client.create_record_set(RecordSet(zone_id, "taken", "TXT", 300, records=[TXTData("ours")]))
    vinyl.control("POST", "/settle")
    (failed,) = client.list_record_set_changes_failure(zone_id).failed_record_set_changes
    assert (failed.id, failed.record_set.status) == (change.id, "Inactive")
    assert failed.system_message.startswith("This record set is out of sync with the DNS backend.")
    assert client.get_record_set(zone_id, change.record_set.id) is None


def test_ownership(login: Login, client: VinylDNSClient, vinyl: Vinyl) -> None:
    """It has no owner: granted at once.  Then its owner answers two requests."""
    zone_id, other = vinyl.zone_id(SHARED), login("dummy")

    def stored(user: VinylDNSClient) -> RecordSet:
        vinyl.control("POST", "/settle")
        return user.list_record_sets(zone_id, record_name_filter="www").record_sets[0]

    client.request_record_set_ownership(stored(client), "ok-group-id")
    assert (stored(client).owner_group_id, stored(client).status) == ("ok-group-id", "Active")
    other.request_record_set_ownership(stored(other), "dummy-group-id")
    assert stored(client).record_set_group_change.ownership_transfer_status == "PendingReview"
    client.reject_record_set_ownership(stored(client), "dummy-group-id")
    assert stored(client).record_set_group_change.ownership_transfer_status == "ManuallyRejected"
    other.request_record_set_ownership(stored(other), "dummy-group-id")
    other.cancel_record_set_ownership(stored(other), "dummy-group-id")
    assert stored(client).record_set_group_change.ownership_transfer_status == "Cancelled"
    other.request_record_set_ownership(stored(other), "dummy-group-id")
    # this client names the new group as owner, so only one of its members may approve, or a super user
    with pytest.raises(ForbiddenError, match="Unauthorized to change ownership transfer status to 'ManuallyApproved'"):
        client.approve_record_set_ownership(stored(client), "dummy-group-id")
    login("super-user").approve_record_set_ownership(stored(client), "dummy-group-id")
    assert stored(client).owner_group_id == "dummy-group-id"
