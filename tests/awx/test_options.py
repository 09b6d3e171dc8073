# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of the kit, held against the options of ``awx.awx``, those included that no test carries out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader

from .conftest import KIT


def tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each task of ``awx.awx``, as the name of its module and its arguments."""
    for path in sorted((KIT / "steps").glob("*.yml")):
        for task in DataLoader().load_from_file(str(path)):
            for key, arguments in task.items():
                if key.startswith("awx.awx."):
                    yield key.removeprefix("awx.awx."), arguments


def options(collections: str, module: str) -> dict[str, Any]:
    """The documented options of a module."""
    path = Path(collections, "ansible_collections", "awx", "awx", "plugins", "modules", f"{module}.py")
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            found: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value))["options"]
            return found
    raise AssertionError(module)


def test_arguments_are_options_with_legal_values(collections: str) -> None:
    modules = []
    for module, arguments in tasks():
        modules.append(module)
        known = options(collections, module)
        assert set(arguments) <= set(known), module
        assert {name for name, option in known.items() if option.get("required")} <= set(arguments), module
        for name, value in arguments.items():
            legal = known[name].get("choices")
            if legal and not (isinstance(value, str) and "{{" in value):
                assert value in legal, (module, name)
    # nodes are made by one task and linked by another
    assert (len(set(modules)), modules.count("workflow_job_template_node")) == (10, 2)


def test_the_choices_in_the_data_are_legal(collections: str) -> None:
    loader = DataLoader()
    templates = loader.load_from_file(str(KIT / "kit" / "job_templates.yml"))["lockstep_awx_job_templates"]
    assert {template["job_type"] for template in templates} <= set(options(collections, "job_template")["job_type"]["choices"])
    (notification,) = loader.load_from_file(str(KIT / "kit" / "notifications.yml"))["lockstep_awx_notifications"]
    assert notification["notification_type"] in options(collections, "notification_template")["notification_type"]["choices"]
