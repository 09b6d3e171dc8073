# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a newcomer does: the mistakes that most people make, and then a first reconciliation.

Commands run in a fresh environment and a fresh home directory, against the emulator of VinylDNS and its DNS server.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulator.client import Simulator

from .fresh import FreshEnvironment

#: what the addresses of the emulator are called on the page; its ports differ with each run
API, DNS_PORT = "http://127.0.0.1:9000", 5300

CHECK = "ansible-playbook lockstep.sync.reconcile_dns -e @zones.yml --check --diff"
RUN = "ansible-playbook lockstep.sync.reconcile_dns -e @zones.yml"

#: lines of output that are about what happened; all others are names of tasks and the like
ESSENTIAL = re.compile(r'^(    "msg": |        "|---|\+\+\+|@@|[+-]\w|localhost +: )')


@dataclass(frozen=True)
class Files:
    """What the newcomer has written."""

    zone: str = "example.com."
    key: bool = True

    def text(self, port: int) -> str:
        key = (
            "  tsig_name: vinyldns.\n  tsig_secret: \"{{ lookup('ansible.builtin.env', 'TRANSFER_KEY') }}\"\n" if self.key else ""
        )
        zones = f"dns_reconciliation_zones: [{self.zone}]\n"
        return f"# zones.yml\n{zones}dns_reconciliation_backend:\n  server: 127.0.0.1\n  port: {port}\n{key}"


@dataclass(frozen=True)
class Stop:
    """One command of the walk.

    :param title: heading on the page.
    :param text: what is said before the command.
    :param command: as it is typed.
    :param remedy: a part of the message that says what to do; empty for a command that succeeds.
    :param unset: which environment variables are missing.
    :param other: environment variables with a wrong value.
    :param prepare: what was done before, in the environment.
    """

    title: str
    text: str
    command: str
    remedy: str = ""
    files: Files = field(default_factory=Files)
    unset: tuple[str, ...] = ()
    other: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[FreshEnvironment], None] | None = None


def _requirements(environment: FreshEnvironment) -> None:
    environment.install("requests")
    environment.install("dnspython")


CREDENTIALS = ("VINYLDNS_API_URL", "VINYLDNS_ACCESS_KEY_ID", "VINYLDNS_SECRET_ACCESS_KEY")

WALK = (
    Stop(
        "The libraries are missing",
        "The collection is installed, and `pip install requests dnspython` was forgotten:",
        CHECK,
        remedy="-m pip install requests",
        prepare=FreshEnvironment.install_collection,
    ),
    Stop(
        "The credentials are missing",
        "The libraries are there, and the three variables are not exported in this shell:",
        CHECK,
        remedy="environment variable VINYLDNS_API_URL",
        unset=CREDENTIALS,
        prepare=_requirements,
    ),
    Stop(
        "A wrong address",
        "The port of `VINYLDNS_API_URL` is wrong:",
        CHECK,
        remedy="Check api_url",
        other={"VINYLDNS_API_URL": "http://127.0.0.1:9"},
    ),
    Stop(
        "A wrong key",
        "The secret key was copied without its last character:",
        CHECK,
        remedy="Check access_key and secret_key",
        other={"VINYLDNS_SECRET_ACCESS_KEY": "okSecretKe"},
    ),
    Stop(
        "A typing error in the zone",
        "`zones.yml` has `exmaple.com.`:",
        CHECK,
        remedy="Check the name or id of the zone",
        files=Files(zone="exmaple.com."),
    ),
    Stop(
        "The DNS server refuses the transfer",
        "`zones.yml` has no TSIG key, and the DNS server wants one:",
        CHECK,
        remedy="give the key that it is allowed to (backend.tsig_name, backend.tsig_secret)",
        files=Files(key=False),
    ),
    Stop("Look", "Everything is right. Three records differ, and nothing is changed yet:", CHECK),
    Stop("Reconcile", "The same without `--check`:", RUN),
    Stop("Again", "A second run finds nothing to do:", RUN),
)


@dataclass(frozen=True)
class Result:
    """What a command printed.

    :param status: its exit status.
    :param lines: the essential lines of its output.
    """

    status: int
    lines: tuple[str, ...]


def walk(directory: Path, simulator: Simulator) -> Iterator[tuple[Stop, Result]]:
    """Go all the way, in a fresh home below a directory, with a simulator that has nothing but VinylDNS."""
    server = simulator["vinyldns"]
    home = directory / "home"
    home.mkdir()
    environment = FreshEnvironment(directory / "venv")
    _let_drift(simulator, server["zone"])
    variables = {
        "PATH": f"{environment.bin}{os.pathsep}{os.defpath}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TRANSFER_KEY": server["dns"]["tsig_secret"],
        **dict(zip(CREDENTIALS, (server["url"], server["access_key"], server["secret_key"]), strict=True)),
    }
    for stop in WALK:
        if stop.prepare:
            stop.prepare(environment)
        (home / "zones.yml").write_text(stop.files.text(server["dns"]["port"]))
        known = {name: value for name, value in variables.items() if name not in stop.unset}
        result = _run(stop.command, {**known, **stop.other}, home)
        names = {
            server["url"]: API,
            f"127.0.0.1:{server['dns']['port']}": f"127.0.0.1:{DNS_PORT}",
            str(environment.bin): "/home/newcomer/venv/bin",
            f"{platform.node()}'s": "controller's",
        }
        yield stop, _with_names(result, names)


def _let_drift(simulator: Simulator, zone: str) -> None:
    changes = {
        "add": [["new", 300, "A", "192.0.2.77"]],
        "replace": [["mail", 60, "A", "192.0.2.25"]],
        "delete": [["www", "A"]],
    }
    simulator.control.part("vinyldns", "POST", "/dns/update", {"zone": zone, **changes})


def _run(command: str, variables: dict[str, str], home: Path) -> Result:
    done = subprocess.run(
        command.split(),
        executable=str(Path(variables["PATH"].partition(os.pathsep)[0], command.split()[0])),
        env=variables,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = tuple(line.rstrip() for line in done.stdout.splitlines() if ESSENTIAL.match(line))
    return Result(done.returncode, lines)


def _with_names(result: Result, names: dict[str, str]) -> Result:
    """The result with the addresses and paths that the page has.

    :param names: what they are called there.
    """
    lines = []
    for line in result.lines:
        for here, there in names.items():
            line = line.replace(here, there)
        lines.append(line)
    return Result(result.status, tuple(lines))


def message(result: Result) -> str:
    """The message of the last task."""
    (line,) = [line for line in result.lines if line.startswith('    "msg": ')]
    text: str = json.loads(f"{{{line.rstrip(',')}}}")["msg"]
    return text
