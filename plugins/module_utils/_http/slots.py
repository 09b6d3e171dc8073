# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""How many requests of a task are at work at a time, whatever threads they come from."""

from __future__ import annotations

import contextlib
import threading
import typing as t

from .._core.deadline import Deadline


class Slots:
    """The places of requests.

    :param number: requests at a time.
    """

    def __init__(self, number: int) -> None:
        self._free = threading.BoundedSemaphore(number)

    @contextlib.contextmanager
    def one(self, deadline: Deadline) -> t.Iterator[None]:
        """A place for one request, as soon as one is free. At the deadline, a last look goes on without.

        :raises SyncError: ``timed_out``, if there is no time left.
        """
        taken = self._free.acquire(blocking=False)
        if not taken:
            taken = self._free.acquire(timeout=min(deadline.budget(), threading.TIMEOUT_MAX))
        try:
            yield
        finally:
            if taken:
                self._free.release()
