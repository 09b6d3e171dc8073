# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit for AWX: a name of a report that differs by job reaches the job template of slices as it was written."""

from __future__ import annotations

import json

from .conftest import Ansible
from .emulator import AwxEmulator

PATH = "/reports/zones-{{ awx_job_id }}.json"


def test_a_report_for_each_job(awx: AwxEmulator, ansible: Ansible) -> None:
    given = ansible.folder / "report_path.yml"
    given.write_text(f'lockstep_awx_dns_variables: {{dns_reconciliation_report_path: !unsafe "{PATH}"}}\n')
    played = ansible.apply("-e", f"@{given}", lockstep_awx_prefix="Reports", lockstep_awx_parts=["dns"])
    assert played.code == 0, played.output
    variables = json.loads(awx.named("job_templates", "Reports DNS: check in slices")["extra_vars"])
    assert variables["dns_reconciliation_report_path"] == PATH
