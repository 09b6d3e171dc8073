# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook of the kit makes in AWX, and that it does so once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import SECRETS, VARIABLES, Ansible, Played
from .emulator import AwxEmulator

DNS = ["Lockstep VinylDNS", "Lockstep ledger", "ns1"]
PROMOTION = ["Lockstep ServerAvatar", "Lockstep ledger"]
TEMPLATES = {
    "Lockstep DNS: check": ("check", DNS),
    "Lockstep DNS: reconcile": ("run", DNS),
    "Lockstep DNS: reconcile what was approved": ("run", DNS),
    "Lockstep DNS: check in slices": ("check", DNS),
    "Lockstep promotion: check": ("check", PROMOTION),
    "Lockstep promotion: promote": ("run", PROMOTION),
    "Lockstep promotion: promote what was approved": ("run", PROMOTION),
}


def test_job_templates(awx: AwxEmulator, applied: Played) -> None:
    assert applied.code == 0, applied.output
    templates = {template["name"]: template for template in awx.objects["job_templates"].values()}
    made = {name: (each["job_type"], awx.linked("job_templates", each, "credentials")) for name, each in templates.items()}
    assert made == TEMPLATES
    assert not any(template["allow_simultaneous"] for template in templates.values())
    sliced = templates["Lockstep DNS: check in slices"]
    assert (sliced["job_slice_count"], sliced["ask_job_type_on_launch"]) == (2, True)
    assert [name for name, template in templates.items() if template["ask_job_type_on_launch"]] == [sliced["name"]]
    alarm = awx.linked("job_templates", templates["Lockstep DNS: check"], "notification_templates_error")
    assert alarm == ["Lockstep webhook"]


def test_variables_of_job_templates(awx: AwxEmulator, applied: Played) -> None:
    assert applied.code == 0, applied.output
    variables = {each["name"]: json.loads(each["extra_vars"]) for each in awx.objects["job_templates"].values()}
    backend = {"dns_reconciliation_backend": "{{ lookup('ansible.builtin.env', 'LOCKSTEP_DNS_BACKEND') }}"}
    guard = {"dns_reconciliation_guard": {"max_deletes": 3}}
    # the survey asks for the group
    assert variables["Lockstep DNS: check"] == {**guard, **backend}
    assert variables["Lockstep DNS: reconcile what was approved"] == {
        "dns_reconciliation_admin_group": "web",
        **guard,
        **backend,
        "dns_reconciliation_approve": "{{ (dns_reconciliation | default({})).digests | default({}) }}",
        "dns_reconciliation_only_approved": "true",
    }
    assert variables["Lockstep DNS: check in slices"] == {
        **guard,
        **backend,
        "dns_reconciliation_inventory_group": "zones",
        "dns_reconciliation_rate_limit": "",
        "dns_reconciliation_max_running": "",
        "dns_reconciliation_fail_on_drift": "true",
    }
    assert variables["Lockstep promotion: promote what was approved"] == {
        **VARIABLES["lockstep_awx_promotion_variables"],
        "staging_promotion_approval": "token",
        "staging_promotion_approve": "{{ (staging_promotion | default({})).digest | default('') }}",
    }
    survey = awx.named("job_templates", "Lockstep DNS: check")["survey_spec"]["spec"]
    assert {each["variable"]: each["default"] for each in survey}["dns_reconciliation_admin_group"] == "web"


def test_workflows(awx: AwxEmulator, applied: Played) -> None:
    assert applied.code == 0, applied.output
    nodes = list(awx.objects["workflow_job_template_nodes"].values())
    links = [
        (node["identifier"], kind, awx.linked("workflow_job_template_nodes", node, kind))
        for node in nodes
        for kind in ("success_nodes", "failure_nodes", "always_nodes")
        if awx.linked("workflow_job_template_nodes", node, kind)
    ]
    assert links == [
        ("check", "failure_nodes", ["approve"]),
        ("approve", "success_nodes", ["reconcile"]),
        ("check", "success_nodes", ["approve"]),
        ("approve", "success_nodes", ["promote"]),
    ]
    approvals = list(awx.objects["workflow_approval_templates"].values())
    assert [approval["timeout"] for approval in approvals] == [86400, 86400]
    for workflow in awx.objects["workflow_job_templates"].values():
        asked = awx.linked("workflow_job_templates", workflow, "notification_templates_approvals")
        assert asked == ["Lockstep webhook"]


def test_schedules(awx: AwxEmulator, applied: Played) -> None:
    assert applied.code == 0, applied.output
    schedules = {schedule["name"]: schedule["enabled"] for schedule in awx.objects["schedules"].values()}
    assert schedules == {"Lockstep DNS: drift alarm": True, "Lockstep DNS: weekly reconciliation": False}


def test_secrets_are_in_the_credentials_and_nowhere_else(awx: AwxEmulator, applied: Played) -> None:
    assert applied.code == 0, applied.output
    kept = json.dumps(list(awx.objects["credentials"].values()))
    others = json.dumps({kind: list(items.values()) for kind, items in awx.objects.items() if kind != "credentials"})
    for secret in SECRETS:
        assert secret in kept
        assert secret not in others
        assert secret not in applied.output


def test_the_second_apply_changes_nothing_and_the_next_one_what_differs(
    awx: AwxEmulator, ansible: Ansible, applied: Played
) -> None:
    assert (applied.counts["failed"], applied.counts["changed"] > 0) == (0, True), applied.output
    before = len(awx.mutations)
    again = ansible.apply()
    assert (again.code, again.counts["changed"]) == (0, 0), again.output
    assert awx.mutations[before:] == []

    changed = ansible.apply(lockstep_awx_approval_timeout=600)
    # one task for each workflow
    assert (changed.code, changed.counts["changed"]) == (0, 2), changed.output
    assert [(method, path.split("/")[3]) for method, path in awx.mutations[before:]] == [
        ("PATCH", "workflow_approval_templates")
    ] * 2
    assert [approval["timeout"] for approval in awx.objects["workflow_approval_templates"].values()] == [600, 600]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lockstep_awx_project": ""}, "lockstep_awx_project is not given"),
        ({"lockstep_awx_credentials": {"vinyl": {}}}, "lockstep_awx_credentials.vinyl. Supported parameters include: crafter"),
        ({"lockstep_awx_parts": ["dsn"]}, "value of lockstep_awx_parts must be one or more of: dns, promotion"),
        (
            {"lockstep_awx_drift_alarm_rrule": "RRULE:FREQ=DAILY;INTERVAL=1"},
            "is not a rule that AWX takes",
        ),
        (
            {"lockstep_awx_dns_variables": {"dns_reconciliation_zone": "example.com."}},
            "lockstep_awx_dns_variables: dns_reconciliation_zone is no variable of the role dns_reconciliation.",
        ),
        ({"lockstep_awx_dns_variables": {"dns_reconciliation_secret_key": "x"}}, "dns_reconciliation_secret_key is a secret"),
        (
            {"lockstep_awx_dns_variables": {"dns_reconciliation_report_path": "/reports/zones.json"}},
            "dns_reconciliation_report_path is the same file for all slices",
        ),
        ({"lockstep_awx_promotion_variables": {}}, "has no staging_promotion_targets"),
        ({"lockstep_awx_credentials": {"serveravatar": {}}}, "The promotion has no ledger"),
    ],
)
def test_wrong_variables_are_refused_before_anything_is_done(
    awx: AwxEmulator, ansible: Ansible, change: dict[str, Any], message: str
) -> None:
    before = len(awx.calls)
    played = ansible.apply(**change)
    assert played.code == 2
    assert message in " ".join(played.output.split())
    assert len(awx.calls) == before


def test_without_awx_awx_the_name_of_the_collection_is_in_the_message(
    awx: AwxEmulator, ansible: Ansible, monkeypatch: Any
) -> None:
    monkeypatch.setitem(ansible.environment, "ANSIBLE_COLLECTIONS_PATH", "/nowhere")
    before = len(awx.calls)
    played = ansible.apply()
    assert played.code
    assert "awx.awx" in played.output
    assert len(awx.calls) == before


def test_an_approval_node_cannot_be_made_with_links(collections: str, tmp_path: Path) -> None:
    with AwxEmulator() as awx:
        organization = awx.named("organizations", "Default")["id"]
        template = awx.add("job_templates", {"name": "template", "organization": organization})
        workflow = awx.add("workflow_job_templates", {"name": "workflow", "organization": organization})
        node = {"identifier": "run", "workflow_job_template": workflow["id"], "unified_job_template": template["id"]}
        awx.add("workflow_job_template_nodes", node)
        ansible = Ansible(awx.url, collections, tmp_path)
        approval = {"identifier": "approve", "approval_node": {"name": "Really?"}, "success_nodes": ["run"]}
        refused = ansible.module("workflow_job_template_node", workflow_job_template="workflow", **approval)
        assert re.search(r"not be found at /api/v2/workflow_approval_templates/\d+/success_nodes/", refused["msg"]), refused
