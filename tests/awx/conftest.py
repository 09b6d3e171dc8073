# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook of the kit for AWX with the published ``awx.awx``, against the emulator."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.module.dns_reconciliation.playbook import Server
from tests.module.staging_promotion import playbook as staging
from tests.module.staging_promotion.playbook import SHOP
from tests.simulator.client import Simulator

from .emulator import TOKEN, AwxEmulator
from .jobs import Jobs

ROOT = Path(__file__).resolve().parents[2]
KIT = ROOT / "extensions" / "awx"
BIN = Path(sys.executable).parent
#: seconds after which a playbook is stuck; each module is a process of its own
LIMIT = 900

SECRETS = ("secret-of-vinyldns", "c2VjcmV0LW9mLXRzaWc=", "secret-of-ledger", "secret-of-serveravatar")
#: where the emulated ServerAvatar has a shop with a staging area
SHOP_OPTIONS = {"organization": "5", "server": "15", "application": str(SHOP), "poll_max_interval": 1}
VARIABLES: dict[str, Any] = {
    "lockstep_awx_project": "Lockstep",
    "lockstep_awx_project_scm_url": "https://git.example.com/lockstep.git",
    "lockstep_awx_inventory": "Lockstep",
    "lockstep_awx_execution_environment": "Lockstep",
    "lockstep_awx_execution_environment_image": "registry.example.com/lockstep-ee:latest",
    "lockstep_awx_notification_url": "https://chat.example.com/hooks/lockstep",
    "lockstep_awx_zone_group": "zones",
    "lockstep_awx_credentials": {
        "vinyldns": {"inputs": {"api_url": "https://v.example.com", "access_key": "key", "secret_key": SECRETS[0]}},
        "dns_backend": {
            "name": "ns1",
            "inputs": {"server": "ns1.example.com", "tsig_name": "transfer.", "tsig_secret": SECRETS[1]},
        },
        "ledger": {"inputs": {"location": "postgresql://lockstep@db.example.com/lockstep", "password": SECRETS[2]}},
        "serveravatar": {"inputs": {"api_token": SECRETS[3]}},
    },
    "lockstep_awx_dns_variables": {"dns_reconciliation_admin_group": "web", "dns_reconciliation_guard": {"max_deletes": 3}},
    "lockstep_awx_promotion_variables": {
        "staging_promotion_targets": [{"provider": "serveravatar", "options": SHOP_OPTIONS}],
        "staging_promotion_backup": "none",
    },
}


@dataclasses.dataclass(frozen=True)
class Played:
    """What became of a run of the playbook."""

    code: int
    output: str

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of its recap."""
        (recap,) = re.findall(r"^localhost +: (.*)$", self.output, re.MULTILINE)
        return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", recap)}


class Ansible:
    """Runs Ansible with ``awx.awx`` and an emulated AWX."""

    def __init__(self, url: str, collections: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
            "ANSIBLE_COLLECTIONS_PATH": collections,
            "CONTROLLER_HOST": url,
            "CONTROLLER_OAUTH_TOKEN": TOKEN,
        }

    def run(self, *command: str) -> Played:
        program, *arguments = command
        done = subprocess.run(
            [str(BIN / program), *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        return Played(done.returncode, done.stdout + done.stderr)

    def apply(self, *arguments: str, **variables: Any) -> Played:
        path = self.folder / "variables.json"
        path.write_text(json.dumps({**VARIABLES, **variables}))
        return self.run("ansible-playbook", str(KIT / "apply.yml"), "-e", f"@{path}", *arguments)

    def module(self, name: str, /, **options: Any) -> dict[str, Any]:
        """The result of one task."""
        played = self.run("ansible", "localhost", "-m", f"awx.awx.{name}", "-a", json.dumps(options))
        found = re.search(r"^localhost \| \w+!? => (\{.*\})", played.output, re.MULTILINE | re.DOTALL)
        assert found, played.output
        result: dict[str, Any] = json.JSONDecoder().raw_decode(found[1])[0]
        return result


@pytest.fixture(scope="session")
def collections() -> str:
    """Where ``awx.awx`` is, and no other collection."""
    return subprocess.check_output([ROOT / "scripts" / "install-awx-collection"], text=True).strip()


@pytest.fixture(scope="session")
def awx() -> Iterator[AwxEmulator]:
    with AwxEmulator() as running:
        yield running


@pytest.fixture(scope="session")
def ansible(awx: AwxEmulator, collections: str, tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    return Ansible(awx.url, collections, tmp_path_factory.mktemp("ansible"))


@pytest.fixture(scope="session")
def applied(ansible: Ansible) -> Played:
    """The first apply, with all that Ansible can say about it; all tests see what it made."""
    return ansible.apply("-vvv")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns", "serveravatar"]) as running:
        yield running


@pytest.fixture
def server(simulator: Simulator) -> Server:
    simulator.reset()
    return Server(simulator)


@pytest.fixture
def jobs(awx: AwxEmulator, applied: Played, server: Server, tmp_path: Path) -> Jobs:
    assert applied.code == 0, applied.output
    backend = {key: str(value) for key, value in server.backend.items()}
    ledger = {"location": str(tmp_path / "volume" / "ledger.sqlite3"), "password": ""}
    avatar = staging.Server(server.simulator)
    login = {"api_url": avatar.url, "api_token": avatar.token}
    return Jobs(
        awx,
        tmp_path,
        {"Lockstep VinylDNS": server.login, "ns1": backend, "Lockstep ledger": ledger, "Lockstep ServerAvatar": login},
    )
