# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every block of code on every page is of a known kind, and checked as its kind asks for.

Blocks of YAML and shell are held against the documented options and the files of the repository; what Ansible reads is loaded and
evaluated by Ansible; text that the collection shows is made again; the rest is carried out. Rulebooks are validated by tests/eda.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import json
import pathlib
import re
import sqlite3
import typing as t

import pytest
import requests
import yaml

from ansible_collections.lockstep.sync.plugins.module_utils._state import schema
from tests.simulator.client import Simulator
from tests.simulator_tests.test_framework import ToyPart
from tests.unit.eda.test_documentation import rulebooks

from . import text_examples
from .examples import Documented, Options, commands, problems
from .fences import WRITTEN, Fence, all_fences, fences, kind_of
from .shell_examples import Shell

ROLES = ("dns_reconciliation", "staging_promotion")


@dataclasses.dataclass(frozen=True)
class Reader:
    """What blocks are held against.

    :param options: of what a target of a promotion may have as its ``options``.
    :param folder: for files.
    """

    root: pathlib.Path
    documented: Documented
    shell: Shell
    options: Options
    folder: pathlib.Path

    def variables(self, fence: Fence) -> list[str]:
        unknown = [name for name in fence.content if name not in self.documented.variables]
        return unknown + self.documented.problems_of_variables(fence.content, fence.where)

    def variables_of_rulebooks(self, fence: Fence) -> list[str]:
        texts = "".join(path.read_text() for path in (self.root / "extensions/eda/rulebooks").glob("*.yml"))
        return [name for name in fence.content if not re.search(rf"\b{name}\b", texts)]

    def inventory(self, fence: Fence) -> list[str]:
        hosts = fence.content["all"]["hosts"]
        unknown = [
            name
            for variables in hosts.values()
            for name in variables
            if name not in self.documented.variables and not name.startswith("ansible_")
        ]
        found = [self.documented.problems_of_variables(variables, fence.where) for variables in hosts.values()]
        return [*unknown, *(problem for each in found for problem in each)]

    def requirements(self, fence: Fence) -> list[str]:
        """All releases of a major version, which is that of galaxy.yml or the next one."""
        galaxy = yaml.safe_load((self.root / "galaxy.yml").read_text())
        (wanted,) = fence.content["collections"]
        major = int(str(galaxy["version"]).partition(".")[0])
        versions = [f">={number}.0.0,<{number + 1}.0.0" for number in (major, major + 1)]
        return [] if wanted["name"] == "lockstep.sync" and wanted["version"] in versions else [str(wanted)]

    def fact(self, fence: Fence) -> list[str]:
        """A fact has what the tasks of its role pass on."""
        ((role, content),) = fence.content.items()
        tasks = "".join(path.read_text() for path in (self.root / "roles" / role / "tasks").glob("*.yml"))
        passed = re.search(rf"set_stats:\n    data:\n      {role}:\n((?:        \w+: .*\n)+)", tasks)
        assert passed
        return [name for name in content if name not in re.findall(r"^ +(\w+):", passed[1], re.MULTILINE)]

    def changelog(self, fence: Fence) -> list[str]:
        config = yaml.safe_load((self.root / "changelogs" / "config.yaml").read_text())
        sections = {name for name, _title in config["sections"]}
        about = {*self.documented.modules, *self.documented.roles}
        lines = [line for entries in fence.content.values() for line in entries]
        return [name for name in fence.content if name not in sections] + [
            line for line in lines if line.partition(" - ")[0] not in about
        ]

    def options_of_a_target(self, fence: Fence) -> list[str]:
        return problems(fence.content["options"], self.options, fence.where)

    def commands(self, fence: Fence) -> list[str]:
        text = f"```console\n{fence.text}```\n"
        return [f"{command}: {problem}" for command in commands(text) if (problem := self.shell.problem(command))]

    def statement(self, fence: Fence) -> list[str]:
        """SQL for people: it has to fit the tables of the ledger."""
        with sqlite3.connect(":memory:") as database:
            database.executescript(schema.TABLES)
            database.execute(fence.text)
        return []

    def test_of_a_part(self, fence: Fence) -> list[str]:
        names: dict[str, t.Any] = {"pytest": pytest, "requests": requests, "Simulator": Simulator, "ToyPart": ToyPart}
        exec(compile(fence.text, fence.where, "exec"), names)
        tests = [value for name, value in names.items() if name.startswith("test_")]
        with Simulator.in_thread([ToyPart]) as running:
            for test in tests:
                test(running)
        return [] if tests else ["it has no test"]

    def navigation(self, fence: Fence) -> list[str]:
        entries = [line for line in fence.text.splitlines() if line and not line.startswith(":")]
        # an entry may have a title of its own: title <page>
        pages = [entry.rpartition(" <")[2].rstrip(">") for entry in entries]
        return [page for page in pages if page.startswith("docs/") and not (self.root / f"{page}.md").exists()]

    def rulebook(self, fence: Fence) -> list[str]:
        """tests/eda and tests/unit/eda look at them."""
        return [] if all(rule_set in rulebooks() for rule_set in fence.content) else ["tests/eda does not know it"]

    def file_of_documented(self, fence: Fence) -> list[str]:
        return self.documented.problems_of_file(fence.content, fence.where)


def checks(reader: Reader) -> dict[str, collections.abc.Callable[[Fence], list[str]]]:
    """How each kind is checked."""
    of_text = {
        "table of zones": text_examples.problems_of_zones,
        "table of targets": text_examples.problems_of_targets,
        "progress": text_examples.problems_of_progress,
        "configuration of BIND": functools.partial(text_examples.problems_of_bind, folder=reader.folder),
        "architecture": functools.partial(text_examples.problems_of_architecture, root=reader.root),
    }
    return {
        "tasks": reader.file_of_documented,
        "inventory plugin": reader.file_of_documented,
        "variables": reader.variables,
        "variables of a rulebook": reader.variables_of_rulebooks,
        "inventory": reader.inventory,
        "requirements": reader.requirements,
        "fact": reader.fact,
        "changelog": reader.changelog,
        "options of a target": reader.options_of_a_target,
        "rulebook": reader.rulebook,
        "commands": reader.commands,
        "statement": reader.statement,
        "test of a part": reader.test_of_a_part,
        "navigation": reader.navigation,
        **{kind: (lambda fence, check=check: check(fence.text)) for kind, check in of_text.items()},  # type: ignore[misc]
    }


@pytest.fixture(scope="module")
def found(root: pathlib.Path, tracked: list[str]) -> list[Fence]:
    return all_fences(root, tracked)


@pytest.fixture
def reader(
    root: pathlib.Path,
    documented: Documented,
    documentation: dict[str, dict[str, t.Any]],
    found: list[Fence],
    tmp_path: pathlib.Path,
) -> Reader:
    variables = {*re.findall(r"E\((\w+)\)", json.dumps(documentation)), "LOCKSTEP_LEDGER", "LOCKSTEP_LEDGER_PASSWORD"}
    files = {match[1] for fence in found if (match := re.match(r"# (\S+\.yml)\n", fence.text))}
    shell = Shell(root, documented, frozenset(variables), frozenset(files))
    options = {name: {**option, "required": False} for name, option in documented.modules["crafter_publish"].items()}
    return Reader(root, documented, shell, options, tmp_path)


def test_every_block_is_of_a_known_kind_and_valid(found: list[Fence], reader: Reader) -> None:
    check = checks(reader)
    wrong = []
    for fence in found:
        kind = kind_of(fence)
        assert kind in check, f"{fence.where}: what kind of block is it, and how is it checked?"
        wrong += [f"{fence.where}: {kind}: {problem}" for problem in check[kind](fence)]
    assert wrong == []
    assert {kind_of(fence) for fence in found} == set(check), "a kind without a block can be removed"


def test_no_block_is_overlooked(root: pathlib.Path, tracked: list[str], found: list[Fence]) -> None:
    pages = [(root / name).read_text(encoding="utf-8") for name in tracked if name.endswith(".md") and (root / name).exists()]
    assert sum(len(re.findall(r"^ *```", page, re.MULTILINE)) for page in pages) == 2 * len(found)
    assert {fence.page for fence in found} >= WRITTEN


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("yaml\ndns_reconciliation_zonse: [a.]", "dns_reconciliation_zonse"),
        ("yaml\nlockstep_zonse: [a.]", "lockstep_zonse"),
        ("yaml\nall: {hosts: {localhost: {dns_reconciliation_zonse: [a.]}}}", "dns_reconciliation_zonse"),
        ("yaml\ncollections: [{name: lockstep.sync, version: 1.0.0}]", "1.0.0"),
        ("yaml\ndns_reconciliation: {verdcit: drift}", "verdcit"),
        ("yaml\nodd_changes: [vinyldns_zone_sync - x]", "odd_changes"),
        ("yaml\nbugfixes: [vinyldns_zone_snyc - x]", "vinyldns_zone_snyc"),
        ("yaml\noptions: {api_ulr: x}", "api_ulr"),
        ("yaml\n- name: x\n  rules: []", "tests/eda"),
        ("console\n$ ansible-playbook lockstep.sync.reconcile_dns -e @no.yml", "no.yml"),
        ('text\nzone "a" { typ primary; };', "unknown option 'typ'"),
        (
            "text\nzone  action  +  ~  -  guard  digest  verdict\na.    skip    0  0  0  ok     -       in_sync\n1 zone: 0",
            "1 zone: 0",
        ),
        (
            "text\n... [localhost] 3 of 9 done, 1 in flight, 1 at work, 1 waiting, 3 s, about 6 s left, until 14:03:27 UTC",
            "3 of 9",
        ),
        ("text\nplugins/nothing here", "nothing"),
        ("{toctree}\ndocs/nothing", "docs/nothing"),
        ("{toctree}\nA title <docs/nothing>", "docs/nothing"),
    ],
)
def test_what_is_wrong_is_found(reader: Reader, block: str, problem: str) -> None:
    (fence,) = fences("docs/x.md", f"```{block}\n```\n")
    assert problem in " ".join(checks(reader)[kind_of(fence)](fence))


@pytest.mark.parametrize(
    "block", ["yaml\nother: x", "ini\n[defaults]", "text\nanything", "console\noutput", "yaml\n- rules: []\n- x: 1"]
)
def test_an_unknown_kind_is_found(block: str) -> None:
    (fence,) = fences("docs/x.md", f"```{block}\n```\n")
    assert kind_of(fence) == ""
