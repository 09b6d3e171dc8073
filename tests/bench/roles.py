# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles, and single tasks, against the emulators: what they take beyond what they wait for."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

from tests.simulator.client import Simulator

from . import playbooks
from .playbooks import BIN

APPLICATIONS = 20
PROMOTIONS = 5
RECONCILIATIONS = 5
COMPARED = 300
CHANGES = 20_000

LOOP = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.uri:
        url: "{{ base }}/{{ item }}/sync"
        headers: {Authorization: "{{ token }}"}
      loop: "{{ ids }}"
    - ansible.builtin.uri:
        url: "{{ base }}/{{ item }}/status"
        headers: {Authorization: "{{ token }}"}
      register: row
      until: row.json.siteMigration.status is search('completed')
      retries: 30
      delay: 1
      loop: "{{ ids }}"
"""

MODULE = """
- hosts: localhost
  gather_facts: false
  tasks:
    - lockstep.sync.serveravatar_staging_sync:
        api_url: "{{ api }}"
        api_token: "{{ token }}"
        organization: "{{ organization }}"
        server: "{{ server }}"
        applications: "{{ ids }}"
"""

#: one look for each item, as one task of many would do at once
ITEMS = """
- hosts: localhost
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ interpreter }}"
  tasks:
    - lockstep.sync.serveravatar_staging_info:
        api_url: "{{ api }}"
        api_token: "{{ token }}"
        organization: "{{ organization }}"
        server: "{{ server }}"
        applications: "{{ item }}"
      loop: "{{ ids }}"
"""

DNS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - lockstep.sync.vinyldns_zone_sync:
        api_url: "{{ api }}"
        access_key: "{{ access_key }}"
        secret_key: "{{ secret_key }}"
        zones: "{{ zones }}"
        backend: "{{ backend }}"
        guard: {max_delete_percent: 100, max_update_percent: 100}
        max_parallel: 16
        report_path: "{{ report }}"
"""


BARE = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/lockstep.sync.serveravatar:
      api_url: "{{ options.api_url }}"
      api_token: "{{ options.api_token }}"
      organization: "{{ options.organization }}"
      server: "{{ options.server }}"
      application: "{{ options.application }}"
      release: "{{ release }}"
  tasks:
    - lockstep.sync.serveravatar_backup:
        storage: "{{ storage }}"
    - lockstep.sync.serveravatar_staging_sync:
    - lockstep.sync.http_probe:
        probes: "{{ probes }}"
        successes: 3
        interval: 0.2
"""

ROLE = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: lockstep.sync.staging_promotion
      vars:
        staging_promotion_release: "{{ release }}"
        staging_promotion_backup: required
        staging_promotion_windows: {allow: [{days: mon-sun}]}
        staging_promotion_verify_interval: 0.2
        staging_promotion_report_path: "{{ report }}"
        staging_promotion_targets:
          - provider: serveravatar
            options: "{{ options }}"
            backup: {storage: "{{ storage }}"}
            verify: "{{ probes }}"
            verify_staging: "{{ probes }}"
"""

RECONCILE = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: lockstep.sync.dns_reconciliation
      vars:
        dns_reconciliation_api_url: "{{ api }}"
        dns_reconciliation_access_key: "{{ access_key }}"
        dns_reconciliation_secret_key: "{{ secret_key }}"
        dns_reconciliation_zones: "{{ zones }}"
        dns_reconciliation_backend: "{{ backend }}"
        dns_reconciliation_report_path: "{{ report }}"
"""


#: the role compares, and changes nothing
CHECK = RECONCILE.replace("  tasks:", "  check_mode: true\n  tasks:") + "        dns_reconciliation_max_parallel: 16\n"
COMPARE = DNS.replace("  tasks:", "  check_mode: true\n  tasks:")


def staging(simulator: Simulator, scratch: Path) -> tuple[float, float]:
    """Seconds for the loop and for the module, on applications of their own."""
    info = simulator["serveravatar"]
    order = {"count": 2 * APPLICATIONS, "server": info["server"], "prefix": "bench"}
    ids = [item["id"] for item in simulator.control.part("serveravatar", "POST", "/applications", order)["applications"]]
    place = f"{info['url']}/organizations/{info['organization']}/servers/{info['server']}/applications"
    common = {"token": info["api_token"]}
    loop = run(scratch, LOOP, {**common, "base": place, "ids": ids[:APPLICATIONS]})
    wanted = {"api": info["url"], "organization": info["organization"], "server": info["server"], "ids": ids[APPLICATIONS:]}
    return loop, run(scratch, MODULE, {**common, **wanted})


def items(simulator: Simulator, scratch: Path) -> tuple[float, float]:
    """Seconds for a loop whose items are processes, and for one whose items are not; the least of three each, in turns."""
    info = simulator["serveravatar"]
    common = {"api": info["url"], "token": info["api_token"], "organization": info["organization"], "server": info["server"]}
    # the same Python by another name, which the collection has to take for another one
    another = str(BIN / f"python{sys.version_info.major}.{sys.version_info.minor}")
    names = {"process": another, "none": "{{ ansible_playbook_python }}"}
    least: dict[str, float] = {}
    for _turn in range(3):
        for kind, interpreter in names.items():
            empty, full = (
                run(scratch, ITEMS, {**common, "interpreter": interpreter, "ids": [info["application"]] * count})
                for count in (1, APPLICATIONS + 1)
            )
            least[kind] = min(least.get(kind, full - empty), full - empty)
    return least["process"], least["none"]


def promotion(simulator: Simulator, scratch: Path) -> tuple[float, float]:
    """Seconds for what waits alone, and for the role around it, in turns."""
    info = simulator["serveravatar"]
    options = {"api_url": info["url"], "api_token": info["api_token"], "application": info["application"]}
    common = {
        "options": {**options, "organization": info["organization"], "server": info["server"]},
        "storage": str(info["backup_provider"]),
        "probes": [{"url": f"{info['sites']['production']}/"}, {"url": f"{info['sites']['production']}/health"}],
        "report": str(scratch / "promotion.json"),
    }
    taken: dict[str, list[float]] = {BARE: [], ROLE: []}
    for number in range(PROMOTIONS):
        for play, seconds in taken.items():
            release = f"{'role' if play is ROLE else 'bare'}-{number}"
            seconds.append(run(scratch, play, {**common, "release": release}))
    return statistics.median(taken[BARE]), statistics.median(taken[ROLE])


def reconciliation(simulator: Simulator, scratch: Path) -> tuple[float, float]:
    """Seconds for the task that syncs a zone which differs, and for the role around it, in turns."""
    taken: dict[str, list[float]] = {DNS: [], RECONCILE: []}
    for number in range(RECONCILIATIONS):
        for play, seconds in taken.items():
            name = f"{'role' if play is RECONCILE else 'bare'}{number}.bench.example."
            different(simulator, name)
            seconds.append(run(scratch, play, dns_variables(simulator, [name], scratch / "reconciliation.json")))
    return statistics.median(taken[DNS]), statistics.median(taken[RECONCILE])


def comparison(simulator: Simulator, scratch: Path) -> tuple[float, float]:
    """Seconds for a task in check mode, and for the role."""
    names = [f"compared{number:03d}.bench.example." for number in range(COMPARED)]
    different(simulator, *names)
    variables = dns_variables(simulator, names, scratch / "comparison.json")
    return run(scratch, COMPARE, variables), run(scratch, CHECK, variables)


def large_effect(simulator: Simulator, scratch: Path) -> tuple[float, int, int]:
    """Seconds for syncing one large zone, and the requests for its effect: for pages, and for single changes."""
    name = "large.bench.example."
    wanted = [f"host{number:05d} A 192.0.2.{number % 250}" for number in range(CHANGES)]
    simulator.control.part("vinyldns", "POST", "/zones", {"zones": [{"name": name, "records": [], "dns": wanted}]})
    seconds = run(scratch, DNS, dns_variables(simulator, [name], scratch / "large.json"))
    pages, single = (len(simulator.control.requests(path=path)) for path in ("recordsetchanges", "recordsetchange/history"))
    return seconds, pages, single


def different(simulator: Simulator, *names: str) -> None:
    """Make zones of which VinylDNS lacks a record."""
    records = [f"host{number} A 192.0.2.{number}" for number in range(10)]
    orders = [{"name": name, "records": records, "dns": [*records, "new A 198.51.100.1"]} for name in names]
    simulator.control.part("vinyldns", "POST", "/zones", {"zones": orders})


def dns_variables(simulator: Simulator, names: list[str], report: Path) -> dict[str, Any]:
    info = simulator["vinyldns"]
    return {
        "api": info["url"],
        "access_key": info["access_key"],
        "secret_key": info["secret_key"],
        "zones": names,
        "backend": {key: value for key, value in info["dns"].items() if key != "kind"},
        "report": str(report),
    }


def run(scratch: Path, playbook: str, variables: dict[str, Any]) -> float:
    """Seconds that a playbook takes."""
    return playbooks.play(scratch, playbook, variables).seconds
