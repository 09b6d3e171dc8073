# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said where a required option is missing: its name, and the environment variables that may give it instead."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import environment_names, explain_missing, from_env
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import Operation
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.auth import CONNECTION_SPEC, StudioCredentials
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import PROVIDERS
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import name_variables

from .conftest import RunModule
from .playbooks import PlaybookProcess
from .process import MODULES, NAMES

Json = dict[str, Any]

#: modules with an operation; those of the roles have none
OPERATIONS: dict[str, Operation] = {
    name: module.OPERATION
    for name, module in ((name, importlib.import_module(f"{MODULES}.{name}")) for name in sorted(NAMES))
    if hasattr(module, "OPERATION")
}
VINYLDNS = (
    "access_key (or the environment variable VINYLDNS_ACCESS_KEY_ID or VINYLDNS_ACCESS_KEY)",
    "api_url (or the environment variable VINYLDNS_API_URL or VINYLDNS_HOST)",
    "secret_key (or the environment variable VINYLDNS_SECRET_ACCESS_KEY or VINYLDNS_SECRET_KEY)",
)


def required(operation: Operation) -> dict[str, tuple[str, ...]]:
    """The required options and their environment variables."""
    return {name: environment_names(spec) for name, spec in operation.spec.arguments.items() if spec.get("required")}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_module_names_the_environment_variables_of_what_is_missing(name: str, run_module: RunModule) -> None:
    outcome = run_module(name, {})
    expected = [
        f"{option} (or the environment variable {' or '.join(variables)})" if variables else option
        for option, variables in sorted(required(OPERATIONS[name]).items())
    ]
    if expected:
        assert outcome.failed
        assert outcome.result["msg"] == f"missing required arguments: {', '.join(expected)}"
    else:
        assert name == "http_probe"


def test_the_connection_of_every_provider_has_environment_variables() -> None:
    """Otherwise the test above would prove nothing."""
    for name, provider_class in PROVIDERS.items():
        arguments = provider_class.connection_spec.arguments
        assert any(environment_names(spec) for spec in arguments.values() if spec.get("required") or "default" in spec), name
        assert all(environment_names(spec) for spec in arguments.values() if spec.get("required")), name


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_sync_wait_names_them_too(name: str, run_module: RunModule) -> None:
    spec = PROVIDERS[name].connection_spec.arguments
    if not any(item.get("no_log") for item in spec.values()):
        # there the handle says where to look
        return
    outcome = run_module("sync_wait", {"handles": [{"provider": name, "address": "http://127.0.0.1:9"}]})
    assert outcome.failed
    for option in (option for option, item in spec.items() if item.get("required")):
        assert f"{option} (or the environment variable {environment_names(spec[option])[0]}" in outcome.result["msg"]


def test_crafter_names_all_ways_to_sign_in(run_module: RunModule) -> None:
    outcome = run_module("crafter_publishing_info", {"sites": ["a"], "api_url": "http://127.0.0.1:9/studio"})
    assert outcome.failed
    for option, variable in (("api_token", "TOKEN"), ("username", "USERNAME"), ("password", "PASSWORD")):
        assert f"{option} (or the environment variable CRAFTER_STUDIO_{variable})" in outcome.result["msg"]
    assert set(environment_names(CONNECTION_SPEC.arguments["api_token"])) == {"CRAFTER_STUDIO_TOKEN"}
    assert StudioCredentials.of({"api_token": "t", "auth_method": "auto"}).token == "t"


def play(tmp_path: Path, environment: dict[str, str], tasks: list[Json], *arguments: str) -> str:
    """The output of a playbook that fails."""
    playbook = tmp_path / "playbook.json"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    settings = {**environment, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"), "COLUMNS": "1000"}
    process = PlaybookProcess([*arguments, str(playbook)], settings, tmp_path, tmp_path / "output")
    shown, dummy = process.communicate(240)
    assert process.returncode != 0
    assert "Traceback" not in shown
    return " ".join(shown.split())


def test_tasks_and_roles_name_them(tmp_path: Path, environment: dict[str, str]) -> None:
    """The action plugin says what the module says, and the roles what their modules say, by their own variables."""
    missing = "missing required arguments: "
    reconcile = {"dns_reconciliation_zones": "a.example.", "dns_reconciliation_backend": {"server": "127.0.0.1"}}
    target = {"provider": "plm", "options": {}}
    roles = [
        ("dns_reconciliation", reconcile),
        ("dns_reconciliation", {**reconcile, "dns_reconciliation_zones": "", "dns_reconciliation_admin_group": "team"}),
        ("staging_promotion", {"staging_promotion_targets": [target], "staging_promotion_release": "r1"}),
    ]
    included: list[Json] = [
        {"ansible.builtin.include_role": {"name": f"lockstep.sync.{role}"}, "vars": variables} for role, variables in roles
    ]
    carry_on = {"ansible.builtin.debug": {"msg": "the next one"}}
    tasks: list[Json] = [
        {"lockstep.sync.vinyldns_zone_sync": {"zones": "a.example."}, "ignore_errors": True},
        *({"block": [task], "rescue": [carry_on]} for task in included[:-1]),
        included[-1],
    ]
    shown = play(tmp_path, environment, tasks)
    assert missing + ", ".join(VINYLDNS) in shown
    of_role = missing + ", ".join(f"dns_reconciliation_{option}" for option in VINYLDNS)
    assert [of_role in part for part in shown.split("the next one")] == [True, True, False]
    assert f"{missing}api_url (or the environment variable PLM_MEDIA_MANAGER_URL)" in shown


def test_other_messages_stay_as_they_are() -> None:
    arguments = {"key": {"required": True, **from_env("KEY")}, "plain": {"required": True}}
    texts = ("missing required arguments: key", "missing required arguments: key, plain", "missing required arguments: plain")
    assert [explain_missing(text, arguments) for text in texts] == [
        "missing required arguments: key (or the environment variable KEY)",
        "missing required arguments: key (or the environment variable KEY), plain",
        "missing required arguments: plain",
    ]
    for text in ("missing required arguments: key found in backend", "one of the following is required: key", "key", ""):
        assert explain_missing(text, arguments) == text
        assert name_variables(text) == text
    assert name_variables("missing required arguments: api_url, other") == (
        "missing required arguments: dns_reconciliation_api_url, other"
    )
