# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real, unprivileged ``named`` on a loopback port, in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import quote

import dns.exception
import dns.message
import dns.query
import dns.rcode

from .dns_server import ANYONE, HOST, DnsServer, DnsServerError, TsigKey, ZoneSpec, absolute, free_port

TRANSFERS_OUT = 10  # as shipped
REFUSED_TRANSFER = "AXFR request denied: quota reached"  # in the log
START_SECONDS = 15.0
LOAD_SECONDS = 60.0
STOP_SECONDS = 30.0
START_ATTEMPTS = 3  # somebody else may take the port between choosing and using it
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/homebrew/sbin")  # often missing from a user's PATH

NAMED_CONF = """\
options {{
    directory "{folder}";
    pid-file "{folder}/named.pid";
    session-keyfile "{folder}/session.key";
    managed-keys-directory "{folder}";
    listen-on port {port} {{ {host}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify no;
    dnssec-validation no;
    empty-zones-enable no;
    check-names primary ignore;
    check-integrity no;
    tcp-clients 500;
    transfers-out {transfers_out};
}};
controls {{ inet {host} port {control_port} allow {{ {host}; }} keys {{ "control"; }}; }};
include "{folder}/control.key";
include "{folder}/keys.conf";
include "{folder}/zones.conf";
"""
KEY_CONF = 'key "{name}" {{ algorithm {algorithm}; secret "{secret}"; }};\n'
ZONE_CONF = (
    'zone "{name}" {{ type primary; file "{file}"; allow-transfer {{ {transfer} }}; allow-update {{ {update} }}; {notify}}};\n'
)
NOTIFY_CONF = "notify explicit; also-notify {{ {host} port {port}{key}; }}; "


def find_named() -> str | None:
    return _find("named")


def _ending_with_parent(command: list[str]) -> list[str]:
    """A test run that is killed cannot stop named; where util-linux is there, the kernel does.

    To the kernel the parent is the thread that starts the server, so that thread has to outlive it.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command


def _find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path=":".join(SYSTEM_FOLDERS))


class BindServer(DnsServer):
    """Starts with the object and runs until ``stop``."""

    kind: ClassVar[Literal["bind", "embedded"]] = "bind"

    def __init__(self, workdir: Path, keys: Iterable[TsigKey], zones: Mapping[str, ZoneSpec | str] | None = None) -> None:
        super().__init__(keys)
        named, rndc = find_named(), _find("rndc")
        if named is None or rndc is None:
            raise DnsServerError("BIND is not installed: neither PATH nor the system folders have both named and rndc")
        self._named, self._rndc = named, rndc
        self._folder = workdir / "bind"
        self._folder.mkdir(parents=True)
        self._specs: dict[str, ZoneSpec] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._control_port = 0
        self._transfers_out = TRANSFERS_OUT
        self._notify = ""
        self._write_keys()
        self._write_zones(zones or {})
        self._start()

    def add_zones(self, zones: Mapping[str, ZoneSpec | str]) -> None:
        replaced = [name for name in zones if absolute(name) in self._specs]
        if replaced:  # named keeps what it has loaded unless the zone goes away in between
            self.remove_zones(replaced)
        self._write_zones(zones)
        self._reconfigure()
        self._await_zones(absolute(name) for name in zones)

    def remove_zones(self, names: Iterable[str]) -> None:
        gone = [absolute(name) for name in names]
        for name in gone:
            self._specs.pop(name, None)
        self._write_zone_list()
        self._reconfigure()
        for name in gone:  # the journal too, or it would be replayed into the next zone of that name
            for file in self._folder.glob(_file_name(name) + "*"):
                file.unlink()

    def notify(self, port: int | None, signed: bool = False) -> None:
        """Send NOTIFY for every change to a port on loopback from now on, or no longer.

        :param signed: by the first key of the server.
        """
        key = f' key "{self.tsig.name}"' if signed else ""
        self._notify = NOTIFY_CONF.format(host=HOST, port=port, key=key) if port else ""
        self._write_zone_list()
        self._reconfigure()

    @property
    def notifies(self) -> bool:
        return bool(self._notify)

    def zone_names(self) -> list[str]:
        return list(self._specs)

    def limit_transfers(self, number: int) -> None:
        """Serve no more than so many at a time, and answer others with SERVFAIL."""
        if number != self._transfers_out:
            self._transfers_out = number
            self._write_conf()
            self._reconfigure()

    @property
    def refused_transfers(self) -> int:
        """How many have been refused for that."""
        return self._log().count(REFUSED_TRANSFER)

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

    def _write_keys(self) -> None:
        text = "".join(KEY_CONF.format(name=key.name, algorithm=key.algorithm, secret=key.secret) for key in self.keys.values())
        (self._folder / "keys.conf").write_text(text, encoding="ascii")
        control = TsigKey.make("control")
        text = KEY_CONF.format(name=control.name, algorithm=control.algorithm, secret=control.secret)
        (self._folder / "control.key").write_text(text, encoding="ascii")

    def _write_zones(self, zones: Mapping[str, ZoneSpec | str]) -> None:
        for name, zone in zones.items():
            spec = ZoneSpec(zone) if isinstance(zone, str) else zone
            self._specs[absolute(name)] = spec
            (self._folder / _file_name(absolute(name))).write_text(spec.text, encoding="utf-8")
        self._write_zone_list()

    def _write_zone_list(self) -> None:
        text = "".join(self._zone_conf(name, spec) for name, spec in self._specs.items())
        (self._folder / "zones.conf").write_text(text, encoding="utf-8")

    def _zone_conf(self, name: str, spec: ZoneSpec) -> str:
        transfer, update = self._acl(spec.transfer), self._acl(spec.update)
        return ZONE_CONF.format(name=name, file=_file_name(name), transfer=transfer, update=update, notify=self._notify)

    def _acl(self, names: tuple[str, ...] | None) -> str:
        chosen = tuple(self.keys) if names is None else names
        entries = [ANYONE if name == ANYONE else f'key "{name}"' for name in chosen] or ["none"]
        return "; ".join(entries) + ";"

    def _start(self) -> None:
        for attempt in range(1, START_ATTEMPTS + 1):
            self.port, self._control_port = free_port(), free_port()
            try:
                self._run()
                self._await_zones(self._specs)
                return
            except DnsServerError:
                self.stop()
                if attempt == START_ATTEMPTS:
                    raise

    def _write_conf(self) -> None:
        places = {"folder": self._folder, "host": HOST, "port": self.port, "control_port": self._control_port}
        conf = NAMED_CONF.format(**places, transfers_out=self._transfers_out)
        (self._folder / "named.conf").write_text(conf, encoding="utf-8")

    def _run(self) -> None:
        self._write_conf()
        command = [self._named, "-g", "-4", "-n", "1", "-c", str(self._folder / "named.conf")]
        with (self._folder / "named.log").open("wb") as log:
            self._process = subprocess.Popen(_ending_with_parent(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while self._rcode(".", 0.2) is None:
            if self._process.poll() is not None:
                raise DnsServerError(f"named ended at once (does AppArmor forbid it to read {self._folder}?)\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise DnsServerError(f"named does not answer\n{self._log_tail()}")

    def _reconfigure(self) -> None:
        command = [self._rndc, "-s", HOST, "-p", str(self._control_port), "-k", str(self._folder / "control.key"), "reconfig"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DnsServerError(f"rndc reconfig failed: {done.stderr.strip()}\n{self._log_tail()}")

    def _await_zones(self, names: Iterable[str]) -> None:
        """named loads zones after it has said yes."""
        deadline = time.monotonic() + LOAD_SECONDS
        for name in names:
            while self._rcode(name, 1.0) != dns.rcode.NOERROR:
                if time.monotonic() > deadline or self._failed_to_load(name):
                    raise DnsServerError(f"named did not load {name}\n{self._log_tail()}")
                time.sleep(0.005)

    def _failed_to_load(self, name: str) -> bool:
        return f"zone {name.rstrip('.')}/IN: not loaded due to errors" in self._log_tail(1_000_000)

    def _rcode(self, name: str, seconds: float) -> dns.rcode.Rcode | None:
        try:
            query = dns.message.make_query(name, "SOA")
            return dns.query.udp(query, self.server, port=self.port, timeout=seconds).rcode()
        except (dns.exception.Timeout, OSError):
            time.sleep(0.01)
            return None

    def _log_tail(self, size: int = 2000) -> str:
        return self._log()[-size:]

    def _log(self) -> str:
        return (self._folder / "named.log").read_text(encoding="utf-8", errors="replace")


def _file_name(zone: str) -> str:
    """One flat file per zone; zone names may hold slashes."""
    return quote(zone, safe="") + "zone"
