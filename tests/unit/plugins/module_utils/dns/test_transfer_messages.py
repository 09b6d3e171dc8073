# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The messages of a transfer: in pieces, incomplete, unsigned, of any octets."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable, Iterator

import dns.name
import dns.rcode
import dns.rdata
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import DriftBuilder
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import transfer
from tests.simulator.dns_embedded import EmbeddedServer
from tests.unit.plugins.module_utils.dns.conftest import Scripted, backend
from tests.unit.plugins.module_utils.dns.transfers import HOST, SOA, UNSIGNED, ZONE, MakeScripted, failure, fetch, respond, run


@pytest.mark.parametrize("fault", ["truncated", "no_final_soa"])
def test_a_transfer_without_its_end_is_no_transfer(embedded: EmbeddedServer, fault: str) -> None:
    embedded.set_fault(fault)  # type: ignore[arg-type]  # one of its faults
    error = failure(lambda: fetch(ZONE, backend(embedded)), "bad_response")
    assert "before the closing SOA" in error.message


def test_a_transfer_that_should_be_signed_and_is_not_is_not_trusted(embedded: EmbeddedServer) -> None:
    embedded.set_fault("unsigned")
    assert "not signed" in failure(lambda: fetch(ZONE, backend(embedded)), "auth_failed").message


def test_a_transfer_whose_end_is_not_signed_is_not_trusted(embedded: EmbeddedServer) -> None:
    embedded.set_fault("unsigned_end")
    assert "last message is not signed" in failure(lambda: fetch("empty.example.", backend(embedded)), "auth_failed").message


def test_a_backend_that_lost_its_records_is_transferred_as_it_is(embedded: EmbeddedServer) -> None:
    embedded.set_fault("apex_only")
    builder = DriftBuilder(ZONE)
    builder.add_backend(transfer(ZONE, backend(embedded), 20))
    assert builder.finish().empty


def test_a_transfer_may_come_in_any_pieces(scripted: MakeScripted) -> None:
    whole = run(scripted, lambda query: respond(query, SOA, HOST, SOA))
    single = run(
        scripted, lambda query: respond(query, SOA), lambda query: respond(query, HOST), lambda query: respond(query, SOA)
    )
    assert [record.rdtype for record in whole] == [6, 1]
    assert single == whole

    def in_octets(query: bytes, kind: int) -> Iterator[bytes]:
        message = respond(query, SOA, HOST, SOA)
        for octet in struct.pack("!H", len(message)) + message:
            yield bytes((octet,))

    assert fetch(ZONE, UNSIGNED, 5, connect=scripted(in_octets, framed=False)) == whole


def test_a_server_that_cannot_wait_until_records_are_processed_is_emptied_meanwhile(scripted: MakeScripted) -> None:
    def script(query: bytes, kind: int) -> Iterator[bytes]:
        yield respond(query, SOA)
        text = f"t.example.com. 1 IN TYPE65280 \\# 50000 {'00' * 50000}"
        message = respond(query, text)
        yield from [message] * 40
        yield respond(query, SOA)

    records = transfer(ZONE, UNSIGNED, 20, connect=scripted(script, patience=0.5))
    next(records)
    # 2 MB do not fit into the buffers of the connection
    time.sleep(1)
    assert len(list(records)) == 40


def test_records_keep_their_order_and_their_own_ttl(scripted: MakeScripted) -> None:
    hosts = [f"{name}.example.com. {ttl} IN A 192.0.2.{ttl}" for name, ttl in (("www", 9), ("X", 8), ("www", 1))]
    records = run(scripted, lambda query: respond(query, SOA, *hosts, SOA))
    assert [(record.owner[1:2], record.ttl, record.rdata[-1]) for record in records[1:]] == [
        (b"w", 9, 9),
        (b"X", 8, 8),
        (b"w", 1, 1),
    ]


@pytest.mark.parametrize("data", ["MX 10 www.example.com.", "RP www.example.com. example.com.", "SRV 1 2 3 www.example.com."])
def test_names_in_data_are_expanded(scripted: MakeScripted, data: str) -> None:
    _soa, record = run(scripted, lambda query: respond(query, SOA, f"example.com. 300 IN {data}", SOA))
    rdtype, text = data.split(" ", 1)
    assert record.rdata == dns.rdata.from_text("IN", rdtype, text, dns.name.root, relativize=False).to_wire()


def test_data_of_unknown_types_is_left_alone(scripted: MakeScripted) -> None:
    _soa, record = run(scripted, lambda query: respond(query, SOA, "example.com. 300 IN TYPE65280 \\# 2 ffff", SOA))
    assert (record.rdtype, record.rdata) == (65280, b"\xff\xff")


def test_later_messages_may_lack_the_question(scripted: MakeScripted) -> None:
    bare = run(scripted, lambda query: respond(query, SOA), lambda query: respond(query, HOST, SOA, question=[]))
    assert len(bare) == 2


def test_records_of_other_classes_are_left_out(scripted: MakeScripted) -> None:
    assert len(run(scripted, lambda query: respond(query, SOA, "x.example.com. 1 CH TXT x", HOST, SOA))) == 2


def test_the_soa_may_differ_in_case(scripted: MakeScripted) -> None:
    assert len(run(scripted, lambda query: respond(query, SOA, HOST, "EXAMPLE.com. 300 IN SOA A. b. 7 1 2 3 4"))) == 2


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([[HOST, SOA]], "begin with the SOA"),
        ([["www.example.com. 300 IN SOA a. b. 7 1 2 3 4"]], "begin with the SOA"),
        ([[SOA, HOST, "example.com. 300 IN SOA a. b. 8 1 2 3 4"]], "end with the SOA"),
        ([[SOA, HOST, "www.example.com. 300 IN SOA a. b. 7 1 2 3 4"]], "end with the SOA"),
        ([[SOA, HOST, SOA, HOST]], "after the closing SOA"),
        ([[SOA], [HOST]], "cut off after 2 records"),
        ([[SOA]], "cut off after 1 records"),
        ([[], [SOA, HOST]], "cut off"),
    ],
)
def test_a_transfer_begins_and_ends_with_the_soa(scripted: MakeScripted, replies: list[list[str]], reason: str) -> None:
    script = [lambda query, answers=answers: respond(query, *answers) for answers in replies]
    assert reason in failure(lambda: run(scripted, *script), "bad_response").message


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (lambda query: respond(query, SOA, SOA, id=struct.unpack("!H", query[:2])[0] ^ 1), "does not belong to the query"),
        (lambda query: query, "does not belong to the query"),
        (lambda query: respond(query.replace(b"\x07example", b"\x07exemple"), SOA, SOA), "answers another query"),
        (lambda query: respond(query[:-3] + b"\x01\x00\x01", SOA, SOA), "answers another query"),
        (lambda query: respond(query, SOA, HOST, SOA)[:-1], "malformed answer"),
        (lambda query: respond(query, SOA, HOST, SOA)[:5], "malformed answer"),
        (lambda query: respond(query, SOA, HOST, SOA) + b"x", "malformed answer"),
        (lambda query: respond(query, SOA, rcode=dns.rcode.NOTIMP), "NOTIMP"),
        (lambda query: respond(query, SOA, flags=0x8006), "YXDOMAIN"),
        (lambda query: respond(query, SOA, flags=0x800C), "response code 12"),
        (
            lambda query: respond(query, SOA, HOST, SOA).replace(b"\x00\x04\xc0\x00\x02\x01", b"\x00\x03\xc0\x00\x02"),
            "malformed answer",
        ),
    ],
)
def test_nonsense_is_a_bad_response(scripted: MakeScripted, reply: Callable[[bytes], bytes], reason: str) -> None:
    assert reason in failure(lambda: run(scripted, reply), "bad_response").message


def test_trouble_in_the_middle_is_trouble(scripted: MakeScripted) -> None:
    replies = (lambda query: respond(query, SOA, HOST), lambda query: respond(query, rcode=dns.rcode.SERVFAIL))
    assert "SERVFAIL" in failure(lambda: run(scripted, *replies), "bad_response").message


# -- any octets -------------------------------------------------------------------------------------------------------


def test_no_flipped_bit_gets_through_a_signature(shared_embedded: EmbeddedServer, scripted: MakeScripted) -> None:
    shared_embedded.clear_faults()
    source = backend(shared_embedded)
    good = fetch("open.example.", source, 5, connect=scripted(lambda query, kind: shared_embedded.answer(query, tcp=True)))
    assert len(good) == 3

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 10**6), st.integers(0, 7))
    def flip(position: int, bit: int) -> None:
        def script(query: bytes, kind: int) -> Iterator[bytes]:
            (message,) = shared_embedded.answer(query, tcp=True)
            changed = bytearray(message)
            # the header's id is not signed but compared
            changed[position % len(changed)] ^= 1 << bit
            yield bytes(changed)

        try:
            records = fetch("open.example.", source, 5, connect=scripted(script))
        except SyncError:
            return
        # the case of names in the signature's own record is not protected, and means nothing
        assert records == good

    flip()


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=5))
def test_any_octets_are_a_transfer_or_a_clean_failure(changes: list[tuple[int, int]]) -> None:
    def script(query: bytes, kind: int) -> Iterator[bytes]:
        message = bytearray(
            respond(
                query, SOA, HOST, "m.example.com. 1 IN MX 1 www.example.com.", 'n.example.com. 1 IN NAPTR 1 2 "a" "b" "c" .', SOA
            )
        )
        for position, value in changes:
            message[position % len(message)] = value
        yield bytes(message)

    connector = Scripted(script)
    with contextlib.suppress(SyncError):
        fetch(ZONE, UNSIGNED, 5, connect=connector)
    connector.close()
