# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Knot DNS, NSD and PowerDNS on loopback ports, each with one zone that a TSIG key is needed to transfer."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

import dns.exception
import dns.message
import dns.query
import dns.rcode

from tests.simulator.dns_server import HOST, TsigKey, free_port

START_SECONDS = 30.0
STOP_SECONDS = 5.0
REMEDY = "run scripts/install-dns-servers"
#: Debian installs servers where only root's PATH leads to
PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def program(name: str) -> str:
    """:raises AssertionError: if it is not installed."""
    found = shutil.which(name, path=PATH)
    assert found, f"{name} is not installed: {REMEDY}"
    return found


class RealServer(ABC):
    """Runs from ``with`` on, in a folder of its own."""

    name: ClassVar[str]

    def __init__(self, folder: Path, zone: str, text: str, key: TsigKey) -> None:
        self.folder = folder
        self.zone = zone.rstrip(".")
        self.key = key
        self.port = free_port()
        self.zone_file = folder / "zone.db"
        self.zone_file.write_text(f"$ORIGIN {self.zone}.\n{text}")
        self._log = (folder / "log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Write the configuration; what starts the server in the foreground."""

    def reload(self, text: str) -> None:
        """Serve the zone with other contents: started again, which all servers do alike."""
        self.stop()
        self.zone_file.write_text(f"$ORIGIN {self.zone}.\n{text}")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self.command(), stdout=self._log, stderr=self._log, cwd=self.folder)
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            text = (self.folder / "log").read_text(errors="replace")
            assert self._process.poll() is None, f"{self.name} ended: {text}"
            assert time.monotonic() < end, f"{self.name} does not answer: {text}"
            time.sleep(0.05)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def run(self, *command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def _answers(self) -> bool:
        query = dns.message.make_query(self.zone, "SOA")
        try:
            answer = dns.query.tcp(query, HOST, port=self.port, timeout=1)
        except (OSError, EOFError, dns.exception.DNSException):
            return False
        return answer.rcode() == dns.rcode.NOERROR and bool(answer.answer)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self._log.close()


class Bind(RealServer):
    name = "bind"

    def command(self) -> list[str]:
        configuration = self.folder / "named.conf"
        configuration.write_text(f"""
options {{
    directory "{self.folder}"; pid-file none; session-keyfile none; managed-keys-directory "{self.folder}";
    listen-on port {self.port} {{ {HOST}; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no;
    check-names primary ignore; check-integrity no;
}};
controls {{ }};
key "{self.key.name}" {{ algorithm {self.key.algorithm}; secret "{self.key.secret}"; }};
zone "{self.zone}" {{ type primary; file "{self.zone_file}"; allow-transfer {{ key "{self.key.name}"; }}; }};
""")
        return [program("named"), "-g", "-n", "1", "-c", str(configuration)]


class Knot(RealServer):
    name = "knot"

    def command(self) -> list[str]:
        configuration = self.folder / "knot.conf"
        configuration.write_text(f"""
server:
    listen: {HOST}@{self.port}
    rundir: "{self.folder}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{self.folder}/db"
key:
  - id: {self.key.name}
    algorithm: {self.key.algorithm}
    secret: {self.key.secret}
acl:
  - id: transfer
    key: {self.key.name}
    action: transfer
zone:
  - domain: {self.zone}
    file: "{self.zone_file}"
    acl: transfer
    semantic-checks: off
    zonefile-sync: -1
    journal-content: none
""")
        return [program("knotd"), "-c", str(configuration)]


class Nsd(RealServer):
    name = "nsd"

    def command(self) -> list[str]:
        configuration = self.folder / "nsd.conf"
        configuration.write_text(f"""
server:
    ip-address: {HOST}@{self.port}
    server-count: 1
    username: ""
    zonesdir: "{self.folder}"
    database: ""
    pidfile: "{self.folder}/nsd.pid"
    xfrdfile: "{self.folder}/xfrd.state"
    zonelistfile: "{self.folder}/zone.list"
    xfrdir: "{self.folder}"
remote-control:
    control-enable: no
key:
    name: "{self.key.name}"
    algorithm: {self.key.algorithm}
    secret: "{self.key.secret}"
zone:
    name: "{self.zone}"
    zonefile: "{self.zone_file}"
    provide-xfr: 127.0.0.0/8 "{self.key.name}"
""")
        return [program("nsd"), "-d", "-c", str(configuration)]


class PowerDns(RealServer):
    name = "powerdns"

    def command(self) -> list[str]:
        zones, keys = self.folder / "zones.conf", self.folder / "keys.sqlite3"
        zones.write_text(f'zone "{self.zone}" {{ type native; file "{self.zone_file}"; }};\n')
        (self.folder / "pdns.conf").write_text(f"""
launch=bind
bind-config={zones}
bind-dnssec-db={keys}
local-address={HOST}
local-port={self.port}
socket-dir={self.folder}
daemon=no
guardian=no
receiver-threads=1
distributor-threads=1
disable-axfr=no
allow-axfr-ips=
webserver=no
""")
        if not keys.exists():
            tool = (program("pdnsutil"), f"--config-dir={self.folder}")
            self.run(*tool, "create-bind-db", str(keys))
            self.run(*tool, "import-tsig-key", self.key.name, self.key.algorithm, self.key.secret)
            self.run(*tool, "set-meta", self.zone, "TSIG-ALLOW-AXFR", self.key.name.rstrip("."))
        return [program("pdns_server"), f"--config-dir={self.folder}"]


SERVERS: tuple[type[RealServer], ...] = (Bind, Knot, Nsd, PowerDns)
