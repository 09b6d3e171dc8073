# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the descriptors of the providers say, held against the rest of the repository."""

from __future__ import annotations

import ast
import pathlib
import re
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import FAILURE_CODES
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import DESCRIPTORS, PROVIDERS, WORKFLOWS

CODE = re.compile(r"[a-z]+(_[a-z]+)+|busy")


def raised_codes(tree: ast.AST) -> set[str]:
    """The codes that a file gives to the failures it makes."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    found: set[str] = set()
    for call in calls:
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        position = {"SyncError": 0, "NeverArrived": 0, "ErrorPattern": 1, "StudioErrorPattern": 1}.get(name)
        argument = call.args[position] if position is not None and len(call.args) > position else None
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            found.add(argument.value)
    return found


def test_every_failure_has_a_code_of_the_vocabulary_or_of_its_provider(plugin_trees: dict[str, ast.Module]) -> None:
    unknown = []
    for name, tree in plugin_trees.items():
        folder = re.match(r"plugins/module_utils/_providers/(\w+)/", name)
        own = DESCRIPTORS[folder[1]].failure_codes if folder else {}
        codes = raised_codes(tree)
        unknown += [f"{name}: {code}" for code in sorted(codes - FAILURE_CODES - set(own))]
    assert unknown == []


def test_every_code_of_a_provider_is_one_of_its_own(plugin_trees: dict[str, ast.Module]) -> None:
    for name, descriptor in DESCRIPTORS.items():
        folder = f"plugins/module_utils/_providers/{name}/"
        raised = set().union(*(raised_codes(tree) for file, tree in plugin_trees.items() if file.startswith(folder)))
        assert set(descriptor.failure_codes) <= raised, name
        assert not set(descriptor.failure_codes) & FAILURE_CODES, name
        assert all(CODE.fullmatch(code) for code in descriptor.failure_codes)


def test_modules_and_groups_follow_from_the_descriptors(module_names: list[str], runtime: dict[str, t.Any]) -> None:
    assert set(runtime["action_groups"]) == {"all", *DESCRIPTORS}
    for workflow in WORKFLOWS.values():
        for call in (workflow.sync, workflow.backup, workflow.restore):
            assert call is None or call.module in module_names


def test_targets_and_releases_are_identities() -> None:
    for provider_class in PROVIDERS.values():
        spec = sync_spec(provider_class)
        assert "release" in spec.texts
        assert set(spec.texts + spec.ids) <= set(spec.arguments)
    for workflow in WORKFLOWS.values():
        spec = sync_spec(workflow.sync.provider)
        assert set(workflow.selects[:1]) <= set(spec.texts + spec.ids)


def test_sync_wait_documents_the_connection_of_every_provider(documentation: dict[str, dict[str, t.Any]]) -> None:
    assert set(documentation["sync_wait"]["options"]["connections"]["suboptions"]) == set(PROVIDERS)


def test_the_environment_names_are_documented(documentation: dict[str, dict[str, t.Any]]) -> None:
    for name, descriptor in DESCRIPTORS.items():
        modules = [module for module in documentation if module.startswith(f"{name}_")]
        texts = str([documentation[module]["options"] for module in modules])
        assert [variable for variable in descriptor.environment if variable not in texts] == []


def test_sync_wait_imports_every_descriptor(root: pathlib.Path) -> None:
    """Ansible sends to another host what a module imports by name, and the registry finds there only what was sent."""
    tree = ast.parse((root / "plugins" / "modules" / "sync_wait.py").read_text(encoding="utf-8"))
    imported = {
        (node.module or "").rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and [alias.name for alias in node.names] == ["descriptor"]
    }
    assert imported == set(DESCRIPTORS)
