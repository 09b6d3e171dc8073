# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that sync."""

from __future__ import annotations

import os
import signal
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import interruptible_clock
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context

from .fifth import Fifth
from .lab import validated
from .processes import main, say, wait_for_word


class DiesBeforeTheTrigger(Fifth):
    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        os._exit(9)


class DiesWhileSending(Fifth):
    """There is a connection, and the first byte is about to be sent."""

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        note = channel.on_send

        def note_and_die() -> None:
            note()
            os._exit(9)

        channel.on_send = note_and_die
        return super().trigger(target, observation, channel)


class DiesAfterTheTrigger(Fifth):
    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        super().trigger(target, observation, channel)
        os._exit(9)


class DiesWaiting(Fifth):
    def watch(self, handle: t.Mapping[str, t.Any], wake: t.Callable[[], None]) -> None:
        os._exit(9)


def sync_and_die(where: str, options: dict[str, t.Any]) -> None:
    """Run a sync task and die on the way."""
    providers = {
        "before": DiesBeforeTheTrigger,
        "sending": DiesWhileSending,
        "after": DiesAfterTheTrigger,
        "waiting": DiesWaiting,
    }
    run_sync(providers[where], validated(sync_spec(Fifth), options), Context())


def sync(options: dict[str, t.Any]) -> None:
    """Come to the start line, run a sync task, and say how it ended."""
    say("ready")
    wait_for_word()
    record = run_sync(Fifth, validated(sync_spec(Fifth), options), Context())["syncs"][0]
    say(f"{record['action']} {record['state']} {record['failure']}")


def sync_until_stopped(options: dict[str, t.Any]) -> None:
    """Run a sync task as a module does, and say how every target ended."""
    with interruptible_clock(signal.SIGTERM) as clock:
        result = run_sync(Fifth, validated(sync_spec(Fifth), options), Context(clock=clock))
    for record in result["syncs"]:
        say(f"{record['target']} {record['action']} {record['state']} {record['failure']['code']}")


def sync_until_stopped_and_stay(options: dict[str, t.Any]) -> None:
    """The same, in a process that goes on, as that of an action plugin does for a moment."""
    sync_until_stopped(options)
    say("reported")
    wait_for_word()


if __name__ == "__main__":
    main(globals())
