# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the documentation, held against the documented options.

What an example may be: tasks and plays, variables of a role, of the kit for AWX or of the rulebooks, a file of an inventory
plugin, requirements, and results that a page shows.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import re
import textwrap
import typing as t

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

COLLECTION = "lockstep.sync."
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

Options = dict[str, dict[str, t.Any]]


class Loader(yaml.SafeLoader):
    """YAML as Ansible reads it."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(t.cast(yaml.ScalarNode, node)))


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code on a page in one language."""
    return [textwrap.dedent(body) for _indent, name, body in BLOCK.findall(text) if name == language]


def load(text: str) -> t.Any:
    return yaml.load(text, Loader)


def spec_of(options: Options) -> dict[str, t.Any]:
    """The argument spec that a documentation describes."""
    kept = ("type", "elements", "choices", "required", "aliases")
    spec = {}
    for name, option in options.items():
        entry = {key: option[key] for key in kept if option.get(key)}
        if "choices" in entry:
            # those with a description each are a mapping
            entry["choices"] = list(entry["choices"])
        if "E(" in str(option.get("description")):
            # the environment has it
            entry.pop("required", None)
        nested = option.get("suboptions") or option.get("options")
        spec[name] = {**entry, **({"options": spec_of(nested)} if nested else {})}
    return spec


def literal(value: t.Any, spec: dict[str, t.Any]) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The options of an example without those whose values are templates, and the spec without their requirements."""
    kept, relaxed = {}, dict(spec)
    names = {alias: name for name, entry in spec.items() for alias in entry.get("aliases", ())}
    for name, content in value.items():
        if (isinstance(content, str) and "{{" in content) or content is None:
            entry = dict(relaxed.get(names.get(name, name), {}))
            entry.pop("required", None)
            if name in relaxed or name in names:
                relaxed[names.get(name, name)] = entry
                continue
        kept[name] = content
    return kept, relaxed


def problems(value: t.Any, options: Options, where: str) -> list[str]:
    """What is wrong with the options of an example."""
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no mapping"]
    kept, spec = literal(value, spec_of(options))
    result = ArgumentSpecValidator(spec).validate(_without_templates(kept))
    return [f"{where}: {message}" for message in result.error_messages]


def _without_templates(value: t.Any) -> t.Any:
    """The same with a text without braces for each template in lists and nested mappings, which are not looked into."""
    if isinstance(value, dict):
        return {key: _without_templates(content) for key, content in value.items()}
    if isinstance(value, list):
        return [_without_templates(content) for content in value]
    return re.sub(r"\{\{.*?\}\}", "template", value) if isinstance(value, str) else value


@dataclasses.dataclass(frozen=True)
class Documented:
    """Everything that an example may name.

    :param modules: options of each module.
    :param inventories: options of each inventory plugin.
    :param variables: those of the roles, of the kit for AWX, all together.
    :param playbooks: names, without that of the collection.
    :param groups: the modules of each action group.
    :param roles: options of each role.
    """

    modules: dict[str, Options]
    inventories: dict[str, Options]
    variables: Options
    playbooks: frozenset[str]
    groups: dict[str, list[str]]
    roles: dict[str, Options]

    def problems_of_file(self, content: t.Any, where: str) -> list[str]:
        """What is wrong with an example; nothing for those that are not about this collection."""
        if isinstance(content, list):
            return [problem for item in content for problem in self.problems_of_item(item, where)]
        if not isinstance(content, dict):
            return [f"{where}: neither a list nor a mapping"]
        plugin = str(content.get("plugin", ""))
        if plugin.startswith(COLLECTION):
            return problems(content, self.inventories.get(plugin.removeprefix(COLLECTION), {}), where)
        return self.problems_of_variables(content, where)

    def problems_of_variables(self, content: dict[str, t.Any], where: str) -> list[str]:
        """What is wrong with variables; those with the prefix of a role or of the kit have to exist."""
        prefixes = (*(f"{role}_" for role in self.roles), "lockstep_awx_")
        ours = {name: value for name, value in content.items() if name.startswith(prefixes)}
        known = {name: {**self.variables[name], "required": False} for name in ours if name in self.variables}
        unknown = [f"{where}: {name} is no variable" for name in ours if name not in self.variables]
        found = problems({name: value for name, value in ours.items() if name in known}, known, where)
        for value in content.values():
            if isinstance(value, dict) and any(str(key).startswith(prefixes) for key in value):
                found += self.problems_of_variables(value, where)
        return unknown + found

    def problems_of_item(self, item: t.Any, where: str) -> list[str]:
        """What is wrong with a play, a block or a task, and all within it."""
        if not isinstance(item, dict):
            return [f"{where}: {item!r} is no task"]
        name = f"{where}: {item.get('name', 'unnamed')}"
        found = [problem for key in item if (problem := self._unqualified(str(key), name))]
        for key, value in item.items():
            if str(key).startswith(COLLECTION):
                module = key.removeprefix(COLLECTION)
                found += problems(value, self.modules[module], name) if module in self.modules else [f"{name}: no module {key}"]
            elif key.rpartition(".")[2] in {"import_role", "include_role"} and value["name"].startswith(COLLECTION):
                found += problems(item.get("vars", {}), self.roles[value["name"].removeprefix(COLLECTION)], name)
            elif key.rpartition(".")[2] == "import_playbook" and value.removeprefix(COLLECTION) not in self.playbooks:
                found.append(f"{name}: no playbook {value}")
            elif key == "module_defaults":
                found += self._problems_of_defaults(value, name)
            elif key in {"tasks", "pre_tasks", "post_tasks", "block", "rescue", "always", "handlers"}:
                found += [problem for task in value for problem in self.problems_of_item(task, where)]
        return found

    def _unqualified(self, key: str, where: str) -> str:
        return f"{where}: {key} without the name of the collection" if key in self.modules else ""

    def _problems_of_defaults(self, value: dict[str, dict[str, t.Any]], where: str) -> list[str]:
        found = []
        for name, defaults in value.items():
            group = name.removeprefix(f"group/{COLLECTION}")
            modules = self.groups.get(group, []) if group != name else [name.removeprefix(COLLECTION)]
            known = set[str]().union(*(self.modules[module] for module in modules if module in self.modules))
            found += [f"{where}: {name} has no option {option}" for option in defaults if option not in known]
        return found


def commands(text: str) -> collections.abc.Iterator[str]:
    """The commands in the console blocks of a page, with continued lines joined."""
    for block in blocks(text, "console"):
        for command in re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE):
            yield re.sub(r"\s*\\\n\s*", " ", command)
