# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module runs without a process of its own where it can, and does the same there."""

from __future__ import annotations

import importlib
import typing as t

import pytest

PLUGINS = "ansible_collections.lockstep.sync.plugins"

#: are action plugins only
WITHOUT_MODULE = {"promotion", "reconciliation"}


def test_each_module_has_an_action_plugin_that_does_the_same(module_names: list[str]) -> None:
    for name in sorted(set(module_names) - WITHOUT_MODULE):
        module = importlib.import_module(f"{PLUGINS}.modules.{name}")
        action = importlib.import_module(f"{PLUGINS}.action.{name}")
        assert action.ActionModule.operation is module.OPERATION, name


def test_the_documentation_mentions_it(documentation: dict[str, dict[str, t.Any]], module_names: list[str]) -> None:
    for name in module_names:
        assert documentation[name]["attributes"]["action"]["support"] == "full", name


@pytest.mark.parametrize("name", sorted(WITHOUT_MODULE))
def test_what_is_no_module_has_an_action_plugin(name: str) -> None:
    assert importlib.import_module(f"{PLUGINS}.action.{name}").ActionModule
