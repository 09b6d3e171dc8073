# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests and the filter for results, in a playbook."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..playbooks import PlaybookProcess
from .server import ZONE, Server, drifted

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  module_defaults:
    group/lockstep.sync.vinyldns: "{{ login }}"
  tasks:
    - lockstep.sync.vinyldns_zone_info:
        zones: "{{ zone }}"
        backend: "{{ backend }}"
      register: seen
    - lockstep.sync.vinyldns_zone_sync:
        zones: "{{ zone }}"
        backend: "{{ backend }}"
        guard: {max_deletes: 0}
      register: guarded
      ignore_errors: true
    - lockstep.sync.vinyldns_zone_sync:
        zones: ["{{ item }}"]
        backend: "{{ backend }}"
      loop: ["{{ zone }}", example.com.]
      register: looped
    - lockstep.sync.vinyldns_zone_sync:
        zones: "{{ zone }}"
        max_age: 100000
      register: again
    - ansible.builtin.assert:
        that:
          - seen is not lockstep.sync.synced
          - seen is not lockstep.sync.fresh
          - seen is lockstep.sync.fresh(1e9)
          - seen.zones | reject('lockstep.sync.synced') | list | length == 1
          - guarded is lockstep.sync.refused('guard_refused')
          - guarded is not lockstep.sync.timed_out
          - looped is lockstep.sync.synced
          - looped is not lockstep.sync.fresh
          - again is lockstep.sync.fresh
    - ansible.builtin.copy:
        dest: "{{ shown }}"
        content: "{{ seen | lockstep.sync.drift_table }}\\n{{ guarded | lockstep.sync.drift_table('markdown') }}\\n"
        mode: "0600"
"""


def test_tests_and_filter(server: Server, environment: dict[str, str], tmp_path: Path) -> None:
    drifted(server)
    (tmp_path / "play.yml").write_text(PLAY)
    shown = tmp_path / "shown.txt"
    variables: dict[str, object] = {"login": server.login, "backend": server.backend, "zone": ZONE, "shown": str(shown)}
    variables["ansible_python_interpreter"] = sys.executable
    (tmp_path / "variables.json").write_text(json.dumps(variables))
    arguments = ["-i", "localhost,", "-e", f"@{tmp_path / 'variables.json'}", str(tmp_path / "play.yml")]
    process = PlaybookProcess(arguments, environment, tmp_path, tmp_path / "output")
    output, _nothing = process.communicate(timeout=300)
    assert process.returncode == 0, output
    lines = shown.read_text().splitlines()
    assert lines[0] == f"{ZONE}: 1 to create, 2 to update, 1 to delete" and max(map(len, lines[:6])) <= 80
    assert any(line.split() == ["create", "new", "A", "-", "300", "198.51.100.1"] for line in lines), lines
    assert f"### {ZONE}" in lines and "| create | `new` | A | `-` | `300 198.51.100.1` |" in lines
