# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the kit for AWX as its playbook sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROOT = Path(__file__).resolve().parents[3]
KIT = ROOT / "extensions" / "awx"

#: variables with which there is a job template and a schedule of every kind
GIVEN = {
    "lockstep_awx_inventory": "Lockstep",
    "lockstep_awx_notification_url": "https://chat.example.com/hooks/lockstep",
    "lockstep_awx_zone_group": "zones",
    "lockstep_awx_dns_variables": {"dns_reconciliation_zones": ["example.com.", "example.org."]},
}


class Kit:
    """The data, with the templates in it carried out; those for the jobs are left as they are."""

    def __init__(self, **variables: Any) -> None:
        loader = DataLoader()
        found: dict[str, Any] = {}
        for path in [KIT / "defaults.yml", *sorted((KIT / "kit").glob("*.yml"))]:
            found.update(loader.load_from_file(str(path), trusted_as_template=True))
        self._templar = Templar(loader, variables={**found, **GIVEN, **variables})

    def __getitem__(self, name: str) -> list[dict[str, Any]]:
        value = self._templar.template(self._templar.available_variables[f"lockstep_awx_{name}"])
        assert isinstance(value, list)
        return value

    def keyed(self, name: str) -> dict[str, dict[str, Any]]:
        found = self[name]
        assert len({entry["key"] for entry in found}) == len({entry["name"] for entry in found}) == len(found)
        return {entry["key"]: entry for entry in found}


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()


@pytest.fixture(scope="session")
def role_options() -> dict[str, dict[str, Any]]:
    """The variables of both roles with their specifications."""
    found: dict[str, dict[str, Any]] = {}
    for name in ("dns_reconciliation", "staging_promotion"):
        content = DataLoader().load_from_file(str(ROOT / "roles" / name / "meta" / "argument_specs.yml"))
        found.update(content["argument_specs"]["main"]["options"])
    return found
