# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NOTAUTH is about the key, the permission or the zone, and some servers do not sign it whichever it is (Knot DNS, PowerDNS)."""

from __future__ import annotations

from collections.abc import Callable

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import Backend
from tests.unit.plugins.module_utils.dns.conftest import KEY
from tests.unit.plugins.module_utils.dns.test_tsig import signing
from tests.unit.plugins.module_utils.dns.transfers import SOA, UNSIGNED, ZONE, MakeScripted, failure, fetch, respond, unverified

SIGNED = Backend("server.test", tsig_name=KEY.name, tsig_secret=KEY.secret, tsig_algorithm=KEY.algorithm)
Reply = Callable[[bytes], bytes]


def refuse(rcode: dns.rcode.Rcode) -> Reply:
    """Without a signature."""
    return lambda query: respond(query, rcode=rcode, tsig=None)


def serve(query: bytes) -> bytes:
    """The SOA, signed if the query is."""
    answer = respond(query, SOA, tsig=None)
    return next(signing(query, [answer], {0})) if dns.message.from_wire(query, keyring=KEY.key).had_tsig else answer


@pytest.mark.parametrize(
    ("source", "soa", "code", "problem"),
    [
        (SIGNED, serve, "permission_denied", f"does not allow this host or key to transfer the zone (asked with {SIGNED.key})"),
        (SIGNED, refuse(dns.rcode.REFUSED), "not_found", f"is not authoritative for the zone (asked with {SIGNED.key})"),
        (SIGNED, refuse(dns.rcode.NXDOMAIN), "not_found", f"is not authoritative for the zone (asked with {SIGNED.key})"),
        (SIGNED, refuse(dns.rcode.NOTAUTH), "auth_failed", f"rejects {SIGNED.key}"),
        (SIGNED, refuse(dns.rcode.SERVFAIL), "auth_failed", f"rejects {SIGNED.key}"),
        (UNSIGNED, serve, "permission_denied", "does not allow this host or key to transfer the zone (asked with no TSIG key)"),
        (UNSIGNED, refuse(dns.rcode.REFUSED), "not_found", "is not authoritative for the zone (asked with no TSIG key)"),
    ],
)
def test_the_answer_to_another_query_says_what_a_refused_transfer_is_about(
    source: Backend, soa: Reply, code: str, problem: str, scripted: MakeScripted
) -> None:
    def script(query: bytes, kind: int) -> list[bytes]:
        is_transfer = unverified(query).question[0].rdtype == dns.rdatatype.AXFR
        return [refuse(dns.rcode.NOTAUTH)(query) if is_transfer else soa(query)]

    error = failure(lambda: fetch(ZONE, source, 20, connect=scripted(script)), code)
    assert f"NOTAUTH: the server {problem}" in error.message
