# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of inventory plugins, from which Ansible reads options, and the options as the code has them."""

from __future__ import annotations

import importlib
import json
import pathlib
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import environment_names
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import DESCRIPTORS

LISTED = [name for name, descriptor in DESCRIPTORS.items() if descriptor.inventory]


@pytest.fixture(scope="module")
def options() -> dict[str, dict[str, dict[str, t.Any]]]:
    """The documented options of each plugin."""
    command = [str(pathlib.Path(sys.executable).with_name("ansible-doc")), "--json", "--type", "inventory"]
    output = subprocess.check_output([*command, *(f"lockstep.sync.{name}" for name in LISTED)], text=True)
    return {name.rpartition(".")[2]: content["doc"]["options"] for name, content in json.loads(output).items()}


def test_each_system_that_lists_its_targets_has_a_plugin(root: pathlib.Path) -> None:
    found = sorted(path.stem for path in (root / "plugins" / "inventory").glob("*.py"))
    assert found == sorted(LISTED)
    for name in LISTED:
        plugin = importlib.import_module(f"ansible_collections.lockstep.sync.plugins.inventory.{name}").InventoryModule
        assert plugin.source is DESCRIPTORS[name].inventory and f"lockstep.sync.{name}" == plugin.NAME


@pytest.mark.parametrize("name", LISTED)
def test_documented_options_are_those_of_the_code(name: str, options: dict[str, dict[str, dict[str, t.Any]]]) -> None:
    source = DESCRIPTORS[name].inventory
    assert source is not None
    for option, spec in source.operation.spec.arguments.items():
        documented = options[name][option]
        assert documented["type"] == spec["type"], option
        assert documented.get("elements") == spec.get("elements"), option
        assert documented.get("choices") == spec.get("choices"), option
        assert documented.get("default") == spec.get("default"), option
        # of those that Ansible reads, the last one counts; of those of a module, the first one
        assert tuple(each["name"] for each in reversed(documented.get("env", ()))) == environment_names(spec), option
        assert ("Required." in " ".join(documented["description"])) == bool(spec.get("required")), option
        assert not documented.get("required"), "Ansible would refuse it without naming its environment variables"
