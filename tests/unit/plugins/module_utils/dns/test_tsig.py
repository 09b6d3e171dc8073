# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures over transfers of several messages, of which a server need not sign each (RFC 8945 section 5.3.1)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import dns.message
import dns.rcode
import dns.rdata
import dns.tsig
import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import transfer
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import ResourceRecord
from tests.unit.plugins.module_utils.dns.conftest import KEY, Scripted
from tests.unit.plugins.module_utils.dns.transfers import HOST, SOA, respond, unverified

SIGNED = Backend("server.test", tsig_name=KEY.name, tsig_secret=KEY.secret, tsig_algorithm=KEY.algorithm)
MakeScripted = Callable[..., Scripted]


def without_signature(query: bytes, *answers: str) -> bytes:
    return respond(query, *answers, tsig=None)


def with_tsig(message: bytes, record: dns.rdata.Rdata) -> bytes:
    """The message with a TSIG record of KEY at its end, as it is; dnspython 2.3 would sign it."""
    data = record.to_wire() or b""
    head = (KEY.key.name.to_wire() or b"") + b"\x00\xfa\x00\xff\x00\x00\x00\x00" + len(data).to_bytes(2, "big")
    return message[:10] + b"\x00\x01" + message[12:] + head + data


def signing(query: bytes, messages: list[bytes], signed: set[int], late: int = 0) -> Iterator[bytes]:
    """The messages, some of them signed, as a server does it that signs not all of them; ``late`` is an error of its clock."""
    request = dns.message.from_wire(query, keyring=KEY.key)
    context: Any = None
    now = int(time.time()) + late
    for index, message in enumerate(messages):
        if index not in signed:
            context.update(message)
            yield message
            continue
        assert request.tsig is not None
        blank = request.tsig[0].replace(mac=b"", time_signed=now, original_id=request.id)
        sign: Any = dns.tsig.sign
        record, context = sign(message, KEY.key, blank, now, request.mac, context, True)
        yield with_tsig(message, record)


def fetch(scripted: MakeScripted, count: int, signed: set[int], spoil: int | None = None) -> list[ResourceRecord]:
    """A transfer of ``count`` messages; ``spoil`` is one that is changed on its way."""

    def script(query: bytes, kind: int) -> Iterator[bytes]:
        parts = [[SOA], *[[HOST]] * (count - 2), [SOA]]
        messages = [without_signature(query, *answers) for answers in parts]
        for index, message in enumerate(signing(query, messages, signed)):
            yield message.replace(b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02") if index == spoil else message

    return list(transfer("example.com.", SIGNED, 10, connect=scripted(script)))


def refusal(call: Callable[[], object]) -> SyncError:
    with pytest.raises(SyncError) as caught:
        call()
    assert caught.value.code == "auth_failed"
    assert KEY.secret not in caught.value.message + caught.value.hint
    return caught.value


@pytest.mark.parametrize("signed", [{0, 1, 2, 3, 4}, {0, 4}, {0, 2, 4}])
def test_a_signature_may_cover_several_messages(scripted: MakeScripted, signed: set[int]) -> None:
    assert len(fetch(scripted, 5, signed)) == 4


def test_a_change_in_an_unsigned_message_shows_in_the_next_signature(scripted: MakeScripted) -> None:
    assert "signature of the answer is wrong" in refusal(lambda: fetch(scripted, 5, {0, 4}, spoil=2)).message


def test_a_change_in_a_signed_message_shows(scripted: MakeScripted) -> None:
    assert "signature of the answer is wrong" in refusal(lambda: fetch(scripted, 5, {0, 1, 2, 3, 4}, spoil=2)).message


def test_the_last_message_must_be_signed(scripted: MakeScripted) -> None:
    assert "last message is not signed" in refusal(lambda: fetch(scripted, 5, {0, 1, 2, 3})).message


def test_99_messages_in_a_row_may_be_unsigned(scripted: MakeScripted) -> None:
    assert len(fetch(scripted, 101, {0, 100})) == 100
    assert "more than 99" in refusal(lambda: fetch(scripted, 102, {0, 101})).message


def test_the_first_message_must_be_signed(scripted: MakeScripted) -> None:
    connector = scripted(lambda query, kind: [without_signature(query, SOA, HOST, SOA)])
    assert "the answer is not signed" in refusal(lambda: list(transfer("example.com.", SIGNED, 5, connect=connector))).message


def test_a_signature_of_another_key_counts_for_nothing(scripted: MakeScripted) -> None:
    def script(query: bytes, kind: int) -> Iterator[bytes]:
        for message in signing(query, [without_signature(query, SOA, HOST, SOA)], {0}):
            yield message.replace(b"\x0fkey-hmac-sha256", b"\x0fkey-hmac-sha255")

    assert (
        "signature of the answer is wrong"
        in refusal(lambda: list(transfer("example.com.", SIGNED, 5, connect=scripted(script)))).message
    )


@pytest.mark.parametrize("late", [-1000, 1000])
def test_a_signature_of_another_time_is_a_matter_of_clocks(scripted: MakeScripted, late: int) -> None:
    def script(query: bytes, kind: int) -> Iterator[bytes]:
        yield from signing(query, [without_signature(query, SOA, HOST, SOA)], {0}, late)

    error = refusal(lambda: list(transfer("example.com.", SIGNED, 5, connect=scripted(script))))
    assert "BADTIME: the clock of the server differs from this host's, and TSIG allows 300 s" in error.message
    assert "NTP" in error.hint


def test_a_malformed_signature_is_a_bad_response(scripted: MakeScripted) -> None:
    def script(query: bytes, kind: int) -> Iterator[bytes]:
        message = without_signature(query, SOA, HOST, SOA)
        yield message[:10] + b"\x00\x01" + message[12:] + b"\x00\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x02xx"

    with pytest.raises(SyncError) as caught:
        list(transfer("example.com.", SIGNED, 5, connect=scripted(script)))
    assert caught.value.code == "bad_response"


@pytest.mark.parametrize("error", [dns.rcode.BADTRUNC, dns.rcode.BADMODE])
def test_other_complaints_about_the_key_are_passed_on(scripted: MakeScripted, error: dns.rcode.Rcode) -> None:
    def script(query: bytes, kind: int) -> list[bytes]:
        request = dns.message.from_wire(query, keyring=KEY.key)
        assert request.tsig is not None
        reply = dns.message.make_response(unverified(query))
        reply.set_rcode(dns.rcode.NOTAUTH)
        return [with_tsig(reply.to_wire(), request.tsig[0].replace(mac=b"", error=error))]

    error_text = refusal(lambda: list(transfer("example.com.", SIGNED, 5, connect=scripted(script)))).message
    assert f"the server rejects {SIGNED.key}" in error_text


def test_a_host_without_the_algorithm_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*args: object, **more: object) -> None:
        raise ValueError("[digital envelope routines] unsupported")

    monkeypatch.setattr(dns.tsig, "sign", unavailable)

    def connect(source: Backend, kind: int, timeout: float) -> socket.socket:
        raise AssertionError("nothing is to be sent")

    with pytest.raises(SyncError) as caught:
        list(transfer("example.com.", Backend("server.test", 53, KEY.name, KEY.secret, "hmac-md5"), 5, connect=connect))
    assert caught.value.code == "invalid_option"
    assert "hmac-md5" in caught.value.message
