# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of time and size that hold whatever a server does."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import threading
import time
import tracemalloc
import typing as t
import zlib

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import LAST_LOOK
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import Ambiguous, NeverArrived, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http import body, limits
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support import hostile
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.hostile import Hostile
from tests.unit.plugins.support.web import Reply, Request

#: seconds by which a busy machine may be late; whatever these tests end would go on for half a minute or longer
SLACK = 15.0
#: bytes that a request may take at any moment: the largest body, twice, and what it is parsed into
MEMORY = 60 * 2**20


@contextlib.contextmanager
def in_time(seconds: float) -> t.Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds + SLACK


@pytest.mark.parametrize("respond", hostile.SLOW, ids=lambda respond: respond.__name__)
def test_the_deadline_holds_against_responses_that_never_end(respond: t.Callable[[], hostile.Response]) -> None:
    with Hostile(respond) as server, channel_to(server.url, deadline=1.5, request_timeout=30) as channel:
        with in_time(1.5), pytest.raises(SyncError, match=r"within 1\.5 s") as caught:
            channel.once().observe("/x").json()
        assert caught.value.code == "connection_failed"
        with in_time(1.5), pytest.raises(Ambiguous):
            channel.trigger("POST", "/sync", read_timeout=60)
        assert server.log == [("GET", "/x"), ("POST", "/sync")]


@pytest.mark.parametrize("respond", hostile.LARGE, ids=lambda respond: respond.__name__)
def test_memory_is_limited(respond: t.Callable[[], hostile.Response]) -> None:
    with Hostile(respond) as server, channel_to(server.url, deadline=20, request_timeout=20) as channel:
        tracemalloc.start()
        try:
            with in_time(20), pytest.raises(SyncError) as caught:
                channel.once().observe("/x").json()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert caught.value.code in ("bad_response", "connection_failed")
    assert peak < MEMORY


@pytest.mark.parametrize(
    "respond", [hostile.endless_body, hostile.endless_chunks, hostile.bomb], ids=lambda respond: respond.__name__
)
def test_a_body_that_is_too_large_names_the_limit(respond: t.Callable[[], hostile.Response]) -> None:
    with Hostile(respond) as server, channel_to(server.url, deadline=30, request_timeout=30) as channel:
        with pytest.raises(SyncError, match=r"GET /x \(HTTP 200\) is larger than 8 MiB") as caught:
            channel.observe("/x")
        assert (caught.value.code, len(server.log)) == ("bad_response", 1)
        with pytest.raises(Ambiguous, match="larger than 8 MiB, after the request had been sent"):
            channel.trigger("POST", "/sync")


def test_an_error_keeps_its_meaning_however_large_it_is(serve: Serve) -> None:
    web = serve(lambda request: Reply(404, b"no " * body.MAX_BODY))
    with channel_to(web.url) as channel, pytest.raises(SyncError, match="says: no no no") as caught:
        channel.observe("/x")
    assert (caught.value.code, caught.value.http_status) == ("not_found", 404)


def test_a_large_body_may_take_its_time(serve: Serve) -> None:
    """Longer than ``request_timeout``, as long as data keeps coming."""

    def slowly() -> hostile.Response:
        yield hostile.HEAD + b"Content-Length: 11\r\n\r\n["
        for _part in range(9):
            yield 0.1
            yield b" "
        yield b"]"

    with Hostile(slowly) as server, channel_to(server.url, request_timeout=0.5) as channel:
        assert channel.once().observe("/x").json() == []


def test_a_listing_without_end_is_ended_by_the_deadline(serve: Serve) -> None:
    def respond(request: Request) -> Reply:
        time.sleep(0.05)
        return Reply(body={"next": int(request.query.get("page", "0")) + 1})

    web = serve(respond)
    page = 0
    with channel_to(web.url, t.cast("t.Any", RealClock()), deadline=0.5) as channel:
        with in_time(0.5 + LAST_LOOK), pytest.raises(SyncError, match=r"0\.5 s") as caught:
            for page in itertools.count():
                channel.observe("/list", {"page": page})
        assert caught.value.code == "timed_out"
    assert page > 3


class RealClock:
    """A clock that only passes by itself."""

    monotonic = staticmethod(time.monotonic)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "identity", "GZIP", ""])
def test_bodies_are_decoded(serve: Serve, coding: str) -> None:
    plain = b'["' + b"x" * 1_000_000 + b'"]'
    packed = {"deflate": zlib.compress, "identity": bytes, "": bytes}.get(coding, gzip.compress)(plain)
    web = serve(lambda request: Reply(body=packed, headers={"Content-Encoding": coding} if coding else {}))
    with channel_to(web.url) as channel:
        assert channel.observe("/x").body == plain
    assert web.log[0].headers["Accept-Encoding"] == "gzip, deflate"


def test_members_of_a_gzip_body_and_padding(serve: Serve) -> None:
    packed = gzip.compress(b"[1") + gzip.compress(b",2]") + b"\0" * 10
    web = serve(lambda request: Reply(body=packed, headers={"Content-Encoding": "gzip"}))
    with channel_to(web.url) as channel:
        assert channel.observe("/x").json() == [1, 2]


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "gzip"])
def test_what_cannot_be_decoded(serve: Serve, coding: str) -> None:
    web = serve(lambda request: Reply(body=b"nonsense", headers={"Content-Encoding": coding}))
    with channel_to(web.url) as channel, pytest.raises(SyncError, match=r"encoded as|cannot be decoded") as caught:
        channel.once().observe("/x")
    assert caught.value.code == "connection_failed"


@pytest.mark.parametrize("text", ["[NaN]", "[Infinity]", "[-Infinity]", "[" * 5000, "nonsense"])
def test_what_is_not_json(serve: Serve, text: str) -> None:
    web = serve(lambda request: Reply(body=text.encode()))
    with channel_to(web.url) as channel:
        response = channel.observe("/x")
        assert response.try_json() is None
        with pytest.raises(SyncError, match="not JSON"):
            response.json()


def test_an_excerpt_has_no_part_of_a_secret_that_is_cut(serve: Serve) -> None:
    secret = "canary/t0ken+"
    blank = b" " * (64 * 1024 - 6)
    web = serve(lambda request: Reply(404, blank + secret.encode() + b" x" * 1000))
    with channel_to(web.url) as channel, pytest.raises(SyncError) as caught:
        channel.observe("/x")
    assert "canary" not in caught.value.message


# -- before a request is sent ---------------------------------------------------------------------------------------------


class Listener:
    """Accepts connections, and sends what it is given byte by byte, whatever the client says."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.netloc = "{}:{}".format(*self._listener.getsockname())
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stopping.set()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            sock = self._listener.accept()[0]
            with sock:
                for number in range(len(self._data)):
                    if self._stopping.wait(hostile.DRIP):
                        return
                    sock.sendall(self._data[number : number + 1])
                self._stopping.wait(60)


def refused(url: str, data: str = "") -> SyncError:
    """What becomes of a trigger within its deadline."""
    with channel_to(url, deadline=1.5, request_timeout=30) as channel, in_time(1.5), pytest.raises(SyncError) as caught:
        channel.trigger("POST", "/sync", body=data)
    return caught.value


def test_a_handshake_that_drips_is_cut_off_and_nothing_was_sent() -> None:
    # the beginning of a record that says that it is long
    with Listener(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb" + b"\x03" * 100) as server:
        error = refused(f"https://{server.netloc}")
    assert isinstance(error, NeverArrived)


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 100, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100])
def test_a_tunnel_that_drips_is_cut_off_and_nothing_was_sent(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    with Listener(data) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.netloc}")
        error = refused("https://api.invalid")
    assert isinstance(error, NeverArrived)


def test_a_server_that_does_not_read_is_cut_off() -> None:
    with Listener(b"") as server:
        # more than the buffers of both ends take; larger ones are long in the making
        error = refused(f"http://{server.netloc}", "x" * 10_000_000)
    assert isinstance(error, Ambiguous)


def test_all_addresses_of_a_server_have_one_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float | None] = []

    class Deaf(socket.socket):
        def connect(self, address: t.Any) -> None:
            tried.append(self.gettimeout())
            time.sleep(self.gettimeout() or 60)
            raise socket.timeout("timed out")

    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [address] * 5)
    monkeypatch.setattr(socket, "socket", Deaf)
    with in_time(1), pytest.raises(socket.timeout):
        limits.connect("api.invalid", 80, 1)
    assert len(tried) == 5


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: released.wait(60))
    error = refused("http://api.invalid")
    released.set()
    assert isinstance(error, NeverArrived)
    assert "no connection" in error.message
