# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The DNS server behind VinylDNS: its address and key, how to connect, and how messages name it."""

from __future__ import annotations

import base64
import dataclasses
import socket
import typing as t

from .._core.errors import SyncError, invalid_option
from .._http.limits import connect
from . import wire

#: the algorithms that VinylDNS offers
TSIG_ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
DEFAULT_TSIG_ALGORITHM = "hmac-sha256"
DEFAULT_PORT = 53
#: records that a transfer may have: ten times the max-zone-size of VinylDNS as shipped, which counts those that it keeps
#: (docs/reference/vinyldns.md#1.5); installations raise it, and signed zones have several records for each that is kept
DEFAULT_MAX_RECORDS = 600_000
#: octets that a transfer may have, of all messages together
DEFAULT_MAX_BYTES = 128 * 2**20

_FULL_NAME_OF_MD5 = "hmac-md5.sig-alg.reg.int"


@dataclasses.dataclass(frozen=True)
class Backend:
    """Where and how to request a zone. Use :meth:`from_options` for user input.

    :param server: host name or address.
    :param tsig_name: name of the TSIG key (RFC 8945); ``None`` to ask without one.
    :param tsig_secret: the key in base64. Never shown.
    :param max_records: that a zone may have, those of types that VinylDNS drops included.
    :param max_bytes: octets of the messages that a zone is transferred in.
    """

    server: str
    port: int = DEFAULT_PORT
    tsig_name: str | None = None
    tsig_secret: str | None = dataclasses.field(default=None, repr=False)
    tsig_algorithm: str = DEFAULT_TSIG_ALGORITHM
    max_records: int = DEFAULT_MAX_RECORDS
    max_bytes: int = DEFAULT_MAX_BYTES

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any]) -> Backend:
        """The backend in a module's options; what is absent or ``None`` has its default.

        :raises SyncError: ``invalid_option``, without the secret.
        """
        given = {name: value for name, value in options.items() if value is not None}
        known = [field.name for field in dataclasses.fields(cls)]
        for name in given:
            if name not in known:
                raise invalid_option("backend", name, "is not an option of a backend", f"Use {', '.join(known)}.")
        backend = cls(
            server=_server(given.get("server")),
            port=_port(given.get("port", DEFAULT_PORT)),
            tsig_name=_key_name(given.get("tsig_name")),
            tsig_secret=_secret(given.get("tsig_secret")),
            tsig_algorithm=_algorithm(given.get("tsig_algorithm", DEFAULT_TSIG_ALGORITHM)),
            max_records=_limit("max_records", given.get("max_records", DEFAULT_MAX_RECORDS)),
            max_bytes=_limit("max_bytes", given.get("max_bytes", DEFAULT_MAX_BYTES)),
        )
        if (backend.tsig_name is None) != (backend.tsig_secret is None):
            missing = "tsig_secret" if backend.tsig_secret is None else "tsig_name"
            problem = f"option backend.{missing}: is missing, and a TSIG key needs both parts"
            raise SyncError("invalid_option", problem, "Give both backend.tsig_name and backend.tsig_secret, or neither.")
        return backend

    @property
    def address(self) -> str:
        """``server:port``, as messages name it."""
        return f"[{self.server}]:{self.port}" if ":" in self.server else f"{self.server}:{self.port}"

    @property
    def key(self) -> str:
        """The TSIG key, as messages name it."""
        return f"TSIG key {self.tsig_name} ({self.tsig_algorithm})" if self.tsig_name else "no TSIG key"

    def secret_octets(self) -> bytes:
        """The decoded secret; empty without a key."""
        return base64.b64decode(self.tsig_secret or "")


@dataclasses.dataclass(frozen=True)
class Request:
    """One query to one server, for the messages of its failures.

    :param zone: name of the zone with its dot.
    :param what: what is asked for, such as ``transfer``.
    """

    zone: str
    backend: Backend
    what: str

    def error(self, code: str, problem: str, hint: str) -> SyncError:
        """A failure that names zone, server and problem."""
        return SyncError(code, f"zone {self.zone}, {self.what} from {self.backend.address}: {problem}", hint)


def connect_socket(backend: Backend, kind: int, timeout: float) -> socket.socket:
    """A connected socket to the first address of the server that accepts the connection.

    :param kind: ``SOCK_STREAM`` or ``SOCK_DGRAM``.
    :param timeout: seconds for resolving and all addresses together.
    :raises OSError: of the last address tried.
    """
    try:
        return connect(backend.server, backend.port, timeout, kind)
    except socket.gaierror as error:
        raise OSError(f"the name of the server cannot be resolved ({error})") from None


def _server(value: t.Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise invalid_option("backend.server", value, "names no server", "Give the host name or address of a DNS server.")
    server = value.strip()
    host, colon, port = server.rpartition(":")
    if colon and ":" not in host and port.isdigit():
        raise invalid_option("backend.server", value, "contains a port", f"Use server {host} and port {port}.")
    if any(character.isspace() or character in "/[]@" for character in server):
        raise invalid_option(
            "backend.server", value, "is not a host name or address", "Give it without brackets, scheme or path."
        )
    return server


def _port(value: t.Any) -> int:
    number = _number(value)
    if number is None or not 0 < number < 65536:
        raise invalid_option("backend.port", value, "is not a port", "Use a number from 1 to 65535.")
    return number


def _limit(name: str, value: t.Any) -> int:
    number = _number(value)
    if number is None or number < 1:
        raise invalid_option(f"backend.{name}", value, "is not a limit", "Use a whole number above 0.")
    return number


def _number(value: t.Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _key_name(value: t.Any) -> str | None:
    if value is None:
        return None
    try:
        labels, _dummy = wire.parse_name(str(value).strip())
        return wire.name_to_text(wire.join_labels(labels))
    except wire.Malformed:
        remedy = "Use the name of the key as the DNS server has it."
        raise invalid_option("backend.tsig_name", value, "is no domain name", remedy) from None


def _secret(value: t.Any) -> str | None:
    if value is None:
        return None
    secret = "".join(str(value).split())
    try:
        usable = bool(base64.b64decode(secret, validate=True))
    except ValueError:
        usable = False
    if not usable:
        raise SyncError(
            "invalid_option",
            "option backend.tsig_secret: is not base64",
            "Use the secret as in the key file of the DNS server, padding (=) included.",
        )
    return secret


def _algorithm(value: t.Any) -> str:
    name = str(value).strip().lower().rstrip(".")
    name = "hmac-md5" if name == _FULL_NAME_OF_MD5 else name
    name = name if name.startswith("hmac-") else f"hmac-{name}"
    if name not in TSIG_ALGORITHMS:
        raise invalid_option("backend.tsig_algorithm", value, "is unknown", f"Use one of {', '.join(TSIG_ALGORITHMS)}.")
    return name
