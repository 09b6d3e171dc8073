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
    """Halved when the server is overloaded, and raised by one after each round of good answers. Not for several threads at once.

    :param ceiling: what it never exceeds, and begins with.
    """

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
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
        """Note a good answer; a round is as many of them as the limit allows at once."""
        self._good += 1
        if self._good >= self.value:
            self._good = 0
            self.value = min(self.ceiling, self.value + 1)
