# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lifecycle of one target, proved with a provider that the core has never heard of."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import isoformat
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import NeverArrived, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading, Settled
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import (
    Capabilities,
    Effect,
    Observation,
    Remedy,
    Run,
    Target,
)
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.settle import why_not_idle
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.web import Reply

FIELDS = set(Record("t", "p").as_dict())


class TestFirstRun:
    def test_it_triggers_once_and_waits(self, lab: Lab) -> None:
        result = lab.run()
        assert (lab.posts, lab.accepted) == (1, 1)
        record = only(result)
        assert (record["action"], record["state"], record["failure"]) == ("triggered", "succeeded", None)
        assert (record["changed"], record["changed_basis"], result["changed"]) == (True, "observed", True)
        assert "failed" not in result

    def test_the_record_has_every_field(self, lab: Lab) -> None:
        record = only(lab.run())
        assert set(record) == FIELDS
        assert (record["target"], record["provider"]) == ("seven", "fifth")
        assert record["handle"] == {"provider": "fifth", "address": lab.web.url, "mirror": "7", "name": "seven", "run": 1}
        assert record["started_at"] < record["finished_at"]
        assert record["detail"] == {"revision": 1, "note": "stale\n", "files": ["a", "b"]}
        assert record["reason"] == "2 files"

    def test_requests_and_polls_are_counted_exactly(self, lab: Lab) -> None:
        result = lab.run()
        assert result["summary"]["requests"] == only(result)["requests"] == len(lab.web.log)
        assert only(result)["polls"] == sum(1 for line in lab.web.lines if line == "GET /runs/1")

    def test_its_time_is_the_time_of_the_run(self, lab: Lab) -> None:
        assert 10 <= only(lab.run())["elapsed"] <= 10 + 1.1 * 0.2 * 10

    def test_a_run_without_effect_changes_nothing(self, lab: Lab) -> None:
        class Idle(Fifth):
            def verify(
                self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel
            ) -> Effect:
                lab.service.runs[0].files = ()
                return super().verify(target, observation, run, reading, channel)

        record = only(lab.run(Idle))
        assert (record["state"], record["changed"], record["changed_basis"]) == ("succeeded", False, "observed")

    def test_a_failed_run_fails_the_task_with_the_servers_reason(self, lab: Lab) -> None:
        lab.service.ending = "broken"
        result = lab.run()
        assert (result["failed"], code(result), only(result)["state"]) == (True, "run_failed", "failed")
        assert "out of paper" in only(result)["failure"]["message"]
        assert only(result)["changed"] is False
        assert "seven: run_failed" in result["msg"]

    def test_an_unknown_target_is_refused(self, lab: Lab) -> None:
        result = lab.run(mirrors=["seventy"])
        assert (code(result), lab.posts) == ("not_found", 0)
        assert (only(result)["action"], only(result)["state"]) == ("refused", "not_started")

    def test_names_and_ids_are_one_target(self, lab: Lab) -> None:
        lab.run(mirrors=["seven"], release="1")
        assert only(lab.run(mirrors=["7"], release="1"))["action"] == "skipped"
        assert lab.posts == 1


class TestCheckMode:
    def test_it_sends_no_mutating_call_and_predicts(self, lab: Lab) -> None:
        result = lab.run(check=True)
        assert (lab.posts, lab.accepted) == (0, 0)
        record = only(result)
        assert (record["action"], record["state"], record["changed_basis"]) == ("would_trigger", "not_started", "predicted")
        assert result["changed"] is True

    def test_it_leaves_no_ledger_behind(self, lab: Lab) -> None:
        lab.run(check=True)
        assert not lab.ledger_path.exists()

    def test_it_predicts_a_join(self, lab: Lab) -> None:
        lab.service.start("7")
        record = only(lab.run(check=True))
        assert (record["action"], record["changed"], lab.posts) == ("would_join", True, 0)

    def test_it_predicts_that_a_queue_ends_with_a_trigger(self, lab: Lab) -> None:
        lab.service.start("7")
        assert only(lab.run(check=True, if_running="queue"))["action"] == "would_trigger"
        assert (lab.posts, lab.clock.elapsed) == (0, 0)

    def test_it_predicts_a_skip(self, lab: Lab) -> None:
        lab.service.mirrors["7"].in_sync = True
        result = lab.run(check=True)
        assert (only(result)["action"], result["changed"]) == ("skipped", False)

    @pytest.mark.parametrize("problem", ["busy", "disk_full", "guard_refused", "not_found", "auth_failed"])
    def test_it_fails_where_the_real_run_would(self, lab: Lab, problem: str) -> None:
        options: dict[str, t.Any] = {}
        if problem == "busy":
            lab.service.start("7")
            options["if_running"] = "fail"
        elif problem == "disk_full":
            lab.service.mirrors["7"].full = True
        elif problem == "guard_refused":
            lab.service.mirrors["7"].loss = 101
        elif problem == "not_found":
            options["mirrors"] = ["seventy"]
        else:
            options["token"] = "wrong"
        for check in (True, False):
            result = lab.run(check=check, **options)
            assert (result["failed"], code(result), only(result)["action"]) == (True, problem, "refused")
        assert lab.posts == 0

    def test_it_agrees_with_the_real_run_about_a_run_that_ended_unobserved(self, lab: Lab) -> None:
        class Silent(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                observation = super().observe(target, channel)
                observation.age = None
                return observation

        lab.run(Silent, wait=False)
        lab.clock.sleep(60)
        predicted = only(lab.run(Silent, check=True, max_age=3600))
        real = only(lab.run(Silent, max_age=3600))
        assert (predicted["action"], real["action"], lab.posts) == ("skipped", "skipped", 1)
        assert predicted["reason"] == real["reason"]

    def test_diff_mode_shows_the_plan(self, lab: Lab) -> None:
        assert lab.run(check=True, diff=True)["diff"] == [{"before": "stale\n", "after": "fresh\n"}]
        assert "diff" not in lab.run(check=True)


class TestSecondRun:
    def test_the_same_release_is_not_synced_twice(self, lab: Lab) -> None:
        assert lab.run(release="1.2")["changed"] is True
        result = lab.run(release="1.2")
        assert (lab.posts, result["changed"]) == (1, False)
        record = only(result)
        assert (record["action"], record["state"], record["changed_basis"]) == ("skipped", "not_started", "assumed")
        assert "1.2" in record["reason"]

    def test_another_release_is(self, lab: Lab) -> None:
        lab.run(release="1.2")
        assert only(lab.run(release="1.3"))["action"] == "triggered"

    def test_a_failed_release_may_be_tried_again(self, lab: Lab) -> None:
        lab.service.ending = "broken"
        lab.run(release="1.2")
        lab.service.ending = "done"
        assert only(lab.run(release="1.2"))["state"] == "succeeded"
        assert lab.posts == 2

    def test_nothing_known_means_another_sync(self, lab: Lab) -> None:
        lab.run()
        lab.run()
        assert lab.posts == 2

    def test_a_target_in_sync_is_left_alone(self, lab: Lab) -> None:
        lab.service.mirrors["7"].in_sync = True
        record = only(lab.run())
        assert (record["action"], record["changed_basis"], lab.posts) == ("skipped", "observed", 0)

    @pytest.mark.parametrize(("age", "posts"), [(299.0, 0), (301.0, 1)])
    def test_max_age_goes_by_the_server_where_it_reports_an_age(self, lab: Lab, age: float, posts: int) -> None:
        lab.service.mirrors["7"].age = age
        lab.run(max_age=300)
        assert lab.posts == posts

    @pytest.mark.parametrize(("pause", "posts"), [(290, 1), (310, 2)])
    def test_max_age_goes_by_the_ledger_where_the_server_does_not_tell(self, lab: Lab, pause: float, posts: int) -> None:
        lab.run()
        lab.clock.sleep(pause)
        lab.run(max_age=300)
        assert lab.posts == posts

    def test_force_overrides_every_skip(self, lab: Lab) -> None:
        lab.service.mirrors["7"].in_sync = True
        lab.service.mirrors["7"].age = 1
        lab.run(release="1", force=True)
        record = only(lab.run(release="1", max_age=300, force=True))
        assert (record["action"], lab.posts) == ("triggered", 2)

    def test_force_lifts_no_guard(self, lab: Lab) -> None:
        lab.service.mirrors["7"].loss = 101
        assert (code(lab.run(force=True)), lab.posts) == ("guard_refused", 0)


class TestGuards:
    def test_a_refused_plan_is_a_refusal_that_names_its_rules(self, lab: Lab) -> None:
        lab.service.mirrors["7"].loss = 101
        record = only(lab.run())
        assert (record["action"], record["state"], record["changed"]) == ("refused", "not_started", False)
        assert record["detail"]["guards"] == record["failure"]["guards"] == [{"rule": "max_loss", "message": "101 files"}]
        assert record["detail"]["revision"] == 1

    def test_a_guard_can_be_changed(self, lab: Lab) -> None:
        lab.service.mirrors["7"].loss = 101
        assert only(lab.run(max_loss=200))["state"] == "succeeded"

    def test_the_guards_hold_for_the_plan_that_is_made_anew(self, lab: Lab) -> None:
        def ruin() -> None:
            lab.service.change("7")
            lab.service.mirrors["7"].loss = 101

        lab.clock.at(0, ruin)

        class Slow(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                lab.clock.sleep(1)
                return super().still_valid(target, observation, channel)

        assert (code(lab.run(Slow)), lab.posts) == ("guard_refused", 0)

    def test_the_guards_hold_after_a_pause_that_the_server_asked_for(self, lab: Lab) -> None:
        def ruin() -> None:
            lab.service.change("7")
            lab.service.mirrors["7"].loss = 101

        lab.service.fates = [Reply(429, headers={"Retry-After": "60"})]
        lab.clock.at(30, ruin)
        assert (code(lab.run()), lab.posts, lab.accepted) == ("guard_refused", 1, 0)


class TestReplanning:
    def test_a_target_that_moved_gets_a_new_plan(self, lab: Lab) -> None:
        moves = [1, 1]

        class Moving(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                if moves:
                    moves.pop()
                    lab.service.change("7")
                return super().still_valid(target, observation, channel)

        record = only(lab.run(Moving))
        assert (record["state"], record["detail"]["revision"], lab.posts) == ("succeeded", 3, 1)

    def test_one_that_never_rests_is_given_up(self, lab: Lab) -> None:
        class Restless(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                return False

        result = lab.run(Restless)
        assert (code(result), only(result)["action"], lab.posts) == ("busy", "refused", 0)
        assert lab.web.lines.count("GET /mirrors/7") == 5

    def test_one_that_never_rests_may_be_synced_by_the_newest_plan(self, lab: Lab) -> None:
        class Restless(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                lab.service.change("7")
                return False

            def accept_moving(self, target: Target, observation: Observation) -> dict[str, bool]:
                return {"moved": True}

        record = only(lab.run(Restless))
        assert (record["state"], record["detail"]["moved"], record["detail"]["revision"], lab.posts) == ("succeeded", True, 5, 1)


class TestInFlight:
    def test_a_run_of_somebody_else_is_joined(self, lab: Lab) -> None:
        lab.service.start("7")
        record = only(lab.run())
        assert (record["action"], record["state"], record["changed"], lab.posts) == ("joined", "succeeded", True, 0)
        assert record["handle"]["run"] == 1

    def test_it_satisfies_no_release_since_its_content_is_unknown(self, lab: Lab) -> None:
        lab.service.start("7")
        lab.run(release="1.2")
        lab.run(release="1.2")
        assert lab.posts == 1

    def test_it_counts_for_max_age(self, lab: Lab) -> None:
        lab.service.start("7")
        lab.run()
        assert only(lab.run(max_age=60))["action"] == "skipped"

    def test_force_joins_too(self, lab: Lab) -> None:
        lab.service.start("7")
        assert only(lab.run(force=True))["action"] == "joined"

    def test_it_can_be_an_error(self, lab: Lab) -> None:
        lab.service.start("7")
        result = lab.run(if_running="fail")
        assert (code(result), only(result)["action"], lab.posts) == ("busy", "refused", 0)

    def test_it_can_be_waited_for_and_followed_by_another(self, lab: Lab) -> None:
        lab.service.start("7")
        record = only(lab.run(if_running="queue"))
        assert (record["action"], record["state"], record["handle"]["run"]) == ("triggered", "succeeded", 2)
        assert lab.clock.elapsed >= 20

    def test_a_queue_that_does_not_move_times_out_without_a_trigger(self, lab: Lab) -> None:
        lab.service.duration = 1e6
        lab.service.start("7")
        result = lab.run(if_running="queue", wait_timeout=60)
        record = only(result)
        assert (code(result), record["timed_out"], record["changed"], lab.posts) == ("timed_out", True, False, 0)
        assert lab.clock.elapsed <= 60

    def test_evidence_gathered_before_the_queue_is_gathered_again_after_it(self, lab: Lab) -> None:
        lab.service.start("7")
        lab.clock.at(5, lambda: setattr(lab.service.mirrors["7"], "in_sync", True))
        assert (only(lab.run(if_running="queue"))["action"], lab.posts) == ("skipped", 0)

    def test_a_refusal_as_busy_joins_what_is_running(self, lab: Lab) -> None:
        lab.service.before["POST /mirrors/7/refresh"] = lambda: lab.service.start("7")
        lab.service.fates = [Reply(409, {"error": "already running"})]
        record = only(lab.run())
        assert (record["action"], record["state"], record["handle"]["run"], lab.posts) == ("joined", "succeeded", 1, 1)

    def test_a_refusal_as_busy_fails_where_nothing_shows(self, lab: Lab) -> None:
        lab.service.fates = [Reply(409, {"error": "already running"})]
        result = lab.run(settle_grace=10)
        record = only(result)
        assert (code(result), record["action"], record["state"], lab.posts) == ("busy", "refused", "not_started", 1)
        assert record["started_at"] is None
        assert lab.clock.elapsed <= 11

    def test_a_refusal_as_busy_can_be_an_error_at_once(self, lab: Lab) -> None:
        lab.service.fates = [Reply(409, {"error": "already running"})]
        record = only(lab.run(if_running="fail"))
        assert (record["failure"]["code"], record["started_at"], lab.clock.elapsed) == ("busy", None, 0)

    def test_a_refusal_as_busy_can_be_waited_out(self, lab: Lab) -> None:
        lab.service.fates = [Reply(409, {"error": "already running"})] * 2
        record = only(lab.run(if_running="queue"))
        assert (record["state"], lab.posts, lab.accepted) == ("succeeded", 3, 1)

    def test_two_lasting_refusals_as_busy_end_at_the_deadline(self, lab: Lab) -> None:
        lab.service.fates = [Reply(409, {"error": "already running"})] * 100
        result = lab.run(if_running="queue", wait_timeout=60)
        assert (code(result), lab.accepted) == ("timed_out", 0)
        assert lab.posts <= 60 / 5 + 1

    @pytest.mark.parametrize(("run_id", "handle"), [(True, 5), (False, 1)])
    def test_our_own_run_is_known_by_its_handle_where_runs_have_no_id(self, lab: Lab, run_id: bool, handle: int) -> None:
        class Nameless(Fifth):
            capabilities = Capabilities(run_id)

            def observe(self, target: Target, channel: Channel) -> Observation:
                observation = super().observe(target, channel)
                if observation.running is not None:
                    observation.running.handle["run"] = 5
                return observation

        lab.run(Nameless, wait=False)
        assert only(lab.run(Nameless, wait=False))["handle"]["run"] == handle


class TestRecentlySynced:
    REFUSED = Reply(403, {"error": "recently refreshed"})

    def test_it_fails_where_the_options_say_so(self, lab: Lab) -> None:
        lab.service.fates = [self.REFUSED]
        result = lab.run(if_recent="fail")
        record = only(result)
        assert (code(result), record["action"], record["started_at"], lab.posts) == ("recently_synced", "refused", None, 1)
        assert lab.open_entry() is None

    def test_it_counts_as_up_to_date_where_the_options_say_so(self, lab: Lab) -> None:
        lab.service.fates = [self.REFUSED]
        result = lab.run(if_recent="skip")
        record = only(result)
        assert (record["action"], record["changed"], record["reason"]) == ("skipped", False, "refreshed a moment ago")
        assert (record["started_at"], record["failure"], lab.posts) == (None, None, 1)

    def test_it_is_waited_out_where_the_options_say_so(self, lab: Lab) -> None:
        lab.service.fates = [self.REFUSED]
        record = only(lab.run(if_recent="wait"))
        assert (record["action"], record["state"], lab.posts, lab.accepted) == ("triggered", "succeeded", 2, 1)
        assert lab.clock.elapsed >= 60

    def test_it_fails_at_once_where_the_wait_would_end_beyond_the_deadline(self, lab: Lab) -> None:
        lab.service.fates = [self.REFUSED]
        result = lab.run(if_recent="wait", wait_timeout=30)
        assert (code(result), lab.posts, lab.clock.elapsed) == ("recently_synced", 1, 0)
        assert only(result)["reason"] == "refreshed a moment ago"

    def test_a_provider_that_names_no_pause_does_not_hammer_the_server(self, lab: Lab) -> None:
        class Hasty(Fifth):
            def refused(self, target: Target, observation: Observation, error: SyncError) -> Remedy:
                return Remedy("wait")

        lab.service.fates = [self.REFUSED] * 1000
        result = lab.run(Hasty, wait_timeout=10)
        assert code(result) == "recently_synced"
        assert lab.posts <= 10 / 0.5 + 1


class TestNeverArrived:
    def test_it_is_sent_again(self, lab: Lab) -> None:
        failures = [NeverArrived("connection_failed", "refused")] * 3

        class Unlucky(Fifth):
            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                if failures:
                    raise failures.pop()
                return super().trigger(target, observation, channel)

        record = only(lab.run(Unlucky))
        assert (record["state"], lab.posts, lab.accepted) == ("succeeded", 1, 1)

    def test_it_is_given_up_after_a_few_times(self, lab: Lab) -> None:
        web = lab.web
        observed: list[int] = []

        class Down(Fifth):
            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                if not observed:
                    web.stop()
                    self.client.close()
                observed.append(1)
                return super().trigger(target, observation, channel)

            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                return True

        result = lab.run(Down)
        record = only(result)
        assert (code(result), record["action"]) == ("connection_failed", "refused")
        assert (record["state"], record["changed"]) == ("not_started", False)
        assert len(observed) == 5
        assert lab.open_entry() is None

    def test_it_is_not_tried_again_where_that_is_no_use(self, lab: Lab) -> None:
        tries = []

        class Untrusted(Fifth):
            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                tries.append(1)
                raise NeverArrived("tls_failed", "untrusted", retryable=False)

        assert code(lab.run(Untrusted)) == "tls_failed"
        assert len(tries) == 1


class TestRateLimits:
    def test_the_pause_is_kept(self, lab: Lab) -> None:
        lab.service.fates = [Reply(429, headers={"Retry-After": "60"})]
        record = only(lab.run())
        assert (record["state"], lab.posts, lab.accepted) == ("succeeded", 2, 1)
        assert 70 <= lab.clock.elapsed <= 75

    def test_the_run_starts_with_the_trigger_that_was_accepted(self, lab: Lab) -> None:
        lab.service.fates = [Reply(429, headers={"Retry-After": "60"})]
        begin = lab.clock.now()
        record = only(lab.run(wait=False))
        assert record["started_at"] == isoformat(begin + dt.timedelta(seconds=60))

    def test_a_pause_beyond_the_deadline_fails_at_once_and_says_when_to_come_back(self, lab: Lab) -> None:
        lab.service.fates = [Reply(429, headers={"Retry-After": "3600"})]
        result = lab.run()
        record = only(result)
        assert (code(result), record["action"], record["changed"], lab.posts) == ("rate_limited", "refused", False, 1)
        assert "3600 s" in record["failure"]["message"]
        assert (lab.clock.elapsed, lab.open_entry()) == (0, None)

    def test_a_pause_while_polling_that_ends_beyond_the_deadline_ends_the_wait(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1"] = [Reply(429, headers={"Retry-After": "3600"})]
        result = lab.run()
        record = only(result)
        assert (code(result), record["action"]) == ("rate_limited", "triggered")
        assert (record["changed"], record["changed_basis"]) == (True, "assumed")
        assert record["handle"]["run"] == 1


class TestTimeOut:
    @pytest.fixture(autouse=True)
    def _slow(self, lab: Lab) -> None:
        lab.service.duration = 100

    def test_it_is_no_success_and_no_failure_of_the_run(self, lab: Lab) -> None:
        result = lab.run(wait_timeout=20)
        record = only(result)
        assert (result["failed"], code(result), record["state"], record["timed_out"]) == (True, "timed_out", "running", True)
        assert (record["changed"], record["changed_basis"], record["action"]) == (True, "assumed", "triggered")
        assert record["handle"]["run"] == 1
        assert "sync_wait" in record["failure"]["hint"]
        assert "The origin may be slow." in record["failure"]["hint"]
        assert "last seen as busy" in record["failure"]["message"]
        assert lab.clock.elapsed == 20
        assert result["summary"]["timed_out"] == result["summary"]["failed"] == 1

    def test_it_can_be_a_warning(self, lab: Lab) -> None:
        result = lab.run(wait_timeout=20, on_timeout="warn")
        record = only(result)
        assert ("failed" not in result, code(result), record["timed_out"]) == (True, "timed_out", True)
        assert any("seven" in text and "wait_timeout" in text for text in result["warnings"])
        assert (result["summary"]["timed_out"], result["summary"]["failed"]) == (1, 0)

    def test_a_warning_does_not_hide_another_failure(self, lab: Lab) -> None:
        result = lab.run(mirrors=["seven", "seventy"], wait_timeout=20, on_timeout="warn")
        assert (result["failed"], result["summary"]["failed"]) == (True, 1)

    def test_the_next_run_joins_it(self, lab: Lab) -> None:
        lab.run(wait_timeout=20, release="1.2")
        record = only(lab.run(release="1.2"))
        assert (record["action"], record["state"], record["handle"]["run"], lab.posts) == ("joined", "succeeded", 1, 1)
        # it was ours, so it brought the release
        assert only(lab.run(release="1.2"))["action"] == "skipped"

    def test_a_run_never_seen_is_unknown(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1"] = [Reply(503)] * 3
        result = lab.run(wait_timeout=1)
        record = only(result)
        assert (code(result), record["state"], record["timed_out"]) == ("timed_out", "unknown", True)
        assert "503" in record["failure"]["message"]

    def test_a_last_look_that_failed_is_a_part_of_the_reason(self, lab: Lab) -> None:
        class Flaky(Fifth):
            looks = 0

            def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
                self.looks += 1
                if self.looks > 1:
                    raise SyncError("connection_failed", "cannot connect")
                return super().read(handle, channel)

        message = only(lab.run(Flaky, wait_timeout=1))["failure"]["message"]
        assert message.endswith("last seen as busy, and the last look failed: cannot connect")

    @pytest.mark.parametrize(
        ("settled", "why"),
        [
            (Settled("succeeded", Reading("succeeded")), "another run had only just ended"),
            (Settled("failed", Reading("failed")), "another run had only just ended"),
            (Settled("timed_out", Reading("running", "busy")), "another run was still in flight, last seen as busy"),
            (Settled("timed_out"), "the end of another run could not be seen"),
            (Settled("lost", Reading("absent")), "the end of another run could not be seen"),
        ],
    )
    def test_why_there_was_no_time_behind_another_run(self, settled: Settled, why: str) -> None:
        assert why_not_idle(settled) == why

    def test_a_run_last_seen_as_absent_is_unknown(self, lab: Lab) -> None:
        lab.service.duration, lab.service.ending = 0, "gone"
        assert only(lab.run(wait_timeout=20))["state"] == "unknown"

    def test_no_time_at_all_still_triggers_and_looks_once(self, lab: Lab) -> None:
        result = lab.run(wait_timeout=0)
        assert (code(result), lab.posts, only(result)["polls"]) == ("timed_out", 1, 1)


class TestBugs:
    """An exception of our own is neither the fault of the server nor a reason to report a success."""

    def test_one_in_verify_is_no_success(self, lab: Lab) -> None:
        class Broken(Fifth):
            def verify(self, *args: t.Any, **kwargs: t.Any) -> Effect:
                raise KeyError("files")

        result = lab.run(Broken, release="1.2")
        record = only(result)
        assert (code(result), record["state"], result["failed"]) == ("internal_error", "unknown", True)
        assert (record["changed"], record["changed_basis"], result["warnings"]) == (True, "assumed", [])
        assert result["summary"]["succeeded"] == 0
        # nor is it one for later tasks
        assert only(lab.run(release="1.2"))["action"] == "triggered"

    def test_one_in_verify_leaves_a_failed_run_failed(self, lab: Lab) -> None:
        class Broken(Fifth):
            def verify(self, *args: t.Any, **kwargs: t.Any) -> Effect:
                raise KeyError("files")

        lab.service.ending = "broken"
        result = lab.run(Broken)
        assert (code(result), only(result)["state"]) == ("internal_error", "failed")

    def test_one_while_polling_is_not_polled_again(self, lab: Lab) -> None:
        class Broken(Fifth):
            def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
                super().read(handle, channel)
                raise TypeError("unsupported operand")

        result = lab.run(Broken)
        record = only(result)
        assert (code(result), record["polls"], record["handle"]["run"]) == ("internal_error", 1, 1)
        assert (record["state"], record["changed"], record["changed_basis"]) == ("unknown", True, "assumed")
        assert "sync_wait" in record["failure"]["hint"]
        assert only(lab.run())["action"] == "joined"

    def test_one_at_a_time_out_is_not_tolerated_as_one(self, lab: Lab) -> None:
        class Broken(Fifth):
            def explain_timeout(self, target: Target, reading: Reading | None, channel: Channel) -> str:
                raise KeyError("why")

        lab.service.duration = 100
        result = lab.run(Broken, wait_timeout=20, on_timeout="warn")
        record = only(result)
        assert (result["failed"], code(result), record["state"], record["timed_out"]) == (True, "internal_error", "running", True)


class TestEndings:
    def test_a_run_that_vanishes_has_an_unknown_outcome(self, lab: Lab) -> None:
        lab.service.ending = "gone"
        result = lab.run(settle_grace=10)
        record = only(result)
        assert (code(result), record["state"]) == ("outcome_unknown", "unknown")
        assert (record["changed"], record["timed_out"]) == (True, False)
        assert lab.clock.elapsed <= 10 + 10 + 6

    def test_unknown_states_end_the_wait_and_are_listed(self, lab: Lab) -> None:
        lab.service.ending = "discombobulated"
        result = lab.run()
        assert (code(result), only(result)["state"]) == ("bad_response", "unknown")
        assert "busy, discombobulated" in only(result)["failure"]["message"]

    def test_trouble_while_polling_is_tolerated(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1"] = [Reply(502), Reply(end="close"), Reply(body=b"{"), Reply(429)]
        assert only(lab.run())["state"] == "succeeded"

    def test_an_answer_of_another_shape_while_polling_is_tolerated(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1"] = [Reply(body={"message": "hello"}), Reply(body=[1, 2])]
        assert only(lab.run())["state"] == "succeeded"

    def test_an_outage_shorter_than_its_grace_is_tolerated(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1"] = [Reply(502)] * 1000
        lab.clock.at(36, lab.service.instead.clear)
        assert only(lab.run())["state"] == "succeeded"

    def test_lasting_trouble_while_polling_keeps_the_handle(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1"] = [Reply(502)] * 1000
        lab.clock.at(61, lab.service.instead.clear)
        result = lab.run(release="1.2")
        record = only(result)
        assert (code(result), record["state"]) == ("server_error", "running")
        assert (record["changed"], record["changed_basis"], record["timed_out"]) == (True, "assumed", False)
        assert (record["handle"]["run"], 60 <= lab.clock.elapsed <= 61) == (1, True)
        assert "sync_wait" in record["failure"]["hint"]
        lab.service.duration = 1000
        assert only(lab.run(release="1.2"))["action"] in ("joined", "skipped")
        assert lab.posts == 1

    def test_the_grace_of_an_outage_is_an_option(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1"] = [Reply(502)] * 1000
        assert code(lab.run(outage_grace=5)) == "server_error"
        assert 5 <= lab.clock.elapsed <= 6

    def test_the_server_being_gone_is_no_failure_of_the_run(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1"] = [Reply(end="close")] * 1000
        result = lab.run()
        assert (code(result), only(result)["state"], result["failed"]) == ("connection_failed", "running", True)

    def test_an_effect_that_cannot_be_verified_is_a_warning(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1/files"] = [Reply(500)]
        result = lab.run()
        record = only(result)
        assert (record["state"], record["changed_basis"], record["failure"]) == ("succeeded", "assumed", None)
        assert any("could not be verified" in text for text in result["warnings"])

    def test_an_effect_of_another_shape_is_a_warning_too(self, lab: Lab) -> None:
        lab.service.instead["GET /runs/1/files"] = [Reply(body=5)]
        result = lab.run()
        assert (only(result)["state"], only(result)["failure"]) == ("succeeded", None)
        assert any("could not be verified" in text for text in result["warnings"])

    def test_a_run_without_the_effect_it_must_have_has_failed_and_satisfies_no_release(self, lab: Lab) -> None:
        class Demanding(Fifth):
            def verify(self, *args: t.Any, **kwargs: t.Any) -> Effect:
                effect = super().verify(*args, **kwargs)
                return dataclasses.replace(effect, failure=SyncError("run_failed", "the files are not those of the origin"))

        result = lab.run(Demanding, release="1.2")
        record = only(result)
        assert (code(result), record["state"], record["changed_basis"]) == ("run_failed", "failed", "observed")
        assert (result["summary"]["succeeded"], result["summary"]["failed"]) == (0, 1)
        assert only(lab.run(release="1.2"))["action"] == "triggered"

    def test_a_failure_has_to_be_confirmed_where_the_capabilities_say_so(self, lab: Lab) -> None:
        class Doubtful(Fifth):
            capabilities = Capabilities(True, failed_reads=3, failed_for=2.0)

        lab.service.ending = "broken"
        lab.clock.at(10.5, lambda: setattr(lab.service.runs[0], "ending", "done"))
        assert only(lab.run(Doubtful))["state"] == "succeeded"
        assert code(lab.run(Doubtful)) == "run_failed"
