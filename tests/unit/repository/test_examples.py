# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of modules and inventory plugins are valid, and what is wrong with an example or a command is found.

Those of pages are looked at in test_blocks.py.
"""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

from scripts.docs import reference

from .examples import COLLECTION, Documented, load
from .shell_examples import Shell


def test_examples_of_modules_are_valid(root: pathlib.Path, documented: Documented, module_names: list[str]) -> None:
    found = []
    for name in module_names:
        text = (root / "plugins" / "modules" / f"{name}.py").read_text(encoding="utf-8")
        example = load(re.search(r'EXAMPLES = r?"""(.*?)"""', text, re.DOTALL)[1])  # type: ignore[index]
        found += documented.problems_of_file(example, name)
        assert f"{COLLECTION}{name}" in str(example) or f"{name}_module" in reference.INTERNAL
    assert found == []


def test_examples_of_inventory_plugins_are_valid(documented: Documented, inventories: dict[str, dict[str, t.Any]]) -> None:
    found = []
    for name, content in inventories.items():
        for example in yaml.safe_load_all(re.sub(r"^(?=plugin:)", "---\n", content["examples"], flags=re.MULTILINE)):
            found += documented.problems_of_file(example or {"plugin": f"{COLLECTION}{name}"}, name)
    assert found == []


def test_playbooks_and_roles_of_others_are_not_taken_for_ours(documented: Documented) -> None:
    assert documented.problems_of_item({"ansible.builtin.debug": {"msg": "x"}}, "here") == []


@pytest.mark.parametrize(
    ("example", "problem"),
    [
        ("- lockstep.sync.vinyldns_zone_sync: {zonse: [a.]}", "zonse"),
        ("- lockstep.sync.vinyldns_zone_sync: {zones: [a.], wait: perhaps}", "boolean"),
        ("- lockstep.sync.vinyldns_zone_sync: {zones: [a.], guard: {max_delets: 1}}", "guard.max_delets"),
        ("- lockstep.sync.nothing: {}", "no module lockstep.sync.nothing"),
        ("- vinyldns_zone_sync: {zones: [a.]}", "without the name of the collection"),
        ("- block: [{lockstep.sync.sync_wait: {handels: []}}]", "handels"),
        ("- import_playbook: lockstep.sync.nothing", "no playbook"),
        ("- module_defaults: {group/lockstep.sync.vinyldns: {zonse: 1}}", "no option zonse"),
        ("dns_reconciliation_zonse: [a.]", "is no variable"),
        ("dns_reconciliation_backend: {servre: a}", "servre"),
        ("lockstep_awx_dns_variables: {dns_reconciliation_zonse: [a.]}", "is no variable"),
        ("plugin: lockstep.sync.vinyldns\nadmin_gruop: a", "admin_gruop"),
    ],
)
def test_what_is_wrong_is_found(documented: Documented, example: str, problem: str) -> None:
    assert problem in "".join(documented.problems_of_file(load(example), "here"))


@pytest.mark.parametrize(
    "command",
    [
        "make nothing",
        "ansible-playbook lockstep.sync.nothing",
        "ansible-playbook lockstep.sync.reconcile_dns -e dns_reconciliation_zonse=a.",
        "ansible localhost -m lockstep.sync.vinyldns_zone_sync -a 'zonse=a.'",
        "ansible-playbook lockstep.sync.reconcile_dns -e zones=a.",
        "ansible-playbook lockstep.sync.reconcile_dns -e @zonse.yml",
        "ansible-playbook -i nothing.yml lockstep.sync.reconcile_dns",
        "ansible-galaxy collection install -r extensions/awx/nothing.yml",
        "ansible-rulebook --rulebook lockstep.sync.nothing",
        "ansible-rulebook --rulebook lockstep.sync.alarm_on_drift --vars nothing.yml",
        ".venv/bin/ansible-doc lockstep.sync.nothing",
        ".venv/bin/molecule test --scenario-name nothing",
        ".venv/bin/mypy -p ansible_collections.lockstep.sync.plugins.nothing",
        ".venv/bin/python -m pytest --lnog tests/unit",
        ".venv/bin/python -m pytest tests/nothing",
        "python -m tests.simulator --jsno",
        "make test VRESION=1",
        "export VINYLDNS_APIURL=https://vinyldns.example.com",
        "python -m tests.nothing",
        ".venv/bin/nothing",
        "nothing",
    ],
)
def test_wrong_commands_are_found(root: pathlib.Path, documented: Documented, command: str) -> None:
    assert Shell(root, documented, frozenset({"VINYLDNS_API_URL"}), frozenset({"zones.yml"})).problem(command)
