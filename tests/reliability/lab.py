# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A place for one attack on the guards: a simulator with BIND behind it, what stands in between, and the module."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.module.dns_servers import RealServer, program
from tests.module.process import ModuleProcess
from tests.simulator.client import Simulator
from tests.simulator.dns_server import HOST, TsigKey

from .dns_proxy import DnsProxy

Json = dict[str, Any]

ZONE, OTHER = "attacked.example.", "healthy.example."
HOSTS = [f"host{number:02d} 300 A 192.0.2.{number}" for number in range(20)]
NEW = "new 300 A 198.51.100.1"
STUCK = 120.0


class BindWithViews(RealServer):
    """BIND that shows another zone to each of two keys.

    :param inside: what the second key sees.
    """

    name = "bind with views"

    def __init__(self, folder: Path, key: TsigKey, outside: str, inside: str) -> None:
        super().__init__(folder, ZONE, outside, key)
        self.inside_key = TsigKey.make("inside.")
        (folder / "inside.db").write_text(f"$ORIGIN {ZONE}\n{inside}")

    def command(self) -> list[str]:
        view = """view "{name}" {{ match-clients {{ {clients}; }};
            zone "{zone}" {{ type primary; file "{file}"; allow-transfer {{ {transfer}; }}; }}; }};\n"""
        inside, outside = f'key "{self.inside_key.name}"', "any"
        views = view.format(name="inside", clients=inside, zone=self.zone, file=self.folder / "inside.db", transfer=inside)
        views += view.format(name="outside", clients=outside, zone=self.zone, file=self.zone_file, transfer=outside)
        keys = [
            f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n' for key in (self.key, self.inside_key)
        ]
        (self.folder / "named.conf").write_text(f"""
options {{
    directory "{self.folder}"; pid-file none; session-keyfile none; managed-keys-directory "{self.folder}";
    listen-on port {self.port} {{ {HOST}; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no;
    check-names primary ignore; check-integrity no;
}};
controls {{ }};
{"".join(keys)}{views}""")
        return [program("named"), "-g", "-n", "1", "-c", str(self.folder / "named.conf")]


class Lab:
    """A simulator, what an attack has started, and the module.

    :param folder: for files; of this attack alone.
    """

    def __init__(self, simulator: Simulator, folder: Path, stack: contextlib.ExitStack) -> None:
        self.simulator, self.folder, self.stack = simulator, folder, stack
        info = simulator["vinyldns"]
        self.url: str = info["url"]
        self.login: Json = {"access_key": info["access_key"], "secret_key": info["secret_key"]}
        self.backend: Json = {key: value for key, value in info["dns"].items() if key != "kind"}
        simulator.reset()
        self.add(OTHER, dns=[*HOSTS, NEW])

    def add(self, name: str = ZONE, **order: Any) -> None:
        self._control("POST", "/zones", {"zones": [{"name": name, "records": HOSTS, **order}]})

    def update(self, zone: str = ZONE, **changes: Any) -> None:
        self._control("POST", "/dns/update", {"zone": zone, **changes})

    def ruin(self) -> None:
        """The backend loses three quarters of the zone."""
        self.update(delete=[[f"host{number:02d}", "A"] for number in range(5, 20)])

    def serial(self, serial: int) -> None:
        self._control("POST", "/dns/serial", {"zone": ZONE, "serial": serial})

    def put(self, name: str, address: str) -> None:
        """A record set that only VinylDNS has."""
        record = {"name": name, "type": "A", "ttl": 300, "records": [{"address": address}]}
        self._control("POST", "/record-sets", {"zone": ZONE, "put": [record]})

    def proxy(self) -> DnsProxy:
        return self.stack.enter_context(DnsProxy(int(self.backend["port"]), ZONE))

    def by(self, proxy: DnsProxy, **more: Any) -> Json:
        """The option ``backend`` for a proxy."""
        return {**self.backend, "server": HOST, "port": proxy.port, **more}

    def syncs(self, zone: str = ZONE) -> int:
        """Syncs of a zone that the server accepted."""
        return len(self._control("GET", "/syncs", None, zone=zone)["syncs"])

    def stored(self) -> int:
        """Record sets that VinylDNS has of the attacked zone."""
        return len(self._control("GET", "/zone", None, name=ZONE)["record_sets"])

    def run(self, check: bool = False, **options: Any) -> Json:
        """The result of the module for the attacked zone, or for ``zones``."""
        given = {"api_url": self.url, **self.login, "zones": ZONE, "backend": self.backend, "settle_grace": 2, **options}
        arguments = {**given, "poll_min_interval": 0.1, "_ansible_check_mode": check, "_ansible_remote_tmp": "~/.ansible/tmp"}
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LOCKSTEP_LEDGER": str(folder / "ledger.sqlite3")}
        text = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
        _code, output, errors = ModuleProcess("vinyldns_zone_sync", text, environment, folder).finish(STUCK)
        if "Traceback" in output + errors:
            raise RuntimeError(output + errors)
        found: Json = json.loads(output)
        return found

    def _control(self, method: str, path: str, body: object = None, /, **query: Any) -> Any:
        return self.simulator.control.part("vinyldns", method, path, body, **query)
