# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes in PID namespaces of their own, as in containers, by unshare(1) of util-linux."""

from __future__ import annotations

import os
import subprocess
import sys

from .processes import ROOT


def unshare(*arguments: str, mounts_proc: bool = True, hostname: str = "") -> list[str]:
    """The command that runs this Python in a PID namespace of its own, as its process 1.

    :param mounts_proc: it has a ``/proc`` of its own, as a container has.
    :param hostname: of its own.
    """
    # a user who is not root is, in a user namespace
    command = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--pid", "--fork", "--kill-child"]
    command += ["--mount-proc"] if mounts_proc else []
    if hostname:
        return [*command, "--uts", "sh", "-c", 'hostname "$1"; shift; exec "$@"', "sh", hostname, sys.executable, *arguments]
    return [*command, sys.executable, *arguments]


def in_new_pid_namespace(*arguments: str, mounts_proc: bool = True) -> str:
    """What this Python prints in a PID namespace of its own."""
    done = subprocess.run(unshare(*arguments, mounts_proc=mounts_proc), cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
