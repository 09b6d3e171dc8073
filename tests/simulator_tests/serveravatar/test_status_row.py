# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run shows in the status row."""

from __future__ import annotations

import re
import time

import pytest

from tests.simulator.client import wait_until
from tests.simulator_tests.serveravatar.client import APP, LONG, Api, done


def test_the_row_is_the_documented_one(api: Api) -> None:
    answer = api.status()
    assert list(answer) == ["configurationInPercentage", "displayText", "siteMigration"]
    row = answer["siteMigration"]
    assert len(row.pop("key")) == 32
    for name in ("created_at", "updated_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row.pop(name))
    assert row == {
        "id": 42,
        "server_id": 15,
        "migration_server_id": 15,
        "application_id": 88,
        "database_id": 48,
        "migration_application_id": 89,
        "migration_database_id": None,
        "site_type": "staging_area",
        "type": "application",
        "size": 0,
        "status": "staging_area_completed",
    }


def test_a_sync_moves_the_row_and_production_changes_at_its_end(api: Api) -> None:
    api.knob(sync_seconds=LONG)
    before = api.status()["siteMigration"]
    api.ok(APP + "/sync")
    percent, *words = api.words()
    assert words == ["Staging area in progress", "staging_area_in_progress"]
    assert percent < 100
    truth = api.truth()
    assert (truth["busy"], truth["production"]) == (True, "release-1")
    api.control("POST", "/applications/88/finish")
    wait_until(lambda: not api.truth()["busy"])
    assert api.words() == (100, "Staging area completed", "staging_area_completed")
    assert api.truth()["production"] == "release-2"
    after = api.status()["siteMigration"]
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert after["updated_at"] > before["updated_at"]


def test_the_percentage_rises_with_time_and_stays_below_100(api: Api) -> None:
    api.knob(sync_seconds=1.5, sync_outcome="never")
    api.ok(APP + "/sync")
    early = api.words()[0]
    assert wait_until(lambda: api.words()[0] == 99)
    assert early < 99
    assert api.truth()["busy"]


def test_a_run_is_as_long_as_configured(api: Api) -> None:
    api.knob(sync_seconds=0.1)
    api.ok(APP + "/sync")
    run = wait_until(lambda: api.truth()["runs"][0] if api.truth()["runs"][0]["finished_at"] else None)
    assert run["finished_at"] - run["started_at"] == pytest.approx(0.1, abs=1e-3)


def test_the_row_may_not_move_at_all(api: Api) -> None:
    api.knob(status_row="frozen", sync_seconds=0.1)
    before = api.status()
    api.ok(APP + "/sync")
    assert api.status() == before
    wait_until(lambda: api.truth()["overwritten"])
    assert api.status() == before
    assert api.truth()["production"] == "release-2"


def test_a_sync_that_ends_before_the_first_poll_is_betrayed_by_updated_at_only(api: Api) -> None:
    api.knob(sync_seconds=0)
    before = api.status()
    api.ok(APP + "/sync")
    after = api.status()
    assert after["siteMigration"].pop("updated_at") > before["siteMigration"].pop("updated_at")
    assert after == before


def test_the_row_may_only_be_stamped_at_the_end(api: Api) -> None:
    api.knob(status_row="stamp_only", sync_seconds=LONG)
    before = api.status()
    api.ok(APP + "/sync")
    assert api.status() == before
    api.control("POST", "/applications/88/finish")
    after = api.status()
    assert after["siteMigration"].pop("updated_at") > before["siteMigration"].pop("updated_at")
    assert after == before


def test_the_row_may_keep_its_finished_look_for_a_while(api: Api) -> None:
    api.knob(status_row_delay=0.4, sync_seconds=LONG)
    before = api.status()
    api.ok(APP + "/sync")
    assert api.status() == before
    assert wait_until(lambda: api.words()[2] == "staging_area_in_progress")
    assert api.truth()["busy"]


def test_a_stamp_says_nothing_about_the_outcome(api: Api) -> None:
    api.knob(status_row="stamp_only", sync_seconds=0, sync_outcome="failure")
    api.ok(APP + "/sync")
    assert api.words() == (100, "Staging area completed", "staging_area_completed")
    assert api.truth()["production"] == "release-1"


def test_a_row_that_is_slower_than_the_sync_shows_only_its_end(api: Api) -> None:
    api.knob(status_row_delay=0.05, sync_seconds=0, percent_success=98)
    api.ok(APP + "/sync")
    assert api.words()[0] == 98
    time.sleep(0.1)
    assert api.words() == (98, "Staging area completed", "staging_area_completed")


def test_the_row_is_stamped_at_the_start_and_at_the_end(api: Api) -> None:
    api.knob(sync_seconds=LONG)
    stamps = [api.status()["siteMigration"]["updated_at"]]
    api.ok(APP + "/sync")
    stamps.append(api.status()["siteMigration"]["updated_at"])
    api.control("PUT", "/applications/88/row", {"updated_ago": 3600})
    stamps.append(api.status()["siteMigration"]["updated_at"])
    api.control("POST", "/applications/88/finish")
    stamps.append(api.status()["siteMigration"]["updated_at"])
    assert stamps[0] < stamps[2] < stamps[1] <= stamps[3]


def test_a_run_that_was_ended_early_does_not_end_again(api: Api) -> None:
    api.knob(sync_seconds=1.0)
    api.ok(APP + "/sync")
    api.control("POST", "/applications/88/finish")
    time.sleep(1.05)
    assert len(api.truth()["overwritten"]) == 1


def test_a_failed_sync(api: Api) -> None:
    api.knob(sync_outcome="failure", sync_seconds=0)
    done(api.get(APP + "/sync"), "Sync staging to production started.")
    assert api.words() == (0, "Staging area failed", "staging_area_failed")
    truth = api.truth()
    assert (truth["production"], truth["overwritten"], truth["runs"][0]["outcome"]) == ("release-1", [], "failure")
    assert api.site().status_code == 200


def test_a_failed_sync_may_leave_production_half_replaced(api: Api) -> None:
    api.knob(sync_outcome="failure", sync_damages_on_failure=True, sync_seconds=0)
    api.ok(APP + "/sync")
    assert api.truth()["production"] == "release-2/release-1"
    assert len(api.truth()["overwritten"]) == 1
    assert api.site().status_code == 500


def test_a_sync_that_never_ends_can_be_ended(api: Api) -> None:
    api.knob(sync_outcome="never", sync_seconds=0)
    api.ok(APP + "/sync")
    assert api.truth()["busy"]
    api.control("POST", "/applications/88/finish", {"outcome": "failure"})
    assert api.words()[2] == "staging_area_failed"
    assert not api.truth()["busy"]


def test_words_and_percentages_are_configurable(api: Api) -> None:
    api.knob(
        sync_seconds=LONG,
        status_running="sync_in_progress",
        display_running="Syncing",
        percent_running=37,
        status_success="Completed",
        display_success="Done",
        percent_success=0,
    )
    api.ok(APP + "/sync")
    assert api.words() == (37, "Syncing", "sync_in_progress")
    api.control("POST", "/applications/88/finish")
    assert api.words() == (0, "Done", "Completed")


def test_the_row_can_be_given_a_past(api: Api) -> None:
    """As in the documentation's example: a failure of long ago."""
    api.control("PUT", "/applications/88/row", {"status": "staging_area_failed", "display": "Staging area failed", "percent": 0})
    assert api.words() == (0, "Staging area failed", "staging_area_failed")
    stale = api.status()["siteMigration"]["updated_at"]
    api.control("PUT", "/applications/88/row", {"updated_ago": 5})
    assert api.status()["siteMigration"]["updated_at"] > stale


def test_the_clock_of_the_service_may_be_off(api: Api) -> None:
    right = api.status()["siteMigration"]["updated_at"]
    api.knob(clock_offset=-86400)
    assert api.status()["siteMigration"]["updated_at"][:10] < right[:10]
