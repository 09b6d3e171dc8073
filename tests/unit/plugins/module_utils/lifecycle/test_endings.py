# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a run ends: vanished, unreachable, unverified, or by a bug of a provider."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Capabilities, Effect, Target
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.web import Reply


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
