# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stopping a task: at once, at any moment, and never in the middle of something."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import Interrupted, Stopped, StopSignal
from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import interruptible_clock
from ansible_collections.lockstep.sync.plugins.module_utils._operations.scheduling import fan_out
from tests.conftest import Repeats

#: seconds after which a process counts as hung; the machine may be busy
PATIENCE = 20.0


def one_long_pause(clock: SystemClock) -> None:
    clock.sleep(600)


def many_short_pauses(clock: SystemClock) -> None:
    while True:
        clock.sleep(1e-9)


def work_in_threads(clock: SystemClock) -> None:
    lock, event = threading.Lock(), threading.Event()

    def work(item: int) -> None:
        while True:
            with lock:
                event.set()
            event.wait(0.0001)
            clock.sleep(0.0001)

    fan_out(range(4), work, 4, clock.stop)


def one_round_after_the_other(clock: SystemClock) -> None:
    while True:
        fan_out(range(3), lambda item: clock.sleep(1e-9), 2, clock.stop)


def in_a_child(work: t.Callable[[SystemClock], None], ready: int) -> t.NoReturn:
    """Do the work until a signal ends it; status 7 says that it ended as it should."""
    status = 1
    try:
        with interruptible_clock(signal.SIGTERM, signal.SIGINT) as clock:
            os.write(ready, b"x")
            try:
                work(clock)
            except (Interrupted, Stopped):
                status = 7
    finally:
        os._exit(status)


def status_of(pid: int) -> int | None:
    """The exit status of a child, or ``None`` if it hangs."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


WORK = [one_long_pause, many_short_pauses, work_in_threads, one_round_after_the_other]


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_no_signal_at_whatever_moment_hangs_a_task(work: t.Callable[[SystemClock], None], repeats: Repeats) -> None:
    rng = random.Random(7)
    statuses = set()
    for _time in range(repeats(12, 250)):
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            in_a_child(work, writer)
        os.read(reader, 1)
        time.sleep(rng.uniform(0, 0.01))
        # a terminal sends SIGINT, then ansible-playbook SIGTERM
        for number in rng.choice([(signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM), (signal.SIGTERM,) * 5]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            time.sleep(rng.choice([0, 0, 0.0001]))
        statuses.add(status_of(pid))
        os.close(reader)
        os.close(writer)
    # a second signal may also arrive when the handlers are gone, and the work is done
    assert statuses <= {7, -signal.SIGTERM}
    assert 7 in statuses


def test_a_pause_ends_the_moment_the_signal_arrives() -> None:
    with interruptible_clock(signal.SIGTERM) as clock:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        with pytest.raises(Stopped):
            clock.sleep(600)
        # not for the 60 s or more that it would take otherwise
        assert time.monotonic() - began < 30


def test_other_signals_do_not_end_a_pause() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    try:
        with interruptible_clock(signal.SIGTERM) as clock:
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            began = time.monotonic()
            clock.sleep(0.3)
            assert time.monotonic() - began >= 0.3
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [signal.SIGUSR1]


def test_a_signal_ends_the_pauses_of_all_threads() -> None:
    ended: list[type[BaseException]] = []

    def pause(clock: SystemClock) -> None:
        try:
            clock.sleep(600)
        except Stopped as exc:
            ended.append(type(exc))
            raise

    with interruptible_clock(signal.SIGTERM) as clock:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with pytest.raises((Interrupted, Stopped)):
            fan_out([clock] * 5, pause, 5, clock.stop)
    assert ended == [Stopped] * 5


def test_threads_that_hang_are_left_behind() -> None:
    release = threading.Event()
    with interruptible_clock(signal.SIGTERM) as clock:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        with pytest.raises(Interrupted):
            fan_out(range(4), lambda item: release.wait(60), 4, clock.stop)
        # not for the 60 s or more that it would take otherwise
        assert time.monotonic() - began < 30
    release.set()


def test_a_task_that_is_stopped_before_it_begins_does_nothing() -> None:
    stop = StopSignal()
    stop.request()
    begun: list[int] = []
    with pytest.raises(Interrupted):
        fan_out(range(3), begun.append, 2, stop)
    assert begun == []


def race(start: threading.Barrier, stop: StopSignal, noted: list[int], sent: list[int]) -> None:
    start.wait()
    with contextlib.suppress(Stopped):
        with stop.before_trigger():
            noted.append(1)
        sent.append(1)


def test_a_trigger_is_either_noted_before_the_stop_or_not_sent() -> None:
    for _time in range(50):
        stop, start = StopSignal(), threading.Barrier(3)
        noted: list[int] = []
        sent: list[int] = []
        threads = [threading.Thread(target=race, args=(start, stop, noted, sent)) for _thread in range(2)]
        for thread in threads:
            thread.start()
        start.wait()
        stop.set()
        known = len(noted)
        for thread in threads:
            thread.join()
        assert len(sent) == known


def test_the_pipe_is_closed_with_its_object() -> None:
    stop = StopSignal()
    writer = stop.open()
    stop.wait(0)
    os.fstat(writer)
    del stop
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writer)
