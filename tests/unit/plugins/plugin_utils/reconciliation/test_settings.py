# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of role dns_reconciliation, in all the forms that they are given in."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
import yaml

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import (
    PREFIX,
    VARIABLES,
    ReconciliationSettings,
    read,
    report_settings,
)

ROOT = pathlib.Path(__file__).parents[5]
DIGEST = "8875298edb7112292492b689371e4386"
BACKEND = {"server": "ns1.example.net", "port": 5353}


def problem(**variables: Any) -> SyncError:
    with pytest.raises(SyncError) as caught:
        read(variables)
    assert caught.value.code == "invalid_option"
    return caught.value


def test_the_role_documents_exactly_these_variables() -> None:
    specs = yaml.safe_load((ROOT / "roles/dns_reconciliation/meta/argument_specs.yml").read_text())
    documented = specs["argument_specs"]["main"]["options"]
    assert set(documented) == {PREFIX + name for name in VARIABLES}
    for name, spec in VARIABLES.items():
        entry = documented[PREFIX + name]
        assert entry.get("choices") == spec.get("choices"), name
        # Ansible would refuse the empty answer of a survey for all but text and lists
        expected = {"str": ("str", "path"), "list": ("list",)}.get(spec["type"], ("raw",))
        assert entry["type"] in expected, name


def test_what_a_survey_passes_is_text() -> None:
    given = read(
        {
            "zones": "a.example.\n b.example. ,\n\nc.example.\n",
            "approve": json.dumps({"A.Example": DIGEST}),
            "backend": json.dumps(BACKEND),
            "backends": json.dumps({"B.example": {"server": "ns2.example.net", "port": "53", "max_records": "7"}}),
            "guard": '{"max_deletes": "5", "protect": ["@/MX"]}',
            "max_parallel": "4",
            "wait_timeout": "60",
            "validate_certs": "false",
            "fail_on_drift": "yes",
            "batch_max_delete_percent": "12.5",
        }
    )
    assert given.zones == ("a.example.", "b.example.", "c.example.")
    assert given.approve == {"a.example.": DIGEST}
    assert given.backend == {**BACKEND, "tsig_algorithm": "hmac-sha256", "max_records": 600_000, "max_bytes": 128 * 2**20}
    assert (given.backends["b.example."]["port"], given.backends["b.example."]["max_records"]) == (53, 7)
    assert given.guard is not None
    assert (given.guard["max_deletes"], given.guard["protect"]) == (5, ("@/MX",))
    assert given.connection == {"max_parallel": 4, "validate_certs": False}
    assert given.syncing == {"wait_timeout": 60.0}
    assert (given.fail_on_drift, given.batch_max_delete_percent) == (True, 12.5)


@pytest.mark.parametrize("zones", ["a., b.", "a.\nb.", '["a.", "b."]', ["a.", "b."], " a. ,b. \n"])
def test_zones_may_be_listed_in_several_ways(zones: object) -> None:
    assert read({"zones": zones}).zones == ("a.", "b.")


@pytest.mark.parametrize(
    "approve",
    [
        {"a.": DIGEST, "B.example": "0f"},
        json.dumps({"a.": DIGEST, "B.example": "0f"}),
        f"a.={DIGEST},B.example=0f",
        f"a.={DIGEST}\nB.example=0f\n",
        f"a.={DIGEST} B.example=0f",
        str({"a.": DIGEST, "B.example": "0f"}),
    ],
)
def test_approvals_may_be_given_in_several_ways(approve: object) -> None:
    assert read({"approve": approve}).approve == {"a.": DIGEST, "b.example.": "0f"}


def test_an_empty_answer_means_not_given() -> None:
    assert read(dict.fromkeys(VARIABLES, "")) == read(dict.fromkeys(VARIABLES)) == read({})
    assert read({}) == ReconciliationSettings(
        only_approved=False,
        connection={},
        syncing={},
        zones=(),
        zone_filter="",
        admin_group="",
        inventory_group="",
        backend=None,
        backends={},
        guard=None,
        batch_max_delete_percent=30.0,
        approve={},
        fail_on_drift=False,
        report_path="",
    )


@pytest.mark.parametrize(
    ("variables", "name", "word"),
    [
        ({"zones": [1.5]}, "zones[0]", "quotes"),
        ({"zones": "[1.5]"}, "zones[0]", "quotes"),
        ({"zones": {"a.": 1}}, "zones", "list"),
        ({"admin_group": 2026.10}, "admin_group", "quotes"),
        ({"approve": {"a.": 12e45}}, "approve.a.", "quotes"),
        ({"approve": '{"a.": 1234}'}, "approve.a.", "quotes"),
        ({"approve": {"a.": ""}}, "approve.a.", "missing"),
        ({"approve": {"a.": [DIGEST]}}, "approve.a.", "text"),
        ({"approve": DIGEST}, "approve", "names and their values"),
        ({"approve": '{"a.": '}, "approve", "JSON"),
        ({"approve": [DIGEST]}, "approve", "JSON"),
        ({"backend": "ns1.example.net"}, "backend", "JSON"),
        ({"backend": {"port": 53}}, "backend.server", "missing"),
        ({"backend": {**BACKEND, "sever": "x"}}, "backend.sever", "Did you mean server"),
        ({"backend": {**BACKEND, "tsig_name": "key."}}, "backend.tsig_secret", "both"),
        ({"backends": {"a.": "ns1"}}, "backends.a.", "JSON"),
        ({"backends": {"a.": {"server": "ns1", "port": "many"}}}, "backends[a.].port", "number"),
        ({"guard": {"max_deletions": 1}}, "guard.max_deletions", "Did you mean max_deletes"),
        ({"guard": "strict"}, "guard", "JSON"),
        ({"batch_max_delete_percent": 101}, "batch_max_delete_percent", "0 to 100"),
        ({"batch_max_delete_percent": float("nan")}, "batch_max_delete_percent", "0 to 100"),
        ({"max_parallel": "many"}, "max_parallel", "number"),
        ({"if_recently_synced": "maybe"}, "if_recently_synced", "Choose one"),
        ({"fail_on_drift": "perhaps"}, "fail_on_drift", "true or false"),
    ],
)
def test_what_is_wrong_is_named(variables: dict[str, Any], name: str, word: str) -> None:
    error = problem(**variables)
    assert error.message.startswith(f"option {PREFIX}{name}")
    assert word in f"{error.message} {error.hint}"


def test_no_message_shows_a_secret() -> None:
    secret = "canary"
    for backend in ({**BACKEND, "tsig_secret": secret}, [secret], {"server": {"tsig_secret": secret}}):
        error = problem(backend=backend)
        assert secret not in error.message + error.hint


def test_the_report_is_known_although_other_variables_are_wrong() -> None:
    assert report_settings({"zones": 7, "report_path": "~/r.json", "fail_on_drift": "true"}) == ("~/r.json", True)
