# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folders of the code, and which of them may import which."""

from __future__ import annotations

import ast
import collections
import pathlib
import re

from .trees import statements

PACKAGE = "ansible_collections.lockstep.sync."

#: From the bottom up: a folder imports only those listed before it.
MODULE_UTILS = ("_core", "_http", "_state", "_lifecycle", "_operations", "_dns", "_probe", "_providers")
PLUGIN_UTILS = (
    "_actions",
    "_inventory",
    "_change_windows",
    "_reports",
    "_results",
    "_notifications",
    "_promotion",
    "_reconciliation",
)
ORDER = (
    *(f"plugins/module_utils/{folder}" for folder in MODULE_UTILS),
    *(f"plugins/plugin_utils/{folder}" for folder in PLUGIN_UTILS),
)

#: Longer files hide a second idea, and longer functions a second step.
MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 40

#: names whose values are documentation and no code
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def folder_of(name: str) -> str:
    """The entry of :data:`ORDER` that a file or a dotted module belongs to, or the folder of plugins that it is in."""
    parts = name.replace(".", "/").split("/")
    return "/".join(parts[:3] if parts[1] in ("module_utils", "plugin_utils") else parts[:2])


def imports_of(name: str, tree: ast.Module) -> set[str]:
    """Dotted names, from the top of the repository, of what a file of the collection imports from it."""
    package = name.removesuffix(".py").split("/")[:-1]
    found: set[str] = set()
    for node in statements(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = package[: len(package) - node.level + 1]
            module = ".".join([*base, *([node.module] if node.module else [])])
        elif (node.module or "").startswith(PACKAGE):
            module = str(node.module).removeprefix(PACKAGE)
        else:
            continue
        # what is imported may be a module itself
        found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def test_every_folder_has_its_place(plugin_trees: dict[str, ast.Module]) -> None:
    folders = {folder_of(name) for name in plugin_trees if name.split("/")[1] in ("module_utils", "plugin_utils")}
    assert {folder.removesuffix("/__init__.py") for folder in folders} == set(ORDER)


def test_imports_point_down(plugin_trees: dict[str, ast.Module]) -> None:
    upward = []
    for name, tree in plugin_trees.items():
        if folder_of(name) not in ORDER:
            continue
        for imported in imports_of(name, tree):
            if imported.startswith("plugins.") and ORDER.index(folder_of(imported)) > ORDER.index(folder_of(name)):
                upward.append(f"{name} imports {imported}")
    assert upward == []


def test_providers_do_not_know_each_other(plugin_trees: dict[str, ast.Module]) -> None:
    found = []
    for name, tree in plugin_trees.items():
        parts = name.split("/")
        if parts[2:3] != ["_providers"] or len(parts) < 5:
            continue
        for imported in imports_of(name, tree):
            other = imported.split(".")
            if other[2:3] == ["_providers"] and other[3] != parts[3]:
                found.append(f"{name} imports {imported}")
    assert found == []


def test_no_cycles(plugin_trees: dict[str, ast.Module]) -> None:
    modules = {name.removesuffix(".py").replace("/", "."): name for name in plugin_trees}
    graph: dict[str, set[str]] = collections.defaultdict(set)
    for module, name in modules.items():
        for imported in imports_of(name, plugin_trees[name]):
            target = imported if imported in modules else imported.rpartition(".")[0]
            if target in modules:
                graph[module].add(target)
    finished: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module in finished:
            return
        for target in sorted(graph[module]):
            visit(target, (*path, module))
        finished.add(module)

    for module in sorted(modules):
        visit(module, ())


def test_provider_neutral_code_names_no_provider(
    root: pathlib.Path, plugin_texts: dict[str, str], plugin_trees: dict[str, ast.Module]
) -> None:
    providers = sorted(path.name for path in (root / "plugins/module_utils/_providers").iterdir() if path.is_dir())
    names = re.compile("|".join(name for name in providers if not name.startswith("__")), re.IGNORECASE)
    found = []
    for name, tree in plugin_trees.items():
        parts = name.split("/")
        # comments may name one
        if parts[1] != "module_utils" or parts[2] not in MODULE_UTILS[:5] or not names.search(plugin_texts[name]):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and names.search(node.value):
                found.append(f"{name}:{node.lineno}: {node.value[:60]!r}")
    assert found == []


def test_a_class_name_stands_for_one_thing(plugin_trees: dict[str, ast.Module]) -> None:
    #: names that Ansible looks for
    required = {"ActionModule", "ModuleDocFragment", "FilterModule", "TestModule", "InventoryModule", "LookupModule"}
    where: dict[str, list[str]] = collections.defaultdict(list)
    for name, tree in plugin_trees.items():
        for node in statements(tree):
            if isinstance(node, ast.ClassDef) and node.name not in required:
                where[node.name].append(name)
    assert {name: files for name, files in where.items() if len(files) > 1} == {}


def test_module_utils_have_one_alias_for_json(plugin_trees: dict[str, ast.Module]) -> None:
    """Elsewhere a mapping without types would pass for a value of the code itself."""
    aliases = [
        name
        for name, tree in plugin_trees.items()
        if name.startswith("plugins/module_utils/")
        for node in tree.body
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == "Json" for target in node.targets)
    ]
    assert aliases == ["plugins/module_utils/_core/vocabulary.py"]


def documentation_lines(tree: ast.Module) -> int:
    """Lines of the texts from which Ansible makes the documentation of plugins."""
    values = [
        node.value
        for node in statements(tree)
        if isinstance(node, ast.Assign) and any(getattr(name, "id", "") in DOCUMENTATION for name in node.targets)
    ]
    return sum((value.end_lineno or value.lineno) - value.lineno + 1 for value in values)


def test_no_file_is_long(root: pathlib.Path, tracked: list[str]) -> None:
    lengths = {}
    for name in tracked:
        is_code = name.endswith(".py") or (name.startswith("plugins/") and not name.endswith((".yml", ".md")))
        if not is_code or not (root / name).exists():
            continue
        text = (root / name).read_text(encoding="utf-8")
        lines = len(text.splitlines())
        if lines > MAX_FILE_LINES and name.endswith(".py"):
            lines -= documentation_lines(ast.parse(text))
        lengths[name] = lines
    assert {name: length for name, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_no_function_is_long(root: pathlib.Path, tracked: list[str]) -> None:
    files = [name for name in tracked if name.endswith(".py") and (root / name).exists()]
    lengths = {
        f"{name}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for name in files
        for node in statements(ast.parse((root / name).read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert len(lengths) > len(files)
    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION_LINES} == {}
