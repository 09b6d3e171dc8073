# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the documentation, the README and ``EXAMPLES`` is valid."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import re
import shlex
import subprocess
import sys
import typing as t

import pytest
import yaml

from scripts.docs import reference, sources

from .examples import COLLECTION, Documented, Options, blocks, commands, load

#: what is not ours: its options are not looked at
OTHER_COMMANDS = {
    *(
        "ansible-builder",
        "ansible-galaxy",
        "ansible-inventory",
        "ansible-rulebook",
        "cd",
        "createdb",
        "createuser",
        "gh",
        "git",
        "gpg",
    ),
    *("openssl", "pip", "podman", "pytest", "sha256sum", "sqlite3", "$EDITOR"),
}

#: variables of the environment that belong to other programs, or that an example makes up
OTHER_VARIABLES = {"CONTROLLER_HOST", "CONTROLLER_OAUTH_TOKEN", "TRANSFER_KEY", "SOURCE_DATE_EPOCH", "WEBHOOK_TOKEN"}


def documented_by_ansible_doc(kind: str, names: list[str]) -> dict[str, dict[str, t.Any]]:
    command = [str(pathlib.Path(sys.executable).with_name("ansible-doc")), "--json", "--type", kind]
    output = json.loads(subprocess.check_output([*command, *(f"{COLLECTION}{name}" for name in names)], text=True))
    return {name.removeprefix(COLLECTION): content for name, content in output.items()}


@pytest.fixture(scope="module")
def inventories(root: pathlib.Path) -> dict[str, dict[str, t.Any]]:
    names = [path.stem for path in (root / "plugins" / "inventory").glob("*.py") if path.stem != "__init__"]
    return documented_by_ansible_doc("inventory", names)


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def texts(root: pathlib.Path, tracked: list[str]) -> dict[str, str]:
    """All pages."""
    names = [name for name in sources.pages_of(tracked) if name.endswith(".md") and (root / name).exists()]
    return {name: (root / name).read_text(encoding="utf-8") for name in names}


def test_examples_of_pages_are_valid(documented: Documented, texts: dict[str, str]) -> None:
    found, seen = [], 0
    for name, text in texts.items():
        for block in blocks(text, "yaml"):
            seen += 1
            found += documented.problems_of_file(load(block.replace(", …}", "}")), f"{name}: {block.splitlines()[0]}")
    assert found == []
    assert seen > 30


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


def problem_of(command: str, root: pathlib.Path, documented: Documented, variables: set[str]) -> str:
    """What is wrong with a command of an example; empty if nothing is."""
    words = shlex.split(command.replace(" && ", " ; "), comments=True)
    if words[0] == "export":
        names = [word.partition("=")[0] for word in words[1:] if "=" in word]
        return ", ".join(name for name in names if name not in variables | OTHER_VARIABLES)
    program = words[0].removeprefix(".venv/bin/")
    if program == "make":
        targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
        return ", ".join(word for word in words[1:] if word not in targets and "=" not in word)
    if program == "ansible-playbook":
        return problem_of_playbook(words, root, documented)
    if program == "ansible":
        module = words[words.index("-m") + 1].removeprefix(COLLECTION)
        given = re.findall(r"(\w+)=", words[words.index("-a") + 1])
        return ", ".join(name for name in given if name not in documented.modules.get(module, {}))
    if program == "python" and words[1] == "-m":
        found = words[2] == "pip" or importlib.util.find_spec(words[2]) is not None
        return "" if found else words[2]
    if program != words[0]:
        return "" if pathlib.Path(sys.executable).with_name(program).exists() else program
    return "" if program in OTHER_COMMANDS or program.startswith("scripts/") else program


def problem_of_playbook(words: list[str], root: pathlib.Path, documented: Documented) -> str:
    (name,) = [word for word in words[1:] if word.startswith((COLLECTION, "extensions/"))]
    if name.startswith(COLLECTION):
        exists = name.removeprefix(COLLECTION) in documented.playbooks
    else:
        exists = (root / name).exists()
    given = [words[index + 1] for index, word in enumerate(words) if word == "-e"]
    content: dict[str, t.Any] = {}
    for text in given:
        if text.startswith("{"):
            content |= json.loads(text)
        elif not text.startswith("@"):
            # a text of the command line is converted by the role
            content |= {text.partition("=")[0]: None}
    return "" if exists and not documented.problems_of_variables(content, name) else f"{name} {content}"


def test_commands_of_pages_are_valid(
    root: pathlib.Path, documented: Documented, texts: dict[str, str], documentation: dict[str, dict[str, t.Any]]
) -> None:
    variables = set(re.findall(r"E\((\w+)\)", json.dumps(documentation)))
    variables |= {"LOCKSTEP_LEDGER", "LOCKSTEP_LEDGER_PASSWORD"}
    found, seen = [], 0
    for name, text in texts.items():
        for command in commands(text):
            seen += 1
            problem = problem_of(command, root, documented, variables)
            found += [f"{name}: {command}: {problem}"] if problem else []
    assert found == []
    assert seen > 50


@pytest.mark.parametrize(
    "command",
    [
        "make nothing",
        "ansible-playbook lockstep.sync.nothing",
        "ansible-playbook lockstep.sync.reconcile_dns -e dns_reconciliation_zonse=a.",
        "ansible localhost -m lockstep.sync.vinyldns_zone_sync -a 'zonse=a.'",
        "export VINYLDNS_APIURL=https://vinyldns.example.com",
        "python -m tests.nothing",
        ".venv/bin/nothing",
        "nothing",
    ],
)
def test_wrong_commands_are_found(root: pathlib.Path, documented: Documented, command: str) -> None:
    assert problem_of(command, root, documented, {"VINYLDNS_API_URL"})
