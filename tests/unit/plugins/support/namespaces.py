# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes in PID namespaces of their own, as in containers, by unshare(1) of util-linux."""

from __future__ import annotations

import os
import subprocess
import sys

from .processes import ROOT


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
