# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of DNS servers that we did not write: dig, nsupdate and dnspython."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import dns.message
import dns.query
import dns.tsig
import pytest

from tests.simulator.bind import find_named
from tests.simulator.dns_server import ALGORITHMS, ANYONE, DnsServer, TsigKey, ZoneSpec, zone_text

needs_bind = pytest.mark.skipif(find_named() is None, reason="BIND is not installed")
needs_tools = pytest.mark.skipif(not (shutil.which("dig") and shutil.which("nsupdate")), reason="dig or nsupdate is missing")

KEYS = [TsigKey.make("main."), *(TsigKey.make(f"{name}.", name) for name in ALGORITHMS), TsigKey.make("reader.")]
REVERSE = "0/27.2.0.192.in-addr.arpa."
ZONES = {
    "example.com": zone_text(
        [
            "www A 192.0.2.1",
            "www A 192.0.2.2",
            "alias CNAME www",
            "*.wild TXT any",
            "sub NS ns.elsewhere.example.",
            "many TXT " + " ".join(f'"{i:0200}"' for i in range(6)),
        ],
        serial=10,
    ),
    REVERSE: zone_text(["1 PTR www.example.com."]),
    "guarded.example": ZoneSpec(zone_text(), transfer=("reader.",), update=()),
    "open.example": ZoneSpec(zone_text(), transfer=(ANYONE,), update=(ANYONE,)),
}


def ask(server: DnsServer, name: str, rdtype: str, tcp: bool = False, key: dns.tsig.Key | None = None) -> dns.message.Message:
    query = dns.message.make_query(name, rdtype, use_edns=False)
    if key is not None:
        query.use_tsig(key)
    send: Callable[..., dns.message.Message] = dns.query.tcp if tcp else dns.query.udp
    return send(query, server.server, port=server.port, timeout=5)


def dig(server: DnsServer, *arguments: str, key: TsigKey | None = None) -> str:
    sign = ["-y", f"{key.algorithm}:{key.name}:{key.secret}"] if key else []
    command = ["dig", f"@{server.server}", "-p", str(server.port), "+time=3", "+tries=1", *sign, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def nsupdate(server: DnsServer, zone: str, *commands: str, key: TsigKey | None = None) -> str:
    head = [f"server {server.server} {server.port}", f"zone {zone}"]
    head += [f"key {key.algorithm}:{key.name} {key.secret}"] if key else []
    script = "\n".join([*head, *commands, "send", ""])
    return subprocess.run(["nsupdate"], input=script, capture_output=True, text=True, check=False).stderr.strip()
