# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signals at awkward moments: nothing is sent after the report is built, what is proven is said, and the result is not lost."""

from __future__ import annotations

import os
import signal
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import Stopped
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import ALL, Lab, code, column, only
from tests.unit.plugins.support.mirrors import Mirror, Mirrors
from tests.unit.plugins.support.processes import Process
from tests.unit.plugins.support.sync_users import (
    sync_and_be_stopped_while_reporting,
    sync_refused_until_stopped,
    sync_until_out_of_time_and_stay,
    sync_until_stopped_and_stay,
)
from tests.unit.plugins.support.web import Reply, Web

EIGHT = [f"mirror-{number}" for number in range(8)]


class SlowMirrors:
    """Eight mirrors, of which no observation is answered before it is allowed to be."""

    def __init__(self, serve: Serve) -> None:
        self.service = Mirrors(SystemClock())
        self.service.mirrors = {str(number): Mirror(str(number), name) for number, name in enumerate(EIGHT)}
        self.service.before = {f"GET /mirrors/{number}": self._hang for number in self.service.mirrors}
        self._asked, self._answers = threading.Semaphore(0), threading.Event()
        self.web: Web = serve(self.service.respond)

    def _hang(self) -> None:
        self._asked.release()
        self._answers.wait(60)

    def wait_until_all_are_asked(self) -> None:
        for _mirror in EIGHT:
            assert self._asked.acquire(timeout=60)

    def answer(self) -> None:
        """Answer, and leave the process so much time that it could send what it wants to send."""
        self._answers.set()
        time.sleep(0.5)


@pytest.mark.parametrize(
    ("user", "number", "words"),
    [
        (
            sync_until_stopped_and_stay,
            signal.SIGTERM,
            [*(f"{name} refused not_started outcome_unknown" for name in EIGHT), "reported"],
        ),
        (sync_until_out_of_time_and_stay, signal.SIGALRM, ["out of time"]),
    ],
)
def test_eight_slow_targets_are_not_triggered_after_the_report(
    lab: Lab, serve: Serve, user: t.Callable[[dict[str, t.Any]], None], number: signal.Signals, words: list[str]
) -> None:
    slow = SlowMirrors(serve)
    process = Process(user, lab.options(api_url=slow.web.url, mirrors=EIGHT, max_parallel=8, report_path=str(lab.report_path)))
    slow.wait_until_all_are_asked()
    os.kill(process.pid, number)
    assert [process.line() for _word in words] == words
    assert {(record["action"], record["state"]) for record in lab.report["syncs"]} == {("refused", "not_started")}
    slow.answer()
    process.go_on()
    assert process.end() == 0
    assert {request.method for request in slow.web.log} == {"GET"}


class StoppedAtTheFirstByte(Fifth):
    """The task is stopped while the trigger connects, which may take any time."""

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        note = channel.on_send

        def note_and_stop() -> None:
            note()
            channel.stop.set()

        channel.on_send = note_and_stop
        return super().trigger(target, observation, channel)


def test_a_trigger_that_is_still_connecting_is_not_sent_any_more(lab: Lab) -> None:
    result = lab.run(StoppedAtTheFirstByte, report_path=str(lab.report_path))
    record = only(result)
    assert (code(result), record["action"], record["state"], lab.posts) == ("outcome_unknown", "refused", "not_started", 0)
    assert "nothing was triggered" in record["failure"]["message"]
    assert lab.open_entry() is None
    # so the next one has nothing to find out
    assert (only(lab.run())["state"], lab.posts) == ("succeeded", 1)


def test_the_channel_says_that_it_was_not_sent(serve: Serve) -> None:
    web = serve(lambda request: Reply(200, {}))
    with channel_to(web.url) as channel:
        channel.on_send = channel.stop.set
        with pytest.raises(Stopped):
            channel.trigger("POST", "/sync")
        assert (channel.may_have_executed, web.log) == (False, [])


def test_a_signal_in_the_pause_after_a_refused_connection_retracts_the_intent(lab: Lab, serve: Serve) -> None:
    web = serve(Mirrors(SystemClock()).respond)
    # a pause that would last longer than the test
    options = lab.options(api_url=web.url, wait_timeout=900, poll_min_interval=120, poll_max_interval=120)
    process = Process(sync_refused_until_stopped, options)
    assert process.line() == "connection_failed"
    os.kill(process.pid, signal.SIGTERM)
    assert process.line() == "seven refused not_started outcome_unknown"
    assert process.end() == 0
    assert lab.ledger.open_entry(Key("fifth", web.url, "7")) is None
    assert {request.method for request in web.log} == {"GET"}


def test_a_signal_while_the_result_is_built_does_not_take_it(lab: Lab, serve: Serve) -> None:
    service = Mirrors(SystemClock())
    service.duration = 0
    web = serve(service.respond)
    process = Process(
        sync_and_be_stopped_while_reporting, lab.options(api_url=web.url, mirrors=ALL, report_path=str(lab.report_path))
    )
    assert process.line() == " ".join(f"{name} triggered succeeded" for name in ALL)
    assert process.end() == 0
    assert column(lab.report, "state") == ["succeeded"] * 3
    assert lab.report["unfinished"] is False
