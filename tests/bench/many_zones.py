# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many VinylDNS zones in one task, and by the means that one would use without the collection."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tests.simulator.bind import BindServer
from tests.simulator.dns_server import TsigKey, ZoneSpec, zone_text

from .playbooks import Cost, instant_server, play, scratch_directory, zone_names

ZONES = 1000
#: zones for what takes long each, and whose time grows in proportion to their number
SAMPLE = 40
GROWTH = (1, 10, 100, 1000, 10_000)

#: VinylDNS wants signed requests, which uri cannot make; the server of the benchmark does not check them, so this flatters uri
URI = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.uri:
        url: "{{ api_url }}/zones/name/{{ item }}"
      loop: "{{ zones }}"
      register: found
    - ansible.builtin.uri:
        url: "{{ api_url }}/zones/{{ item.json.zone.id }}/sync"
        method: POST
        status_code: 202
      loop: "{{ found.results }}"
      loop_control: {label: "{{ item.item }}"}
      register: accepted
    - ansible.builtin.uri:
        url: "{{ api_url }}/zones/{{ item.json.zone.id }}/changes"
      loop: "{{ accepted.results }}"
      loop_control: {label: "{{ item.json.id }}"}
      register: change
      until: (change.json.zoneChanges | selectattr('id', 'eq', item.json.id) | map(attribute='status') | first) == 'Synced'
      retries: 20
      delay: 1
"""

ASYNC = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.uri:
        url: "{{ api_url }}/zones/name/{{ item }}"
      loop: "{{ zones }}"
      register: found
    - ansible.builtin.uri:
        url: "{{ api_url }}/zones/{{ item.json.zone.id }}/sync"
        method: POST
        status_code: 202
      loop: "{{ found.results }}"
      loop_control: {label: "{{ item.item }}"}
      async: 120
      poll: 0
      register: jobs
    - ansible.builtin.async_status:
        jid: "{{ item.ansible_job_id }}"
      loop: "{{ jobs.results }}"
      loop_control: {label: "{{ item.ansible_job_id }}"}
      register: job
      until: job.finished | bool
      retries: 60
      delay: 1
"""

HOSTS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.add_host:
        name: "{{ item }}"
        groups: zones
        ansible_connection: local
        ansible_python_interpreter: "{{ ansible_playbook_python }}"
      loop: "{{ zones }}"
- hosts: zones
  gather_facts: false
  tasks:
    - ansible.builtin.uri:
        url: "{{ api_url }}/zones/name/{{ inventory_hostname }}"
      register: found
    - ansible.builtin.uri:
        url: "{{ api_url }}/zones/{{ found.json.zone.id }}/sync"
        method: POST
        status_code: 202
      register: accepted
    - ansible.builtin.uri:
        url: "{{ api_url }}/zones/{{ found.json.zone.id }}/changes"
      register: change
      until: (change.json.zoneChanges | selectattr('id', 'eq', accepted.json.id) | map(attribute='status') | first) == 'Synced'
      retries: 20
      delay: 1
"""

LOOP = """
- hosts: localhost
  gather_facts: false
  tasks:
    - lockstep.sync.vinyldns_zone_sync:
        api_url: "{{ api_url }}"
        access_key: "{{ access_key }}"
        secret_key: "{{ secret_key }}"
        zone: "{{ item }}"
      loop: "{{ zones }}"
"""

#: loops of one request for each item, and one without any
ITEM = """
- hosts: localhost
  gather_facts: false
  tasks:
    - %s
      loop: "{{ zones }}"
"""
ITEMS = {
    "nothing": 'ansible.builtin.debug: {msg: "{{ item }}"}',
    "uri": 'ansible.builtin.uri: {url: "{{ api_url }}/zones/name/{{ item }}"}',
    "vinyldns_zone_info": """lockstep.sync.vinyldns_zone_info:
        {api_url: "{{ api_url }}", access_key: "{{ access_key }}", secret_key: "{{ secret_key }}", zone: "{{ item }}",
         details: false}""",
    "vinyldns_zone_sync": """lockstep.sync.vinyldns_zone_sync:
        {api_url: "{{ api_url }}", access_key: "{{ access_key }}", secret_key: "{{ secret_key }}", zone: "{{ item }}",
         max_age: 86400}""",
}

TASK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - lockstep.sync.vinyldns_zone_sync: "{{ options }}"
"""


@dataclass(frozen=True)
class Measured:
    """One way to sync zones.

    :param requests: that the server saw, by route.
    """

    zones: int
    cost: Cost
    requests: dict[str, int]

    @property
    def each(self) -> float:
        """Seconds a zone."""
        return self.cost.seconds / self.zones

    @property
    def requests_each(self) -> float:
        return sum(self.requests.values()) / self.zones

    def to_json(self) -> dict[str, Any]:
        return {"zones": self.zones, **asdict(self.cost), "requests": self.requests}


def one_task(zones: int, server: dict[str, float] | None = None, **options: Any) -> Measured:
    """All zones in one task of the collection.

    :param server: options of the server.
    :param options: further ones of the module.
    """
    with instant_server(zones, **(server or {})) as running, scratch_directory() as scratch:
        report = scratch / "report.json"
        task = TASK.replace('"{{ options }}"', json.dumps({**running.login, "zones": running.zones, **options}))
        task = task.replace("_sync: {", f'_sync: {{"report_path": "{report}", ')
        cost = play(scratch, task, {})
        summary = json.loads(report.read_text())["summary"]
        assert summary["succeeded"] + summary["skipped"] == zones, summary
        return Measured(zones, cost, running.requests())


def by_playbook(playbook: str, zones: int, *arguments: str) -> Measured:
    """Some zones by a playbook that has no more than the core of Ansible, or loops."""
    with instant_server(zones) as running, scratch_directory() as scratch:
        # where asynchronous jobs leave their results, and where async_status looks for them
        variables = {**running.login, "zones": running.zones, "ansible_async_dir": str(scratch / "jobs")}
        cost = play(scratch, playbook, variables, *arguments)
        return Measured(zones, cost, running.requests())


#: every way by its name, and for how many zones it is measured
WAYS: dict[str, tuple[int, Callable[[int], Measured]]] = {
    "one task": (ZONES, one_task),
    "our module in a loop": (SAMPLE, lambda zones: by_playbook(LOOP, zones)),
    "uri, and until": (SAMPLE, lambda zones: by_playbook(URI, zones)),
    "async, and async_status": (SAMPLE, lambda zones: by_playbook(ASYNC, zones)),
    "a host for each zone, 20 forks": (SAMPLE, lambda zones: by_playbook(HOSTS, zones, "--forks", "20")),
}


def side_by_side() -> dict[str, Measured]:
    """Every way to sync zones whose server takes no time."""
    return {name: way(zones) for name, (zones, way) in WAYS.items()}


def growth(sizes: tuple[int, ...] = GROWTH) -> dict[int, Measured]:
    """One task with more and more zones."""
    return {size: one_task(size) for size in sizes}


def fresh() -> Measured:
    """Zones that need no sync, by ``max_age``."""
    return one_task(ZONES, {"age": 3600}, max_age=86400)


def items(number: int = SAMPLE // 2) -> dict[str, float]:
    """Seconds of processor time of one item of a loop over a local connection, by the module.

    The zones are fresh, so that the sync module, which looks at them and at the ledger, has nothing to wait for.
    """
    cpu = {}
    with instant_server(number, age=3600) as running, scratch_directory() as scratch:
        for name, task in ITEMS.items():
            cpu[name] = play(scratch, ITEM % task, {**running.login, "zones": running.zones}).cpu
    return {name: (each - cpu["nothing"]) / number for name, each in cpu.items() if name != "nothing"}


def in_sync(drift: str) -> Measured:
    """Zones whose DNS server has what VinylDNS has, so that none is synced.

    :param drift: the option of that name.
    """
    key = TsigKey.make("bench.")
    with scratch_directory() as scratch:
        dns = BindServer(scratch, [key], {name: ZoneSpec(zone_text(["www 300 A 192.0.2.1"])) for name in zone_names(ZONES)})
        try:
            backend = {"server": dns.server, "port": dns.port, "tsig_name": key.name, "tsig_secret": key.secret}
            measured = one_task(ZONES, backend=backend, drift=drift)
        finally:
            dns.stop()
    assert not measured.requests.get("sync"), measured.requests
    return measured


def with_workers(zones: int, workers: int, seconds: float) -> tuple[Measured, float]:
    """Zones at a server that does some syncs at a time, and the seconds that it takes for that at least."""
    measured = one_task(zones, {"workers": workers, "seconds": seconds}, max_parallel=16, wait_timeout=900)
    return measured, zones * seconds / workers
