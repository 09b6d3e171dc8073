# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both DNS servers against clients that we did not write: dig, nsupdate and dnspython."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
import dns.xfr
import dns.zone
import pytest

from tests.simulator.bind import BindServer, find_named
from tests.simulator.client import wait_until
from tests.simulator.dns_embedded import EmbeddedServer
from tests.simulator.dns_server import (
    ALGORITHMS,
    ANYONE,
    DnsServer,
    DnsServerError,
    TsigKey,
    ZoneSpec,
    start_dns,
    zone_text,
)

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


@pytest.fixture(scope="module")
def embedded() -> Iterator[DnsServer]:
    with EmbeddedServer(KEYS, ZONES) as server:
        yield server


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsServer]:
    with BindServer(tmp_path_factory.mktemp("named"), KEYS, ZONES) as server:
        yield server


@pytest.fixture(params=["embedded", pytest.param("bind", marks=needs_bind)])
def server(request: pytest.FixtureRequest) -> DnsServer:
    """As at the start; not to be changed."""
    found: DnsServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def changing(server: DnsServer) -> Iterator[DnsServer]:
    """Loaded anew after the test."""
    yield server
    server.add_zones(ZONES)


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


# -- queries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tcp", [False, True])
def test_an_authoritative_answer(server: DnsServer, tcp: bool) -> None:
    answer = ask(server, "WWW.example.com", "A", tcp)
    assert answer.flags & dns.flags.AA
    assert sorted(rdata.to_text() for rdata in answer.answer[0]) == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize(
    ("name", "rdtype", "rcode", "section"),
    [
        ("example.com", "SOA", "NOERROR", "answer"),
        ("alias.example.com", "CNAME", "NOERROR", "answer"),
        ("x.wild.example.com", "TXT", "NOERROR", "answer"),
        ("www.example.com", "MX", "NOERROR", "authority"),
        ("nx.example.com", "A", "NXDOMAIN", "authority"),
        ("wild.example.com", "A", "NOERROR", "authority"),
        ("below.sub.example.com", "A", "NOERROR", "authority"),
        (REVERSE, "SOA", "NOERROR", "answer"),
        ("example.org", "SOA", "REFUSED", None),
    ],
)
def test_what_exists_and_what_does_not(server: DnsServer, name: str, rdtype: str, rcode: str, section: str | None) -> None:
    answer = ask(server, name, rdtype)
    filled = [part for part in ("answer", "authority") if getattr(answer, part)]
    assert (dns.rcode.to_text(answer.rcode()), filled[:1]) == (rcode, [section] if section else [])


def test_delegations_are_not_authoritative(server: DnsServer) -> None:
    answer = ask(server, "below.sub.example.com", "A")
    assert not answer.flags & dns.flags.AA
    assert answer.authority[0].rdtype == dns.rdatatype.NS


def test_big_answers_are_truncated_over_udp_only(server: DnsServer) -> None:
    assert ask(server, "many.example.com", "TXT").flags & dns.flags.TC
    assert len(ask(server, "many.example.com", "TXT", tcp=True).answer[0][0].to_text()) > 1200


# -- TSIG --------------------------------------------------------------------------------------------------------------


@needs_tools
@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_algorithm_transfers_for_dig(server: DnsServer, key: TsigKey) -> None:
    shown = dig(server, "AXFR", REVERSE, key=key)
    assert "XFR size: 4 records" in shown
    assert "verify signature" not in shown


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (TsigKey.make("stranger."), dns.tsig.PeerBadKey),
        (TsigKey("main.", TsigKey.make("other.").secret), dns.tsig.PeerBadSignature),
        (TsigKey("main.", TsigKey.make("main.").secret, "hmac-sha512"), dns.tsig.PeerBadKey),
    ],
)
def test_wrong_keys_are_distinguished(server: DnsServer, key: TsigKey, error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(server, "example.com", "SOA", key=key.key)
    with pytest.raises(error):
        server.transfer("example.com", key)


def test_a_wrong_clock_is_badtime(server: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    query = dns.message.make_query("example.com", "SOA")
    query.use_tsig(server.tsig.key)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 5000)
    wire = query.to_wire()
    monkeypatch.undo()
    with socket.create_connection((server.server, server.port), timeout=5) as sock:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        answer = sock.recv(65535)[2:]
    with pytest.raises(dns.tsig.PeerBadTime):
        dns.message.from_wire(answer, keyring=server.tsig.key, request_mac=query.mac)
    assert answer[3] & 15 == dns.rcode.NOTAUTH


@needs_tools
@pytest.mark.parametrize(
    ("zone", "key", "shown"),
    [
        ("example.com", None, "Transfer failed"),
        ("guarded.example", KEYS[0], "Transfer failed"),
        ("guarded.example", KEYS[-1], "XFR size: 3 records"),
        ("open.example", None, "XFR size: 3 records"),
        ("nowhere.example", KEYS[0], "Transfer failed"),
    ],
)
def test_who_may_transfer(server: DnsServer, zone: str, key: TsigKey | None, shown: str) -> None:
    assert shown in dig(server, "AXFR", zone, key=key)


def test_refusals_of_transfers_have_the_right_code(server: DnsServer) -> None:
    for zone, key, rcode in (
        ("example.com", None, dns.rcode.REFUSED),
        ("guarded.example", KEYS[0], dns.rcode.REFUSED),
        ("nowhere.example", KEYS[0], dns.rcode.NOTAUTH),
    ):
        assert ask(server, zone, "AXFR", tcp=True, key=key.key if key else None).rcode() == rcode
    assert ask(server, "open.example", "AXFR").rcode() == dns.rcode.FORMERR


# -- transfers ---------------------------------------------------------------------------------------------------------


def test_a_big_transfer_takes_several_signed_messages(server: DnsServer) -> None:
    server.add_zone("big.example", zone_text(f"h{i} TXT {'x' * 100}" for i in range(2000)))
    query = dns.message.make_query("big.example", "AXFR")
    query.use_tsig(server.tsig.key)
    wire, messages, soas = query.to_wire(), 0, 0
    with socket.create_connection((server.server, server.port), timeout=5) as sock, sock.makefile("rb") as stream:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        while soas < 2:
            messages += 1
            answer = stream.read(struct.unpack("!H", stream.read(2))[0])
            parsed = dns.message.from_wire(answer, keyring=False, xfr=True)
            soas += sum(rrset.rdtype == dns.rdatatype.SOA for rrset in parsed.answer)
    assert messages > 2
    assert len(server.transfer("big.example").nodes) == 2001


# -- updates -----------------------------------------------------------------------------------------------------------


@needs_tools
def test_nsupdate_changes_records_and_the_serial(changing: DnsServer) -> None:
    commands = [
        "update add new.example.com 60 A 192.0.2.9",
        "update delete alias.example.com",
        "update delete www.example.com A 192.0.2.1",
    ]
    assert nsupdate(changing, "example.com", *commands, key=changing.tsig) == ""
    assert changing.serial("example.com") == 11
    found = changing.transfer("example.com")
    assert found.find_rdataset("new.example.com.", "A").ttl == 60
    assert [rdata.to_text() for rdata in found.find_rdataset("www.example.com.", "A")] == ["192.0.2.2"]
    assert found.get_node("alias.example.com.") is None


@needs_tools
@pytest.mark.parametrize(
    ("zone", "prerequisite", "key", "error"),
    [
        ("example.com", "prereq yxdomain www.example.com", KEYS[0], ""),
        ("example.com", "prereq nxdomain www.example.com", KEYS[0], "update failed: YXDOMAIN"),
        ("example.com", "prereq yxdomain nx.example.com", KEYS[0], "update failed: NXDOMAIN"),
        ("example.com", "prereq yxrrset www.example.com A", KEYS[0], ""),
        ("example.com", "prereq yxrrset www.example.com TXT", KEYS[0], "update failed: NXRRSET"),
        ("example.com", "prereq nxrrset www.example.com A", KEYS[0], "update failed: YXRRSET"),
        ("example.com", "prereq yxrrset alias.example.com CNAME www.example.com.", KEYS[0], ""),
        ("example.com", "prereq yxrrset alias.example.com CNAME nx.example.com.", KEYS[0], "update failed: NXRRSET"),
        ("example.com", "", None, "update failed: REFUSED"),
        ("guarded.example", "", KEYS[0], "update failed: REFUSED"),
        ("open.example", "", None, ""),
        ("nowhere.example", "", KEYS[0], "update failed: NOTAUTH"),
    ],
)
def test_prerequisites_and_permissions(
    changing: DnsServer, zone: str, prerequisite: str, key: TsigKey | None, error: str
) -> None:
    shown = nsupdate(changing, zone, prerequisite, f"update add x.{zone} 60 A 192.0.2.9", key=key)
    # nsupdate may add its own words about the signature of a refusal.
    assert error in shown if error else shown == ""


def test_updates_that_change_nothing_leave_the_serial_alone(changing: DnsServer) -> None:
    changing.update("example.com", delete=[("nx",)])
    changing.update("example.com", add=[("www", 300, "A", "192.0.2.1")])
    assert changing.serial("example.com") == 10


def test_the_apex_survives_deletion(changing: DnsServer) -> None:
    changing.update("example.com", delete=[("@",)], add=[("@", 60, "TXT", "here")])
    found = changing.transfer("example.com")
    types = {dns.rdatatype.to_text(rdataset.rdtype) for rdataset in found.find_node("example.com.")}
    assert types == {"SOA", "NS", "TXT"}


def test_an_alias_has_no_other_data(changing: DnsServer) -> None:
    changing.update("example.com", add=[("alias", 60, "A", "192.0.2.1"), ("www", 60, "CNAME", "x.example.com.")])
    found = changing.transfer("example.com")
    assert found.get_rdataset("alias.example.com.", "A") is None
    assert found.get_rdataset("www.example.com.", "CNAME") is None


def test_refused_updates_are_an_error(server: DnsServer) -> None:
    with pytest.raises(DnsServerError, match=r"update of guarded\.example: REFUSED"):
        server.update("guarded.example", add=[("x", 60, "A", "192.0.2.1")])


# -- zones come and go -------------------------------------------------------------------------------------------------


def test_zones_are_added_replaced_and_removed(server: DnsServer) -> None:
    server.add_zones({"late.example": zone_text(["a A 192.0.2.1"], serial=7)})
    server.update("late.example", add=[("b", 60, "A", "192.0.2.2")])
    assert server.serial("late.example") == 8
    server.add_zone("late.example", zone_text(serial=3))
    assert server.serial("late.example") == 3
    assert len(server.transfer("late.example").nodes) == 1
    server.remove_zones(["late.example"])
    assert "late.example." not in server.zone_names()
    with pytest.raises(DnsServerError, match="REFUSED"):
        server.serial("late.example")


def test_any_serial_can_be_set(changing: DnsServer) -> None:
    changing.set_serial("example.com", 4)
    assert changing.serial("example.com") == 4
    assert len(changing.transfer("example.com").find_rdataset("www.example.com.", "A")) == 2


def test_many_zones_come_fast(server: DnsServer) -> None:
    names = [f"z{i}.example" for i in range(300)]
    server.add_zones(dict.fromkeys(names, zone_text()))
    assert {server.serial(name) for name in names} == {1}
    server.remove_zones(names)


# -- starting and stopping ---------------------------------------------------------------------------------------------


def test_stopping_frees_the_port() -> None:
    server = EmbeddedServer(KEYS, ZONES)
    server.stop()
    server.stop()
    with socket.socket() as probe:
        assert probe.connect_ex((server.server, server.port)) != 0


@needs_bind
def test_bind_stops_only_its_own_process(tmp_path: Path) -> None:
    zones = {"example.com": ZONES["example.com"]}
    with BindServer(tmp_path / "1", KEYS[:1], zones) as first, BindServer(tmp_path / "2", KEYS[:1], zones) as second:
        started = time.monotonic()
        first.stop()
        assert time.monotonic() - started < 4, "it obeyed, it was not killed"
        assert second.serial("example.com") == 10


@needs_bind
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is missing")
def test_bind_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time\n"
        "from tests.simulator.bind import BindServer\n"
        "from tests.simulator.dns_server import TsigKey\n"
        "server = BindServer(pathlib.Path(sys.argv[1]), [TsigKey.make('k.')])\n"
        "print(server.port, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: not _listens(port), seconds=5)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@needs_bind
def test_a_zone_that_does_not_load_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DnsServerError, match=r"did not load broken\.example"):
        BindServer(tmp_path, KEYS, {"broken.example": "@ IN SOA nonsense"})


def test_without_bind_the_message_is_clear_and_auto_is_embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.simulator.bind.SYSTEM_FOLDERS", ())
    with pytest.raises(DnsServerError, match="BIND is not installed"):
        start_dns("bind", tmp_path, KEYS, ZONES)
    with start_dns("auto", tmp_path, KEYS, ZONES) as server:
        assert server.kind == "embedded"


@needs_bind
def test_auto_is_bind_where_it_is_installed(tmp_path: Path) -> None:
    with start_dns("auto", tmp_path, KEYS, ZONES) as server:
        assert server.kind == "bind"


# -- misbehaviour of the embedded server -------------------------------------------------------------------------------


@pytest.fixture
def broken(embedded: EmbeddedServer) -> Iterator[EmbeddedServer]:
    embedded.add_zones(ZONES)
    yield embedded
    embedded.clear_faults()


@pytest.mark.parametrize("fault", ["truncated", "no_final_soa"])
def test_transfers_that_end_early(broken: EmbeddedServer, fault: str) -> None:
    broken.set_fault(fault)  # type: ignore[arg-type]
    with pytest.raises(EOFError):
        broken.transfer("example.com")


def test_an_apex_only_transfer_is_well_formed(broken: EmbeddedServer) -> None:
    broken.set_fault("apex_only")
    found = broken.transfer("example.com")
    assert [len(node.rdatasets) for node in found.nodes.values()] == [2]


def test_a_dripping_transfer_is_complete_and_slow(broken: EmbeddedServer) -> None:
    broken.set_fault("drip")
    broken.drip_seconds = 0.02
    started = time.monotonic()
    assert len(broken.transfer("example.com").nodes) == 6
    assert time.monotonic() - started >= 8 * 0.02


@pytest.mark.parametrize("fault", ["unsigned", "unsigned_end"])
def test_an_unsigned_transfer_is_noticed(broken: EmbeddedServer, fault: str) -> None:
    broken.set_fault(fault)  # type: ignore[arg-type]
    with pytest.raises(dns.exception.FormError, match="TSIG"):
        broken.transfer("example.com")


@pytest.mark.parametrize(("fault", "rcode"), [("refused", "REFUSED"), ("servfail", "SERVFAIL")])
def test_refusals_hit_what_they_are_meant_for(broken: EmbeddedServer, fault: str, rcode: str) -> None:
    broken.set_fault(fault, "example.com")  # type: ignore[arg-type]
    with pytest.raises(dns.xfr.TransferError, match=rcode):
        broken.transfer("example.com")
    assert broken.serial("example.com") == 10
    assert len(broken.transfer(REVERSE).nodes) == 2
    broken.set_fault(fault, "example.com", on="query")  # type: ignore[arg-type]
    assert dns.rcode.to_text(ask(broken, "www.example.com", "A").rcode()) == rcode
    broken.set_fault(fault, "example.com", on="update")  # type: ignore[arg-type]
    with pytest.raises(DnsServerError, match=rcode):
        broken.update("example.com", delete=[("www",)])


def test_silence_ends_with_the_server() -> None:
    with EmbeddedServer(KEYS, ZONES) as server:
        server.set_fault("silent", on="query")
        query = dns.message.make_query("example.com", "SOA")
        with pytest.raises(dns.exception.Timeout):
            dns.query.udp(query, server.server, port=server.port, timeout=0.1)
        with pytest.raises(dns.exception.Timeout):
            dns.query.tcp(query, server.server, port=server.port, timeout=0.1)
        started = time.monotonic()
    assert time.monotonic() - started < 2


def test_unknown_faults_are_refused(broken: EmbeddedServer) -> None:
    with pytest.raises(ValueError, match="unknown DNS fault 'nope'"):
        broken.set_fault("nope")  # type: ignore[arg-type]


def test_garbage_is_a_format_error(broken: EmbeddedServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(b"\x12\x34" + b"\xff" * 20, (broken.server, broken.port))
        answer = sock.recv(512)
    assert answer[:2] == b"\x12\x34"
    assert answer[3] & 15 == dns.rcode.FORMERR
