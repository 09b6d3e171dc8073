# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are not waited for, and found again by their handles."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import ArgumentSpec
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import (
    Effect,
    Observation,
    Provider,
    Run,
    Target,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Interrupted
from ansible_collections.lockstep.sync.plugins.module_utils._operations.wait import run_wait, wait_spec
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import FIELDS, Lab, Result, code, only, validated
from tests.unit.plugins.support.mirrors import TOKEN, dumps
from tests.unit.plugins.support.web import Reply, Web

Handle = dict[str, t.Any]


@pytest.fixture
def handle(lab: Lab) -> Handle:
    """That of a run which was triggered and not waited for."""
    return t.cast(Handle, only(lab.run(wait=False, release="1.2"))["handle"])


class TestNotWaiting:
    def test_the_task_ends_with_the_trigger(self, lab: Lab) -> None:
        result = lab.run(wait=False)
        record = only(result)
        assert (record["action"], record["state"], record["failure"]) == ("triggered", "running", None)
        assert (record["changed"], record["changed_basis"], record["polls"]) == (True, "assumed", 0)
        assert ("failed" not in result, lab.clock.elapsed) == (True, 0)
        assert "not waited for" in record["reason"]

    @pytest.mark.parametrize("options", [{"wait": False}, {"wait_timeout": 5}])
    def test_a_run_that_goes_on_without_us_blocks_no_other(self, lab: Lab, options: dict[str, t.Any]) -> None:
        lab.run(**options)
        entry = lab.open_entry()
        assert entry is not None
        assert (entry.state, entry.is_held(lab.clock.now())) == ("started", False)

    def test_a_second_run_joins_and_waits(self, lab: Lab) -> None:
        lab.run(wait=False, release="1.2")
        record = only(lab.run(release="1.2"))
        assert (record["action"], record["state"], lab.posts) == ("joined", "succeeded", 1)
        assert only(lab.run(release="1.2"))["action"] == "skipped"

    def test_a_second_run_that_does_not_wait_either_joins_too(self, lab: Lab) -> None:
        lab.run(wait=False)
        record = only(lab.run(wait=False))
        assert (record["action"], record["state"], lab.posts) == ("joined", "running", 1)

    def test_a_second_run_after_the_end_knows_that_the_release_is_there(self, lab: Lab) -> None:
        lab.run(wait=False, release="1.2")
        lab.clock.sleep(60)
        assert only(lab.run(release="1.2"))["action"] == "skipped"
        assert lab.posts == 1

    def test_a_second_run_after_the_end_knows_the_age(self, lab: Lab) -> None:
        lab.run(wait=False)
        lab.clock.sleep(60)
        assert only(lab.run(max_age=51))["action"] == "skipped"
        assert only(lab.run(max_age=49))["action"] == "triggered"


class TestWaiting:
    def test_it_waits_for_the_run_and_triggers_nothing(self, lab: Lab, handle: Handle) -> None:
        result = lab.wait([handle])
        record = only(result)
        assert set(record) == FIELDS
        assert (record["action"], record["state"], record["target"], lab.posts) == ("joined", "succeeded", "seven", 1)
        assert (record["changed"], record["changed_basis"], record["handle"]) == (True, "observed", handle)
        assert record["detail"] == {"files": ["a", "b"]}
        assert result["summary"]["joined"] == result["summary"]["succeeded"] == 1

    def test_it_records_the_outcome(self, lab: Lab, handle: Handle) -> None:
        lab.wait([handle])
        assert lab.open_entry() is None
        assert only(lab.run(release="1.2"))["action"] == "skipped"

    def test_it_records_the_outcome_of_a_run_that_this_ledger_never_saw(self, lab: Lab, handle: Handle) -> None:
        other = str(lab.directory / "other.sqlite3")
        lab.wait([handle], ledger_path=other)
        assert only(lab.run(max_age=60, ledger_path=other))["action"] == "skipped"

    def test_a_run_that_ended_long_ago_is_known_at_once(self, lab: Lab, handle: Handle) -> None:
        lab.clock.sleep(3600)
        before = lab.clock.elapsed
        record = only(lab.wait([handle]))
        assert (record["state"], record["polls"], lab.clock.elapsed) == ("succeeded", 1, before)

    def test_a_run_that_failed_fails_the_task(self, lab: Lab, handle: Handle) -> None:
        lab.service.runs[0].ending = "broken"
        result = lab.wait([handle])
        assert (code(result), only(result)["state"], only(result)["changed"]) == ("run_failed", "failed", False)
        assert lab.open_entry() is None

    def test_a_time_out_leaves_the_run_to_be_joined(self, lab: Lab, handle: Handle) -> None:
        result = lab.wait([handle], wait_timeout=5)
        assert (code(result), only(result)["timed_out"], only(result)["state"]) == ("timed_out", True, "running")
        assert only(lab.run(release="1.2"))["action"] == "joined"

    def test_a_time_out_can_be_a_warning(self, lab: Lab, handle: Handle) -> None:
        result = lab.wait([handle], wait_timeout=5, on_timeout="warn")
        assert ("failed" not in result, len(result["warnings"])) == (True, 1)

    def test_a_run_that_does_not_exist_is_named(self, lab: Lab, handle: Handle) -> None:
        assert code(lab.wait([{**handle, "run": 99}])) == "not_found"

    def test_many_runs_are_waited_for_at_once(self, lab: Lab) -> None:
        names = ["seven", "eight", "nine"]
        handles = [record["handle"] for record in lab.run(mirrors=names, wait=False)["syncs"]]
        lab.service.runs[1].ending = "broken"
        result = lab.wait(handles)
        assert [record["target"] for record in result["syncs"]] == names
        assert sorted(record["state"] for record in result["syncs"]) == ["failed", "succeeded", "succeeded"]
        assert result["summary"]["requests"] == sum(record["requests"] for record in result["syncs"])

    def test_check_mode_looks_once_and_writes_nothing(self, lab: Lab, handle: Handle) -> None:
        before = len(lab.web.log)
        record = only(lab.wait([handle], check=True))
        assert (record["action"], record["state"], record["changed_basis"]) == ("would_join", "running", "predicted")
        assert (len(lab.web.log) - before, record["polls"]) == (1, 1)
        lab.clock.sleep(60)
        assert only(lab.wait([handle], check=True))["state"] == "succeeded"
        entry = lab.open_entry()
        assert entry is not None
        assert entry.state == "started"

    def test_check_mode_fails_for_a_run_that_failed(self, lab: Lab, handle: Handle) -> None:
        lab.clock.sleep(60)
        lab.service.runs[0].ending = "broken"
        assert code(lab.wait([handle], check=True)) == "run_failed"

    def test_an_interruption_keeps_the_records(self, lab: Lab, handle: Handle) -> None:
        class Stopping(Fifth):
            def watch(self, handle: t.Mapping[str, t.Any], wake: t.Callable[[], None]) -> None:
                raise Interrupted

        result = lab.wait([handle], Stopping, report_path=str(lab.report_path))
        assert (code(result), only(result)["handle"]) == ("outcome_unknown", handle)
        assert lab.report["syncs"] == result["syncs"]

    def test_what_is_written_has_the_key_that_a_sync_would_use(self, lab: Lab, handle: Handle) -> None:
        lab.wait([handle])
        assert lab.ledger.last_success(Key("fifth", lab.web.url, "7")) is not None


class TestHandles:
    @pytest.mark.parametrize(
        "change",
        [
            {"provider": "sixth"},
            {"provider": None},
            {"provider": ["fifth"]},
            {"provider": {}},
            {"address": None},
            {"address": 5},
            {"mirror": None},
            {"run": "1"},
        ],
        ids=str,
    )
    def test_what_is_no_handle_is_refused(self, lab: Lab, handle: Handle, change: Handle) -> None:
        before = len(lab.web.log)
        result = lab.wait([{**handle, **change}], report_path=str(lab.report_path))
        assert (result["failed"], result["failure"]["code"]) == (True, "invalid_option")
        assert "option handles" in result["msg"]
        assert len(lab.web.log) == before
        assert lab.report["failed"] is True

    def test_none_at_all_is_refused(self, lab: Lab) -> None:
        assert lab.wait([])["failure"]["code"] == "invalid_option"

    def test_invalid_options_are_refused(self, lab: Lab, handle: Handle) -> None:
        assert lab.wait([handle], wait_timeout=1e12)["failure"]["code"] == "invalid_option"

    def test_a_handle_holds_no_secret(self, handle: Handle) -> None:
        assert TOKEN not in dumps(handle)


class TestCredentials:
    """A handle is mere data: its author must not receive the credentials of the task."""

    @pytest.fixture
    def foreign(self, serve: Serve) -> Web:
        return serve(lambda request: Reply(200, {"id": 1, "state": "done", "text": "", "ended": None}))

    def test_they_are_never_sent_to_the_address_of_a_handle(self, lab: Lab, handle: Handle, foreign: Web) -> None:
        result = lab.wait([{**handle, "address": foreign.url}])
        assert (result["failed"], result["failure"]["code"]) == (True, "invalid_option")
        assert foreign.url in result["msg"]
        assert foreign.log == []

    def test_not_even_if_they_come_from_the_environment(
        self, lab: Lab, handle: Handle, foreign: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FIFTH_TOKEN", TOKEN)
        monkeypatch.setenv("FIFTH_URL", lab.web.url)
        assert only(lab.wait([handle], connections=None))["state"] == "succeeded"
        assert lab.wait([{**handle, "address": foreign.url}], connections=None)["failure"]["code"] == "invalid_option"
        monkeypatch.delenv("FIFTH_URL")
        result = lab.wait([{**handle, "address": foreign.url}], connections=None)
        assert result["failure"]["code"] == "invalid_option"
        assert "api_url" in result["msg"]
        assert foreign.log == []

    def test_missing_ones_are_named_with_the_remedy(self, lab: Lab, handle: Handle) -> None:
        result = lab.wait([handle], connections={"fifth": {"api_url": lab.web.url}})
        assert "connections.fifth" in result["msg"]
        assert "token" in result["msg"]
        assert "environment" in result["msg"]

    def test_they_are_not_shown(self, lab: Lab, handle: Handle) -> None:
        lab.service.instead["GET /runs/1"] = [Reply(400, TOKEN.encode())] * 100
        result = lab.wait([handle], report_path=str(lab.report_path))
        assert code(result) == "bad_response"
        assert TOKEN not in dumps(result) + lab.report_path.read_text()

    def test_an_address_with_credentials_is_not_repeated(self, lab: Lab, handle: Handle) -> None:
        result = lab.wait([{**handle, "address": "https://u:pass-canary@h"}])
        assert result["failure"]["code"] == "invalid_option"
        assert "pass-canary" not in dumps(result)

    def test_the_form_of_an_address_does_not_matter(self, lab: Lab, handle: Handle) -> None:
        connections = {"fifth": {"api_url": lab.web.url.upper().replace("HTTP", "http") + "/", "token": TOKEN}}
        assert only(lab.wait([handle], connections=connections))["state"] == "succeeded"

    def test_without_credentials_the_handle_may_say_where_to_look(self, lab: Lab, foreign: Web) -> None:
        class Open(Fifth):
            name = "open"
            connection_spec = ArgumentSpec({"api_url": {"type": "str", "required": True}})

            def __init__(self, options: t.Any, services: t.Any) -> None:
                super().__init__({**options, "token": "none"}, services)

            def verify(
                self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel
            ) -> Effect:
                return Effect(True, "assumed")

        handle = {"provider": "open", "address": foreign.url, "mirror": "7", "name": "seven", "run": 1}
        assert only(lab.wait([handle], Open, connections=None))["state"] == "succeeded"


def test_handles_of_several_providers_are_waited_for_in_one_task(lab: Lab, serve: Serve) -> None:
    class Sixth(Fifth):
        name = "sixth"

    handle = only(lab.run(wait=False))["handle"]
    providers: dict[str, type[Provider]] = {"fifth": Fifth, "sixth": Sixth}
    connection = {"api_url": lab.web.url, "token": TOKEN}
    options = {
        "handles": [handle, {**handle, "provider": "sixth"}],
        "ledger_path": str(lab.ledger_path),
        "connections": {"fifth": connection, "sixth": connection},
    }
    result: Result = run_wait(providers, validated(wait_spec(providers), options), lab.new_context())
    assert [record["provider"] for record in result["syncs"]] == ["fifth", "sixth"]
    assert [record["state"] for record in result["syncs"]] == ["succeeded"] * 2
