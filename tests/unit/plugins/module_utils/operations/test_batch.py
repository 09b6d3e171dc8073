# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many targets in one task, and every way for a task to end."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import Stopped, SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import Options
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import PollPolicy, Reading
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import (
    Effect,
    Observation,
    Run,
    Services,
    Target,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations import task as batch
from ansible_collections.lockstep.sync.plugins.module_utils._operations.progress import ticking
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Interrupted
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.module_utils.lifecycle.test_lifecycle import FIELDS
from tests.unit.plugins.support import mirrors
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, Result, code, only, validated
from tests.unit.plugins.support.mirrors import TOKEN, Mirrors, dumps
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.sync_users import sync_until_stopped, sync_until_stopped_and_stay
from tests.unit.plugins.support.web import Reply

ALL = ["seven", "eight", "nine"]


def column(result: Result, field: str) -> list[t.Any]:
    return [record[field] for record in result["syncs"]]


class Watcher:
    """Collects the progress lines of a task."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._shown = threading.Event()

    def show(self, line: str) -> None:
        self.lines.append(line)
        self._shown.set()

    def await_line(self) -> None:
        """Wait until the next line is shown."""
        self._shown.clear()
        assert self._shown.wait(20)


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Watcher:
    """A watcher with progress lines every 10 ms."""
    monkeypatch.setattr(batch, "ticking", lambda line, show: ticking(line, show, PollPolicy(0.01, 0.01)))
    return Watcher()


class TestManyTargets:
    def test_every_target_has_a_record_in_the_order_of_the_list(self, lab: Lab) -> None:
        result = lab.run(mirrors=["nine", "seventy", "seven", "eight"])
        assert column(result, "target") == ["nine", "seventy", "seven", "eight"]
        assert column(result, "action") == ["triggered", "refused", "triggered", "triggered"]
        assert all(set(record) == FIELDS for record in result["syncs"])

    @pytest.mark.parametrize("max_parallel", [1, 8])
    def test_a_failing_one_does_not_stop_the_others(self, lab: Lab, max_parallel: int) -> None:
        lab.service.mirrors["8"].full = True
        result = lab.run(mirrors=ALL, max_parallel=max_parallel)
        assert column(result, "state") == ["succeeded", "not_started", "succeeded"]
        assert (result["failed"], result["changed"], lab.accepted) == (True, True, 2)
        assert result["msg"].startswith("1 of 3 targets failed. eight: disk_full: the disk is full. Make room.")

    def test_the_summary_counts_them(self, lab: Lab) -> None:
        lab.service.start("8")
        lab.service.mirrors["9"].in_sync = True
        result = lab.run(mirrors=["eight", "seven", "nine", "seventy"])
        summary = result["summary"]
        assert summary["requests"] == sum(column(result, "requests")) == len(lab.web.log)
        del summary["requests"], summary["elapsed"]
        assert summary == {
            "targets": 4,
            "triggered": 1,
            "joined": 1,
            "skipped": 1,
            "refused": 1,
            "succeeded": 2,
            "failed": 1,
            "timed_out": 0,
        }

    @pytest.mark.parametrize("again", ["seven", "7"])
    def test_a_target_that_is_named_twice_is_synced_once(self, lab: Lab, again: str) -> None:
        result = lab.run(mirrors=["seven", "eight", again])
        assert (column(result, "action"), lab.posts) == (["triggered", "triggered", "skipped"], 2)
        assert "earlier" in result["syncs"][2]["reason"]
        assert result["syncs"][2]["changed"] is False

    def test_it_is_the_later_entry_that_is_skipped_also_if_it_was_found_first(self, lab: Lab) -> None:
        second = threading.Event()

        class Slow(Fifth):
            def resolve(self, name: str, channel: Channel) -> Target:
                if name == "seven":
                    assert second.wait(20)
                return super().resolve(name, channel)

            def observe(self, target: Target, channel: Channel) -> Observation:
                second.set()
                return super().observe(target, channel)

        result = lab.run(Slow, mirrors=["seven", "7"], max_parallel=2, wait=False)
        assert (column(result, "action"), lab.posts) == (["triggered", "skipped"], 1)

    def test_no_more_than_max_parallel_are_worked_on_at_once(self, lab: Lab) -> None:
        lock, at_once, most = threading.Lock(), [0], [0]

        class Counting(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                with lock:
                    at_once[0] += 1
                    most[0] = max(most[0], at_once[0])
                barrier.wait(5)
                with lock:
                    at_once[0] -= 1
                return super().observe(target, channel)

        barrier = threading.Barrier(2)
        lab.service.mirrors.update({str(n): type(lab.service.mirrors["7"])(str(n), str(n)) for n in range(10, 14)})
        lab.run(Counting, mirrors=["10", "11", "12", "13"], max_parallel=2, wait=False)
        assert (most[0], lab.accepted) == (2, 4)

    def test_progress_is_shown(self, lab: Lab, watcher: Watcher) -> None:
        class Slow(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                watcher.await_line()
                return super().observe(target, channel)

        lab.service.mirrors["7"].full = True
        run_sync(Slow, validated(sync_spec(Slow), lab.options(mirrors=ALL)), lab.new_context(show=watcher.show))
        lines = [line.rpartition(", ")[0] for line in watcher.lines]
        assert "0 of 3 done, seven (not started)" in lines
        assert "2 of 3 done, 1 failed, nine (not started)" in lines


class TestInvalidOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {"wait_timeout": 1e12},
            {"poll_min_interval": 10.0},
            {"api_url": "ftp://x"},
            {"mirrors": []},
            {"mirrors": ["seven", " "]},
            {"ledger": "/dev/null/ledger"},
        ],
    )
    def test_nothing_is_sent_and_the_option_is_named(self, lab: Lab, options: dict[str, t.Any]) -> None:
        result = lab.run(**options)
        assert (result["failed"], result["failure"]["code"]) == (True, "invalid_option")
        assert (result["changed"], result["syncs"]) == (False, [])
        assert f"option {next(iter(options))}" in result["msg"]
        assert result["failure"]["hint"]
        assert lab.web.log == []

    def test_blanks_around_names_do_no_harm(self, lab: Lab) -> None:
        assert only(lab.run(mirrors=[" seven "]))["state"] == "succeeded"


class TestUnexpected:
    """A provider that does not understand what it sees."""

    @pytest.mark.parametrize(
        "exc",
        [
            KeyError("id"),
            TypeError("int"),
            ValueError("x"),
            AttributeError("x"),
            IndexError("x"),
            RuntimeError("x"),
            OSError(5, "x"),
            OverflowError("x"),
            RecursionError("x"),
            AssertionError("x"),
        ],
        ids=lambda exc: type(exc).__name__,
    )
    def test_an_exception_is_an_internal_error_of_that_target_alone(self, lab: Lab, exc: Exception) -> None:
        class Surprised(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                if target.name == "eight":
                    raise exc
                return super().observe(target, channel)

        result = lab.run(Surprised, mirrors=ALL)
        assert column(result, "state") == ["succeeded", "not_started", "succeeded"]
        assert result["syncs"][1]["failure"]["code"] == "internal_error"
        assert type(exc).__name__ in result["syncs"][1]["failure"]["message"]
        assert "Traceback" not in dumps(result)

    def test_an_exception_before_there_are_targets_fails_the_task(self, lab: Lab) -> None:
        class Surprised(Fifth):
            def __init__(self, options: Options, services: Services) -> None:
                raise RuntimeError("no such luck")

        result = lab.run(Surprised, report_path=str(lab.report_path))
        assert (result["failed"], result["failure"]["code"], result["syncs"]) == (True, "internal_error", [])
        assert lab.report["failed"] is True
        assert "RuntimeError: no such luck" in lab.report["failure"]["traceback"]
        assert "Traceback" not in dumps(result)

    def test_the_traceback_is_in_the_report_alone_and_the_message_says_where(self, lab: Lab) -> None:
        class Surprised(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                raise KeyError(f"revision of {self.options['token']}")

        result = lab.run(Surprised, report_path=str(lab.report_path))
        failure = only(result)["failure"]
        assert set(failure) == {"code", "message", "http_status", "hint"}
        assert failure["message"].startswith("internal error in lockstep.sync (KeyError: ")
        assert "test_batch.py line " in failure["message"]
        assert failure["hint"].endswith(f"The traceback is in {lab.report_path}.")
        assert failure["message"] in result["msg"]
        reported = only(lab.report)["failure"]
        assert "in observe" in reported.pop("traceback")
        assert reported == failure
        assert TOKEN not in lab.report_path.read_text() + dumps(result)

    def test_without_a_report_the_message_says_how_to_get_the_traceback(self, lab: Lab) -> None:
        class Surprised(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                raise KeyError("revision")

        assert "set report_path" in only(lab.run(Surprised))["failure"]["hint"]


class TestReport:
    def test_it_has_everything(self, lab: Lab) -> None:
        result = lab.run(mirrors=ALL, report_path=str(lab.report_path))
        assert lab.report["syncs"] == result["syncs"]
        assert lab.report["summary"] == result["summary"]
        assert (lab.report["changed"], lab.report["check_mode"]) == (True, False)
        assert lab.report["generated_at"]

    def test_it_is_for_its_owner_alone(self, lab: Lab) -> None:
        lab.report_path.write_text("old")
        lab.report_path.chmod(0o644)
        lab.run(report_path=str(lab.report_path))
        assert stat.S_IMODE(lab.report_path.stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        ("options", "failure"),
        [
            ({}, None),
            ({"check": True}, None),
            ({"mirrors": ["seventy"]}, "not_found"),
            ({"max_loss": -1}, "guard_refused"),
            ({"wait_timeout": 1}, "timed_out"),
            ({"wait_timeout": 1, "on_timeout": "warn"}, "timed_out"),
            ({"token": "wrong"}, "auth_failed"),
        ],
    )
    def test_it_is_written_however_the_task_ends(self, lab: Lab, options: dict[str, t.Any], failure: str | None) -> None:
        result = lab.run(report_path=str(lab.report_path), **options)
        assert code(result) == failure
        assert lab.report["syncs"] == result["syncs"]
        assert lab.report.get("failed") == result.get("failed")

    def test_it_is_written_for_invalid_options_too(self, lab: Lab) -> None:
        lab.run(report_path=str(lab.report_path), wait_timeout=1e12)
        assert (lab.report["failed"], lab.report["failure"]["code"]) == (True, "invalid_option")

    def test_one_that_cannot_be_written_fails_the_task_before_anything_is_sent(self, lab: Lab) -> None:
        for path in (lab.directory, lab.directory / "none" / "report.json"):
            result = lab.run(report_path=str(path))
            assert (result["failed"], result["failure"]["code"]) == (True, "invalid_option")
            assert "option report_path" in result["msg"]
        assert lab.web.log == []

    def test_one_that_cannot_be_written_any_more_is_no_secret(self, lab: Lab) -> None:
        directory = lab.directory / "reports"
        directory.mkdir()
        lab.service.before["GET /runs/1"] = directory.rmdir
        result = lab.run(report_path=str(directory / "report.json"))
        assert (result["failed"], only(result)["state"]) == (True, "succeeded")
        assert "option report_path" in result["msg"]

    def test_no_half_of_it_is_left_behind(self, lab: Lab) -> None:
        lab.run(report_path=str(lab.report_path))
        assert not [name for name in os.listdir(lab.directory) if name.startswith(".lockstep")]


class TestDeadline:
    """One for each target, from the moment at which it is looked for."""

    def test_what_it_takes_to_find_a_target_counts(self, lab: Lab) -> None:
        lab.service.before["GET /mirrors"] = lambda: lab.clock.sleep(50)
        lab.service.duration = 60
        record = only(lab.run(wait_timeout=60))
        assert (record["timed_out"], record["failure"]["code"], record["state"]) == (True, "timed_out", "running")
        assert record["elapsed"] == lab.clock.elapsed == 60

    def test_waiting_for_a_slot_does_not_count(self, lab: Lab) -> None:
        lab.service.duration = 40
        result = lab.run(mirrors=ALL, wait_timeout=60)
        assert (column(result, "state"), lab.clock.elapsed > 120) == (["succeeded"] * 3, True)

    def test_a_target_that_is_slow_to_be_found_keeps_no_other_waiting(self, lab: Lab) -> None:
        others = threading.Semaphore(0)

        class Slow(Fifth):
            def resolve(self, name: str, channel: Channel) -> Target:
                for _other in range(2 if name == "seven" else 0):
                    assert others.acquire(timeout=20)
                return super().resolve(name, channel)

            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                others.release()
                return super().trigger(target, observation, channel)

        result = lab.run(Slow, mirrors=ALL, max_parallel=3, wait=False)
        assert column(result, "action") == ["triggered"] * 3


class TestInterruption:
    @pytest.mark.parametrize("kind", [Interrupted, Stopped, KeyboardInterrupt])
    def test_while_waiting_it_keeps_the_handle(self, lab: Lab, kind: type[BaseException]) -> None:
        def stop() -> t.NoReturn:
            raise kind

        lab.clock.at(5, stop)
        result = lab.run(report_path=str(lab.report_path), release="1.2")
        record = only(result)
        assert (result["failed"], code(result)) == (True, "outcome_unknown")
        assert (record["action"], record["state"]) == ("triggered", "running")
        assert (record["handle"]["run"], record["changed"], result["changed"]) == (1, True, True)
        assert "goes on at the server" in record["failure"]["message"]
        assert lab.report["syncs"] == result["syncs"]
        assert set(record) == FIELDS

    def test_anything_else_that_ends_it_is_passed_on_and_not_without_a_report(self, lab: Lab) -> None:
        class TaskTimeoutError(BaseException):
            """As ansible-core has it."""

        def stop() -> t.NoReturn:
            raise TaskTimeoutError

        lab.clock.at(5, stop)
        with pytest.raises(TaskTimeoutError):
            lab.run(report_path=str(lab.report_path))
        assert (lab.report["failed"], code(lab.report)) == (True, "outcome_unknown")
        assert lab.report["syncs"][0]["handle"]["run"] == 1

    def test_what_was_interrupted_is_joined_by_the_next_run(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def sleep(self, handle: t.Mapping[str, t.Any], seconds: float) -> None:
                raise Interrupted

        lab.run(Stopping, release="1.2")
        record = only(lab.run(release="1.2"))
        assert (record["action"], record["state"], lab.posts) == ("joined", "succeeded", 1)

    def test_while_the_trigger_is_on_its_way_the_outcome_is_unknown(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                super().trigger(target, observation, channel)
                raise Interrupted

        record = only(lab.run(Stopping))
        assert (record["action"], record["state"], record["changed"]) == ("triggered", "unknown", True)
        assert record["failure"]["code"] == "outcome_unknown"
        assert "whether it arrived is not known" in record["failure"]["message"]

    def test_in_the_pause_after_a_refusal_nothing_was_triggered(self, lab: Lab) -> None:
        def stop() -> t.NoReturn:
            raise Interrupted

        lab.service.fates = [Reply(429, headers={"Retry-After": "60"})]
        lab.clock.at(5, stop)
        record = only(lab.run())
        assert (record["action"], record["state"], record["changed"]) == ("refused", "not_started", False)

    def test_before_the_trigger_nothing_was_triggered(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
                raise Interrupted

        record = only(lab.run(Stopping))
        assert (record["action"], record["state"], record["changed"], lab.posts) == ("refused", "not_started", False, 0)
        assert "nothing was triggered" in record["failure"]["message"]

    def test_targets_that_are_done_stay_as_they_are(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                if target.name == "nine":
                    raise Interrupted
                return super().observe(target, channel)

        lab.service.mirrors["8"].in_sync = True
        for options in ({}, {"check": True}, {"wait": False}):
            whole = lab.run(mirrors=["seven", "eight"], **options)  # type: ignore[arg-type]
            lab.clock.sleep(60)
            result = lab.run(Stopping, mirrors=ALL, **options)
            assert column(result, "state")[:2] == column(whole, "state")
            assert column(result, "failure")[:2] == [None, None]
            assert result["syncs"][2]["failure"]["code"] == "outcome_unknown"
            lab.clock.sleep(60)

    def test_what_had_not_begun_never_begins(self, lab: Lab) -> None:
        class Stopping(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                raise Interrupted

        result = lab.run(Stopping, mirrors=ALL)
        assert (column(result, "state"), lab.posts) == (["not_started"] * 3, 0)
        assert {failure["code"] for failure in column(result, "failure")} == {"outcome_unknown"}
        assert "the task was interrupted" in result["msg"]

    @pytest.mark.parametrize("max_parallel", [1, 8])
    def test_while_targets_are_looked_up(self, lab: Lab, max_parallel: int) -> None:
        class Stopping(Fifth):
            def resolve(self, name: str, channel: Channel) -> Target:
                raise Interrupted

        result = lab.run(Stopping, mirrors=ALL, max_parallel=max_parallel, report_path=str(lab.report_path))
        assert (column(result, "target"), lab.posts) == (ALL, 0)
        assert lab.report["failed"] is True

    def test_a_signal_ends_a_task_with_many_targets_at_once_and_its_report_is_whole(self, lab: Lab, serve: Serve) -> None:
        service = Mirrors(SystemClock())
        service.duration = 3600
        polled = threading.Semaphore(0)
        service.before = {f"GET /runs/{number}": polled.release for number in (1, 2, 3)}
        options = lab.options(api_url=serve(service.respond).url, mirrors=ALL, max_parallel=8, report_path=str(lab.report_path))
        process = Process(sync_until_stopped, options)
        for _run in service.before.copy():
            assert polled.acquire(timeout=20)
        os.kill(process.pid, signal.SIGTERM)
        assert [process.line() for _target in ALL] == [f"{name} triggered running outcome_unknown" for name in ALL]
        assert process.end() == 0
        assert column(lab.report, "target") == ALL
        assert all(set(record) == FIELDS and record["handle"] for record in lab.report["syncs"])

    def test_nothing_is_triggered_once_the_report_says_so(self, lab: Lab, serve: Serve) -> None:
        service = Mirrors(SystemClock())
        asked, answered = threading.Semaphore(0), threading.Event()

        def hang() -> None:
            asked.release()
            answered.wait(20)

        service.before = {f"GET /mirrors/{number}": hang for number in service.mirrors}
        web = serve(service.respond)
        options = lab.options(api_url=web.url, mirrors=ALL, max_parallel=8, report_path=str(lab.report_path))
        process = Process(sync_until_stopped_and_stay, options)
        for _target in ALL:
            assert asked.acquire(timeout=20)
        os.kill(process.pid, signal.SIGTERM)
        assert [process.line() for _target in ALL] == [f"{name} refused not_started outcome_unknown" for name in ALL]
        assert process.line() == "reported"
        answered.set()
        time.sleep(0.5)
        process.go_on()
        assert process.end() == 0
        assert all(request.method == "GET" for request in web.log)
        assert lab.ledger.open_entry(lab.key) is None


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


@pytest.mark.parametrize(
    ("option", "value"),
    [("release", 2026.1), ("release", 2026), ("mirrors", 4.1), ("mirror", ["seven", False]), ("mirrors", [None])],
)
def test_a_release_or_target_that_is_not_text_is_refused_before_any_request(lab: Lab, option: str, value: t.Any) -> None:
    options = {**lab.options(report_path=str(lab.report_path)), option: value}
    if option == "mirror":
        del options["mirrors"]
    context = lab.new_context(given=options)
    result = run_sync(Fifth, validated(sync_spec(Fifth), options), context)
    assert (result["failed"], result["failure"]["code"], result["syncs"]) == (True, "invalid_option", [])
    assert result["msg"].startswith(f"option {option}: ")
    assert lab.report["failure"] == result["failure"]
    assert lab.web.log == []


def test_a_whole_number_is_the_id_that_it_is_written_as(lab: Lab) -> None:
    assert only(lab.run(mirrors=[7], release="2026.10"))["state"] == "succeeded"


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


class TestJobs:
    """A job of AWX gets a home directory of its own, and so a ledger of its own."""

    @pytest.mark.parametrize("names", [("AWX_PRIVATE_DATA_DIR",), ("JOB_ID", "AWX_HOST")])
    def test_a_release_without_a_named_ledger_warns(
        self, names: tuple[str, ...], lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in names:
            monkeypatch.setenv(name, "x")
        assert "LOCKSTEP_LEDGER" in dumps(lab.run(release="1", ledger_path=None)["warnings"])
        assert lab.run(release="1")["warnings"] == []
        assert lab.run(force=True, ledger_path=None)["warnings"] == []

    def test_elsewhere_the_default_ledger_stays(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JOB_ID", "7")
        assert lab.run(release="1", ledger_path=None)["warnings"] == []
