# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controllers that sync one target each, every one in a container of its own: PID namespace, host name and home directory.

One process loads all code, and forks a controller for each line that it reads. That takes milliseconds, a new Python a second.
"""

from __future__ import annotations

import json
import os
import pathlib
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
from .namespaces import enter_container
from .processes import say, wait_for_word
from .promotion_users import KEY


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
                _be_controller(**controller)
                status = 0
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


def _be_controller(options: dict[str, t.Any], hostname: str, home: str) -> None:
    enter_container(hostname)
    os.environ["HOME"] = home
    os.environ.pop("XDG_STATE_HOME", None)
    sync_in_container(options)


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
