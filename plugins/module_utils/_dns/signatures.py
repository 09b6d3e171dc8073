# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Signs a query by TSIG (RFC 8945), and verifies the messages of its answer; dnspython computes."""

from __future__ import annotations

import contextlib
import time
import typing as t

from .._core.errors import SyncError
from .backend import Request
from .messages import Message, Signature
from .wire import Malformed

# transfer.py reports that dnspython is missing
with contextlib.suppress(ImportError):
    import dns.exception
    import dns.message
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.tsig

#: seconds by which two clocks may differ (RFC 8945 section 10 recommends it)
FUDGE = 300
#: messages in a row that a server may leave unsigned (RFC 8945 section 5.3.1)
MAX_UNSIGNED = 99


class Signatures:
    """The key of a query, if it has one, and which of its answers are signed."""

    def __init__(self, request: Request, query: dns.message.Message) -> None:
        self._request = request
        self._query = query
        self._context: t.Any = None
        self._unsigned = 0
        self._key: dns.tsig.Key | None = None
        backend = request.backend
        if backend.tsig_name is not None:
            algorithm = getattr(dns.tsig, backend.tsig_algorithm.upper().replace("-", "_"))
            self._key = dns.tsig.Key(backend.tsig_name, backend.secret_octets(), algorithm)
            query.use_tsig(self._key, fudge=FUDGE)

    def restart(self) -> None:
        """Forget the answers so far: another one to the same query follows."""
        self._context, self._unsigned = None, 0

    def sign(self) -> bytes:
        """The query in wire format.

        :raises SyncError: ``invalid_option`` if this host cannot sign it.
        """
        try:
            return self._query.to_wire()
        except (ValueError, NotImplementedError):
            # a host in FIPS mode has no MD5; dnspython raises NotImplementedError for unsupported algorithms
            problem = f"this host cannot compute {self._request.backend.tsig_algorithm}"
            raise self._request.error("invalid_option", problem, "Use a key with another algorithm.") from None

    def verify(self, octets: bytes, message: Message) -> None:
        """Verify the signature of one message of an answer, if it has one; it covers those before it that have none.

        :param octets: the message as received.
        :raises SyncError: ``auth_failed``.
        :raises Malformed: if the signature is not a TSIG record, or the query has none.
        """
        signature = message.signature
        if signature is None:
            if self._context is not None:
                self._context.update(octets)
            return
        if self._key is None:
            raise Malformed("it is signed, though the query is not")
        owner, record = _tsig(signature)
        # dnspython gives it no types
        validate: t.Any = dns.tsig.validate
        try:
            self._context = validate(
                octets, self._key, owner, record, int(time.time()), self._query.mac or b"", signature.start, self._context, True
            )
        except (dns.tsig.PeerBadTime, dns.tsig.BadTime) as error:
            raise self._skewed(record if isinstance(error, dns.tsig.PeerBadTime) else None) from None
        except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm) as error:
            raise self._rejected(error) from None
        except (ValueError, NotImplementedError, dns.exception.DNSException) as error:
            # NotImplementedError: dnspython does not know the algorithm, as in sign()
            raise Malformed(f"its signature cannot be verified: {error}") from None

    def accept(self, message: Message) -> None:
        """Check that a message is signed, or may lack a signature of its own.

        :raises SyncError: ``auth_failed``.
        """
        if message.signature is not None or self._key is None:
            self._unsigned = 0
            return
        if self._context is None:
            raise self._untrusted("the answer is not signed")
        self._unsigned += 1
        if self._unsigned > MAX_UNSIGNED:
            raise self._untrusted(f"more than {MAX_UNSIGNED} messages in a row are not signed")

    def finish(self) -> None:
        """Check that the last message was signed.

        :raises SyncError: ``auth_failed``.
        """
        if self._unsigned:
            raise self._untrusted("the last message is not signed")

    def _skewed(self, record: t.Any) -> SyncError:
        relation = "differs from this host's"
        # a server that rejects the time of the query adds its own (RFC 8945 section 5.2.3)
        if record is not None and len(record.other) == 6:
            question: t.Any = self._query.tsig
            skew = int.from_bytes(record.other, "big") - question[0].time_signed
            relation = f"is {abs(skew)} s {'ahead of' if skew >= 0 else 'behind'} this host's"
        problem = f"BADTIME: the clock of the server {relation}, and TSIG allows {FUDGE} s"
        return self._request.error("auth_failed", problem, "Synchronise the clocks of both hosts (NTP).")

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
        return self._untrusted("the signature of the answer is wrong")

    def _untrusted(self, problem: str) -> SyncError:
        problem = f"{problem}, though the query was signed with {self._request.backend.key}"
        return self._request.error("auth_failed", problem, "Check the key on both sides, and proxies or firewalls between them.")


def _tsig(signature: Signature) -> tuple[dns.name.Name, t.Any]:
    try:
        owner = dns.name.from_wire(signature.owner, 0)[0]
        octets = signature.rdata
        return owner, dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, octets, 0, len(octets))
    except (ValueError, dns.exception.DNSException) as error:
        raise Malformed(f"its signature is malformed: {error}") from None
