# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""How long an exchange with a server may take, whatever the server does.

The time-outs of sockets are for each wait for data, which a server that sends a byte now and then never exceeds. So the
time-out of the socket is set anew before each of these waits, to what is left of the time for the whole.
"""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
import typing as t

#: bytes that are sent at once, so that a server that reads slowly does not get around the limit
SEND_CHUNK = 16384


class Limits:
    """The time that one exchange may take, from now on, by the clock that sockets have.

    :param connect: seconds for connecting: finding the address, all addresses together, and TLS.
    :param wait: seconds for each wait for data.
    :param total: seconds for everything, to the last byte of the body; redirects included where they are followed.
    """

    def __init__(self, connect: float, wait: float, total: float) -> None:
        self.connect = connect
        self.wait = wait
        self.total = total
        self.end = time.monotonic() + total
        #: whether any byte of a response has been received
        self.received = False

    @property
    def expired(self) -> bool:
        return time.monotonic() >= self.end

    def left(self, seconds: float | None = None) -> float:
        """Seconds for the next wait.

        :param seconds: instead of those for data.
        :raises OSError: ``socket.timeout`` if no time is left.
        """
        left = self.end - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return min(left, self.wait if seconds is None else seconds)


class _Current(threading.local):
    """The limits of what this thread is doing."""

    limits: Limits | None = None


_current = _Current()


@contextlib.contextmanager
def limited(limits: Limits) -> t.Iterator[None]:
    """Have all connections that this thread uses within the ``with`` statement keep to ``limits``."""
    before, _current.limits = _current.limits, limits
    try:
        yield
    finally:
        _current.limits = before


def current_limits() -> Limits | None:
    return _current.limits


def connect(
    host: str, port: int, timeout: float, kind: int = socket.SOCK_STREAM, options: t.Iterable[t.Any] = ()
) -> socket.socket:
    """A connected socket, by the first address of a host that answers.

    :param kind: ``SOCK_STREAM`` or ``SOCK_DGRAM``.
    :param timeout: seconds for finding the addresses and trying all of them.
    :param options: arguments of ``setsockopt``.
    :raises OSError: ``socket.gaierror`` if the name cannot be resolved, else that of the last address tried.
    """
    end = time.monotonic() + timeout
    addresses = _resolve(host, port, kind, timeout)
    failure = OSError("the server has no address")
    for index, (family, dummy, protocol, _canonical, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(positive((end - time.monotonic()) / (len(addresses) - index)))
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def positive(seconds: float) -> float:
    """A time-out for a socket, for which zero would mean something else.

    :raises OSError: ``socket.timeout`` if no time is left.
    """
    if seconds <= 0:
        raise socket.timeout("the deadline has passed")
    return seconds


def _resolve(host: str, port: int, kind: int, timeout: float) -> list[t.Any]:
    """Addresses of a host, within ``timeout``, of which the resolver of the system takes no notice."""
    found: list[t.Any] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=kind))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=look_up, name="lockstep-resolve", daemon=True)
    thread.start()
    thread.join(timeout)
    if not found:
        raise socket.timeout("the name of the server could not be resolved in time")
    if isinstance(found[0], UnicodeError):
        raise socket.gaierror(socket.EAI_NONAME, f"not a valid name ({found[0]})")
    if isinstance(found[0], OSError):
        raise found[0]
    return t.cast("list[t.Any]", found[0])


class LimitedSource:
    """As much of a socket as :class:`http.client.HTTPResponse` uses."""

    def __init__(self, sock: t.Any, limits: Limits) -> None:
        self._sock = sock
        self._limits = limits

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_LimitedReader(self._sock, self._limits))


class _LimitedReader(io.RawIOBase):
    """What a socket receives, for as long as the limits allow."""

    def __init__(self, sock: t.Any, limits: Limits) -> None:
        super().__init__()
        self._sock = sock
        self._limits = limits
        # keeps the socket open until the response is closed
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        self._sock.settimeout(self._limits.left())
        size: int | None = self._raw.readinto(buffer)
        self._limits.received |= bool(size)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()
