# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Whom the lock of a promotion is bound to."""

from __future__ import annotations

import dataclasses
import getpass
import multiprocessing
import os
import socket

from ...module_utils._core.errors import SyncError
from ...module_utils._state.process import ProcessIdentity


@dataclasses.dataclass(frozen=True)
class Owner:
    """A process, and who that is for people.

    :param label: such as ``user@host`` or ``job 17``.
    """

    process: ProcessIdentity
    label: str

    @classmethod
    def current(cls, label: str | None = None) -> Owner:
        """This process."""
        return cls(ProcessIdentity.current(), this_user() if label is None else label)

    @classmethod
    def of_playbook(cls, label: str | None = None) -> Owner:
        """The process of ``ansible-playbook``, whose workers take the steps of a promotion.

        :raises SyncError: ``busy``: it has ended, and this worker is an orphan, which must not take a lock.
        """
        try:
            return cls(controlling_process(), this_user() if label is None else label)
        except ProcessLookupError as error:
            raise SyncError("busy", str(error), "Run the promotion again; this run has lost its process.") from None

    def __str__(self) -> str:
        return f"{self.label} ({self.process})"


def controlling_process() -> ProcessIdentity:
    """The process that this one works for: the parent of a worker of ``multiprocessing``, else this one.

    The id of the parent (``os.getppid``) does not do: once the parent was killed, it is that of the process that adopts orphans,
    which as a rule lives on.

    :raises ProcessLookupError: it has ended.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return ProcessIdentity.current()
    identity = ProcessIdentity.of(parent.pid or 0)
    # looked at afterwards, so that it was the parent whose start time was read
    if not parent.is_alive() or identity.is_gone():
        raise ProcessLookupError(f"process {parent.pid}, which this promotion belongs to, has ended")
    return identity


def this_user() -> str:
    """``user@host``, for people."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # a container may run as a user that has no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
