# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a task at work, which is what is left of it if it is killed."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.files import replace_file
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record
from ansible_collections.lockstep.sync.plugins.module_utils._operations.unfinished import (
    ReportKeeper,
    interrupted_record,
    unfinished_record,
)
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, only
from tests.unit.plugins.support.mirrors import TOKEN

#: seconds that no machine takes
LONG = 60.0


def eventually(test: t.Callable[[], bool]) -> None:
    until = time.monotonic() + LONG
    while not test():
        assert time.monotonic() < until
        time.sleep(0.005)


class TestWhatItSays:
    def test_it_is_there_before_the_first_trigger(self, lab: Lab) -> None:
        seen: list[dict[str, t.Any]] = []
        lab.service.before["POST /mirrors/7/refresh"] = lambda: seen.append(lab.report)
        result = lab.run(mirrors=["seven", "eight"], report_path=str(lab.report_path))
        (report,) = seen
        assert (report["unfinished"], report["failed"], report["failure"]["code"]) == (True, True, "outcome_unknown")
        first, second = report["syncs"]
        assert (first["progress"], first["state"], first["action"]) == ("intended", "unknown", "triggered")
        assert (first["changed"], first["changed_basis"]) == (True, "assumed")
        assert (second["progress"], second["state"], second["changed"]) == ("waiting", "not_started", False)
        assert "run the task again" in report["msg"]
        assert TOKEN not in json.dumps(report)
        # the last one is that of the whole task
        assert (lab.report["unfinished"], lab.report["syncs"]) == (False, result["syncs"])
        assert not [entry for entry in lab.report["syncs"] if "progress" in entry]

    def test_it_follows_the_targets(self, lab: Lab) -> None:
        """Each look of the provider at its run waits until the report has what was known by then."""
        seen: list[dict[str, t.Any]] = []

        class Slow(Fifth):
            def watch(self, handle: t.Mapping[str, t.Any], wake: t.Callable[[], None]) -> None:
                eventually(lambda: lab.report["syncs"][0]["handle"] is not None)
                seen.append(lab.report["syncs"][0])

        lab.run(Slow, report_path=str(lab.report_path))
        assert {(entry["progress"], entry["state"], entry["handle"]["run"]) for entry in seen} == {("running", "running", 1)}
        assert {entry["failure"]["message"] for entry in seen} == {
            "not finished when this was written; the run goes on at the server"
        }

    def test_what_is_done_is_whole(self, lab: Lab) -> None:
        seen: list[dict[str, t.Any]] = []

        class Second(Fifth):
            def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
                if target.id == "8":
                    eventually(lambda: lab.report["syncs"][0]["progress"] == "done")
                    seen.append(lab.report["syncs"][0])
                return super().trigger(target, observation, channel)

        result = lab.run(Second, mirrors=["seven", "eight"], report_path=str(lab.report_path))
        assert seen == [{**result["syncs"][0], "progress": "done"}]

    def test_check_mode_has_none(self, lab: Lab) -> None:
        lab.service.before["GET /mirrors/7"] = lambda: seen.append(lab.report_path.exists())
        seen: list[bool] = []
        lab.run(check=True, report_path=str(lab.report_path))
        assert (seen, lab.report["unfinished"]) == ([False], False)

    def test_nothing_is_sent_if_it_cannot_be_written(self, lab: Lab) -> None:
        directory = lab.directory / "reports"
        directory.mkdir()
        lab.service.before["GET /mirrors"] = lambda: shutil.rmtree(directory)
        result = lab.run(report_path=str(directory / "report.json"))
        assert (only(result)["action"], only(result)["failure"]["code"], lab.posts) == ("refused", "invalid_option", 0)
        assert "option report_path" in only(result)["failure"]["message"]
        # nothing was sent, so nothing is to be found out
        shutil.rmtree(directory, ignore_errors=True)
        record = only(lab.run())
        assert (record["action"], record["state"], "interrupted" in record["detail"]) == ("triggered", "succeeded", False)


class TestRecords:
    def test_what_may_have_been_sent_meanwhile_is_unknown(self) -> None:
        record = Record("seven", "fifth", progress="intended")
        assert (unfinished_record(record).state, interrupted_record(record).state) == ("unknown", "not_started")
        assert (record.state, record.failure) == ("not_started", None)

    def test_a_failure_is_that_of_the_target(self) -> None:
        record = Record("seven", "fifth", progress="planning")
        record.fail(SyncError("busy", "busy"))
        failure = unfinished_record(record).failure
        assert failure is not None and failure.code == "busy"


class Writer:
    """Counts reports, and writes one when it may."""

    def __init__(self) -> None:
        self.count = 0
        self.error: OSError | None = None
        self.may = threading.Event()
        self.may.set()

    def __call__(self) -> None:
        assert self.may.wait(LONG)
        if self.error is not None:
            raise self.error
        self.count += 1


class TestKeeper:
    def test_many_moves_are_few_reports(self) -> None:
        writer = Writer()
        keeper = ReportKeeper(writer, interval=LONG)
        with keeper.keeping():
            for _move in range(10_000):
                keeper.before_trigger()
                keeper.moved()
        # at the beginning, and before the first trigger
        assert writer.count == 2

    def test_the_newest_move_is_written(self) -> None:
        writer = Writer()
        keeper = ReportKeeper(writer, interval=0.001)
        with keeper.keeping():
            for number in range(2, 5):
                keeper.moved()
                eventually(lambda number=number: writer.count == number)

    def test_nothing_is_written_without_a_move(self) -> None:
        writer = Writer()
        with ReportKeeper(writer, interval=0.001).keeping():
            time.sleep(0.1)
        assert writer.count == 1

    def test_none_takes_the_place_of_the_last_one(self) -> None:
        """The task ends while a report is being written: that one is finished first, and no other one follows."""
        writer = Writer()
        keeper = ReportKeeper(writer, interval=0.001)
        ended: list[int] = []

        def work() -> None:
            with keeper.keeping():
                writer.may.clear()
                keeper.moved()
            ended.append(writer.count)

        thread = threading.Thread(target=work)
        thread.start()
        eventually(lambda: not writer.may.is_set())
        writer.may.set()
        thread.join(LONG)
        (count,) = ended
        keeper.moved()
        time.sleep(0.05)
        assert writer.count == count

    def test_the_first_trigger_waits_for_it_and_fails_with_it(self) -> None:
        writer = Writer()
        keeper = ReportKeeper(writer, interval=LONG)
        with keeper.keeping():
            writer.error = OSError(28, "No space left on device")
            for _attempt in range(2):
                with pytest.raises(OSError, match="No space"):
                    keeper.before_trigger()
            writer.error = None
            keeper.before_trigger()
        assert writer.count == 2

    def test_a_report_that_fails_in_between_does_not_end_the_task(self) -> None:
        writer = Writer()
        keeper = ReportKeeper(writer, interval=0.001)
        with keeper.keeping():
            writer.error = OSError(28, "No space left on device")
            keeper.moved()
            time.sleep(0.05)
            writer.error = None
            keeper.moved()
            eventually(lambda: writer.count == 2)


class TestReplaceFile:
    def test_the_content_is_on_the_disk_before_it_has_the_name(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, calls = tmp_path / "report.json", []
        fsync, replace = os.fsync, os.replace
        monkeypatch.setattr(os, "fsync", lambda descriptor: (calls.append("fsync"), fsync(descriptor)))
        monkeypatch.setattr(os, "replace", lambda source, target: (calls.append("replace"), replace(source, target)))
        replace_file(str(path), "text")
        # the last one is that of the directory
        assert (calls, path.read_text()) == (["fsync", "replace", "fsync"], "text")
