# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that is missing from an action group silently misses the defaults that users set for the group."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import DESCRIPTORS

#: Every group except ``all`` holds the modules whose name begins with the name of the group.
PROVIDER_GROUPS = tuple(DESCRIPTORS)


#: They take the variables of a role and no option that anybody would set for a whole group.
IN_NO_GROUP = {"promotion", "reconciliation"}


def expected_groups(module: str) -> list[str]:
    if module in IN_NO_GROUP:
        return []
    return ["all", *(group for group in PROVIDER_GROUPS if module.startswith(f"{group}_"))]


@pytest.mark.parametrize("group", ["all", *PROVIDER_GROUPS])
def test_group_holds_the_modules_of_its_provider(group: str, runtime: dict[str, t.Any], module_names: list[str]) -> None:
    expected = [name for name in module_names if group in expected_groups(name)]

    assert runtime["action_groups"].get(group, []) == expected


def test_no_other_groups(runtime: dict[str, t.Any]) -> None:
    assert set(runtime["action_groups"]) <= {"all", *PROVIDER_GROUPS}


def test_documentation_names_the_groups(documentation: dict[str, dict[str, t.Any]], module_names: list[str]) -> None:
    """Every module documents the attribute ``action_group``, by a fragment, with the groups that it is in."""
    stated = {
        name: sorted(documentation[name].get("attributes", {}).get("action_group", {}).get("membership", []))
        for name in module_names
    }

    assert stated == {name: sorted(f"lockstep.sync.{group}" for group in expected_groups(name)) for name in module_names}
