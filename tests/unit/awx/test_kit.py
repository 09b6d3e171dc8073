# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the kit for AWX, held against the roles, the modules, and what AWX refuses."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import jinja2.sandbox
import pytest
from ansible.parsing.dataloader import DataLoader

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import environment_names
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import PROVIDERS
from ansible_collections.lockstep.sync.plugins.module_utils._state.location import PASSWORD_VARIABLE, VARIABLE
from tests.awx import rules

from .conftest import KIT, Kit

LOOKUP = re.compile(r"lookup\('ansible\.builtin\.env', '(\w+)'\)")

#: what a module falls back to if an option is not given, preferred name first
CONNECTION = [
    environment_names(spec)
    for provider in PROVIDERS.values()
    for spec in sync_spec(provider).arguments.values()
    if environment_names(spec)
]


def provided(kit: Kit) -> list[str]:
    """Every environment variable of every credential type."""
    return [name for each in kit["credential_types"] for name in each["injectors"]["env"]]


def test_every_connection_variable_is_of_exactly_one_credential_type(kit: Kit) -> None:
    names = provided(kit)
    assert len(set(names)) == len(names)
    for alternatives in [*CONNECTION, (VARIABLE,), (PASSWORD_VARIABLE,)]:
        assert [name for name in names if name in alternatives] == [alternatives[0]]


def test_every_environment_variable_is_read(kit: Kit) -> None:
    # libpq reads the last one
    read = {name for names in CONNECTION for name in names} | {VARIABLE, PASSWORD_VARIABLE, "PGSSLROOTCERT"}
    looked_up = {name for template in kit["job_templates"] for name in LOOKUP.findall(json.dumps(template))}
    assert looked_up <= set(provided(kit))
    # a second Studio is named by the options of a target
    second = {name for name in provided(kit) if name.startswith("CRAFTER_STAGING_")}
    assert {name.replace("CRAFTER_STAGING_", "CRAFTER_") for name in second} <= read
    assert set(provided(kit)) - read - looked_up == second
    assert set(LOOKUP.findall((KIT / "example.yml").read_text())) <= second


def test_nothing_reaches_the_play_as_an_extra_variable_and_secrets_are_hidden(kit: Kit) -> None:
    for each in kit["credential_types"]:
        assert set(each["injectors"]) - {"file"} == {"env"}
        hidden = {field["id"] for field in each["inputs"]["fields"] if field.get("secret")}
        assert hidden == {field["id"] for field in each["inputs"]["fields"] if re.search("secret|token|password", field["id"])}


def test_awx_takes_the_credential_types_as_they_are(kit: Kit) -> None:
    for each in kit["credential_types"]:
        taken = copy.deepcopy(each)
        assert rules.credential_type(taken) is None
        # what AWX added would be a difference at the next apply
        assert taken == each
        assert set(each["inputs"]["required"]) <= {field["id"] for field in each["inputs"]["fields"]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"server": "ns1.example.net"}, {"server": "ns1.example.net"}),
        (
            {"server": "::1", "port": "5353", "tsig_name": "transfer.", "tsig_secret": "c2VjcmV0IDw+Jw=="},
            {"server": "::1", "port": 5353, "tsig_name": "transfer.", "tsig_secret": "c2VjcmV0IDw+Jw=="},
        ),
    ],
)
def test_the_backend_is_what_the_fields_say(kit: Kit, given: dict[str, str], expected: dict[str, object]) -> None:
    template = kit.keyed("credential_types")["dns_backend"]["injectors"]["env"]["LOCKSTEP_DNS_BACKEND"]
    rendered = jinja2.sandbox.ImmutableSandboxedEnvironment().from_string(template).render(**given)
    assert Backend.from_options(json.loads(rendered)) == Backend.from_options(expected)


def test_surveys_ask_for_variables_of_the_roles(kit: Kit, role_options: dict[str, dict[str, Any]]) -> None:
    for template in [*kit["job_templates"], *kit["workflows"]]:
        questions = template.get("survey", [])
        if questions:
            assert rules.survey({"name": "", "description": "", "spec": questions}) == ""
        for question in questions:
            option = role_options[question["variable"]]
            # answers are text
            assert question["type"] in ("text", "textarea", "multiplechoice")
            legal = option.get("choices") or (["true", "false"] if option["type"] == "raw" else [])
            assert set(question.get("choices", [])) <= set(legal)
            assert option.get("no_log", False) is False


def test_job_templates_set_variables_of_the_roles(kit: Kit, role_options: dict[str, dict[str, Any]]) -> None:
    for template in kit["job_templates"]:
        prefix = "staging_promotion_" if template["part"] == "promotion" else "dns_reconciliation_"
        asked = [question["variable"] for question in template.get("survey", [])]
        names = [*template.get("variables", {}), *template.get("without", []), *asked]
        # the default of a survey would replace a variable of the template
        assert len(set(names)) == len(names)
        for name in names:
            assert name.startswith(prefix)
            assert name in role_options
        for name, value in template.get("variables", {}).items():
            assert isinstance(value, str)
            choices = role_options[name].get("choices")
            assert choices is None or value in choices


def test_defaults_of_questions_are_the_variables_that_are_given() -> None:
    given = {"dns_reconciliation_zones": ["a.", "b."], "dns_reconciliation_admin_group": "web"}
    survey = {question["variable"]: question["default"] for question in Kit(lockstep_awx_dns_variables=given)["survey_scope"]}
    assert survey == {
        "dns_reconciliation_zones": "a.\nb.",
        "dns_reconciliation_zone_filter": "",
        "dns_reconciliation_admin_group": "web",
    }


def test_workflows_check_ask_and_carry_out_what_was_approved(kit: Kit) -> None:
    templates = kit.keyed("job_templates")
    for workflow in kit["workflows"]:
        nodes = {node["identifier"]: node for node in workflow["nodes"]}
        check, approval, run = nodes.values()
        assert templates[check["template"]]["job_type"] == "check"
        assert templates[run["template"]]["job_type"] == "run"
        assert "survey" not in templates[run["template"]]
        assert [check.get(way) for way in ("success", "failure")].count([approval["identifier"]]) == 1
        assert (approval["success"], approval.get("failure")) == ([run["identifier"]], None)
        assert not {"success", "failure"} & set(run)
        assert int(approval["approval"]["timeout"]) > 0
        assert workflow["allow_simultaneous"] is False
    dns, promotion = templates["dns_approved"]["variables"], templates["promotion_approved"]["variables"]
    assert (dns["dns_reconciliation_only_approved"], promotion["staging_promotion_approval"]) == ("true", "token")
    # drift is what leads to the approval, so it has to fail the check
    alarm = [
        question["default"] for question in templates["dns_check"]["survey"] if question["variable"].endswith("fail_on_drift")
    ]
    assert alarm == ["true"]


def test_schedules(kit: Kit) -> None:
    names = {each["name"]: each for each in [*kit["job_templates"], *kit["workflows"]]}
    for schedule in kit["schedules"]:
        template = names[schedule["template"]]
        survey = {"survey_enabled": "survey" in template, "survey_spec": {"spec": template.get("survey", [])}}
        assert rules.schedule(schedule, {**template, **survey}) is None
        assert "job_type" not in schedule


def test_notifications_have_all_settings(kit: Kit) -> None:
    for each in kit["notifications"]:
        taken = copy.deepcopy(each)
        assert rules.notification(taken) is None
        assert taken == each


def test_the_variables_are_described() -> None:
    loader = DataLoader()
    described = loader.load_from_file(str(KIT / "arguments.yml"))
    defaults = loader.load_from_file(str(KIT / "defaults.yml"))
    assert list(described) == list(defaults)
    assert set(loader.load_from_file(str(KIT / "example.yml"), trusted_as_template=True)) <= set(described)
    keys = [each["key"] for each in Kit()["credential_types"]]
    assert sorted(described["lockstep_awx_credentials"]["options"]) == sorted(keys)


def test_the_project_has_the_playbooks(kit: Kit) -> None:
    for template in kit["job_templates"]:
        (play,) = DataLoader().load_from_file(str(KIT / "project" / template["playbook"]))
        imported = play["ansible.builtin.import_playbook"]
        assert imported.startswith("lockstep.sync.")
        assert (KIT.parents[1] / "playbooks" / f"{imported.rpartition('.')[2]}.yml").is_file()


@pytest.mark.parametrize(
    ("key", "change", "reason"),
    [
        ("env", {"ANSIBLE_HOST_KEY_CHECKING": "no"}, "may affect Ansible configuration"),
        ("env", {"SOME_TOKEN": "{{ tokn }}"}, "undefined field"),
    ],
)
def test_credential_types_that_awx_refuses(kit: Kit, key: str, change: dict[str, str], reason: str) -> None:
    spoilt = copy.deepcopy(kit["credential_types"][0])
    spoilt["injectors"][key].update(change)
    assert reason in str(rules.credential_type(spoilt))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rrule": "RRULE:FREQ=DAILY;INTERVAL=1"}, "DTSTART"),
        ({"rrule": "DTSTART:20260101T000000Z RRULE:FREQ=DAILY"}, "INTERVAL"),
        ({"job_type": "check"}, "prompt on launch"),
        ({"extra_data": {"other": "value"}}, "not allowed on launch"),
    ],
)
def test_schedules_that_awx_refuses(kit: Kit, change: dict[str, Any], reason: str) -> None:
    template = {"survey_enabled": True, "survey_spec": {"spec": kit["survey_scope"]}}
    assert reason in str(rules.schedule({**kit["schedules"][0], **change}, template))


def test_a_schedule_of_a_template_with_a_required_question_needs_the_answer(kit: Kit) -> None:
    template = {"survey_enabled": True, "survey_spec": {"spec": kit["survey_release"]}}
    schedule = kit["schedules"][0]
    assert "staging_promotion_release" in str(rules.schedule(schedule, template))
    assert rules.schedule({**schedule, "extra_data": {"staging_promotion_release": "r1"}}, template) is None


def test_a_question_of_type_boolean_is_refused(kit: Kit) -> None:
    question = {**kit["survey_alarm"][0], "type": "boolean"}
    assert "boolean" in rules.survey({"name": "", "description": "", "spec": [question]})
