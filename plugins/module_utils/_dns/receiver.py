# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""DNS messages from a TCP connection, which is emptied while the messages are parsed."""

from __future__ import annotations

import contextlib
import socket
import threading

from .._core.deadline import Deadline
from .._http.limits import positive

#: octets that are received ahead of those that are parsed
MAX_AHEAD = 1 << 26
_CHUNK = 1 << 18


class _Closed(OSError):
    """The server closed the connection."""


class Receiver:
    """Messages from a TCP connection, each preceded by its length (RFC 1035 section 4.2.2).

    A thread receives them: Knot DNS closes a connection over which it could not send for 500 ms, and so would end a transfer
    whose records are parsed between two calls of ``recv``. The corresponding function of dnspython reads message by message, and
    does not support signatures that cover several of them.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._buffer = bytearray()
        self._failure: OSError | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._receive, name="dns-receiver", daemon=True)
        self._thread.start()

    def message(self) -> bytes:
        """The next message.

        :raises OSError: also if the server closes the connection, or the deadline passes.
        """
        with self._changed:
            self._await(2)
            end = 2 + int.from_bytes(self._buffer[:2], "big")
            self._await(end)
            message = bytes(self._buffer[2:end])
            del self._buffer[:end]
            self._changed.notify_all()
        return message

    def close(self) -> None:
        """Close the connection, and end the thread."""
        with self._changed:
            self._failure = self._failure or _Closed("the connection is closed")
            self._changed.notify_all()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._sock.close()

    def _await(self, size: int) -> None:
        # the thread ends with a failure when the deadline passes
        self._changed.wait_for(lambda: len(self._buffer) >= size or self._failure is not None)
        if len(self._buffer) < size and self._failure is not None:
            raise self._failure

    def _receive(self) -> None:
        try:
            while True:
                self._sock.settimeout(positive(self._deadline.remaining()))
                data = self._sock.recv(_CHUNK)
                if not data:
                    raise _Closed("the server closed the connection")
                with self._changed:
                    self._buffer += data
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: len(self._buffer) < MAX_AHEAD or self._failure is not None)
                    if self._failure is not None:
                        return
        except OSError as error:
            with self._changed:
                self._failure = self._failure or error
                self._changed.notify_all()
