# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of the kit for AWX: each slice has its share of what the server is to get at most."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import PREFIX, read

from .conftest import Kit


def limits(slices: int = 4, **given: Any) -> dict[str, object]:
    """What a slice makes of the variables of its template, without the DNS server, which is for the job to look up."""
    variables = {PREFIX + name: value for name, value in given.items()}
    kit = Kit(lockstep_awx_dns_variables=variables, lockstep_awx_slices=slices)
    sliced = kit.keyed("job_templates")["dns_slices"]["variables"]
    found = {name.removeprefix(PREFIX): value for name, value in {**variables, **sliced}.items() if not name.endswith("backend")}
    return dict(read(found).syncing)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"rate_limit": 10, "max_running": 100}, {"rate_limit": 2.5, "max_running": 25}),
        # as text, as a vault or a lookup has it
        ({"rate_limit": "1", "max_running": "9"}, {"rate_limit": 0.25, "max_running": 2}),
        ({"max_running": 3}, {"max_running": 1}),
    ],
)
def test_slices_share_limits_of_the_server(given: dict[str, Any], expected: dict[str, object]) -> None:
    assert limits(**given) == expected


def test_failures_are_counted_by_each_slice() -> None:
    assert limits(max_failures=3, fail_fast="true") == {"max_failures": 3, "fail_fast": True}


@pytest.mark.parametrize(("given", "default"), [({}, ""), ({"dns_reconciliation_max_failures": 3}, "3")])
def test_the_survey_asks_after_how_many_failed_zones_to_end(given: dict[str, Any], default: str) -> None:
    questions = Kit(lockstep_awx_dns_variables=given).keyed("job_templates")["dns_reconcile"]["survey"]
    (answer,) = [each["default"] for each in questions if each["variable"] == "dns_reconciliation_max_failures"]
    assert answer == default
    assert read({"max_failures": answer}).syncing == ({"max_failures": 3} if answer else {})
