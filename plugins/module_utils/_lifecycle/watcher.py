# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Who is to know how far the targets of a task are, while it is at work."""

from __future__ import annotations

import typing as t


class Watcher(t.Protocol):
    """Called by the threads that work on targets."""

    def before_trigger(self) -> None:
        """A trigger is about to be sent.

        :raises SyncError: it must not be, since what the task does cannot be written down.
        """

    def moved(self) -> None:
        """The record of a target has changed."""


class NoWatcher:
    """For a task without a report."""

    def before_trigger(self) -> None:
        pass

    def moved(self) -> None:
        pass
