# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The progress lines of a running task."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
import itertools
import threading

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import PollPolicy
from ansible_collections.lockstep.sync.plugins.module_utils._operations.progress import PACE, Progress, ticking

FAST = PollPolicy(0.01, 0.01)


def test_a_single_target_is_shown_by_its_name() -> None:
    progress = Progress(1)
    with progress.of(lambda: "example.com. (running)"):
        assert progress.line(12.4) == "example.com. (running), 12 s"


def test_many_targets_are_counted() -> None:
    progress = Progress(1000, "looked at")
    for number in range(40):
        with progress.of(lambda: "x", functools.partial(bool, number % 20 == 0)):
            pass
    with contextlib.ExitStack() as stack:
        for name in ("a", "b", "c"):
            stack.enter_context(progress.of(functools.partial(str, name)))
        assert progress.line(61) == "40 of 1000 looked at, 2 failed, a, b, c, 61 s"
        stack.enter_context(progress.of(lambda: "d"))
        assert progress.line(61) == "40 of 1000 looked at, 2 failed, 4 at work, 61 s"
    assert progress.line(62) == "44 of 1000 looked at, 2 failed, 62 s"


def test_what_raises_is_done_too() -> None:
    progress = Progress(2)
    with pytest.raises(KeyError), progress.of(lambda: "x"):
        raise KeyError
    assert progress.line(0) == "1 of 2 done, 0 s"


def test_lines_are_shown_until_it_is_over() -> None:
    lines: list[str] = []
    twice = threading.Event()

    def show(line: str) -> None:
        lines.append(line)
        if len(lines) >= 2:
            twice.set()

    with ticking(lambda elapsed: f"{elapsed >= 0}", show, pace=FAST):
        assert twice.wait(10)
    seen = len(lines)
    assert not threading.Event().wait(0.1)
    assert lines == ["True"] * seen


def test_without_a_display_there_is_no_thread() -> None:
    before = threading.active_count()
    with ticking(lambda elapsed: "x", None, pace=FAST):
        assert threading.active_count() == before


def test_the_longer_it_lasts_the_less_often_it_is_shown() -> None:
    lines, now = 0, 0.0
    while now < 3600:
        now += PACE.delay(now, 0.5)
        lines += 1
    assert PACE.delay(0, 0.5) == 2
    assert lines < 150


def test_what_is_in_flight_and_what_has_not_begun_is_counted_and_when_it_will_be_done() -> None:
    moment = dt.datetime(2026, 11, 28, 12, 0, 0, tzinfo=dt.timezone.utc)
    progress = Progress(1000, now=lambda: moment)
    with contextlib.ExitStack() as stack:
        for number in range(6):
            in_flight = functools.partial(bool, number < 4)
            stack.enter_context(progress.of(functools.partial(str, number), lambda: False, in_flight))
        assert progress.line(9) == "0 of 1000 done, 4 in flight, 2 at work, 994 waiting, 9 s"
        for number in range(100):
            with progress.of(functools.partial(str, f"x{number}")):
                pass
        assert progress.line(60) == (
            "100 of 1000 done, 4 in flight, 2 at work, 894 waiting, 60 s, about 540 s left, until 12:09:00 UTC"
        )


def test_a_line_is_shown_sooner_if_something_has_changed() -> None:
    lines: list[str] = []
    counter = itertools.count()
    thrice = threading.Event()

    def show(line: str) -> None:
        lines.append(line)
        if len(lines) >= 3:
            thrice.set()

    never = PollPolicy(0.01, 3600)
    with ticking(lambda elapsed: "line", show, lambda: next(counter), PollPolicy(0.01, 0.02), changed=0.01):
        assert thrice.wait(10)
    unchanged: list[str] = []
    slow = dataclasses.replace(never, min_interval=0.05, max_interval=0.05)
    with ticking(lambda elapsed: "line", unchanged.append, lambda: "same", slow, changed=0.0):
        assert not threading.Event().wait(0.3)
    assert 1 <= len(unchanged) <= 7
