# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugins, by ``ansible-inventory`` and in playbooks."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.inventory import INVENTORY
from tests.simulator.client import Simulator

from .dns_reconciliation.playbook import Playbook, Server
from .playbooks import run_to_end

PROGRAM = Path(sys.executable).with_name("ansible-inventory")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
ZONES = [f"zone{number:02d}.shop.example." for number in range(6)]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns", "crafter", "serveravatar"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


@pytest.fixture
def server(simulator: Simulator) -> Server:
    server = Server(simulator)
    server.add(*ZONES)
    return server


class Lister:
    """Runs ``ansible-inventory`` over files of options."""

    def __init__(self, simulator: Simulator, environment: dict[str, str], folder: Path) -> None:
        self.simulator = simulator
        self.environment = {**environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", "ANSIBLE_NOCOLOR": "1"}
        self.folder = folder

    def write(self, system: str, **options: Any) -> Path:
        path = self.folder / f"these.{system}.yml"
        path.write_text(json.dumps({"plugin": f"lockstep.sync.{system}", **options}))
        return path

    def run(self, system: str, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> CompletedProcess[str]:
        path = self.write(system, **options)
        environment = {**self.environment, **(env or {})}
        return run_to_end(PROGRAM.name, ["-i", str(path), "--list", *arguments], environment, self.folder)

    def play(self, inventory: Path, play: Path) -> CompletedProcess[str]:
        return run_to_end("ansible-playbook", ["-i", str(inventory), str(play)], self.environment, self.folder)

    def hosts(self, system: str, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
        """What it prints: the variables of hosts, and the groups under ``groups``. Text that is no template is marked there."""
        done = self.run(system, *arguments, env=env, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads(done.stdout, object_hook=lambda value: value.get("__ansible_unsafe", value))
        hosts = dict(found.pop("_meta")["hostvars"])
        return {**hosts, "groups": {name: group["hosts"] for name, group in found.items() if "hosts" in group}}

    def refusal(self, system: str, **options: Any) -> str:
        """What it says if it fails, on one line; never with a traceback."""
        done = self.run(system, **options)
        assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
        return " ".join(str(done.stderr).split())

    def asked(self) -> int:
        return len(self.simulator.requests())


@pytest.fixture
def lister(simulator: Simulator, environment: dict[str, str], tmp_path: Path) -> Lister:
    return Lister(simulator, environment, tmp_path)


def test_zones_are_hosts_with_variables_and_groups(server: Server, lister: Lister) -> None:
    constructed = {
        "compose": {"team": "vinyldns_admin_group"},
        "groups": {"third": "vinyldns_zone is match('zone03')"},
        "keyed_groups": [{"prefix": "status", "key": "vinyldns_status | lower"}],
    }
    for zone in ZONES:
        set_age(server, zone, 600)
    before = lister.asked()
    found = lister.hosts("vinyldns", **server.login, name_filter="*.shop.example.", strict=True, **constructed)
    assert lister.asked() == before + 1 and server.sent() == 0
    groups = found.pop("groups")
    assert sorted(found) == ZONES and groups == {"vinyldns_zones": ZONES, "third": [ZONES[3]], "status_active": ZONES}
    for zone, variables in found.items():
        age = variables.pop("vinyldns_age")
        assert 0 <= age < 4000 and variables.pop("vinyldns_latest_sync") and variables.pop("vinyldns_id")
        assert variables == {
            **LOCAL,
            "vinyldns_zone": zone,
            "vinyldns_status": "Active",
            "vinyldns_may_sync": True,
            "vinyldns_admin_group": "ok-group",
            "team": "ok-group",
        }


def test_credentials_come_from_the_environment_or_from_templates_and_go_nowhere(server: Server, lister: Lister) -> None:
    names = {"VINYLDNS_HOST": server.url, "VINYLDNS_API_URL": "", "VINYLDNS_ACCESS_KEY": server.login["access_key"]}
    template = "{{ lookup('ansible.builtin.env', 'THE_KEY') }}"
    done = lister.run("vinyldns", env={**names, "THE_KEY": server.secret}, secret_key=template, name_filter="zone")
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)["_meta"]["hostvars"]) == ZONES
    assert server.secret not in done.stdout + done.stderr


def set_age(server: Server, zone: str, seconds: float | None) -> None:
    server.simulator.control.part("vinyldns", "POST", "/latest-sync", {"zone": zone, "age": seconds})


def test_filters(server: Server) -> None:
    def listed(**filters: Any) -> list[str]:
        operation = INVENTORY.operation
        outcome = ArgumentSpecValidator(**operation.spec.as_kwargs()).validate({**server.login, **filters})
        assert not outcome.error_messages
        result = operation.execute(outcome.validated_parameters, Context(given=filters))
        return sorted(zone["zone"] for zone in result[INVENTORY.key])

    for number, zone in enumerate(ZONES):
        set_age(server, zone, 600 if number else 86400)
    assert listed(name_filter="*.shop.example.", min_age=80000) == [ZONES[0]]
    assert listed(name_filter="*.shop.example.", max_age=80000, statuses=["active"]) == ZONES[1:]
    assert listed(name_filter="*.shop.example.", statuses=["Syncing"]) == []
    set_age(server, ZONES[2], None)
    assert listed(name_filter="*.shop.example.", min_age=80000) == [ZONES[0], ZONES[2]]
    assert listed(admin_group="no-such-group") == []
    assert listed(name_filter="zone05", admin_group="ok-*", may_sync=True) == [ZONES[5]]
    assert listed(name_filter="zone05", may_sync=False) == []


def test_cache_spares_requests_until_it_is_to_be_refreshed(server: Server, lister: Lister, tmp_path: Path) -> None:
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    options = {**server.login, **cache, "name_filter": "*.shop.example."}
    first = lister.hosts("vinyldns", **options)
    asked = lister.asked()
    again = lister.hosts("vinyldns", **options)
    assert lister.asked() == asked and set(again) == set(first)
    assert again[ZONES[0]]["vinyldns_age"] > first[ZONES[0]]["vinyldns_age"]
    assert server.secret not in "".join(path.read_text() for path in (tmp_path / "cache").iterdir())
    # another filter is another list
    assert set(lister.hosts("vinyldns", **{**options, "name_filter": "zone01"})) == {ZONES[1], "groups"}
    # and so is that of another account, or of a key that is no longer valid
    assert "auth_failed: " in lister.refusal("vinyldns", **{**options, "secret_key": "wrong"})
    server.add("zone77.shop.example.")
    assert "zone77.shop.example." not in lister.hosts("vinyldns", **options)
    assert "zone77.shop.example." in lister.hosts("vinyldns", "--flush-cache", **options)


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        ({"secret_key": "wrong"}, ("auth_failed: ", "Check access_key and secret_key")),
        ({"api_url": None}, ("invalid_option: ", "api_url (or the environment variable VINYLDNS_API_URL or VINYLDNS_HOST)")),
        ({"name_filtre": "x"}, ("invalid_option: option name_filtre does not exist", "ansible-doc -t inventory lockstep")),
        ({"name_filter": 2026.10}, ("invalid_option: option name_filter: 2026.1 is a number", "Put the value in quotes")),
        ({"min_age": -1}, ("invalid_option: option min_age", "Use a value of at least 0 seconds")),
        ({"api_url": "http://127.0.0.1:9"}, ("connection_failed: ",)),
    ],
)
def test_failures_have_a_code_and_a_remedy(
    change: dict[str, Any], texts: tuple[str, ...], server: Server, lister: Lister
) -> None:
    options = {name: value for name, value in {**server.login, **change}.items() if value is not None}
    said = lister.refusal("vinyldns", **options)
    assert [text for text in texts if text not in said] == [], said
    assert server.secret not in said


def test_who_interrupts_it_interrupts_ansible(lister: Lister) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        path = lister.write("vinyldns", api_url=address, access_key="key", secret_key="secret")
        command, pipe = [str(PROGRAM), "-i", str(path), "--list"], subprocess.PIPE
        with subprocess.Popen(command, env=lister.environment, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
            try:
                silent.settimeout(120)
                connection, _address = silent.accept()
                with connection:
                    process.send_signal(signal.SIGINT)
                    shown, _nothing = process.communicate(timeout=120)
            finally:
                process.kill()
    assert process.returncode != 0 and "User interrupted execution" in shown and "Traceback" not in shown, shown


def test_text_of_the_server_is_no_template(server: Server, lister: Lister, tmp_path: Path) -> None:
    name = "{{ 7 * 6 }}.shop.example."
    server.add(name)
    path = lister.write("vinyldns", **server.login, name_filter="{{ '{{' }}*")
    play = tmp_path / "play.yml"
    show = {"ansible.builtin.debug": {"msg": "<{{ vinyldns_zone }}> <{{ inventory_hostname }}>"}}
    play.write_text(json.dumps([{"hosts": "vinyldns_zones", "gather_facts": False, "tasks": [show]}]))
    done = lister.play(path, play)
    assert done.returncode == 0 and f"<{name}> <{name}>" in done.stdout, done.stdout + done.stderr


def test_modules_of_its_hosts_run_with_the_python_of_ansible(server: Server, lister: Lister, tmp_path: Path) -> None:
    """The one that Ansible finds may have no library. It matters where the action plugin cannot do it, as with ``async``."""
    path = lister.write("vinyldns", **server.login, name_filter=ZONES[0])
    play = tmp_path / "play.yml"
    info = {"lockstep.sync.vinyldns_zone_info": {**server.login, "zones": ["{{ vinyldns_zone }}"]}, "async": 3600, "poll": 1}
    check = {"ansible.builtin.assert": {"that": [f"ansible_python_interpreter == '{sys.executable}'"]}}
    variables = {"ansible_async_dir": str(tmp_path / "async")}
    play.write_text(json.dumps([{"hosts": "vinyldns_zones", "gather_facts": False, "vars": variables, "tasks": [check, info]}]))
    done = lister.play(path, play)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sites_are_hosts(simulator: Simulator, lister: Lister) -> None:
    info = simulator["crafter"]
    login = {"api_url": info["url"], "api_token": info["api_token"]}
    found = lister.hosts("crafter", **login)
    assert "mysite" in found["groups"]["crafter_sites"]
    assert found["mysite"] == {**LOCAL, "crafter_site": "mysite"}
    detailed = lister.hosts("crafter", **login, name_filter="MY*", details=True, published_repo=info["published_repo"])
    assert detailed["groups"] == {"crafter_sites": ["mysite"]}
    assert detailed["mysite"]["crafter_staging_enabled"] is True and detailed["mysite"]["crafter_in_sync"] in (True, False)
    assert info["api_token"] not in json.dumps(detailed) and "git" not in json.dumps(detailed["mysite"].get("crafter_refs", ""))


def test_applications_are_hosts(simulator: Simulator, lister: Lister) -> None:
    info = simulator["serveravatar"]
    place = {"api_url": info["url"], "api_token": info["api_token"], "organization": "5", "server": "15"}
    found = lister.hosts("serveravatar", **place, name_filter="shop")
    assert found["groups"] == {"serveravatar_applications": ["shop"]}
    assert (found["shop"]["serveravatar_application"], found["shop"]["serveravatar_id"]) == ("shop", 88)
    assert "serveravatar_staging" not in found["shop"]
    detailed = lister.hosts("serveravatar", **place, details=True, groups={"staged": "serveravatar_staging.available"})
    assert "shop" in detailed["groups"]["staged"] and "serveravatar_status" in detailed["shop"]


def test_reconciliation_of_the_zones_of_an_inventory_that_are_left_by_a_limit(
    server: Server, lister: Lister, environment: dict[str, str], tmp_path: Path
) -> None:
    for zone in ZONES:
        server.drift(zone)
    playbook = Playbook(server, environment, tmp_path)
    path = lister.write("vinyldns", **server.login, name_filter="*.shop.example.")
    arguments = ("-i", str(path), "--limit", "localhost,zone0[12].*")
    played = playbook(*arguments, inventory_group="vinyldns_zones")
    assert played.code == 0, played.output
    assert played.verdicts == dict.fromkeys(ZONES[1:3], "reconciled")
    assert sorted(server.synced()) == ZONES[1:3]
    # a play over the hosts themselves: each task is one zone
    play = tmp_path / "each.yml"
    sync = {"lockstep.sync.vinyldns_zone_sync": {**server.login, "zones": ["{{ vinyldns_zone }}"], "backend": server.backend}}
    play.write_text(json.dumps([{"hosts": "vinyldns_zones", "gather_facts": False, "tasks": [sync]}]))
    done = lister.play(path, play)
    assert done.returncode == 0 and sorted(server.synced()) == ZONES, done.stdout + done.stderr


def test_a_limit_that_leaves_no_zone_syncs_none(
    server: Server, lister: Lister, environment: dict[str, str], tmp_path: Path
) -> None:
    path = lister.write("vinyldns", **server.login, name_filter="*.shop.example.")
    playbook = Playbook(server, environment, tmp_path)
    played = playbook("-i", str(path), "--limit", "localhost,zone0O.*", inventory_group="vinyldns_zones")
    assert played.code != 0 and "leaves no host of group vinyldns_zones" in played.output and server.sent() == 0
    assert played.verdict == "failed"
