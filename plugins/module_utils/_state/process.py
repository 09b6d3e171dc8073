# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Which process is which, also across PID namespaces, hosts of one name, and the reuse of process ids.

A process id has its meaning within a PID namespace of a running kernel only. Two containers may well have one host name and both
have a process 7, so a host name proves nothing and is kept for people alone. What identifies a process here:

* the boot id of its kernel (``/proc/sys/kernel/random/boot_id``, random at every boot, see proc(5));
* its PID namespace and its time namespace, in which start times are counted (see namespaces(7), time_namespaces(7)). The kernel
  gives the number of a namespace to a new one only after the old one, and so every process in it, has ended;
* its process id, and its start time (field 22 of ``/proc/PID/stat``), which differs from that of a later process of the same id.

That a process has ended can be proven from its own namespace only. From anywhere else nothing is known about it.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import socket


@dataclasses.dataclass(frozen=True)
class ProcessIdentity:
    """One process.

    :param boot: boot id of its kernel, ``""`` where it is not known.
    :param space: PID namespace and time namespace, ``""`` where they are not known.
    :param started: its start time in the kernel's own unit, ``""`` where it is not known.
    :param host: name of its host, for people; containers may share it.
    """

    boot: str
    space: str
    pid: int
    started: str
    host: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """A process of the PID namespace that this one is in."""
        stat = _stat(pid)
        return cls(_boot(), _space(), pid, stat.started if stat else "", socket.gethostname())

    @classmethod
    def current(cls) -> ProcessIdentity:
        """This process."""
        return cls.of(os.getpid())

    @classmethod
    def from_json(cls, text: str) -> ProcessIdentity:
        """What :meth:`to_json` returned; fields that are missing there are not known.

        :raises ValueError: it is no JSON object.
        """
        known = json.loads(text)
        if not isinstance(known, dict):
            raise ValueError(f"{text!r} is not a JSON object")
        pid = known.get("pid")
        texts = {name: str(known.get(name) or "") for name in ("boot", "space", "started", "host")}
        return cls(pid=pid if isinstance(pid, int) else 0, **texts)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    def is_gone(self) -> bool:
        """Whether it has provably ended, be it that its parent has not collected it yet (a zombie)."""
        if not self.boot or not self.space or self.pid <= 0 or (self.boot, self.space) != (_boot(), _space()):
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            # it exists, and is not ours to signal
            pass
        stat = _stat(self.pid)
        if stat is None:
            return False
        return stat.state in ("Z", "X") or (self.started != "" and stat.started != self.started)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@functools.lru_cache
def own_identity() -> str:
    """This process, as :meth:`ProcessIdentity.to_json` writes it, which stays the same until it ends."""
    return ProcessIdentity.current().to_json()


os.register_at_fork(after_in_child=own_identity.cache_clear)


@dataclasses.dataclass(frozen=True)
class _Stat:
    state: str
    started: str


def _stat(pid: int) -> _Stat | None:
    """State and start time of a process, ``None`` where they cannot be read."""
    try:
        if not _is_proc_of_this_namespace():
            return None
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # the name before, in parentheses, may contain anything
            fields = file.read().rpartition(")")[2].split()
        return _Stat(fields[0], fields[19])
    except (OSError, IndexError):
        return None


def _is_proc_of_this_namespace() -> bool:
    """Whether ``/proc`` shows the PID namespace of this process, and not one above it (``unshare --pid`` without a mount).

    ``NSpid`` lists the ids of a process from the namespace of the mount down to its own, see proc_pid_status(5).
    """
    with open("/proc/self/status", encoding="utf-8", errors="replace") as file:
        ids = next((line.split()[1:] for line in file if line.startswith("NSpid:")), [])
    return ids == [str(os.getpid())]


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _space() -> str:
    try:
        pids = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
    try:
        return f"{pids} {os.readlink('/proc/self/ns/time')}"
    except OSError:
        # Linux before 5.6
        return pids
