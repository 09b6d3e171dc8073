# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Triggering: sent once, never redirected, and every failure classified by whether it may have been executed."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import typing as t

import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import (
    Ambiguous,
    NeverArrived,
    RateLimited,
    SyncError,
)
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.web import Reply, Request

GOOD = Reply(body={"ok": True})


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def failed_trigger(url: str, **kwargs: t.Any) -> SyncError:
    """What a trigger raises that cannot succeed."""
    with channel_to(url, **kwargs) as channel:
        with pytest.raises(SyncError) as caught:
            channel.trigger("POST", "/sync")
        assert channel.count.value == 1
    return caught.value


# -- it never arrived -------------------------------------------------------------------------------------------------


def test_a_refused_connection_never_arrived(closed_port: str) -> None:
    error = failed_trigger(closed_port)
    assert isinstance(error, NeverArrived)
    assert (error.code, error.retryable) == ("connection_failed", True)


def test_an_unknown_host_never_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = failed_trigger("http://api.invalid")
    assert isinstance(error, NeverArrived)
    assert (error.code, error.retryable) == ("connection_failed", True)


def test_a_connection_that_takes_too_long_never_arrived() -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _place in range(3):
            # no connection is accepted, so these fill the queue and further ones are left without an answer
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        error = failed_trigger("http://{}:{}".format(*address), request_timeout=0.2)
    assert isinstance(error, NeverArrived)
    assert (error.code, error.retryable) == ("connection_failed", True)
    assert "no connection" in error.message


def test_an_untrusted_certificate_never_arrived_and_trying_again_is_no_use(serve: Serve, certificate: tuple[str, str]) -> None:
    web = serve(lambda request: GOOD, tls=certificate)
    error = failed_trigger(web.url)
    assert isinstance(error, NeverArrived)
    assert (error.code, error.retryable, web.log) == ("tls_failed", False, [])


def test_a_server_that_does_not_speak_tls_never_got_it(serve: Serve) -> None:
    web = serve(lambda request: GOOD)
    error = failed_trigger(web.url.replace("http:", "https:"))
    assert isinstance(error, NeverArrived)
    assert (error.code, web.log) == ("tls_failed", [])


def test_a_connection_lost_in_the_handshake_never_arrived() -> None:
    with Cutter.start(read=20, reset=False) as url:
        error = failed_trigger(url.replace("http:", "https:"))
    assert isinstance(error, NeverArrived)
    assert (error.code, error.retryable) == ("connection_failed", True)


def test_a_proxy_that_is_not_there_never_got_it(closed_port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", closed_port)
    assert isinstance(failed_trigger("http://api.invalid"), NeverArrived)


@pytest.mark.parametrize("status", [407, 502])
def test_a_tunnel_that_the_proxy_refuses_never_arrived(serve: Serve, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    proxy = serve(lambda request: Reply(status))
    monkeypatch.setenv("https_proxy", proxy.url)
    error = failed_trigger("https://api.invalid")
    assert isinstance(error, NeverArrived)
    assert error.code == "connection_failed"
    assert [request.method for request in proxy.log] == ["CONNECT"]


def test_a_proxy_that_cannot_be_tracked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5h://127.0.0.1:1080")
    error = failed_trigger("https://api.invalid")
    assert isinstance(error, NeverArrived)
    assert "cannot go through a SOCKS proxy" in error.message


# -- unknown outcomes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["close", "reset", "half", "hang"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_an_answer_that_gets_lost_is_ambiguous(serve: Serve, certificate: tuple[str, str], end: str, secure: bool) -> None:
    web = serve(lambda request: Reply(body={"a": 1}, end=end), tls=certificate if secure else None)
    error = failed_trigger(web.url, request_timeout=0.3, verify=certificate[0])
    assert isinstance(error, Ambiguous)
    assert (error.code, len(web.log)) == ("outcome_unknown", 1)


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504])
def test_an_error_of_the_server_is_ambiguous(serve: Serve, status: int) -> None:
    web = serve(lambda request: Reply(status, b"oops", {"Retry-After": "1"}))
    error = failed_trigger(web.url)
    assert isinstance(error, Ambiguous)
    assert (error.code, error.http_status, len(web.log)) == ("outcome_unknown", status, 1)
    assert "oops" in error.message


class Cutter:
    """Reads so many bytes of a request, then cuts the connection off."""

    def __init__(self, read: int, reset: bool) -> None:
        self.read = read
        self.reset = reset
        self.got = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://{}:{}".format(*self.listener.getsockname())
        self.thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            connection = self.listener.accept()[0]
            with connection:
                while self.got < self.read:
                    data = connection.recv(self.read - self.got)
                    if not data:
                        break
                    self.got += len(data)
                if self.reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

    @classmethod
    @contextlib.contextmanager
    def start(cls, read: int, reset: bool) -> t.Iterator[str]:
        """The address of one at work."""
        cutter = cls(read, reset)
        cutter.thread.start()
        yield cutter.url
        cutter.thread.join(5)
        cutter.listener.close()


@settings(max_examples=40, deadline=None)
@given(read=st.integers(1, 150), reset=st.booleans(), size=st.sampled_from([0, 10, 3_000_000]))
def test_once_a_byte_was_sent_it_is_not_reported_as_undelivered(read: int, reset: bool, size: int) -> None:
    with Cutter.start(read, reset) as url, channel_to(url, request_timeout=2) as channel:
        with pytest.raises(SyncError) as caught:
            channel.trigger("POST", "/sync", body="x" * size)
        assert isinstance(caught.value, Ambiguous)


def test_what_was_sent_before_does_not_count(serve: Serve, closed_port: str) -> None:
    lost = serve(lambda request: Reply(end="close"))
    assert isinstance(failed_trigger(lost.url), Ambiguous)
    assert isinstance(failed_trigger(closed_port), NeverArrived)
    assert isinstance(failed_trigger(lost.url), Ambiguous)


def test_threads_do_not_take_the_bytes_of_others_for_theirs(serve: Serve, closed_port: str) -> None:
    arrived, answered = threading.Event(), threading.Event()

    def respond(request: Request) -> Reply:
        arrived.set()
        answered.wait(5)
        return GOOD

    web = serve(respond)
    with channel_to(web.url) as channel:
        other = threading.Thread(target=channel.trigger, args=("POST", "/sync"))
        other.start()
        arrived.wait(5)
        try:
            assert isinstance(failed_trigger(closed_port), NeverArrived)
        finally:
            answered.set()
            other.join()


# -- it was refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429])
@pytest.mark.parametrize(("header", "pause"), [("7", 7.0), (None, None)])
def test_a_refusal_before_execution_names_its_pause(serve: Serve, status: int, header: str | None, pause: float | None) -> None:
    web = serve(lambda request: Reply(status, headers={"Retry-After": header} if header else {}))
    error = failed_trigger(web.url)
    assert isinstance(error, RateLimited)
    assert (error.code, error.retry_after, error.http_status, len(web.log)) == ("rate_limited", pause, status, 1)


@pytest.mark.parametrize(
    ("status", "code"), [(400, "bad_response"), (401, "auth_failed"), (403, "permission_denied"), (404, "not_found")]
)
def test_a_client_error_is_a_definite_refusal(serve: Serve, status: int, code: str) -> None:
    error = failed_trigger(serve(lambda request: Reply(status, b"no")).url)
    assert not isinstance(error, (Ambiguous, NeverArrived, RateLimited))
    assert (error.code, error.http_status) == (code, status)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_trigger_is_never_redirected(serve: Serve, status: int) -> None:
    other = serve(lambda request: GOOD)
    for location in ("/elsewhere", other.url + "/elsewhere"):
        web = serve(lambda request, location=location: Reply(status, headers={"Location": location}))  # type: ignore[misc]
        error = failed_trigger(web.url)
        # it may have been executed before it was redirected
        assert isinstance(error, Ambiguous)
        assert (error.code, error.http_status, len(web.log)) == ("outcome_unknown", status, 1)
        assert "/elsewhere" in error.message
    assert other.log == []


def test_the_provider_names_its_refusals(serve: Serve) -> None:
    def interpret(answer: Response) -> SyncError | None:
        return SyncError("recently_synced", answer.text, http_status=answer.status) if answer.status == 403 else None

    error = failed_trigger(serve(lambda request: Reply(403, b"recently synced")).url, interpret=interpret)
    assert (error.code, error.message) == ("recently_synced", "recently synced")


def test_the_provider_may_know_a_server_error_to_be_a_refusal(serve: Serve) -> None:
    def definite(answer: Response) -> SyncError | None:
        return SyncError("busy", "busy", http_status=500) if b"please wait" in answer.body else None

    web = serve(lambda request: Reply(500, b"please wait" if request.path == "/busy" else b"oops"))
    with channel_to(web.url) as channel:
        with pytest.raises(SyncError) as caught:
            channel.trigger("GET", "/busy", definite=definite)
        assert caught.value.code == "busy"
        with pytest.raises(Ambiguous):
            channel.trigger("GET", "/broken", definite=definite)


# -- it was accepted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 202])
def test_an_accepted_trigger_returns_its_answer(serve: Serve, status: int) -> None:
    web = serve(lambda request: Reply(status, {"run": 7}))
    with channel_to(web.url) as channel:
        assert not channel.may_have_executed
        assert channel.trigger("POST", "/sync", expect=(200, 202)).json() == {"run": 7}
        assert channel.may_have_executed


@pytest.mark.parametrize(
    ("reply", "executed"), [(Reply(403), False), (Reply(429), False), (Reply(502), True), (Reply(end="close"), True)]
)
def test_the_channel_knows_whether_a_trigger_may_have_been_executed(serve: Serve, reply: Reply, executed: bool) -> None:
    web = serve(lambda request: reply)
    with channel_to(web.url) as channel:
        with pytest.raises(SyncError):
            channel.trigger("POST", "/sync")
        assert channel.may_have_executed is executed
        channel.client.close()
        web.stop()
        with pytest.raises(NeverArrived):
            channel.trigger("POST", "/sync")
        assert not channel.may_have_executed


def test_an_unexpected_success_is_ambiguous(serve: Serve) -> None:
    error = failed_trigger(serve(lambda request: Reply(204)).url)
    assert isinstance(error, Ambiguous)


def test_an_html_page_is_no_answer_of_an_api(serve: Serve) -> None:
    web = serve(lambda request: Reply(body=b"<html>Log in</html>"))
    with channel_to(web.url) as channel, pytest.raises(SyncError, match="HTML") as caught:
        channel.trigger("POST", "/sync").json()
    assert caught.value.code == "bad_response"


# -- how it is sent ---------------------------------------------------------------------------------------------------


def test_every_trigger_has_a_connection_of_its_own(serve: Serve) -> None:
    # this server keeps connections open, whatever the client says
    web = serve(lambda request: Reply(body={}, headers={"Connection": "keep-alive"}))
    with channel_to(web.url) as channel:
        channel.observe("/x")
        channel.trigger("POST", "/sync")
        channel.trigger("POST", "/sync")
        channel.observe("/x")
    assert [request.connection for request in web.log] == [1, 2, 3, 1]
    assert [request.headers["Connection"] for request in web.log[1:3]] == ["close", "close"]


def test_no_cache_may_answer_a_trigger(serve: Serve) -> None:
    web = serve(lambda request: GOOD)
    with channel_to(web.url) as channel:
        channel.trigger("GET", "/sync")
    assert web.log[0].headers["Cache-Control"] == "no-cache"


def used_time_outs(serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, remaining: float, **kwargs: t.Any) -> t.Any:
    used: list[t.Any] = []
    web = serve(lambda request: GOOD)
    with channel_to(web.url, clock, deadline=900, request_timeout=30) as channel:
        clock.sleep(900 - remaining)
        send = channel.client.send

        def spy(session: t.Any, method: str, url: str, timeout: t.Any, **kwargs: t.Any) -> Response:
            used.append(timeout)
            return send(session, method, url, timeout, **kwargs)

        monkeypatch.setattr(channel.client, "send", spy)
        channel.trigger("POST", "/sync", **kwargs)
    return used[0]


def test_time_outs_are_those_of_the_options(serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    assert used_time_outs(serve, clock, monkeypatch, remaining=900) == (30, 30)


def test_an_answer_may_be_waited_for_as_long_as_the_provider_says(
    serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert used_time_outs(serve, clock, monkeypatch, remaining=900, read_timeout=600) == (30, 600)


@pytest.mark.parametrize("read_timeout", [None, 600.0])
def test_time_outs_are_cut_at_the_deadline(
    serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, read_timeout: float | None
) -> None:
    assert used_time_outs(serve, clock, monkeypatch, remaining=12, read_timeout=read_timeout) == (12, 12)


@pytest.mark.parametrize("read_timeout", [None, 600.0, 0.0])
def test_a_trigger_sent_at_the_last_moment_has_a_chance(
    serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, read_timeout: float | None
) -> None:
    assert used_time_outs(serve, clock, monkeypatch, remaining=0, read_timeout=read_timeout) == (1, 1)


def test_a_time_out_names_the_time_that_was_waited(serve: Serve) -> None:
    web = serve(lambda request: Reply(end="hang"))
    with channel_to(web.url) as channel, pytest.raises(Ambiguous, match=r"within 0\.2 s"):
        channel.trigger("POST", "/sync", read_timeout=0.2)
