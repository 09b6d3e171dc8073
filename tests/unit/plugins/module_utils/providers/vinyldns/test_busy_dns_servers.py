# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zone transfers from a DNS server that serves VinylDNS at the same time, and allows few of them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.adaptive_limit import AdaptiveLimit
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import TransferRefused
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.transfers import ATTEMPTS, ROUNDS, Transfers
from tests.unit.plugins.support.clocks import FakeClock

REFUSAL = TransferRefused("bad_response", "SERVFAIL: the server cannot serve the zone now")


def answers(*refused: bool) -> t.Callable[[], str]:
    """A transfer that is refused or served, in this order."""
    left = list(refused)

    def transfer() -> str:
        if left.pop(0):
            raise REFUSAL
        return "zone"

    return transfer


def test_a_lone_transfer_is_tried_again_where_others_have_been_served() -> None:
    clock = FakeClock()
    shared = Transfers(8, clock)
    assert shared.read(answers(False), Deadline(clock, 60)) == "zone"
    assert shared.read(answers(True, True, False), Deadline(clock, 60)) == "zone"
    assert clock.elapsed > 0


def test_one_that_is_always_refused_ends() -> None:
    clock = FakeClock()
    shared = Transfers(8, clock)
    shared.read(answers(False), Deadline(clock, 60))
    with pytest.raises(TransferRefused):
        # one more would be an IndexError
        shared.read(answers(*[True] * ATTEMPTS), Deadline(clock, 600))


@pytest.mark.parametrize("rounds", [1, ROUNDS])
def test_the_limit_is_raised_after_its_rounds(rounds: int) -> None:
    limit = AdaptiveLimit(8, rounds)
    limit.overloaded(0.0)
    for _good in range(4 * rounds - 1):
        limit.succeeded()
    assert limit.value == 4
    limit.succeeded()
    assert limit.value == 5


def test_a_server_that_allows_few_is_seldom_asked_for_more() -> None:
    """What is refused may be a transfer of VinylDNS."""
    limit, refused = AdaptiveLimit(6, ROUNDS), 0
    for number in range(1000):
        if limit.value > 3:
            refused += 1
            limit.overloaded(float(number))
        else:
            limit.succeeded()
    assert refused <= 1000 / (3 * ROUNDS)
