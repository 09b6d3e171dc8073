# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit for AWX: a name of a report that differs by job reaches the job template of slices as it was written."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Ansible
from .emulator import AwxEmulator

REPORT = "/reports/zones-{{ awx_job_id }}.json"


def test_a_report_for_each_job(collections: str, tmp_path: Path) -> None:
    given = tmp_path / "report_path.yml"
    given.write_text(f'lockstep_awx_dns_variables: {{dns_reconciliation_report_path: !unsafe "{REPORT}"}}\n')
    with AwxEmulator() as awx:
        played = Ansible(awx.url, collections, tmp_path).apply("-e", f"@{given}", lockstep_awx_parts=["dns"])
        assert played.code == 0, played.output
        variables = json.loads(awx.named("job_templates", "Lockstep DNS: check in slices")["extra_vars"])
    assert variables["dns_reconciliation_report_path"] == REPORT
