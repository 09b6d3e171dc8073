# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks of the repository itself read."""

from __future__ import annotations

import ast
import functools
import json
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml

from scripts.check.stage import tracked_files

from .examples import COLLECTION, Documented, Options

ROOT = pathlib.Path(__file__).resolve().parents[3]


@functools.cache
def _tracked() -> list[str]:
    return tracked_files()


@pytest.fixture(scope="session")
def root() -> pathlib.Path:
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """Every file that is or would be in a commit, relative to the repository root."""
    return _tracked()


@pytest.fixture(scope="session")
def plugin_texts(root: pathlib.Path, tracked: list[str]) -> dict[str, str]:
    """The Python files of the plugins."""
    files = [name for name in tracked if name.startswith("plugins/") and name.endswith(".py") and (root / name).exists()]
    return {name: (root / name).read_text(encoding="utf-8") for name in files}


@pytest.fixture(scope="session")
def plugin_trees(plugin_texts: dict[str, str]) -> dict[str, ast.Module]:
    """The same, parsed."""
    return {name: ast.parse(text) for name, text in plugin_texts.items()}


@pytest.fixture(scope="session")
def runtime() -> dict[str, t.Any]:
    """The content of meta/runtime.yml."""
    content: dict[str, t.Any] = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    return content


@pytest.fixture(scope="session")
def module_names() -> list[str]:
    return sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__")


@pytest.fixture(scope="session")
def documentation(module_names: list[str]) -> dict[str, dict[str, t.Any]]:
    """The documentation of every module as users read it, with the fragments merged in."""
    command = [str(pathlib.Path(sys.executable).with_name("ansible-doc")), "--json", "--type", "module"]
    output = subprocess.check_output([*command, *(f"lockstep.sync.{name}" for name in module_names)], text=True)
    return {name.rpartition(".")[2]: content["doc"] for name, content in json.loads(output).items()}


def documented_by_ansible_doc(kind: str, names: list[str]) -> dict[str, dict[str, t.Any]]:
    command = [str(pathlib.Path(sys.executable).with_name("ansible-doc")), "--json", "--type", kind]
    output = json.loads(subprocess.check_output([*command, *(f"{COLLECTION}{name}" for name in names)], text=True))
    return {name.removeprefix(COLLECTION): content for name, content in output.items()}


@pytest.fixture(scope="session")
def inventories(root: pathlib.Path) -> dict[str, dict[str, t.Any]]:
    names = [path.stem for path in (root / "plugins" / "inventory").glob("*.py") if path.stem != "__init__"]
    return documented_by_ansible_doc("inventory", names)


@pytest.fixture(scope="session")
def documented(
    root: pathlib.Path,
    documentation: dict[str, dict[str, t.Any]],
    inventories: dict[str, dict[str, t.Any]],
    runtime: dict[str, t.Any],
) -> Documented:
    roles: dict[str, Options] = {}
    for role in (root / "roles").iterdir():
        spec = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        roles[role.name] = spec["argument_specs"]["main"]["options"]
    kit: Options = yaml.safe_load((root / "extensions" / "awx" / "arguments.yml").read_text(encoding="utf-8"))
    variables = {**kit, **{name: option for options in roles.values() for name, option in options.items()}}
    for role in roles:
        # what the playbooks take
        variables[f"{role}_host"] = {"type": "str"}
    for name in ("backend", "guard"):
        # the role passes them on, in more forms than examples have
        variables[f"dns_reconciliation_{name}"] = documentation["vinyldns_zone_sync"]["options"][name]
    return Documented(
        {name: content["options"] for name, content in documentation.items()},
        {name: content["doc"]["options"] for name, content in inventories.items()},
        variables,
        frozenset(path.stem for path in (root / "playbooks").glob("*.yml")),
        runtime["action_groups"],
        roles,
    )
