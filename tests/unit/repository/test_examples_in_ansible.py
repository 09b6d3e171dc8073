# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible itself reads the examples: it finds everything that they name, and evaluates their templates, tests and filters."""

from __future__ import annotations

import importlib
import json
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
import yaml

from .examples import COLLECTION, load
from .fences import Fence, all_fences, kind_of
from .play_examples import RESULTS

Example = dict[str, t.Any]

#: the comment in EXAMPLES that shows what the template before it prints
OUTPUT = re.compile(r"(?:^#(?: .*)?\n)+", re.MULTILINE)
PLUGINS = "ansible_collections.lockstep.sync.plugins"
#: values of variables of hosts by the ends of their names; others are text
OF_HOSTS = {"_age": None, "_in_sync": None, "_may_sync": True, "_staging": {"available": True}, "_status": "Active"}
#: what roles pass on
FACTS = {"dns_reconciliation": {"digests": {"example.com.": "8875298edb71"}}, "staging_promotion": {"digest": "11e01a477b43477b"}}


def read(examples: list[Example], folder: pathlib.Path) -> list[Example]:
    """What Ansible finds in examples, see play_examples.py."""
    path = folder / "found.json"
    program = [sys.executable, "-m", f"{__package__}.play_examples", str(path)]
    done = subprocess.run(program, input=json.dumps(examples), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[Example] = json.loads(path.read_text(encoding="utf-8"))
    return found


def of_page(fence: Fence) -> Example | None:
    """A block of a page for Ansible to read; nothing for those that have nothing to load or to evaluate."""
    kind = kind_of(fence)
    if kind == "tasks":
        return {"where": fence.where, "tasks": fence.text}
    if kind == "inventory plugin":
        return of_inventory_plugin(fence.where, fence.content)
    if kind in ("variables", "inventory", "options of a target"):
        return {"where": fence.where, "templates": fence.content, "conditions": [], "variables": FACTS}
    return None


def of_inventory_plugin(where: str, content: Example) -> Example:
    """Expressions of constructed groups and variables, and templates in options."""
    system = content["plugin"].removeprefix(COLLECTION)
    documented = importlib.import_module(f"{PLUGINS}.inventory.{system}").DOCUMENTATION
    names = re.findall(rf"C\(({system}_\w+)\)", documented)
    values = {name: next((value for end, value in OF_HOSTS.items() if name.endswith(end)), "text") for name in names}
    keys = [entry["key"] for entry in content.get("keyed_groups", ())]
    expressions = [f"{{{{ {text} }}}}" for text in (*keys, *content.get("compose", {}).values())]
    options = {name: value for name, value in content.items() if name not in ("groups", "compose", "keyed_groups")}
    conditions = list(content.get("groups", {}).values())
    return {"where": where, "templates": [*expressions, options], "conditions": conditions, "variables": values}


@pytest.fixture(scope="module")
def examples(root: pathlib.Path, tracked: list[str]) -> list[Example]:
    """Those of pages, and EXAMPLES of all plugins."""
    found = [example for fence in all_fences(root, tracked) if (example := of_page(fence))]
    for kind in ("modules", "test", "filter", "inventory"):
        for path in sorted((root / "plugins" / kind).glob("*.py")):
            if path.stem == "__init__":
                continue
            text = importlib.import_module(f"{PLUGINS}.{kind}.{path.stem}").EXAMPLES
            if kind != "inventory":
                found.append({"where": f"{kind}/{path.stem}", "tasks": text})
                continue
            for part in re.split(r"^---\n", text, flags=re.MULTILINE):
                found.append(of_inventory_plugin(f"{kind}/{path.stem}", load(part)))
    return found


@pytest.fixture(scope="module")
def results(examples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Example]:
    found = read(examples, tmp_path_factory.mktemp("examples"))
    return {f"{number}: {example['where']}": result for number, (example, result) in enumerate(zip(examples, found, strict=True))}


def test_ansible_can_read_every_example(examples: list[Example], results: dict[str, Example]) -> None:
    assert {where: result["problems"] for where, result in results.items() if result["problems"]} == {}
    never = {where: text for where, result in results.items() for text, values in result["values"].items() if not values}
    assert never == {}, "its condition never holds"
    assert len(examples) > 45


def test_every_condition_depends_on_the_result(root: pathlib.Path, results: dict[str, Example]) -> None:
    """A condition on a registered result that always or never holds would show nothing."""
    conditions = {text: set(truths) for result in results.values() for text, truths in result["truths"].items()}
    constant = {text for text, truths in conditions.items() if "lockstep.sync." in text and truths != {True, False}}
    assert constant == set()
    tests = {path.stem for path in pathlib.Path(__file__).parents[3].joinpath("plugins", "test").glob("*.py")}
    assert {name for text in conditions for name in re.findall(r"is (?:not )?lockstep\.sync\.(\w+)", text)} >= tests - {
        "__init__"
    }


def test_filters_print_what_their_examples_show(results: dict[str, Example]) -> None:
    (result,) = (result for where, result in results.items() if where.endswith("filter/drift_table"))
    text = importlib.import_module(f"{PLUGINS}.filter.drift_table").EXAMPLES
    (shown,) = (block for block in OUTPUT.findall(text) if "action  name" in block)
    (template,) = (template for template in result["values"] if "splitlines" in template)
    lines = [line.removeprefix("#").removeprefix(" ") for line in shown.splitlines()]
    assert result["values"][template][0] == lines


@pytest.mark.parametrize("name", sorted(name for name in RESULTS if "." not in name))
def test_results_are_as_documented(name: str, documentation: dict[str, dict[str, t.Any]]) -> None:
    """What examples are evaluated with has the keys that the module documents."""
    returned = yaml.safe_load(importlib.import_module(f"{PLUGINS}.modules.{name}").RETURN)
    common = {"changed", "failed", "msg"}
    for result in RESULTS[name]:
        assert set(result) <= {*returned, *common}
        for key, value in result.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                known = set(returned[key]["contains"])
                assert all(set(entry) <= known for entry in value), key


def test_every_kind_of_plugin_has_examples_that_are_read(root: pathlib.Path) -> None:
    """A kind of plugin that is added has to be read as well."""
    with_documentation = {
        path.parent.name
        for path in (root / "plugins").glob("*/*.py")
        if path.parent.name != "doc_fragments" and re.search(r"^EXAMPLES = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert with_documentation == {"modules", "test", "filter", "inventory"}


@pytest.mark.parametrize(
    ("example", "problem"),
    [
        ({"tasks": "- lockstep.sync.nothing: {}\n"}, "nothing"),
        ({"tasks": "- ansible.builtin.nothing: {}\n"}, "nothing"),
        ({"tasks": "- ansible.builtin.debug: {msg: x}\n  whne: true\n"}, "whne"),
        ({"tasks": "- ansible.builtin.import_playbook: lockstep.sync.nothing\n"}, "nothing"),
        ({"tasks": "- ansible.builtin.debug: {msg: '{{ nothing }}'}\n"}, "'nothing' is undefined"),
        ({"tasks": "- ansible.builtin.debug: {msg: x}\n  when: 1 is lockstep.sync.nothing\n"}, "lockstep.sync.nothing"),
        ({"templates": ["{{ 1 | lockstep.sync.nothing }}"], "conditions": []}, "lockstep.sync.nothing"),
        ({"templates": [], "conditions": ["vinyldns_age > 1"], "variables": {"vinyldns_age": None}}, "vinyldns_age > 1"),
    ],
)
def test_what_is_wrong_is_found(example: Example, problem: str, tmp_path: pathlib.Path) -> None:
    (found,) = read([example], tmp_path)
    assert problem in " ".join(found["problems"])
