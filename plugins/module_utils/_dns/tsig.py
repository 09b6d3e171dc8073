# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Signed questions and verified answers (RFC 8945). The one user of dnspython."""

from __future__ import annotations

import traceback
import typing as t

from .._core.clock import Clock
from .._core.errors import SyncError
from . import wire
from .backend import Request

DNSPYTHON_IMPORT_ERROR: str | None
try:
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.rdtypes.ANY.TSIG
    import dns.tsig

    DNSPYTHON_IMPORT_ERROR = None
except ImportError:
    DNSPYTHON_IMPORT_ERROR = traceback.format_exc()

TSIG = 250
#: seconds by which two clocks may differ (RFC 8945 section 10 recommends it)
FUDGE = 300
#: messages in a row that a server may leave unsigned (RFC 8945 section 5.3.1)
MAX_UNSIGNED = 99


class Signature(t.Protocol):
    """What protects one question and its answers."""

    def sign(self, query: bytes) -> bytes:
        """The question as it is to be sent."""

    def verify(self, message: bytes, record: wire.RawRecord | None) -> None:
        """Check one answer.

        :param record: its TSIG record.
        :raises SyncError: ``auth_failed`` or ``bad_response``.
        """

    def finish(self) -> None:
        """Check that the last answer was signed.

        :raises SyncError: ``auth_failed``.
        """


def signature(request: Request, clock: Clock) -> Signature:
    """The protection that a backend asks for.

    :raises SyncError: ``invalid_option`` if this host cannot provide it.
    """
    if request.backend.tsig_name is None:
        return _Unsigned()
    if DNSPYTHON_IMPORT_ERROR is not None:
        raise request.error("invalid_option", "TSIG needs the Python library dnspython", "Install dnspython, or do without TSIG.")
    return _Signed(request, clock)


class _Unsigned:
    def sign(self, query: bytes) -> bytes:
        return query

    def verify(self, message: bytes, record: wire.RawRecord | None) -> None:
        return

    def finish(self) -> None:
        return


class _Signed:
    def __init__(self, request: Request, clock: Clock) -> None:
        backend = request.backend
        algorithm = getattr(dns.tsig, backend.tsig_algorithm.upper().replace("-", "_"))
        self._request = request
        self._clock = clock
        self._key = dns.tsig.Key(t.cast(str, backend.tsig_name), backend.secret_octets(), algorithm)
        self._request_mac = b""
        self._context: t.Any = None
        self._unsigned = 0

    def sign(self, query: bytes) -> bytes:
        key, now = self._key, self._now()
        identifier = int.from_bytes(query[:2], "big")
        blank = _untyped(dns.rdtypes.ANY.TSIG.TSIG)(
            dns.rdataclass.ANY, dns.rdatatype.TSIG, key.algorithm, now, FUDGE, b"", identifier, 0, b""
        )
        try:
            signed, _dummy = _untyped(dns.tsig.sign)(query, key, blank, now, b"")
        except (ValueError, NotImplementedError):
            # a host in FIPS mode has no MD5
            problem = f"this host cannot compute {self._request.backend.tsig_algorithm}"
            raise self._request.error("invalid_option", problem, "Use a key with another algorithm.") from None
        self._request_mac = signed.mac
        record = _record(t.cast(bytes, key.name.to_wire()), signed.to_wire())
        additionals = int.from_bytes(query[10:12], "big") + 1
        return query[:10] + additionals.to_bytes(2, "big") + query[12:] + record

    def verify(self, message: bytes, record: wire.RawRecord | None) -> None:
        if record is None:
            self._accept_unsigned(message)
            return
        now = self._now()
        try:
            owner, _dummy = dns.name.from_wire(record.owner, 0)
            tsig = dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, message, record.start, record.end - record.start)
            self._context = _untyped(dns.tsig.validate)(
                message, self._key, owner, tsig, now, self._request_mac, record.offset, self._context, True
            )
        except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
            raise self._skewed(now, t.cast(t.Any, tsig)) from None
        except dns.exception.DNSException as error:
            raise self._rejected(error) from None
        self._unsigned = 0

    def finish(self) -> None:
        if self._unsigned:
            raise self._untrusted("the last message is not signed")

    def _accept_unsigned(self, message: bytes) -> None:
        if self._context is None:
            raise self._untrusted("the answer is not signed")
        self._unsigned += 1
        if self._unsigned > MAX_UNSIGNED:
            raise self._untrusted(f"more than {MAX_UNSIGNED} messages in a row are not signed")
        self._context.update(message)

    def _skewed(self, now: int, tsig: t.Any) -> SyncError:
        # a server that rejects our time sends its own as other data (RFC 8945 section 5.2.3)
        theirs = int.from_bytes(tsig.other, "big") if len(tsig.other) == 6 else tsig.time_signed
        skew = theirs - now
        return self._request.error(
            "auth_failed",
            f"BADTIME: the clock of the server is {abs(skew)} s {'ahead of' if skew >= 0 else 'behind'} this host's, "
            f"and TSIG allows {FUDGE} s",
            "Synchronise the clocks of both hosts (NTP).",
        )

    def _rejected(self, error: Exception) -> SyncError:
        key = self._request.backend.key
        if isinstance(error, dns.tsig.PeerBadKey):
            problem = f"BADKEY: the server does not know {key}"
            return self._request.error("auth_failed", problem, "Check backend.tsig_name and backend.tsig_algorithm.")
        if isinstance(error, dns.tsig.PeerBadSignature):
            problem = f"BADSIG: the server has another secret for {key}"
            return self._request.error("auth_failed", problem, "Check backend.tsig_secret and backend.tsig_algorithm.")
        if isinstance(error, dns.tsig.PeerError):
            return self._request.error("auth_failed", f"the server rejects {key}: {error}", "Check the key on both sides.")
        if isinstance(error, (dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm)):
            return self._untrusted("the signature of the answer is wrong")
        return self._request.error("bad_response", "the TSIG record of the answer is malformed", "Look at the server's log.")

    def _untrusted(self, problem: str) -> SyncError:
        problem = f"{problem}, though the question was signed with {self._request.backend.key}"
        return self._request.error("auth_failed", problem, "Check the key on both sides, and what lies between them.")

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _record(owner: bytes, data: bytes) -> bytes:
    """A TSIG record in wire format (RFC 8945 section 4.2): class ANY, TTL 0."""
    return owner + TSIG.to_bytes(2, "big") + b"\x00\xff" + bytes(4) + len(data).to_bytes(2, "big") + data


def _untyped(function: t.Any) -> t.Any:
    """A part of dnspython that has no annotations."""
    return function
