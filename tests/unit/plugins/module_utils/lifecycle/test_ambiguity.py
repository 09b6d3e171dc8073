# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Triggers whose outcome is unknown: lost answers, dead processes, and two controllers at once."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import (
    Capabilities,
    Observation,
    Run,
    Target,
)
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.mirrors import Fate, Mirrors
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.sync_users import sync, sync_and_die
from tests.unit.plugins.support.web import Reply

LOST_AFTER_ACCEPTANCE: list[Fate] = [
    "lose",
    ("executed", Reply(end="reset")),
    ("executed", Reply(202, {"id": 1}, end="half")),
    ("executed", Reply(502)),
    ("executed", Reply(500)),
    ("executed", Reply(504, headers={"Retry-After": "1"})),
    ("executed", Reply(204)),
    ("executed", Reply(202, b"<html>Please log in</html>")),
    ("executed", Reply(202, b"")),
    ("executed", Reply(202, {"unexpected": "shape"})),
    ("executed", Reply(202, [])),
]
LOST_BEFORE_ACCEPTANCE: list[Fate] = ["drop", Reply(502), Reply(500), Reply(202, b"<html>Please log in</html>")]


class TestLostAnswer:
    @pytest.mark.parametrize("fate", LOST_AFTER_ACCEPTANCE, ids=str)
    def test_a_run_that_was_accepted_is_adopted(self, lab: Lab, fate: Fate) -> None:
        lab.service.fates = [fate]
        result = lab.run(release="1.2")
        record = only(result)
        assert (record["action"], record["state"], record["failure"]) == ("triggered", "succeeded", None)
        assert (lab.posts, lab.accepted) == (1, 1)
        assert only(lab.run(release="1.2"))["action"] == "skipped"

    def test_the_record_says_so_until_the_effect_is_known(self, lab: Lab) -> None:
        lab.service.fates = ["lose"]
        assert only(lab.run(wait=False))["reason"].startswith("adopted: ")

    def test_it_may_take_a_while_to_show(self, lab: Lab) -> None:
        lab.service.fates = ["hide"]
        lab.clock.at(20, lambda: setattr(lab.service.runs[0], "hidden", False))
        assert only(lab.run())["state"] == "succeeded"
        assert lab.posts == 1

    def test_trouble_while_looking_is_tolerated(self, lab: Lab) -> None:
        lab.service.fates = ["lose"]
        lab.service.before["POST /mirrors/7/refresh"] = lambda: lab.service.instead.update(
            {"GET /mirrors/7": [Reply(500), Reply(body={"odd": 1}), *[Reply(502)] * 4]}
        )
        assert only(lab.run())["state"] == "succeeded"
        assert lab.posts == 1

    @pytest.mark.parametrize("fate", LOST_BEFORE_ACCEPTANCE, ids=str)
    def test_a_run_that_does_not_show_has_an_unknown_outcome_and_nothing_is_sent_again(self, lab: Lab, fate: Fate) -> None:
        lab.service.fates = [fate]
        result = lab.run(release="1.2")
        record = only(result)
        assert (code(result), record["action"], record["state"]) == ("outcome_unknown", "triggered", "unknown")
        assert (record["changed"], record["changed_basis"], record["handle"]) == (True, "assumed", None)
        assert (lab.posts, lab.accepted) == (1, 0)
        assert 29 <= lab.clock.elapsed <= 31
        assert "Nothing was sent again" in record["failure"]["hint"]

    def test_the_status_of_an_ambiguous_answer_is_kept(self, lab: Lab) -> None:
        lab.service.fates = [Reply(502)]
        assert only(lab.run())["failure"]["http_status"] == 502

    def test_an_unknown_outcome_satisfies_no_release(self, lab: Lab) -> None:
        lab.service.fates = ["drop"]
        lab.run(release="1.2")
        assert only(lab.run(release="1.2"))["state"] == "succeeded"
        assert lab.accepted == 1

    def test_the_search_ends_at_the_deadline(self, lab: Lab) -> None:
        lab.service.fates = ["drop"]
        assert code(lab.run(wait_timeout=12)) == "outcome_unknown"
        assert lab.clock.elapsed == 12

    def test_the_search_costs_few_requests(self, lab: Lab) -> None:
        lab.service.fates = ["drop"]
        lab.run()
        assert lab.web.lines.count("GET /mirrors/7") <= 2 + 20

    def test_an_older_run_is_not_taken_for_ours(self, lab: Lab) -> None:
        lab.run()
        lab.service.fates = ["drop"]
        assert code(lab.run()) == "outcome_unknown"

    def test_a_definite_refusal_is_no_lost_answer(self, lab: Lab) -> None:
        lab.service.fates = [Reply(400, b"no")]
        result = lab.run()
        assert (code(result), only(result)["action"], lab.clock.elapsed) == ("bad_response", "refused", 0)

    def test_an_exception_before_anything_was_sent_is_no_lost_answer(self, lab: Lab) -> None:
        class Broken(Fifth):
            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                raise KeyError("crumb")

        result = lab.run(Broken)
        assert (code(result), only(result)["action"], lab.clock.elapsed, lab.posts) == ("internal_error", "refused", 0, 0)
        assert "crumb" in only(result)["failure"]["message"]
        assert lab.open_entry() is None

    def test_an_exception_after_the_trigger_was_sent_leaves_its_outcome_open(self, lab: Lab) -> None:
        class Broken(Fifth):
            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                super().trigger(target, observation, channel)
                raise KeyError("crumb")

        result = lab.run(Broken, release="1.2")
        record = only(result)
        assert (code(result), record["action"], record["state"]) == ("internal_error", "triggered", "unknown")
        assert (record["changed"], record["changed_basis"], lab.posts) == (True, "assumed", 1)
        assert "may have been executed" in record["failure"]["hint"]
        assert lab.open_entry() is None

    def test_an_exception_in_the_search_does_not_hide_that_the_trigger_was_sent(self, lab: Lab) -> None:
        class Broken(Fifth):
            def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
                raise KeyError("crumb")

        lab.service.fates = ["lose"]
        result = lab.run(Broken)
        record = only(result)
        assert (code(result), record["action"], record["state"], lab.clock.elapsed) == (
            "internal_error",
            "triggered",
            "unknown",
            0,
        )
        assert lab.posts == 1


class TestLedgerTrouble:
    """A ledger that fails after the trigger cannot undo it."""

    def test_the_record_still_names_the_run(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object) -> None:
            raise SyncError("invalid_option", "option ledger_path: the disk is full")

        monkeypatch.setattr(RunLedger, "started", fail)
        result = lab.run()
        record = only(result)
        # the run is followed, and the ledger is a warning
        assert (code(result), record["action"], record["state"]) == (None, "triggered", "succeeded")
        assert (record["changed"], record["handle"]["run"], lab.accepted) == (True, 1, 1)
        assert any("the disk is full" in text for text in result["warnings"])

    def test_the_record_still_says_that_the_outcome_is_unknown(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object) -> None:
            raise SyncError("invalid_option", "option ledger_path: the disk is full")

        lab.service.fates = ["drop"]
        monkeypatch.setattr(RunLedger, "finish", fail)
        record = only(lab.run())
        assert (record["action"], record["state"], record["changed"]) == ("triggered", "unknown", True)

    def test_nothing_is_triggered_without_an_intent(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: object) -> None:
            raise SyncError("invalid_option", "option ledger_path: the disk is full")

        monkeypatch.setattr(RunLedger, "intend", fail)
        assert (code(lab.run()), lab.posts) == ("invalid_option", 0)

    def test_the_intent_is_there_when_the_trigger_is_sent(self, lab: Lab) -> None:
        seen: list[object] = []

        def look() -> None:
            entry = lab.open_entry()
            assert entry is not None
            seen.append((entry.state, entry.release, entry.snapshot, entry.handle))

        lab.service.before["POST /mirrors/7/refresh"] = look
        lab.run(release="1.2")
        assert seen == [("sending", "1.2", {"last": 0}, None)]


class Proven(Fifth):
    capabilities = Capabilities(True, absence_proves=True)


class TestDeadProcess:
    """The process dies at a certain point; then the task is run again."""

    @staticmethod
    def die(lab: Lab, where: str) -> None:
        assert Process(sync_and_die, where, lab.options(release="1.2")).end() == 9

    def test_before_the_trigger_nothing_was_sent(self, lab: Lab) -> None:
        self.die(lab, "before")
        record = only(lab.run(release="1.2", check=True))
        assert (record["action"], record["detail"]["interrupted"]["outcome"]) == ("would_trigger", "not_sent")
        record = only(lab.run(release="1.2"))
        assert (record["action"], record["state"], record["detail"]["interrupted"]["outcome"]) == (
            *("triggered", "succeeded"),
            "not_sent",
        )
        # the ledger proves it, so there is nothing to wait for
        assert (lab.accepted, lab.clock.elapsed < 29) == (1, True)

    def test_while_sending_where_absence_proves_nothing(self, lab: Lab) -> None:
        self.die(lab, "sending")
        # it may still show within the grace
        assert only(lab.run(check=True, release="1.2"))["action"] == "would_trigger"
        lab.clock.sleep(60)
        assert only(lab.run(check=True, force=True))["action"] == "would_trigger"
        assert only(lab.run(Proven, check=True))["action"] == "would_trigger"
        predicted = [lab.run(check=True, release="1.2") for _time in range(2)]
        result = lab.run(release="1.2")
        assert (code(result), only(result)["state"], lab.posts) == ("outcome_unknown", "not_started", 0)
        for each in predicted:
            assert (code(each), each["failed"], only(each)["failure"]) == (code(result), True, only(result)["failure"])
        assert "interrupted" in only(result)["failure"]["message"]
        assert only(result)["detail"]["interrupted"]["outcome"] == "unknown"
        # but only once
        assert only(lab.run(release="1.2"))["state"] == "succeeded"
        assert lab.accepted == 1

    def test_before_the_trigger_where_absence_proves_that_there_is_none(self, lab: Lab) -> None:
        self.die(lab, "before")
        assert only(lab.run(Proven, release="1.2"))["state"] == "succeeded"
        assert (lab.posts, lab.accepted) == (1, 1)
        assert lab.clock.elapsed >= 29

    def test_while_sending_with_force(self, lab: Lab) -> None:
        self.die(lab, "sending")
        assert only(lab.run(force=True))["state"] == "succeeded"
        assert lab.accepted == 1

    def test_after_the_trigger_and_before_the_ledger_knows(self, lab: Lab) -> None:
        self.die(lab, "after")
        assert lab.accepted == 1
        entry = lab.open_entry()
        assert entry is not None
        assert (entry.state, entry.handle) == ("sending", None)
        record = only(lab.run(release="1.2"))
        assert (record["action"], record["state"], record["handle"]["run"]) == ("joined", "succeeded", 1)
        assert (lab.posts, only(lab.run(release="1.2"))["action"]) == (1, "skipped")

    def test_while_waiting(self, lab: Lab) -> None:
        self.die(lab, "waiting")
        entry = lab.open_entry()
        assert entry is not None
        assert entry.state == "started"
        record = only(lab.run(release="1.2"))
        assert (record["action"], record["state"], lab.posts) == ("joined", "succeeded", 1)

    def test_while_waiting_for_a_run_that_has_ended_meanwhile(self, lab: Lab) -> None:
        self.die(lab, "waiting")
        lab.clock.sleep(60)
        assert only(lab.run(release="1.2"))["action"] == "skipped"
        assert lab.posts == 1

    def test_while_waiting_for_a_run_that_has_failed_meanwhile(self, lab: Lab) -> None:
        self.die(lab, "waiting")
        lab.clock.sleep(60)
        lab.service.runs[0].ending = "broken"
        assert only(lab.run(release="1.2"))["state"] == "succeeded"
        assert lab.posts == 2

    def test_while_waiting_for_a_run_that_the_server_has_forgotten(self, lab: Lab) -> None:
        self.die(lab, "waiting")
        lab.service.runs[0].id = 99
        assert only(lab.run(release="1.2", if_running="queue"))["state"] == "succeeded"

    def test_check_mode_writes_nothing_about_it(self, lab: Lab) -> None:
        self.die(lab, "after")
        assert only(lab.run(check=True))["action"] == "would_join"
        entry = lab.open_entry()
        assert entry is not None
        assert entry.state == "sending"


class TestTwoControllers:
    def test_two_processes_with_one_ledger_trigger_once(self, serve: Serve, lab: Lab) -> None:
        service = Mirrors(SystemClock())
        service.duration = 1.0
        web = serve(service.respond)
        options = lab.options(api_url=web.url, poll_min_interval=0.1)
        processes = [Process(sync, options) for _controller in range(2)]
        for process in processes:
            assert process.line() == "ready"
        for process in processes:
            process.go_on()
        lines = sorted(process.line() for process in processes)
        for process in processes:
            process.end()
        assert (lines, len(service.runs)) == (["joined succeeded None", "triggered succeeded None"], 1)

    def test_a_run_that_another_process_made_while_we_gathered_evidence_is_not_repeated(self, lab: Lab) -> None:
        def meanwhile() -> None:
            assert only(lab.run(release="1.2"))["state"] == "succeeded"

        # the other one begins and ends between our look and our trigger
        lab.service.before["GET /mirrors/7"] = meanwhile
        assert only(lab.run(release="1.2"))["action"] == "skipped"
        assert lab.posts == 1

    def test_a_target_that_another_process_is_about_to_trigger_is_not_polled_in_haste(self, lab: Lab) -> None:
        other = lab.ledger
        other.intend(lab.key, None, {})
        for beat in range(10, 100, 10):
            lab.clock.at(beat, other.renew)
        result = lab.run(wait_timeout=100)
        assert (code(result), only(result)["timed_out"], lab.posts) == ("timed_out", True, 0)
        # two looks for each try, for which proportional polling allows 34
        assert lab.web.lines.count("GET /mirrors/7") <= 2 * 36
