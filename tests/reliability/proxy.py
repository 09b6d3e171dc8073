# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy on a real socket between one module and a server, which passes on every request but those that a fault happens to."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import socket
import struct
import threading
import urllib.parse
from collections.abc import Callable
from typing import Literal, Self

from .faults import Exchange, Fault

Phase = Literal["before", "trigger", "after"]
#: seconds that the listener is away where a connection is refused once
AWAY = 0.3


@dataclasses.dataclass(frozen=True)
class Call:
    """What a request is for: numbers and ids in its path do not matter.

    :param phase: before the trigger, the trigger itself, or after it.
    """

    phase: Phase
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.phase})"


def path_pattern(path: str) -> str:
    """A path in which ids are one and the same word."""
    return re.sub(r"(?<!/api)/([0-9a-f]{8}-[0-9a-f-]{27}|\$[^/]{20,}|\d+)(?=/|$)", "/ID", urllib.parse.unquote(path))


@dataclasses.dataclass
class Plan:
    """Which requests a fault happens to.

    :param lasting: to all requests of this kind, and not to the first one alone.
    :param first: how many requests there are before the first one, for a refusal of its connection.
    """

    fault: Fault
    call: Call
    lasting: bool
    first: int = 0


class FaultyProxy:
    """Listens while it is entered.

    :param upstream: the address of the server.
    :param is_trigger: of a method and a path.
    :param late: seconds of a pause that is too long for a module.
    :param started: whether there has been a trigger.
    """

    def __init__(
        self,
        upstream: str,
        is_trigger: Callable[[str, str], bool],
        late: float,
        plan: Plan | None = None,
        started: bool = False,
    ) -> None:
        self._upstream = urllib.parse.urlsplit(upstream)
        self._is_trigger, self._late, self._plan, self._started = is_trigger, late, plan, started
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._previous = b""
        self._used = self._refused = False
        self._listener = self._listen(0)
        self._address = self._listener.getsockname()
        self.url = f"http://{self._address[0]}:{self._address[1]}{self._upstream.path}"
        #: all requests, in order
        self.seen: list[Call] = []
        #: how many of them were triggers
        self.triggers = 0

    def __enter__(self) -> Self:
        plan = self._plan
        if plan is not None and plan.fault.refuses and plan.first == 0:
            self._refuse()
        else:
            self._start()
        return self

    def __exit__(self, *args: object) -> None:
        with self._lock:
            self._stopping.set()
            self._close()

    @property
    def fault_used(self) -> bool:
        """Whether the fault has happened. A refused connection leaves no trace; its listener was away."""
        return self._used or self._refused

    def _listen(self, port: int) -> socket.socket:
        return socket.create_server(("127.0.0.1", port), backlog=128)

    def _start(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _close(self) -> None:
        # wakes the thread that accepts
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _refuse(self) -> None:
        """No more connections, for a while or for good."""
        self._refused = True
        self._close()
        if self._plan is not None and not self._plan.lasting:
            threading.Thread(target=self._come_back, daemon=True).start()

    def _come_back(self) -> None:
        self._stopping.wait(AWAY)
        with self._lock:
            if not self._stopping.is_set():
                self._listener = self._listen(self._address[1])
                self._start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock = listener.accept()[0]
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            request = _read(sock)
            if not request:
                return
            call, target = self._note(request)
            plan = self._plan
            if plan is not None and self._happens(plan, call):
                self._harm(sock, plan.fault, request, target)
                return
            response = self._pass_on(request)
            self._previous = response
            if plan is not None and plan.fault.refuses and not self._refused and len(self.seen) == plan.first:
                self._refuse()
            sock.sendall(response)

    def _note(self, request: bytes) -> tuple[Call, str]:
        method, target = (part.decode() for part in request.split(b" ", 2)[:2])
        path = urllib.parse.urlsplit(target).path
        with self._lock:
            is_trigger = self._is_trigger(method, path)
            self.triggers += is_trigger
            phase: Phase = "trigger" if is_trigger else "after" if self.triggers or self._started else "before"
            call = Call(phase, method, path_pattern(path))
            self.seen.append(call)
        return call, target

    def _happens(self, plan: Plan, call: Call) -> bool:
        with self._lock:
            if plan.fault.refuses or call != plan.call or (self._used and not plan.lasting):
                return False
            self._used = True
            return True

    def _harm(self, sock: socket.socket, fault: Fault, request: bytes, target: str) -> None:
        response = self._pass_on(request) if fault.reaches else b""
        head, _end, body = response.partition(b"\r\n\r\n")
        origin = f"http://{self._address[0]}:{self._address[1]}"
        elsewhere = f"http://{self._upstream.netloc}{target}"
        exchange = Exchange(origin + target, elsewhere, head, body, self._previous, self._late)
        for piece in fault.respond(exchange):
            if self._stopping.is_set():
                return
            if isinstance(piece, bytes):
                sock.sendall(piece)
            elif self._stopping.wait(piece):
                return
        if fault.resets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _pass_on(self, request: bytes) -> bytes:
        address = (self._upstream.hostname or "", self._upstream.port or 80)
        with socket.create_connection(address) as upstream:
            upstream.sendall(request)
            received = b""
            while data := upstream.recv(65536):
                received += data
        return received


def _read(sock: socket.socket) -> bytes:
    """A request that asks for the end of the connection, so that each request has one of its own."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _end, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields.get(b"content-length", b"0")):
        piece = sock.recv(65536)
        if not piece:
            # the module has ended in the middle of it
            return b""
        body += piece
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body
