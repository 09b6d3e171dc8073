# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zone transfers of one task: no more at once than the DNS server allows."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import TransferRefused
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns import transfers
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.transfers import AT_ONCE, ATTEMPTS, Transfers
from tests.unit.plugins.support.clocks import FakeClock

REFUSAL = TransferRefused("bad_response", "SERVFAIL: the server cannot serve the zone now")


class Server:
    """Refuses what is more than ``allowed`` at a time."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self.lock = threading.Lock()
        self.now = self.most = self.refused = 0

    def transfer(self) -> str:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            crowd = self.now
        try:
            if crowd > self.allowed:
                self.refused += 1
                raise REFUSAL
            time.sleep(0.01)
            return "zone"
        finally:
            with self.lock:
                self.now -= 1


def all_of(number: int, work: t.Callable[[], str]) -> list[object]:
    """The results of so many threads."""
    found: list[object] = []

    def one() -> None:
        try:
            found.append(work())
        except SyncError as error:
            found.append(error)

    threads = [threading.Thread(target=one) for _number in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_they_are_fewer_than_a_server_allows_that_serves_vinyldns_as_well() -> None:
    server, shared = Server(10 - 4), Transfers(64)
    assert all_of(40, lambda: shared.read(server.transfer, Deadline(SystemClock(), 60))) == ["zone"] * 40
    assert (server.refused, server.most <= AT_ONCE) == (0, True)


def test_a_refusal_among_others_is_tried_again_with_fewer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PAUSE", 0.05)
    server, shared = Server(2), Transfers(64)
    assert all_of(12, lambda: shared.read(server.transfer, Deadline(SystemClock(), 60))) == ["zone"] * 12
    assert server.refused > 0


def test_a_refusal_of_a_lone_transfer_is_one() -> None:
    clock, calls = FakeClock(), []

    def refuse() -> t.NoReturn:
        calls.append(1)
        raise REFUSAL

    with pytest.raises(TransferRefused):
        Transfers(8, clock).read(refuse, Deadline(clock, 60))
    assert (calls, clock.elapsed) == ([1], 0)


@pytest.mark.parametrize(("seconds", "times"), [(3600, ATTEMPTS), (4, 4), (0.1, 1)])
def test_it_ends_with_the_attempts_or_the_deadline(monkeypatch: pytest.MonkeyPatch, seconds: float, times: int) -> None:
    # each refusal halves the number, and in the end there is still a place for the other one, which would else wait for it
    monkeypatch.setattr(transfers, "AT_ONCE", 2**ATTEMPTS)
    clock, calls = FakeClock(), []
    shared = Transfers(2**ATTEMPTS, clock)

    def refuse() -> t.NoReturn:
        calls.append(1)
        # another one comes and goes meanwhile
        shared.read(lambda: None, Deadline(clock, 60))
        raise REFUSAL

    with pytest.raises(TransferRefused):
        shared.read(refuse, Deadline(clock, seconds))
    assert len(calls) == times
    assert clock.elapsed <= seconds


def test_other_failures_are_not_tried_again() -> None:
    clock, calls = FakeClock(), []
    shared = Transfers(8, clock)

    def fail() -> t.NoReturn:
        calls.append(1)
        shared.read(lambda: None, Deadline(clock, 60))
        raise SyncError("auth_failed", "BADKEY")

    with pytest.raises(SyncError):
        shared.read(fail, Deadline(clock, 60))
    assert calls == [1]
