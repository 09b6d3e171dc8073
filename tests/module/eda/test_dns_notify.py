# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source dns_notify on real sockets, with messages of BIND and of everybody else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import pytest

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source import dns_notify
from tests.simulator.bind import BindServer
from tests.simulator.dns_server import HOST, TsigKey, free_port, zone_text

from .source import LIMIT, Events, running

KEY = TsigKey.make("notify.")
SIGNED = {"tsig_name": KEY.name, "tsig_secret": KEY.secret}
STRANGER = "127.0.0.2"


def notify(zone: str, serial: int = 1) -> dns.message.Message:
    message = dns.message.make_query(zone, "SOA", flags=dns.flags.AA)
    message.set_opcode(dns.opcode.NOTIFY)
    message.answer.append(dns.rrset.from_text(zone, 0, "IN", "SOA", f"ns1. hostmaster. {serial} 1 1 1 1"))
    return message


async def listening(port: int) -> None:
    """Wait until the source listens."""
    for _attempt in range(int(LIMIT / 0.02)):
        with contextlib.suppress(OSError):
            _reader, writer = await asyncio.open_connection(HOST, port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the source does not listen")


async def sent(message: dns.message.Message, port: int, tcp: bool = False, source: str = HOST) -> str:
    """The code of the answer, or an empty text without one."""
    try:
        if tcp:
            response = await dns.asyncquery.tcp(message, HOST, timeout=LIMIT, port=port, source=source)
        else:
            response = await dns.asyncquery.udp(message, HOST, timeout=2, port=port, source=source)
    except (dns.exception.Timeout, EOFError, ConnectionError):
        return ""
    return dns.rcode.to_text(response.rcode())


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def bind(tmp_path: Path) -> Iterator[BindServer]:
    with BindServer(tmp_path, [KEY], {"one.example.": zone_text(), "two.example.": zone_text()}) as server:
        yield server


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_bind_is_understood(bind: BindServer, port: int, signed: bool) -> None:
    async def scenario() -> dict[str, object]:
        options = {"allowed_senders": [HOST], "zones": ["one.example"], **(SIGNED if signed else {})}
        async with running(dns_notify.main, host=HOST, port=port, **options) as events:
            await listening(port)
            await asyncio.to_thread(bind.notify, port, signed)
            for zone in ("two.example.", "one.example."):
                await asyncio.to_thread(bind.update, zone, add=[("www", 300, "A", "192.0.2.1")])
            event = await events.next()
            assert await events.none_within(0.5)
            return event

    event = asyncio.run(scenario())
    assert (event["zone"], event["serial"]) == ("one.example.", bind.serial("one.example."))
    assert event["changes"] == [{"zone": "one.example.", "serial": event["serial"], "sender": HOST, "notifications": 1}]


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_allowed_senders_have_an_answer_and_others_have_none(port: int, tcp: bool) -> None:
    async def scenario() -> list[str]:
        async with running(dns_notify.main, host=HOST, port=port, allowed_senders=[HOST], debounce=0.05) as events:
            await listening(port)
            query = dns.message.make_query("one.example.", "A")
            answers = [
                await sent(notify("unseen.example."), port, tcp, STRANGER),
                await sent(query, port, tcp, STRANGER),
                await sent(query, port, tcp),
                await sent(notify("one.example."), port, tcp),
            ]
            assert (await events.next())["zones"] == ["one.example."]
            assert await events.none_within(0.2)
            return answers

    assert asyncio.run(scenario()) == ["", "", "REFUSED", "NOERROR"]


def test_a_burst_is_few_events_and_the_last_serial_is_in_one(port: int) -> None:
    async def scenario() -> Events:
        options = {"allowed_senders": [HOST], "debounce": 0.1, "interval": 1.0}
        async with running(dns_notify.main, host=HOST, port=port, **options) as events:
            await listening(port)
            for serial in range(1, 101):
                assert await sent(notify("one.example.", serial), port) == "NOERROR"
            while not events.all or events.all[-1]["serial"] != 100:
                await events.next()
            assert await events.none_within(1.2)
            return events

    events = asyncio.run(scenario())
    # on a machine that takes longer for a hundred messages there may be more intervals
    assert sum(event["changes"][0]["notifications"] for event in events.all) <= 100
    assert len(events.all) <= 10


def test_changes_are_collected_while_the_rules_are_busy(port: int) -> None:
    """The queue has room for one event; what comes meanwhile is in one event after that."""

    async def scenario() -> list[int]:
        async with running(dns_notify.main, host=HOST, port=port, allowed_senders=[HOST], debounce=0, interval=0) as events:
            await listening(port)
            for number in range(30):
                assert await sent(notify(f"z{number}.example."), port) == "NOERROR"
            sizes = []
            while sum(sizes) < 30:
                sizes.append(len((await events.next())["zones"]))
            return sizes

    sizes = asyncio.run(scenario())
    # one in the queue, one that waits for room, and the rest
    assert len(sizes) == 3
    assert sizes[0] == sizes[1] == 1


def test_broken_and_silent_connections_keep_nobody_else_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_notify, "MAX_CONNECTIONS", 3)

    async def scenario() -> dict[str, object]:
        async with running(dns_notify.main, host=HOST, port=port, allowed_senders=[HOST], debounce=0.05) as events:
            await listening(port)
            for junk in (b"", b"\x00", b"\x00\x03abc", b"\xff\xff" + bytes(500), b"\x00\x20" + b"GET / HTTP/1.1\r\n\r\n"):
                reader, writer = await asyncio.open_connection(HOST, port)
                writer.write(junk)
                writer.write_eof()
                with contextlib.suppress(ConnectionError):
                    await asyncio.wait_for(reader.read(), LIMIT)
                writer.close()
            silent = [await asyncio.open_connection(HOST, port) for _number in range(3)]
            # they are accepted in the order of their arrival
            # one too many over TCP; over UDP they make no difference
            assert await sent(notify("over-tcp.example."), port, tcp=True) == ""
            assert await sent(notify("one.example."), port) == "NOERROR"
            event = await events.next()
            for _reader, writer in silent:
                writer.close()
                await writer.wait_closed()
            for _attempt in range(int(LIMIT / 0.05)):
                if await sent(notify("two.example."), port, tcp=True) == "NOERROR":
                    break
                await asyncio.sleep(0.05)
            assert (await events.next())["zone"] == "two.example."
            return event

    assert asyncio.run(scenario())["zone"] == "one.example."


def test_a_silent_connection_ends(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_notify, "IDLE_SECONDS", 0.1)

    async def scenario() -> bytes:
        async with running(dns_notify.main, host=HOST, port=port, allowed_senders=[HOST]):
            await listening(port)
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"\x00")
            end = await asyncio.wait_for(reader.read(), LIMIT)
            writer.close()
            await writer.wait_closed()
            return end

    assert asyncio.run(scenario()) == b""


def test_several_messages_over_one_connection(port: int) -> None:
    async def scenario() -> list[str]:
        async with running(dns_notify.main, host=HOST, port=port, allowed_senders=[HOST], debounce=0.2) as events:
            await listening(port)
            reader, writer = await asyncio.open_connection(HOST, port)
            for zone in ("one.example.", "two.example."):
                wire = notify(zone).to_wire()
                writer.write(len(wire).to_bytes(2, "big") + wire)
            for _zone in range(2):
                length = int.from_bytes(await reader.readexactly(2), "big")
                assert dns.message.from_wire(await reader.readexactly(length)).rcode() == dns.rcode.NOERROR
            writer.close()
            await writer.wait_closed()
            zones: list[str] = []
            while len(zones) < 2:
                zones += (await events.next())["zones"]
            return zones

    assert asyncio.run(scenario()) == ["one.example.", "two.example."]


def test_a_port_that_is_taken_is_an_error(port: int) -> None:
    async def scenario() -> None:
        with socket.create_server((HOST, port)):
            await dns_notify.main(Events(), {"host": HOST, "port": port, "allowed_senders": [HOST]})

    with pytest.raises(OSError, match="in use"):
        asyncio.run(scenario())


def test_an_option_that_is_wrong_is_an_error(port: int) -> None:
    with pytest.raises(ValueError, match="allowed_senders"):
        asyncio.run(dns_notify.main(Events(), {"port": port}))
