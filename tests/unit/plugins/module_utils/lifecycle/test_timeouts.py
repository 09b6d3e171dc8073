# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that does not end in time."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading, Settled
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.settle import why_not_idle
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.web import Reply


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

    def test_a_last_poll_that_failed_is_a_part_of_the_reason(self, lab: Lab) -> None:
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

    def test_no_time_at_all_still_triggers_and_polls_once(self, lab: Lab) -> None:
        result = lab.run(wait_timeout=0)
        assert (code(result), lab.posts, only(result)["polls"]) == ("timed_out", 1, 1)
