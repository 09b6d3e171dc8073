# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Triggers that are refused or never arrive, and when they are sent again."""

from __future__ import annotations

import datetime as dt

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import isoformat
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import NeverArrived, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Remedy, Run, Target
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.web import Reply


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
