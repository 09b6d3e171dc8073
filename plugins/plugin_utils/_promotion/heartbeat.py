# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Keeps the locks of a promotion alive while ``ansible-playbook`` lives: the beat of their lease, see ``_state/lease.py``.

Each step of a promotion is a task, and so a worker process of its own. Between two of them run task files of the user, for any
time. What beats is therefore a small process that the first step starts. It has a session of its own and no terminal, and ends

* at once when ``ansible-playbook`` ends, in whatever way (on Linux by pidfd_open(2), elsewhere by a check every second),
* at the next beat once the run has given up all its locks, or lost them,
* when beats have failed for as long as a lease lasts.

In a container it ends with that. So nothing renews a lock for a run that is gone.
"""

from __future__ import annotations

import dataclasses
import json
import os
import select
import subprocess
import sys
import time
import typing as t

from ...module_utils._core.clock import SystemClock
from ...module_utils._core.errors import SyncError
from ...module_utils._state.lease import HEARTBEAT_SECONDS, LEASE_SECONDS
from ...module_utils._state.process import ProcessIdentity
from .journal import PromotionStore

#: how often to look for the owner where the kernel does not say that it has ended
LOOK_SECONDS = 1.0

# The process leaves its parent at once, which waits for that only, and so without what takes long to load. The plugins are a
# package with a name of their own, so that they are found without Ansible's loader, whatever else is called ansible_collections.
_PROGRAM = """
import os, sys
if os.fork():
    os._exit(0)
import site, types
site.main()
package = types.ModuleType("lockstep_sync")
package.__path__ = [sys.argv[1]]
sys.modules["lockstep_sync"] = package
from lockstep_sync.plugin_utils._promotion.heartbeat import main
main(sys.stdin.read())
"""


@dataclasses.dataclass(frozen=True)
class Beats:
    """What the process is to do.

    :param location: of the promotion store.
    :param run: whose locks to renew.
    :param owner: as long as it lives.
    """

    location: str
    run: str
    owner: ProcessIdentity

    def to_json(self) -> str:
        return json.dumps({"location": self.location, "run": self.run, "owner": self.owner.to_json()})

    @classmethod
    def from_json(cls, text: str) -> Beats:
        known = json.loads(text)
        return cls(str(known["location"]), str(known["run"]), ProcessIdentity.from_json(known["owner"]))


def start_heartbeat(store: PromotionStore, run: str, owner: ProcessIdentity) -> None:
    """Have the locks of a run renewed until it gives them up, or ``owner`` ends.

    :raises SyncError: ``busy``: that is not possible, so that the locks would expire while the run is at work.
    """
    plugins = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    try:
        subprocess.run(
            [sys.executable, "-S", "-c", _PROGRAM, plugins],
            # not an argument, which others on this host could read
            input=Beats(store.location, run, owner).to_json(),
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        problem = f"the process that keeps the locks of run {run} alive cannot be started: {error}"
        raise SyncError("busy", problem, "Run the promotion again where Python may start processes.") from None


def main(text: str) -> None:
    """The process itself.

    :param text: its :class:`Beats` as JSON.
    """
    beats = Beats.from_json(text)
    store = PromotionStore(beats.location, SystemClock())
    last = time.monotonic()
    while not _ends_within(beats.owner, HEARTBEAT_SECONDS):
        try:
            if not store.renew(beats.run):
                return
            last = time.monotonic()
        except SyncError:
            if time.monotonic() - last > LEASE_SECONDS:
                return


def _ends_within(owner: ProcessIdentity, seconds: float) -> bool:
    """Wait for the end of a process of this PID namespace; whether it has ended."""
    until = time.monotonic() + seconds
    handle = _open_process(owner.pid)
    try:
        while not owner.is_gone():
            left = until - time.monotonic()
            if left <= 0:
                return False
            if handle is None:
                time.sleep(min(left, LOOK_SECONDS))
            elif select.select([handle], [], [], left)[0]:
                return True
        return True
    finally:
        if handle is not None:
            os.close(handle)


def _open_process(pid: int) -> int | None:
    """A file descriptor that is readable once a process has ended, ``None`` where there is no such thing."""
    open_process: t.Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    if open_process is None:
        return None
    try:
        return open_process(pid)
    except OSError:
        return None
