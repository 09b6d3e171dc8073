# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes in PID namespaces of their own, as in containers, by unshare(1) of util-linux or as it does that."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys

from .processes import ROOT

# <linux/sched.h>, <sys/mount.h>, <sys/prctl.h>
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x04000000, 0x10000000, 0x20000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1


def container(mounts_proc: bool = True, hostname: str = "") -> list[str]:
    """The command that runs another one in a PID namespace of its own, as its process 1. All in there ends with it.

    :param mounts_proc: it has a ``/proc`` of its own, as a container has.
    :param hostname: of its own.
    """
    # a user who is not root is, in a user namespace
    command = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--pid", "--fork", "--kill-child"]
    command += ["--mount-proc"] if mounts_proc else []
    return [*command, "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', hostname] if hostname else command


def in_new_pid_namespace(*arguments: str, mounts_proc: bool = True) -> str:
    """What this Python prints in a PID namespace of its own."""
    command = [*container(mounts_proc), sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def enter_container(hostname: str = "") -> None:
    """Go on as process 1 of a container: PID namespace, ``/proc`` and host name. This one ends as that one does.

    :param hostname: of its own.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    _check(libc.unshare(CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWNS | (CLONE_NEWUSER if user else 0)))
    if user:
        # root in there, as which alone it may mount
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    child = os.fork()
    if child:
        os._exit(abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    _check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    if hostname:
        socket.sethostname(hostname)
    _check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    _check(libc.mount(b"proc", b"/proc", b"proc", 0, None))


def _check(status: int) -> None:
    if status:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
