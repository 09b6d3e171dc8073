# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a proxy can do to an exchange between a module and a server: some fifty faults of transport and protocol."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.unit.plugins.support import hostile

#: what is sent, and seconds of pauses between
Pieces = Iterator[bytes | float]


@dataclasses.dataclass(frozen=True)
class Exchange:
    """An exchange that a fault happens to.

    :param url: of the request, at the proxy.
    :param elsewhere: the same at another origin.
    :param head: status line and headers of the server's response; nothing if the request does not reach it.
    :param previous: the response to the request before this one, as it was sent.
    :param late: seconds that are longer than ``request_timeout``.
    """

    url: str
    elsewhere: str
    head: bytes = b""
    body: bytes = b""
    previous: bytes = b""
    late: float = 0.0

    def with_body(self, body: bytes, *headers: bytes, length: int | None = None) -> bytes:
        """The response with another body, and headers that fit."""
        lines = [line for line in self.head.split(b"\r\n") if not line.lower().startswith((b"content-length:", b"transfer-enc"))]
        size = b"Content-Length: %d" % (len(body) if length is None else length)
        return b"\r\n".join([*lines, size, *headers, b"", body])

    def as_chunks(self, chunks: bytes) -> bytes:
        lines = [line for line in self.head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
        return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", chunks])

    @property
    def whole(self) -> bytes:
        return self.with_body(self.body)


Respond = Callable[[Exchange], Pieces]


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing that happens to a request.

    :param reaches: whether the server gets the request, and executes it.
    :param resets: whether the connection ends with a reset instead of in order.
    :param refuses: whether there is no connection at all.
    """

    name: str
    respond: Respond
    reaches: bool = True
    resets: bool = False
    refuses: bool = False

    def __str__(self) -> str:
        return self.name


def _nothing(exchange: Exchange) -> Pieces:
    return iter(())


def _pieces(make: Callable[[Exchange], bytes]) -> Respond:
    return lambda exchange: iter((make(exchange),))


def _body(change: Callable[[bytes], bytes], *headers: bytes) -> Respond:
    return _pieces(lambda exchange: exchange.with_body(change(exchange.body), *headers))


def _hostile(respond: Callable[[], hostile.Response]) -> Respond:
    return lambda exchange: respond()


def _status(line: str, *headers: str, body: str = "") -> Respond:
    """A response that no server of ours sends: that of a gateway, for example."""
    head = "\r\n".join([f"HTTP/1.1 {line}", *headers, f"Content-Length: {len(body)}", "", ""])
    return _pieces(lambda exchange: (head + body).encode())


def _redirect(line: str, elsewhere: bool) -> Respond:
    def respond(exchange: Exchange) -> bytes:
        target = exchange.elsewhere if elsewhere else exchange.url
        return f"HTTP/1.1 {line}\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()

    return _pieces(respond)


def _drip(exchange: Exchange) -> Pieces:
    for byte in exchange.whole:
        yield bytes((byte,))
        yield hostile.DRIP


def _late(exchange: Exchange) -> Pieces:
    yield exchange.late
    yield exchange.whole


def _with_more(key: str, more: Any) -> Callable[[bytes], bytes]:
    """A JSON body whose objects all have one more field."""

    def changed(body: bytes) -> bytes:
        try:
            return json.dumps(_each_object(json.loads(body), {key: more})).encode()
        except ValueError:
            return body + json.dumps({key: more}).encode()

    return changed


def _each_object(value: Any, more: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {**{key: _each_object(inner, more) for key, inner in value.items()}, **more}
    return [_each_object(inner, more) for inner in value] if isinstance(value, list) else value


def _numbers(text: bytes) -> Callable[[bytes], bytes]:
    """All numbers of a JSON body become this; one without numbers gets one."""

    def changed(body: bytes) -> bytes:
        found, count = re.subn(rb"(?<=[:\[,])\s*-?\d+(\.\d+)?(?=\s*[,}\]])", b" " + text, body)
        return found if count else re.sub(rb"^\s*\{", b'{"more": ' + text + b", ", body) if body[:1] == b"{" else text

    return changed


def _other_type(body: bytes) -> bytes:
    return b'{"odd": 1}' if body.lstrip().startswith(b"[") else b'[["odd"], 5]'


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _wrong_bytes(body: bytes) -> bytes:
    return re.sub(rb'"(?=\s*[,}\]])', b'\xff\xfe"', body) or b"\xff\xfe"


def _utf16(body: bytes) -> bytes:
    return body.decode("utf-8", "replace").encode("utf-16")


def _deep(body: bytes) -> bytes:
    return b'{"a":' * 100_000 + b"1" + b"}" * 100_000


PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"
AS_PAGE = "Content-Type: text/html"

FAULTS = (
    Fault("refused", _nothing, reaches=False, refuses=True),
    Fault("reset before", _nothing, reaches=False, resets=True),
    Fault("closed before", _nothing, reaches=False),
    Fault("silent before", _hostile(hostile.silent), reaches=False),
    Fault("reset after", _nothing, resets=True),
    Fault("closed after", _nothing),
    Fault("silent after", _hostile(hostile.silent)),
    Fault("late", _late),
    Fault("half a head", _pieces(lambda exchange: exchange.head[: len(exchange.head) // 2])),
    Fault("half a body", _pieces(lambda exchange: exchange.with_body(_half(exchange.body), length=len(exchange.body)))),
    Fault("length too small", _pieces(lambda exchange: exchange.with_body(exchange.body, length=len(exchange.body) // 2))),
    Fault("length too large", _pieces(lambda exchange: exchange.with_body(exchange.body, length=len(exchange.body) + 100))),
    Fault("length no number", _pieces(lambda exchange: exchange.whole.replace(b"Content-Length: ", b"Content-Length: x"))),
    Fault("chunks of garbage", _pieces(lambda exchange: exchange.as_chunks(b"zz\r\n" + exchange.body + b"\r\n"))),
    Fault("chunks cut", _pieces(lambda exchange: exchange.as_chunks(b"%x\r\n" % (len(exchange.body) + 9) + exchange.body))),
    Fault("drip", _drip),
    Fault("endless head", _hostile(hostile.endless_header)),
    Fault("endless headers", _hostile(lambda: itertools.chain([hostile.HEAD], itertools.repeat(b"X: x\r\n" * 10_000)))),
    Fault("endless body", _hostile(hostile.endless_body)),
    Fault("endless chunks", _hostile(hostile.endless_chunks)),
    Fault("flood of 100", _hostile(hostile.continues)),
    Fault("gzip bomb", _hostile(hostile.bomb)),
    Fault("no gzip", _body(lambda body: body, b"Content-Encoding: gzip")),
    Fault("cut gzip", _body(lambda body: gzip.compress(body)[:-12], b"Content-Encoding: gzip")),
    Fault("unknown coding", _body(lambda body: body, b"Content-Encoding: br")),
    Fault("JSON cut", _body(_half)),
    Fault("JSON of another type", _body(_other_type)),
    Fault("JSON null", _body(lambda body: b"null")),
    Fault("JSON deep", _body(_deep)),
    Fault("JSON NaN", _body(_numbers(b"NaN"))),
    Fault("JSON 1e999", _body(_numbers(b"1e999"))),
    Fault("JSON of 5000 digits", _body(_numbers(b"9" * 5000))),
    Fault("JSON lone surrogates", _body(_with_more("more\ud800", "\udfff\ud800"))),
    Fault("JSON not UTF-8", _body(_wrong_bytes)),
    Fault("UTF-16", _body(_utf16, b"X-Charset: utf-16")),
    Fault("page with 200", _status("200 OK", AS_PAGE, body=PAGE)),
    Fault("empty 200", _status("200 OK")),
    Fault("204", _pieces(lambda exchange: b"HTTP/1.1 204 No Content\r\n\r\n")),
    Fault("HTTP/0.9", _pieces(lambda exchange: exchange.body or b"OK")),
    Fault("no HTTP", _pieces(lambda exchange: b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
    Fault("twice", _pieces(lambda exchange: exchange.whole * 2)),
    Fault("of another request", _pieces(lambda exchange: exchange.previous or exchange.whole)),
    Fault("301 to itself", _redirect("301 Moved Permanently", elsewhere=False)),
    Fault("302 elsewhere", _redirect("302 Found", elsewhere=True)),
    Fault("307 to itself", _redirect("307 Temporary Redirect", elsewhere=False), reaches=False),
    Fault("307 elsewhere", _redirect("307 Temporary Redirect", elsewhere=True), reaches=False),
    Fault("302 to nowhere", _status("302 Found", "Location: http://[::bad/\x01")),
    Fault("401", _status("401 Unauthorized", body='{"message": "no"}'), reaches=False),
    Fault("403", _status("403 Forbidden", body='{"message": "no"}'), reaches=False),
    Fault("404", _status("404 Not Found", AS_PAGE, body=PAGE), reaches=False),
    Fault("409", _status("409 Conflict", body='{"message": "no"}'), reaches=False),
    Fault("429 soon", _status("429 Too Many Requests", "Retry-After: soon"), reaches=False),
    Fault("429 for ever", _status("429 Too Many Requests", f"Retry-After: {'9' * 400}"), reaches=False),
    Fault("429 in the past", _status("429 Too Many Requests", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"), reaches=False),
    Fault("500 before", _status("500 Internal Server Error", body='{"message": "no"}'), reaches=False),
    Fault("500 after", _status("500 Internal Server Error", body='{"message": "no"}')),
    Fault("502 after", _status("502 Bad Gateway", AS_PAGE, body=PAGE)),
    Fault("503 before", _status("503 Service Unavailable", "Retry-After: 1"), reaches=False),
    Fault("503 after", _status("503 Service Unavailable", AS_PAGE, body=PAGE)),
    Fault("504 after", _status("504 Gateway Timeout", AS_PAGE, body=PAGE)),
)
