# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""So many a second, and no more: a token bucket that holds one token."""

from __future__ import annotations

import math
import threading


class RateLimit:
    """Moments, the same time apart from each other, each of which one thread gets.

    :param rate: how many a second.
    """

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._next = -math.inf
        self._lock = threading.Lock()

    def take(self, now: float, latest: float) -> float | None:
        """The next free moment, from ``now`` on.

        :param now: monotonic seconds.
        :param latest: the last moment that is of use.
        :returns: ``None`` if there is none up to then; none is taken in that case.
        """
        with self._lock:
            at = max(now, self._next)
            if at > latest:
                return None
            self._next = at + self._interval
            return at
