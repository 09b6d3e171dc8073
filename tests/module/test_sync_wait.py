# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sync_wait takes handles of all systems at once, also where Ansible sends it to another host in an archive of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import DESCRIPTORS
from tests.simulator.client import Simulator

from .conftest import RunModule

Json = dict[str, Any]

#: The same Python by a name that the action plugin cannot know to be the same, so that the module gets a process of its own.
ANOTHER_NAME = str(Path(sys.executable).with_name(f"python{sys.version_info.major}.{sys.version_info.minor}"))


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(dns="embedded") as running:
        yield running


def connections(simulator: Simulator) -> dict[str, Json]:
    """Connection options, by the provider."""
    serveravatar, crafter, vinyldns = simulator["serveravatar"], simulator["crafter"], simulator["vinyldns"]
    return {
        "serveravatar": {"api_url": serveravatar["url"], "api_token": serveravatar["api_token"]},
        "crafter": {"api_url": crafter["url"], "api_token": crafter["api_token"]},
        "plm": {"api_url": simulator["plm"]["url"]},
        "vinyldns": {name: vinyldns[name] for name in ("access_key", "secret_key")} | {"api_url": vinyldns["url"]},
    }


TARGETS: dict[str, tuple[str, Json]] = {
    "serveravatar": ("serveravatar_staging_sync", {"organization": "5", "server": "15", "application": "shop"}),
    "crafter": ("crafter_staging_sync", {"site": "mysite"}),
    "plm": ("plm_storage_sync", {}),
    "vinyldns": ("vinyldns_zone_sync", {"zone": "example.com."}),
}


def test_a_module_on_another_host_knows_every_provider(
    simulator: Simulator, run_module: RunModule, environment: dict[str, str], tmp_path: Path
) -> None:
    assert set(TARGETS) == set(DESCRIPTORS)
    login = connections(simulator)
    handles = []
    for provider, (module, options) in TARGETS.items():
        started = run_module(module, {**login[provider], **options, "wait": False})
        assert not started.failed, started.output
        handles.append(started.only["handle"])
    sent = len(simulator.requests(kind="mutate"))

    results = tmp_path / "result.json"
    tasks: list[Json] = [
        {
            "lockstep.sync.sync_wait": {"handles": handles, "connections": login, "wait_timeout": 60},
            "vars": {"ansible_python_interpreter": ANOTHER_NAME},
            "register": "waited",
        },
        {"ansible.builtin.copy": {"content": "{{ waited | to_json }}", "dest": str(results)}},
    ]
    playbook = tmp_path / "playbook.json"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-vvv", str(playbook)],
        env={**environment, "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"), "ANSIBLE_NOCOLOR": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "AnsiballZ_sync_wait" in done.stdout
    syncs = json.loads(results.read_text())["syncs"]
    assert [record["provider"] for record in syncs] == list(TARGETS)
    assert {record["state"] for record in syncs} == {"succeeded"}
    assert len(simulator.requests(kind="mutate")) == sent
