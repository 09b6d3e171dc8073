# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""How much a server is asked to do at once: as much as it can take, by additive increase and multiplicative decrease."""

from __future__ import annotations

import math

#: seconds in which one overload is noticed once, since what was at work then is refused all together
ONE_OVERLOAD = 1.0


class AdaptiveLimit:
    """Halved when the server is overloaded, and raised by one after rounds of good answers. Not for several threads at once.

    :param ceiling: what it never exceeds, and begins with.
    :param rounds: of good answers before it is raised, each of as many as it allows at once.
    """

    def __init__(self, ceiling: int, rounds: int = 1) -> None:
        self.ceiling = ceiling
        self._rounds = rounds
        self.value = ceiling
        self._good = 0
        self._halved_at = -math.inf

    def overloaded(self, now: float) -> None:
        """Note a refusal.

        :param now: monotonic seconds.
        """
        self._good = 0
        if now - self._halved_at >= ONE_OVERLOAD:
            self._halved_at = now
            self.value = max(1, self.value // 2)

    def succeeded(self) -> None:
        """Note a good answer."""
        self._good += 1
        if self._good >= self.value * self._rounds:
            self._good = 0
            self.value = min(self.ceiling, self.value + 1)
