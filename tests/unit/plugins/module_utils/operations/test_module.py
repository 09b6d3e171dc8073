# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way from AnsibleModule to the core and back."""

from __future__ import annotations

import dataclasses
import os
import signal
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import ArgumentSpec
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import Stopped
from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import (
    exit_module,
    fail_on_missing_libraries,
    interruptible_clock,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import Operation, Requirements
from ansible_collections.lockstep.sync.plugins.module_utils._operations.scheduling import fan_out
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context, Interrupted


class Left(Exception):
    """The module has ended."""


class Module:
    """As much of AnsibleModule as is needed."""

    check_mode = True
    _diff = True

    def __init__(self) -> None:
        self.no_log_values: set[str] = set()
        self.warned: list[str] = []
        self.result: dict[str, t.Any] = {}

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        self.result = result
        raise Left("ok")

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        self.result = result
        raise Left("failed")


@pytest.fixture
def module() -> t.Any:
    return Module()


def test_a_signal_interrupts_and_ends_all_pauses() -> None:
    with interruptible_clock(signal.SIGTERM) as clock:
        os.kill(os.getpid(), signal.SIGTERM)
        for _pause in range(2):
            with pytest.raises(Stopped):
                clock.sleep(60)
        with pytest.raises(Interrupted):
            fan_out([1], lambda item: None, 1, clock.stop)


def test_a_second_signal_does_not_end_the_reporting() -> None:
    with interruptible_clock(signal.SIGTERM) as clock:
        with pytest.raises(Interrupted):
            fan_out([1], lambda item: os.kill(os.getpid(), signal.SIGTERM) or clock.sleep(60), 1, clock.stop)
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_pause_that_lasts_until_the_end_is_interrupted() -> None:
    with interruptible_clock(signal.SIGTERM) as clock:
        clock.sleep(0.01)
    with pytest.raises(Stopped):
        clock.sleep(60)


@pytest.mark.parametrize("pass_on", [True, False])
def test_a_signal_does_in_the_end_what_it_did_before(pass_on: bool) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        with interruptible_clock(signal.SIGTERM, pass_on=pass_on):
            os.kill(os.getpid(), signal.SIGTERM)
            assert seen == []
        assert seen == ([signal.SIGTERM] if pass_on else [])
        os.kill(os.getpid(), signal.SIGTERM)
        assert seen
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_success_is_left_with_its_warnings(module: t.Any) -> None:
    with pytest.raises(Left, match="ok"):
        exit_module(module, {"changed": True, "warnings": ["careful"]})
    assert (module.result, module.warned) == ({"changed": True}, ["careful"])


def test_a_failure_is_left_with_everything(module: t.Any) -> None:
    with pytest.raises(Left, match="failed"):
        exit_module(module, {"changed": True, "failed": True, "msg": "no", "syncs": [], "warnings": []})
    assert module.result == {"changed": True, "msg": "no", "syncs": []}


def test_a_missing_library_is_named(module: t.Any) -> None:
    def missing(options: t.Any) -> Requirements:
        return [("dnspython", "ImportError: ...")]

    operation = Operation(ArgumentSpec(), lambda options, context: {})
    fail_on_missing_libraries(module, operation, {})
    with pytest.raises(Left, match="failed"):
        fail_on_missing_libraries(module, dataclasses.replace(operation, needs=missing), {})
    assert "dnspython" in module.result["msg"]


def test_the_context_warns_once_of_one_thing() -> None:
    context = Context()
    for text in ("a", "b", "a"):
        context.warn(text)
    assert context.warnings == ["a", "b"]
