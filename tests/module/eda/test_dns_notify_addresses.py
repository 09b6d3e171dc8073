# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source dns_notify on addresses of both families."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source import dns_notify
from tests.simulator.dns_server import free_port

from .source import LIMIT, running

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return False
        raise


async def sent(zone: str, address: str, port: int, tcp: bool) -> str:
    """The code of the answer."""
    message = dns.message.make_query(zone, "SOA", flags=dns.flags.AA)
    message.set_opcode(dns.opcode.NOTIFY)
    ask = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    for _attempt in range(int(LIMIT / 0.1)):
        with contextlib.suppress(OSError, dns.exception.Timeout):
            response = await ask(message, address, timeout=2, port=port)
            return dns.rcode.to_text(response.rcode())
        await asyncio.sleep(0.1)
    return ""


@pytest.mark.parametrize("hosts", [("0.0.0.0", "::"), ("::", "0.0.0.0")], ids=["IPv4 first", "IPv6 first"])
def test_each_family_has_a_source_at_the_same_port(hosts: tuple[str, str]) -> None:
    """One address would be taken by the other source, if a socket for IPv6 were one for IPv4 as well."""
    families = hosts if has_ipv6() else ("0.0.0.0",)
    port = free_port()

    async def scenario() -> list[tuple[str, object]]:
        found = []
        async with contextlib.AsyncExitStack() as stack:
            for host in families:
                options = {"host": host, "port": port, "allowed_senders": [ANY[host]], "interval": 0, "debounce": 0}
                events = await stack.enter_async_context(running(dns_notify.main, **options))
                # it listens before the next one begins
                for tcp in (True, False):
                    zone = f"{host.count(':')}-{tcp}.example.".lower()
                    assert await sent(zone, ANY[host], port, tcp) == "NOERROR"
                    event = await events.next()
                    assert event["zone"] == zone
                    found.append((host, event["changes"][0]["sender"]))
        return found

    assert asyncio.run(scenario()) == [(host, ANY[host]) for host in families for _protocol in "ut"]
