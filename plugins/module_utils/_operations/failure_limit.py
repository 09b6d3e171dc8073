# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""After how many failed targets a task begins nothing new."""

from __future__ import annotations

import threading

from .._core.errors import SyncError, Violation
from .._core.options import Options


class FailureLimit:
    """Counts failed targets.

    :param rule: name of the option that limits them.
    :param limit: with so many of them, nothing new is begun; ``None`` for any number.
    """

    def __init__(self, rule: str = "", limit: int | None = None) -> None:
        self._rule = rule
        self._limit = limit
        self._failed = 0
        self._lock = threading.Lock()

    @classmethod
    def from_options(cls, options: Options) -> FailureLimit:
        """The stricter one of ``fail_fast`` and ``max_failures``."""
        if options.get("fail_fast"):
            return cls("fail_fast", 1)
        return cls("max_failures", options.get("max_failures"))

    def note(self) -> None:
        """Note that a target has failed."""
        with self._lock:
            self._failed += 1

    def check(self) -> None:
        """Whether something new may be begun.

        :raises SyncError: ``guard_refused``, naming the option.
        """
        if self._limit is None or self._failed < self._limit:
            return
        failed = f"{self._limit} targets have" if self._limit > 1 else "a target has"
        message = f"not started: {failed} failed"
        broken = (Violation(self._rule, message),)
        raise SyncError(
            "guard_refused",
            f"{message} ({self._rule})",
            "Find out why, then run the task again.",
            detail={"guards": [violation.as_dict() for violation in broken]},
            violations=broken,
        )
