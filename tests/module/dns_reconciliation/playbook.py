# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the playbook of role dns_reconciliation.

A playbook takes seconds. So each test has zones of its own, and goes as far with one run as it can.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.simulator.client import Simulator

from ..playbooks import PlaybookProcess

PREFIX = "dns_reconciliation_"
HOSTS = [f"host{number:02d} 300 A 192.0.2.{number}" for number in range(20)]


class Server:
    """The emulated server as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        info = simulator["vinyldns"]
        self.url: str = info["url"]
        self.secret: str = info["secret_key"]
        self.login = {"api_url": self.url, "access_key": info["access_key"], "secret_key": self.secret}
        self.backend = {key: value for key, value in info["dns"].items() if key != "kind"}

    def add(self, *names: str, **order: Any) -> None:
        zones = [{"name": name, "records": HOSTS, **order} for name in names]
        self.simulator.control.part("vinyldns", "POST", "/zones", {"zones": zones})

    def drift(self, zone: str) -> None:
        """One record set to create and one to delete."""
        changes = {"add": [["new", 300, "A", "198.51.100.1"]], "delete": [["host02", "A"]]}
        self.simulator.control.part("vinyldns", "POST", "/dns/update", {"zone": zone, **changes})

    def synced(self) -> list[str]:
        """Zones of the syncs that the server accepted."""
        return [str(sync["zone"]) for sync in self.simulator.control.part("vinyldns", "GET", "/syncs")["syncs"]]

    def sent(self) -> int:
        """Mutating requests that the server saw."""
        return len(self.simulator.requests(kind="mutate"))


@dataclasses.dataclass(frozen=True)
class Played:
    """What became of a run of the playbook."""

    code: int
    output: str
    report: dict[str, Any]
    markdown: str
    page: str

    @property
    def changed(self) -> int:
        """From the recap."""
        match = re.search(r"^localhost +: .*\bchanged=(\d+)", self.output, re.MULTILINE)
        assert match, self.output
        return int(match[1])

    @property
    def verdict(self) -> str:
        return str(self.report["verdict"])

    @property
    def verdicts(self) -> dict[str, str]:
        return {zone["zone"]: zone["verdict"] for zone in self.report["zones"]}

    def zone(self, name: str) -> dict[str, Any]:
        (found,) = (zone for zone in self.report["zones"] if zone["zone"] == name)
        return dict(found)


class Running:
    """A playbook at work."""

    def __init__(self, process: PlaybookProcess, report: Path) -> None:
        self.process = process
        self.report = report

    def finish(self) -> Played:
        """Every run leaves all reports, however it ended."""
        output, _nothing = self.process.communicate(timeout=300)
        assert self.report.exists() and self.process.returncode is not None, output
        files = [self.report.with_suffix(suffix) for suffix in (".json", ".md", ".html")]
        assert [path.stat().st_mode & 0o777 for path in files] == [0o600] * 3
        report, markdown, page = (path.read_text() for path in files)
        return Played(self.process.returncode, output, json.loads(report), markdown, page)


class Playbook:
    """Runs ``lockstep.sync.reconcile_dns``."""

    def __init__(self, server: Server, environment: dict[str, str], folder: Path) -> None:
        self.server = server
        self.environment = {
            **environment,
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        }
        self.folder = folder
        self.runs = 0
        self.inventory = folder / "inventory.json"
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        groups = {"team": {"hosts": {"inventory.example.": {}}}}
        self.inventory.write_text(json.dumps({"all": {"hosts": {"localhost": local}, "children": groups}}))

    def start(self, *arguments: str, playbook: str = "lockstep.sync.reconcile_dns", **variables: Any) -> Running:
        """:param variables: those of the role, without its prefix; None leaves one of the usual ones out."""
        self.runs += 1
        report = self.folder / f"run{self.runs}" / "report.json"
        usual = {**self.server.login, "backend": self.server.backend, "report_path": str(report)}
        given = {PREFIX + key: value for key, value in {**usual, **variables}.items() if value is not None}
        extra = self.folder / f"variables{self.runs}.json"
        extra.write_text(json.dumps(given))
        command = ["-i", str(self.inventory), "-e", f"@{extra}", *arguments, playbook]
        return Running(PlaybookProcess(command, self.environment, self.folder, self.folder / f"output{self.runs}"), report)

    def __call__(self, *arguments: str, **variables: Any) -> Played:
        return self.start(*arguments, **variables).finish()


AS_ANOTHER = {"ansible_become": True, "ansible_become_exe": "/usr/bin/env", "ansible_become_flags": "", "ansible_become_user": ""}

ROLE = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/lockstep.sync.vinyldns:
      api_url: "{{ login.api_url }}"
      access_key: "{{ login.access_key }}"
      secret_key: "{{ login.secret_key }}"
  tasks:
    - ansible.builtin.include_role:
        name: lockstep.sync.dns_reconciliation
    - ansible.builtin.copy:
        dest: "{{ fact }}"
        content: "{{ dns_reconciliation_report | to_json }}"
      check_mode: false
"""
