# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a sync, as a client sees it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.simulator.client import wait_until
from tests.simulator_tests.vinyldns.vinyl import MAIN, Vinyl, drift

# -- what is answered --------------------------------------------------------------------------------------------------


def test_the_answer_is_a_pending_change(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    before = vinyl.zone(zone_id)
    change = vinyl.sync(zone_id)
    zone = change["zone"]
    assert {name: change[name] for name in ("userId", "changeType", "status")} == {
        "userId": "ok",
        "changeType": "Sync",
        "status": "Pending",
    }
    assert set(change) == {"zone", "userId", "changeType", "status", "created", "id"}
    assert zone["status"] == "Syncing"
    assert zone["updated"] == change["created"] != before["updated"]
    assert zone["latestSync"] == before["latestSync"]
    assert zone["isTest"] is True
    assert "adminGroupName" not in zone
    assert "accessLevel" not in zone
    assert change["id"] != zone_id


@pytest.mark.parametrize(
    ("user", "zone", "group"),
    [
        ("dummy", MAIN, "ok-group-id"),
        ("support-user", MAIN, "ok-group-id"),
        ("ok", "shared.example.", "shared-zone-group-id"),
    ],
)
def test_who_may_not_sync(vinyl: Vinyl, user: str, zone: str, group: str) -> None:
    answer = vinyl.call("POST", f"/zones/{vinyl.zone_id(zone)}/sync", user)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/json")
    text = f"User '{user}' cannot create or modify zone '{zone}' because they are not in the Zone Admin Group '{group}'"
    assert answer.json() == text


@pytest.mark.parametrize(("user", "zone"), [("super-user", MAIN), ("sharedZoneUser", "shared.example.")])
def test_who_may_sync(vinyl: Vinyl, user: str, zone: str) -> None:
    assert vinyl.sync(vinyl.zone_id(zone), user)["userId"] in (f"{user}-id", user)


def test_an_unknown_zone_is_not_found(vinyl: Vinyl) -> None:
    answer = vinyl.call("POST", "/zones/nope/sync")
    assert (answer.status_code, answer.json()) == (404, "Zone with id nope does not exists")


# -- the recent-sync rule ----------------------------------------------------------------------------------------------


def test_a_successful_sync_blocks_the_next_one(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.sync_and_wait(zone_id)
    answer = vinyl.call("POST", f"/zones/{zone_id}/sync")
    assert (answer.status_code, answer.json()) == (403, "Zone example.com. was recently synced. Cannot complete sync")
    vinyl.control("POST", "/latest-sync", {"zone": MAIN, "age": 11})
    vinyl.sync(zone_id)


def test_the_delay_is_in_milliseconds(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(sync_delay_ms=60_000)
    vinyl.sync_and_wait(zone_id)
    vinyl.control("POST", "/latest-sync", {"zone": MAIN, "age": 30})
    assert vinyl.call("POST", f"/zones/{zone_id}/sync").status_code == 403
    vinyl.control("POST", "/latest-sync", {"zone": MAIN, "age": 61})
    vinyl.sync(zone_id)


def test_a_failed_sync_does_not_block(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(fail_syncs="no")
    assert vinyl.sync_and_wait(zone_id)["status"] == "Failed"
    vinyl.knob(fail_syncs=None)
    assert vinyl.sync_and_wait(zone_id)["status"] == "Synced"


def test_a_zone_never_synced_is_not_blocked(vinyl: Vinyl) -> None:
    zone_id = vinyl.add_zone("fresh.example.", age=None)
    assert "latestSync" not in vinyl.zone(zone_id)
    vinyl.sync(zone_id)


# -- states in order ---------------------------------------------------------------------------------------------------


def states(vinyl: Vinyl, change: dict[str, Any]) -> list[tuple[str, str | None, bool]]:
    """Each state once, in order: zone status, change status, whether latestSync has moved."""
    seen: list[tuple[str, str | None, bool]] = []
    start = vinyl.control("GET", "/zone", name=MAIN, records="no")["zone"]["latest_sync"]
    while not seen or seen[-1][1] not in ("Synced", "Failed"):
        now = vinyl.control("GET", "/zone", name=MAIN, records="no")
        status = next((item["status"] for item in now["changes"] if item["id"] == change["id"]), None)
        state = (now["zone"]["status"], status, now["zone"]["latest_sync"] != start)
        if not seen or seen[-1] != state:
            seen.append(state)
    return seen


def test_the_order_of_writes_of_a_success(vinyl: Vinyl) -> None:
    vinyl.knob(queue_latency=0.4, sync_duration=0.4, write_gap=0.4)
    drift(vinyl)
    assert states(vinyl, vinyl.sync(vinyl.zone_id(MAIN))) == [
        ("Active", None, False),
        ("Syncing", None, False),
        ("Syncing", "Pending", False),
        ("Active", "Pending", True),
        ("Active", "Synced", True),
    ]


def test_the_order_of_writes_of_a_failure(vinyl: Vinyl) -> None:
    vinyl.knob(queue_latency=0.4, sync_duration=0.4, write_gap=0.4, fail_syncs="no")
    assert states(vinyl, vinyl.sync(vinyl.zone_id(MAIN))) == [
        ("Active", None, False),
        ("Syncing", None, False),
        ("Syncing", "Pending", False),
        ("Active", "Pending", False),
        ("Active", "Failed", False),
    ]


def test_record_changes_are_visible_before_the_end(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(write_gap=0.3)
    drift(vinyl)
    change = vinyl.sync(zone_id)
    wait_until(lambda: vinyl.record_changes(zone_id))
    seen = vinyl.change(zone_id, change["id"])
    assert seen is not None
    assert seen["status"] == "Pending"
    assert vinyl.finished(change)["status"] == "Synced"


def test_the_finished_change_embeds_the_finished_zone(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    change = vinyl.sync(zone_id)
    done = vinyl.finished(change)
    assert (done["id"], done["created"]) == (change["id"], change["created"])
    assert done["zone"]["status"] == "Active"
    assert done["zone"]["latestSync"] == vinyl.zone(zone_id)["latestSync"] != change["zone"]["latestSync"]


def test_a_stuck_sync_stays(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(stuck_syncing=True)
    change = vinyl.sync(zone_id)
    vinyl.control("POST", "/settle")
    assert vinyl.zone(zone_id)["status"] == "Syncing"
    seen = vinyl.change(zone_id, change["id"])
    assert seen is not None
    assert seen["status"] == "Pending"


def test_nothing_runs_while_processing_is_disabled(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    answer = vinyl.call("POST", "/status?processingDisabled=true", "super-user")
    assert (answer.status_code, answer.json()["processingDisabled"]) == (200, True)
    change = vinyl.sync(zone_id)
    time.sleep(0.2)
    assert vinyl.change(zone_id, change["id"]) is None
    assert vinyl.control("GET", "/queue") == {"waiting": 1, "running": 0}
    vinyl.call("POST", "/status?processingDisabled=false", "super-user")
    assert vinyl.finished(change)["status"] == "Synced"


# -- several at once ---------------------------------------------------------------------------------------------------


def test_syncs_of_a_syncing_zone_are_accepted_and_all_run(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.knob(sync_duration=0.2)
    first = vinyl.sync(zone_id)
    wait_until(lambda: vinyl.zone(zone_id)["status"] == "Syncing")
    second = vinyl.sync(zone_id)
    assert first["id"] != second["id"]
    assert [vinyl.finished(change)["status"] for change in (first, second)] == ["Synced", "Synced"]
    accepted = vinyl.control("GET", "/syncs", zone=MAIN)["syncs"]
    assert [item["change_id"] for item in accepted] == [first["id"], second["id"]]


@pytest.mark.parametrize(
    ("workers", "batch_size", "seconds", "together"),
    [(4, 1, 0.5, 4), (1, 1, 0.05, 1), (4, 10, 0.05, 1)],
)
def test_batches_run_side_by_side_and_their_messages_in_a_row(
    vinyl: Vinyl, workers: int, batch_size: int, seconds: float, together: int
) -> None:
    ids = [vinyl.add_zone(f"w{i}.example.") for i in range(8)]
    vinyl.knob(workers=workers, batch_size=batch_size, sync_duration=seconds, processing_disabled=True)
    for zone_id in ids:
        vinyl.sync(zone_id)
    vinyl.knob(processing_disabled=False)
    most = 0
    while any(vinyl.control("GET", "/queue").values()):
        zones = vinyl.get("/zones?nameFilter=w")["zones"]
        most = max(most, sum(zone["status"] == "Syncing" for zone in zones))
    assert most == together


# -- scheduled syncs ---------------------------------------------------------------------------------------------------


def test_an_automated_sync_ignores_the_delay_and_sets_it(vinyl: Vinyl) -> None:
    zone_id = vinyl.zone_id(MAIN)
    vinyl.sync_and_wait(zone_id)
    drift(vinyl)
    change_id = vinyl.control("POST", "/automated-sync", {"zone": MAIN, "requestor": "super-user"})["id"]
    vinyl.control("POST", "/settle")
    seen = vinyl.change(zone_id, change_id)
    assert seen is not None
    assert (seen["changeType"], seen["status"], seen["userId"]) == ("AutomatedSync", "Synced", "super-user")
    assert {item["userName"] for item in vinyl.record_changes(zone_id)} == {"unknown user"}
