# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of event sources and rulebooks agrees with them. No tool of Ansible checks that of event sources."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "extensions/eda/plugins/event_source"
RULEBOOKS = ROOT / "extensions/eda/rulebooks"
PACKAGE = "ansible_collections.lockstep.sync.extensions.eda.plugins.event_source"
GUIDE = (ROOT / "docs/event-driven.md").read_text()

#: what a source cannot do without, to see the defaults of the rest
REQUIRED: dict[str, dict[str, Any]] = {
    "dns_notify": {"allowed_senders": ["192.0.2.1"]},
    "dns_serials": {"server": "192.0.2.1", "zones": ["example.com"]},
    "plm_sync": {"notifications_url": "ws://media.example.com:9002/"},
}
#: options whose value is kept in another form
CONVERTED = {"tsig_algorithm", "validate_certs"}
#: where a code example of a rulebook may stand
FENCE = re.compile(r"```yaml\n(- name: .*?)```", re.DOTALL)


@pytest.fixture(params=sorted(path.stem for path in SOURCES.glob("*.py")))
def source(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{request.param}")


def name_of(source: ModuleType) -> str:
    return source.__name__.rpartition(".")[2]


def documentation(source: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(source.DOCUMENTATION)
    return found


def test_every_option_is_documented(source: ModuleType) -> None:
    text = (SOURCES / f"{name_of(source)}.py").read_text()
    read = set(re.findall(r'(?:args\.get\(|args\[|_(?:texts|number)\(args, )"(\w+)"', text))
    assert read == set(documentation(source)["options"])
    assert documentation(source)["module"] == name_of(source)


def test_defaults_are_those_of_the_code(source: ModuleType) -> None:
    settings = source.Settings.from_args(REQUIRED[name_of(source)])
    for name, option in documentation(source)["options"].items():
        if "default" in option and name not in CONVERTED:
            value = getattr(settings, name)
            assert (list(value) if isinstance(value, tuple) else value) == option["default"], name
        assert bool(option.get("required")) == (name in REQUIRED[name_of(source)])


def test_the_example_is_valid(source: ModuleType) -> None:
    (example,) = yaml.safe_load(source.EXAMPLES)
    options = example[f"lockstep.sync.{name_of(source)}"]
    assert set(options) <= set(documentation(source)["options"])
    source.Settings.from_args({name: "c2VjcmV0" if "{{" in str(value) else value for name, value in options.items()})


@pytest.mark.parametrize("path", sorted(RULEBOOKS.glob("*.yml")), ids=lambda path: path.stem)
def test_every_variable_of_a_rulebook_is_in_the_guide(path: Path) -> None:
    for name in set(re.findall(r"\blockstep_\w+", path.read_text())):
        # a table may name several that begin alike
        assert f"`{name}`" in GUIDE or any(f"`_{name.split('_', number)[-1]}`" in GUIDE for number in range(1, 5)), name
    assert f"`lockstep.sync.{path.stem}`" in GUIDE


def rulebooks() -> list[Any]:
    texts = [*(path.read_text() for path in sorted(RULEBOOKS.glob("*.yml"))), *FENCE.findall(GUIDE)]
    return [rule_set for text in texts for rule_set in yaml.safe_load(text)]


@pytest.mark.parametrize("rule_set", rulebooks(), ids=lambda rule_set: rule_set["name"])
def test_rulebooks_give_sources_options_that_they_have(rule_set: dict[str, Any]) -> None:
    for entry in rule_set["sources"]:
        ((name, options),) = ((key, value) for key, value in entry.items() if key not in ("name", "filters"))
        if name.startswith("lockstep.sync."):
            documented = documentation(importlib.import_module(f"{PACKAGE}.{name.rpartition('.')[2]}"))["options"]
            assert set(options) <= set(documented)
            assert {key for key, option in documented.items() if option.get("required")} <= set(options)


@pytest.mark.parametrize("rule_set", rulebooks(), ids=lambda rule_set: rule_set["name"])
def test_rulebooks_run_playbooks_of_the_collection(rule_set: dict[str, Any]) -> None:
    for rule in rule_set["rules"]:
        for action in rule.get("actions", [rule.get("action")]):
            if "run_playbook" in action:
                name = action["run_playbook"]["name"]
                assert (ROOT / "playbooks" / f"{name.removeprefix('lockstep.sync.')}.yml").is_file()
