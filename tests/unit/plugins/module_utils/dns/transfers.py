# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transfers and SOA queries as the tests make them, and answers that dnspython makes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import transfer
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import ResourceRecord
from tests.unit.plugins.module_utils.dns.conftest import KEY, Scripted

ZONE = "example.com."
UNSIGNED = Backend("server.test", 53)
MakeScripted = Callable[..., Scripted]
SOA = "example.com. 300 IN SOA a. b. 7 1 2 3 4"
HOST = "www.example.com. 300 IN A 192.0.2.1"


def fetch(zone: str, source: Backend, seconds: float = 20, **more: object) -> list[ResourceRecord]:
    return list(transfer(zone, source, seconds, **more))  # type: ignore[arg-type]  # connect and clock


def run(scripted: MakeScripted, *replies: Callable[[bytes], bytes]) -> list[ResourceRecord]:
    return fetch(ZONE, UNSIGNED, 5, connect=scripted(lambda query, kind: [reply(query) for reply in replies]))


def failure(call: Callable[[], object], code: str, secret: str = KEY.secret) -> SyncError:
    with pytest.raises(SyncError) as caught:
        call()
    error = caught.value
    assert (error.code, bool(error.hint)) == (code, True)
    assert secret not in error.message + error.hint + repr(error.__context__)
    return error


def unverified(octets: bytes, **options: bool) -> dns.message.Message:
    """The message without its signature, for ``keyring=False`` is not known to the oldest dnspython that is supported."""
    message = dns.message.from_wire(octets, continue_on_error=True, **options)  # type: ignore[arg-type]
    assert [error.exception for error in message.errors if not isinstance(error.exception, dns.message.UnknownTSIGKey)] == []
    return message


def respond(query: bytes, *answers: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR, **changes: object) -> bytes:
    """An answer made by dnspython; ``changes`` are attributes of the message."""
    request = unverified(query)
    message = dns.message.make_response(request)
    message.flags |= dns.flags.AA
    message.set_rcode(rcode)
    for answer in answers:
        name, ttl, rdclass, rdtype, data = answer.split(" ", 4)
        message.answer.append(dns.rrset.from_text(name, int(ttl), rdclass, rdtype, data))
    for attribute, value in changes.items():
        setattr(message, attribute, value)
    return message.to_wire()


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """What is done inside takes at least this long, and not for ever; a busy machine takes its time, too."""
    begun = time.monotonic()
    yield
    assert seconds * 0.9 <= time.monotonic() - begun <= seconds + 20
