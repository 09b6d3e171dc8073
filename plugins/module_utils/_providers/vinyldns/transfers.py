# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Zone transfers of one task: no more at once than a DNS server with the usual limits allows, and fewer if it refuses."""

from __future__ import annotations

import contextlib
import typing as t

from ..._core.clock import Clock
from ..._core.deadline import Deadline
from ..._dns.transfer import TransferRefused
from ..._http.slots import Lend, Slots

#: BIND allows 10 as shipped (transfers-out), and a node of VinylDNS has 4 at once for its syncs (docs/reference/vinyldns.md#1.4)
AT_ONCE = 6
#: how often one transfer is tried in all, and seconds before the second time; each further pause is twice as long
ATTEMPTS = 6
PAUSE = 0.5
#: rounds of transfers before one more at once is tried after a refusal. Too many for the server may also be at the cost of the
#: transfers of VinylDNS, whose syncs fail then
ROUNDS = 16

Result = t.TypeVar("Result")


class Transfers:
    """Limits how many transfers are at work.

    :param number: at most so many.
    :param lend: for as long as a thread waits for its turn.
    """

    def __init__(self, number: int, clock: Clock | None = None, lend: Lend = contextlib.nullcontext) -> None:
        self._slots = Slots(min(number, AT_ONCE), clock, lend=lend, rounds=ROUNDS)
        self._has_served = False

    def read(self, transfer: t.Callable[[], Result], deadline: Deadline) -> Result:
        """What ``transfer`` returns. If it is refused while others are at work, it is tried again with fewer of them at once.

        A server that has served the task may be at work for VinylDNS when it refuses the only transfer of the task.

        :raises SyncError: those of ``transfer``; a refusal if it was alone and the server has served none, or refused too often.
        """
        pause = PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            with self._slots.one(deadline) as place:
                try:
                    result = transfer()
                except TransferRefused:
                    self._slots.overloaded()
                    may_be_busy = place.was_shared or self._has_served
                    if attempt == ATTEMPTS or not may_be_busy or not deadline.allows(pause):
                        raise
                else:
                    self._slots.succeeded()
                    self._has_served = True
                    return result
            deadline.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable: the last attempt returns or raises")
