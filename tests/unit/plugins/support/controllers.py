# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controllers that sync one target each, every one in a container of its own: PID namespace, host name and home directory.

One process loads all code, and forks a controller for each line that it reads. That takes milliseconds, a new Python a second.
"""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import socket
import sys
import traceback
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from ansible_collections.lockstep.sync.plugins.module_utils._state import postgresql
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.heartbeat import start_heartbeat
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import LockHeld, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner

from .fifth import Fifth
from .lab import validated
from .processes import main, say, wait_for_word
from .promotion_users import KEY

# <linux/sched.h>, <sys/mount.h>
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x04000000, 0x10000000, 0x20000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000


def serve_controllers() -> None:
    """Start a controller for each line: its host name, its home, and the options of its task, as :func:`new_controller` makes it.

    Each says in a line what became of it.
    """
    # loaded now, and not by each of them
    assert postgresql.PostgresqlStore
    say("ready")
    children = []
    for line in sys.stdin:
        controller = json.loads(line)
        child = os.fork()
        if not child:
            status = 1
            try:
                status = _enter_container(**controller)
            except BaseException:  # noqa: BLE001 (nothing of the parent's may run in this process)
                traceback.print_exc()
            finally:
                os._exit(status)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def new_controller(options: dict[str, t.Any], hostname: str, home: pathlib.Path) -> str:
    """A line for :func:`serve_controllers`.

    :param home: a folder that does not exist yet.
    """
    home.mkdir(parents=True)
    return json.dumps({"options": options, "hostname": hostname, "home": str(home)})


def _enter_container(options: dict[str, t.Any], hostname: str, home: str) -> int:
    """What unshare(1) does with ``--pid --uts --fork --mount-proc``; the status of the controller in there."""
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
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    socket.sethostname(hostname)
    os.environ["HOME"] = home
    os.environ.pop("XDG_STATE_HOME", None)
    _check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    _check(libc.mount(b"proc", b"/proc", b"proc", 0, None))
    sync_in_container(options)
    return 0


def sync_in_container(options: dict[str, t.Any]) -> None:
    """Sync the one target of a task, and say what became of it."""
    record = run_sync(Fifth, validated(sync_spec(Fifth), options), Context())["syncs"][0]
    answer = {name: record[name] for name in ("target", "action", "state", "failure")}
    # one write, so that lines of several are not mixed
    os.write(1, (json.dumps({"pid": os.getpid(), **answer}) + "\n").encode())


def promote_in_container(path: str, run: str, wait: float) -> None:
    """Lock a target, keep the lock alive, and wait; or say why not."""
    store = PromotionStore(path, SystemClock())
    owner = Owner.current()
    try:
        begun = store.begin(run, {KEY: "shop"}, "1", owner, wait=wait)[KEY]
    except LockHeld as held:
        say(str(held))
        return
    start_heartbeat(store, run, owner.process)
    say(f"locked {begun.taken_over or ''}".strip())
    wait_for_word()


def _check(status: int) -> None:
    if status:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main(globals())
