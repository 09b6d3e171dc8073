# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a module needs no process of its own, and the options that it then sees."""

from __future__ import annotations

import datetime as dt
import sys
import types
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._actions import controller as _controller
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.controller import ControllerAction, plain

Json = dict[str, t.Any]


#: As Ansible's own kinds of text are: they stay what they are when they are made a string.
Text = type("Text", (str,), {"__str__": lambda self: self})


class Number(int):
    """As Ansible's own kinds of numbers are."""


#: Text that has to be decrypted.
Vault = type("Vault", (), {"__str__": lambda self: Text("secret")})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Text("a"), "a"),
        (Number(5), 5),
        (1.5, 1.5),
        (True, True),
        (None, None),
        (Vault(), "secret"),
        (dt.date(2026, 11, 28), "2026-11-28"),
        ({Text("a"): [Text("b"), (Number(1),)]}, {"a": ["b", [1]]}),
    ],
)
def test_options_are_plain_values(value: object, expected: object) -> None:
    found = plain(value)
    assert found == expected
    assert kinds(found) == kinds(expected)


def kinds(value: object) -> object:
    if isinstance(value, dict):
        return {(type(key), key): kinds(item) for key, item in value.items()}
    return [kinds(item) for item in value] if isinstance(value, list) else type(value)


class Situation(ControllerAction):
    """A task, as far as it matters where it runs."""

    def __init__(
        self, transport: str = "local", become: object = None, asynchronous: int = 0, delegate_to: str | None = None
    ) -> None:
        self._connection = types.SimpleNamespace(transport=transport, become=become)
        self._task = types.SimpleNamespace(async_val=asynchronous, delegate_to=delegate_to)
        self._templar = types.SimpleNamespace(template=lambda value: value)


HERE = {"ansible_python_interpreter": sys.executable}
ELSEWHERE = {"ansible_python_interpreter": "/usr/bin/python3.9"}


@pytest.mark.parametrize(
    ("settings", "variables", "expected"),
    [
        ({}, {}, True),
        ({}, HERE, True),
        ({}, {"ansible_python_interpreter": "auto_silent"}, True),
        ({}, ELSEWHERE, False),
        ({"transport": "ssh"}, HERE, False),
        ({"become": object()}, HERE, False),
        ({"asynchronous": 60}, HERE, False),
        ({"delegate_to": "localhost"}, {**ELSEWHERE, "ansible_delegated_vars": {"localhost": HERE}}, True),
        ({"delegate_to": "localhost"}, {**HERE, "ansible_delegated_vars": {"localhost": ELSEWHERE}}, False),
    ],
)
def test_it_runs_here_where_that_makes_no_difference(settings: Json, variables: Json, expected: bool) -> None:
    assert Situation(**settings)._can_run_in_process(variables) is expected


def test_macos_kills_what_looks_for_its_proxies_after_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_controller.sys, "platform", "darwin")
    assert not Situation()._can_run_in_process({})
