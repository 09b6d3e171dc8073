# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""How long runs take, as far as this task has seen some of them end."""

from __future__ import annotations

import collections
import statistics
import threading

#: so many of the last runs count
REMEMBERED = 25
#: fewer of them say nothing about others
ENOUGH = 3


class Durations:
    """The durations of the runs of one task. Threads may use it at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: collections.deque[float] = collections.deque(maxlen=REMEMBERED)

    def note(self, shortest: float, longest: float) -> None:
        """Note a run that has ended.

        :param shortest: seconds after which it had not ended.
        :param longest: seconds after which it had.
        """
        with self._lock:
            self._seen.append((shortest + longest) / 2)

    def estimate(self) -> float | None:
        """The seconds that a run may take: the median of the last ones; ``None`` if there are too few of them."""
        with self._lock:
            return statistics.median(self._seen) if len(self._seen) >= ENOUGH else None
