# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that sync."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import NeverArrived
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._operations import task
from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import interruptible_clock
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context

from .fifth import Fifth
from .lab import validated
from .processes import say, wait_for_word


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


def sync_until_stopped(options: dict[str, t.Any], provider: type[Fifth] = Fifth) -> None:
    """Run a sync task as a module does, and say how every target ended."""
    with interruptible_clock(signal.SIGTERM) as clock:
        result = run_sync(provider, validated(sync_spec(Fifth), options), Context(clock=clock))
    for record in result["syncs"]:
        say(f"{record['target']} {record['action']} {record['state']} {record['failure']['code']}")


def sync_until_stopped_and_stay(options: dict[str, t.Any]) -> None:
    """The same, in a process that goes on, as that of an action plugin does for a moment."""
    sync_until_stopped(options)
    say("reported")
    wait_for_word()


class RefusedConnection(Fifth):
    """The trigger goes to a port on which nothing listens; says so each time."""

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        settings = channel.client.settings
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            channel.client.settings = dataclasses.replace(settings, base_url=f"http://127.0.0.1:{bound.getsockname()[1]}")
            try:
                return super().trigger(target, observation, channel)
            except NeverArrived as error:
                say(error.code)
                raise
            finally:
                channel.client.settings = settings


def sync_refused_until_stopped(options: dict[str, t.Any]) -> None:
    """The same as :func:`sync_until_stopped`, where triggers are refused a connection."""
    sync_until_stopped(options, RefusedConnection)


class OutOfTime(BaseException):
    """What ansible-core raises at the end of the ``timeout`` of a task, wherever the main thread is."""


def sync_until_out_of_time_and_stay(options: dict[str, t.Any]) -> None:
    """Run a sync task as an action plugin does, with a time-out that comes with SIGALRM, in a process that goes on."""

    def out_of_time(number: int, frame: object) -> None:
        raise OutOfTime

    signal.signal(signal.SIGALRM, out_of_time)
    try:
        with interruptible_clock(signal.SIGTERM, signal.SIGINT, pass_on=True) as clock:
            run_sync(Fifth, validated(sync_spec(Fifth), options), Context(clock=clock))
    except OutOfTime:
        say("out of time")
    wait_for_word()


def sync_and_be_stopped_while_reporting(options: dict[str, t.Any]) -> None:
    """Run a sync task as a module does, which gets SIGTERM when its result is built already, and say what it returns."""
    write = task.write_report

    def write_and_be_stopped(path: str, head: t.Mapping[str, t.Any], syncs: t.Iterable[t.Mapping[str, t.Any]]) -> None:
        if not head["unfinished"]:
            os.kill(os.getpid(), signal.SIGTERM)
        write(path, head, syncs)

    task.write_report = write_and_be_stopped
    with interruptible_clock(signal.SIGTERM) as clock:
        result = run_sync(Fifth, validated(sync_spec(Fifth), options), Context(clock=clock))
        os.kill(os.getpid(), signal.SIGTERM)
        say(" ".join(f"{record['target']} {record['action']} {record['state']}" for record in result["syncs"]))
