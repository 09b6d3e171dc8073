# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The lease: how a controller keeps others with the same ledger away from what it is at work on, and for how long.

Runs (:class:`RunLedger`) and promotions (``PromotionStore``) use the same one. A lease has

* a **holder**: a token that nothing else has, random for each ledger that is opened, or the id of a run of a promotion. Renewing
  and giving up a lease name it, so that one that was taken over stays so;
* an **owner**: the process that the lease is bound to (:class:`ProcessIdentity`). For a run that is the process that sends the
  trigger and waits. For a promotion it is ``ansible-playbook``, since its steps are short-lived workers of that;
* an **expiry**: :data:`LEASE_SECONDS` after the last beat. A beat is due every :data:`HEARTBEAT_SECONDS` while the owner is at
  work, so that five of them may fail before the lease is lost.

A lease keeps others away until it is given up, expires, or its owner is provably gone, whichever comes first. So after a process
was killed, a controller in the same container goes on at once, and any other one after :data:`LEASE_SECONDS` at most.

What beats: for runs a thread of the task (:class:`Heartbeat`). For promotions a small process of their own, since no code of the
collection is in memory between two steps, while task files of the user run for any time. It ends with ``ansible-playbook``, see
``plugin_utils/_promotion/heartbeat.py``. So no lease has to be long enough for what cannot beat.

Expiry is counted by the clock of the store: that of this host for an SQLite file. Hosts that share one should have the same time.
A process that was stopped for longer than its lease (a paused virtual machine) finds out before it sends a trigger again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import secrets
import threading
import typing as t

from .process import ProcessIdentity

HEARTBEAT_SECONDS = 10.0
LEASE_SECONDS = 60.0

#: ``held``: it keeps others away. ``free``: given up, or never taken. ``gone``: its owner has provably ended
LeaseState = t.Literal["held", "free", "expired", "gone"]


@dataclasses.dataclass(frozen=True)
class Lease:
    """What is known of a lease.

    :param holder: ``""`` once it was given up.
    """

    holder: str
    owner: ProcessIdentity
    expires_at: dt.datetime

    def state(self, now: dt.datetime) -> LeaseState:
        if not self.holder:
            return "free"
        if now >= self.expires_at:
            return "expired"
        return "gone" if self.owner.is_gone() else "held"

    def is_held(self, now: dt.datetime) -> bool:
        """Whether it keeps others away."""
        return self.state(now) == "held"


def new_holder() -> str:
    """A token that nothing else has."""
    return secrets.token_hex(8)


def expiry(now: dt.datetime) -> dt.datetime:
    """When a lease that is taken or renewed ``now`` expires."""
    return now + dt.timedelta(seconds=LEASE_SECONDS)


class Heartbeat:
    """Renews leases in a thread, for as long as the ``with`` statement lasts.

    A beat that fails is left to the next one: the work goes on, and whether the lease was lost shows where that matters.

    :param beat: renews all leases of this process.
    """

    def __init__(self, beat: t.Callable[[], object], interval: float = HEARTBEAT_SECONDS) -> None:
        self._beat = beat
        self._interval = interval
        self._stop = threading.Event()

    def __enter__(self) -> None:
        threading.Thread(target=self._run, name="lockstep-heartbeat", daemon=True).start()

    def __exit__(self, *exc_info: object) -> None:
        # without waiting for a beat at work, which may hang for as long as the database does
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            # whatever it is: without this thread, all leases would be lost
            with contextlib.suppress(Exception):
                self._beat()
