# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret is shown: in results, progress, errors and URLs."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Effect, Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from tests.unit.plugins.support import mirrors
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only, validated
from tests.unit.plugins.support.mirrors import TOKEN, dumps
from tests.unit.plugins.support.watcher import Watcher
from tests.unit.plugins.support.web import Reply


class TestSecrets:
    """The token of the fifth provider is a canary."""

    def test_a_server_that_repeats_it_everywhere_does_not_get_it_shown(self, lab: Lab) -> None:
        leak = f"Bearer {TOKEN}"

        class Leaky(Fifth):
            def resolve(self, name: str, channel: Channel) -> Target:
                target = super().resolve(name, channel)
                return Target(target.id, f"{target.name} {leak}")

            def observe(self, target: Target, channel: Channel) -> Observation:
                observation = super().observe(target, channel)
                observation.reason = leak
                observation.detail = {"echo": [leak], leak: 1}
                observation.compact_detail = {"echo": leak}
                observation.snapshot["echo"] = leak
                observation.diff = {"before": leak, "after": f"{leak}!"}
                self.services.warn(f"warned of {leak}")
                return observation

            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                run = super().trigger(target, observation, channel)
                return Run({**run.handle, "echo": leak}, run.started_at)

            def verify(
                self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel
            ) -> Effect:
                error = SyncError("run_failed", leak, leak, detail={"echo": leak})
                return Effect(True, "observed", leak, {"more": leak}, failure=error, warnings=(leak,))

        result = lab.run(Leaky, diff=True, report_path=str(lab.report_path))
        assert code(result) == "run_failed"
        assert TOKEN not in dumps(result)
        assert "********" in dumps(result)
        assert TOKEN not in lab.report_path.read_text()
        assert all(TOKEN.encode() not in path.read_bytes() for path in lab.directory.glob("ledger*"))
        assert all(TOKEN not in text for text in result["warnings"])

    def test_progress_does_not_show_it(self, lab: Lab, watcher: Watcher) -> None:
        class Leaky(Fifth):
            def resolve(self, name: str, channel: Channel) -> Target:
                return Target("7", f"seven {TOKEN}")

            def observe(self, target: Target, channel: Channel) -> Observation:
                watcher.await_line()
                return super().observe(target, channel)

        run_sync(Leaky, validated(sync_spec(Leaky), lab.options()), lab.new_context(show=watcher.show))
        assert any(line.startswith("seven ********") for line in watcher.lines)
        assert all(TOKEN not in line for line in watcher.lines)

    def test_it_is_not_shown_in_errors_of_the_server(self, lab: Lab) -> None:
        lab.service.fates = [Reply(400, f"<{TOKEN}>".encode())]
        result = lab.run()
        assert code(result) == "bad_response"
        assert TOKEN not in dumps(result)

    def test_it_is_not_shown_by_an_unexpected_exception(self, lab: Lab) -> None:
        class Surprised(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                raise KeyError(self.options["token"])

        result = lab.run(Surprised)
        assert code(result) == "internal_error"
        assert TOKEN not in dumps(result)

    def test_one_with_a_line_break_is_refused_and_not_shown(self, lab: Lab) -> None:
        result = lab.run(token=TOKEN + "\n")
        assert code(result) == "invalid_option"
        assert TOKEN not in dumps(result)

    @pytest.mark.parametrize("token", ["failed", "e", "warnings", "changed"])
    def test_a_secret_that_is_a_word_of_ours_does_not_change_the_verdict(self, lab: Lab, token: str) -> None:
        result = lab.run(token=token)
        assert (result["failed"], result["changed"], result["warnings"]) == (True, False, [])

    def test_it_is_in_no_url(self, lab: Lab) -> None:
        lab.run()
        assert all(TOKEN not in f"{request.path} {request.query}" for request in lab.web.log)


@pytest.mark.parametrize("secret", ["127.0", "http", "seven", "e", "fifth", "triggered", "succeeded", "observed", "2026"])
def test_a_secret_that_is_a_part_of_a_handle_leaves_it_usable(lab: Lab, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setattr(mirrors, "TOKEN", secret)
    result = lab.run(token=secret, wait=False, report_path=str(lab.report_path))
    record = only(result)
    handle = {"provider": "fifth", "address": lab.web.url, "mirror": "7", "name": "seven", "run": 1}
    assert record["handle"] == only(lab.report)["handle"] == handle
    assert (record["target"], record["provider"], record["action"], record["state"]) == ("seven", "fifth", "triggered", "running")
    waited = lab.wait([record["handle"]], connections={"fifth": {"api_url": lab.web.url, "token": secret}})
    assert (code(waited), only(waited)["state"]) == (None, "succeeded")
    # the ledger has it, too
    assert only(lab.run(token=secret, release="1.2", wait=False))["handle"]["run"] == 2
    assert only(lab.run(token=secret, release="1.2"))["action"] == "joined"


def test_the_code_of_a_failure_is_no_secret(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "TOKEN", "guard")
    lab.service.mirrors["7"].loss = 101
    failure = only(lab.run(token="guard"))["failure"]
    assert (failure["code"], failure["guards"]) == ("guard_refused", [{"rule": "max_loss", "message": "101 files"}])
