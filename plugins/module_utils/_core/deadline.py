# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The point in time by which a target has to be settled."""

from __future__ import annotations

from .clock import Clock


class Deadline:
    """The one point in time by which a target has to be settled.

    :param clock: source of time.
    :param seconds: allowance from now on.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds
        self.at = clock.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock.monotonic())

    def allows(self, seconds: float) -> bool:
        """Whether a pause of ``seconds`` ends before the deadline."""
        return seconds < self.remaining()

    def sleep(self, seconds: float) -> None:
        """Pause, but never past the deadline."""
        self.clock.sleep(min(seconds, self.remaining()))
