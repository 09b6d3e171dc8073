# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounded fan-out."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._operations.scheduling import fan_out


class Gauge:
    """Work that notes how much of it is done at once, and waits for company where there can be some."""

    def __init__(self, company: int = 1) -> None:
        self.lock = threading.Lock()
        self.barrier = threading.Barrier(company)
        self.now = self.most = 0
        self.done: list[int] = []

    def __call__(self, item: int) -> int:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.barrier.wait(5)
        with self.lock:
            self.now -= 1
            self.done.append(item)
        return item * item


@pytest.mark.parametrize("limit", [1, 3, 64])
def test_results_are_in_the_order_of_the_items(limit: int) -> None:
    assert fan_out(range(30), lambda item: item * item, limit) == [item * item for item in range(30)]


@pytest.mark.parametrize("limit", [1, 3, 10])
def test_so_many_are_worked_on_at_once_and_no_more(limit: int) -> None:
    gauge = Gauge(company=limit)
    assert fan_out(range(30), gauge, limit) == [item * item for item in range(30)]
    assert gauge.most == limit


@pytest.mark.parametrize("items", [[], [5], [5, 6]])
def test_nothing_keeps_the_process_from_ending_or_the_main_thread_from_being_interrupted(items: list[int]) -> None:
    threads: list[threading.Thread] = []
    assert fan_out(items, lambda item: threads.append(threading.current_thread()), 8) == [None] * len(items)
    assert len(threads) == len(items)
    assert all(thread.daemon and thread is not threading.main_thread() for thread in threads)


@pytest.mark.parametrize("limit", [1, 2])
def test_what_has_not_begun_never_does_after_an_exception(limit: int) -> None:
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 0:
            raise KeyboardInterrupt
        release.wait(5)

    release = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        fan_out(range(100), work, limit)
    release.set()
    assert len(begun) <= 3
