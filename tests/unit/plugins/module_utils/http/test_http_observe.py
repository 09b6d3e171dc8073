# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking: retried, redirected within the origin only, counted, and never beyond the deadline."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import email.utils
import functools
import socket
import typing as t

import pytest
import requests.sessions

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import LAST_LOOK, Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import RateLimited, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import HttpClient, HttpSettings, RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.clients import TOKEN, channel_to
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.web import Reply, Request, Responder


def replies(*items: Reply) -> Responder:
    """The replies one after the other, the last one for ever."""
    left = list(items)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


GOOD = Reply(body={"ok": True})


def http_date(moment: dt.datetime) -> str:
    return email.utils.format_datetime(moment, usegmt=True)


# -- retries ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [Reply(429), Reply(502), Reply(503), Reply(504), Reply(end="close"), Reply(end="reset"), Reply(body={"a": 1}, end="half")],
    ids=lambda reply: str(reply.end or reply.status),
)
def test_passing_trouble_is_tried_again(serve: Serve, clock: FakeClock, trouble: Reply) -> None:
    web = serve(replies(trouble, trouble, trouble, GOOD))
    with channel_to(web.url, clock) as channel:
        assert channel.observe("/x").json() == {"ok": True}
        assert channel.count.value == len(web.log) == 4
    assert len(clock.sleeps) == 3


@pytest.mark.parametrize("trouble", [Reply(503), Reply(end="close")], ids=["503", "close"])
def test_lasting_trouble_is_given_up(serve: Serve, clock: FakeClock, trouble: Reply) -> None:
    web = serve(replies(trouble))
    with channel_to(web.url, clock) as channel, pytest.raises(SyncError):
        channel.observe("/x")
    assert len(web.log) == 4


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_response"),
        (401, "auth_failed"),
        (403, "permission_denied"),
        (404, "not_found"),
        (418, "bad_response"),
        (500, "server_error"),
        (501, "server_error"),
    ],
)
def test_other_errors_are_final(serve: Serve, status: int, code: str) -> None:
    web = serve(replies(Reply(status, b"because")))
    with channel_to(web.url) as channel, pytest.raises(SyncError, match="because") as caught:
        channel.observe("/x")
    assert (caught.value.code, caught.value.http_status, bool(caught.value.hint)) == (code, status, True)
    assert len(web.log) == 1


def test_the_pauses_between_tries_grow_and_are_random(serve: Serve) -> None:
    def pauses(seed: int) -> list[float]:
        clock = FakeClock()
        web = serve(replies(Reply(503)))
        with channel_to(web.url, clock) as channel:
            channel.client.rng.seed(seed)
            with pytest.raises(SyncError):
                channel.observe("/x")
        return clock.sleeps

    assert all(pause <= 0.5 * 2**attempt for pause, attempt in zip(pauses(1), (1, 2, 3)))
    assert pauses(1) != pauses(2)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_server_says_how_long_to_pause(serve: Serve, clock: FakeClock, status: int, form: str) -> None:
    # by the server's clock, which is two hours ahead of ours
    server = FakeClock(skew=7200)
    later = http_date(server.now() + dt.timedelta(seconds=40))
    web = serve(replies(Reply(status, headers={"Retry-After": "40" if form == "seconds" else later}), GOOD), clock=server)
    with channel_to(web.url, clock) as channel:
        channel.observe("/x")
    assert clock.elapsed == pytest.approx(40, abs=1)


def test_without_a_date_of_the_server_ours_has_to_do(serve: Serve, clock: FakeClock) -> None:
    later = http_date(clock.now() + dt.timedelta(seconds=40))
    web = serve(replies(Reply(429, headers={"Retry-After": later}), GOOD))
    with channel_to(web.url, clock) as channel:
        channel.observe("/x")
    assert clock.elapsed == 40


def test_a_pause_beyond_the_deadline_fails_at_once_and_says_when_to_come_back(serve: Serve, clock: FakeClock) -> None:
    web = serve(replies(Reply(429, headers={"Retry-After": "3600"})))
    with channel_to(web.url, clock, deadline=60) as channel, pytest.raises(RateLimited, match="3600 s") as caught:
        channel.observe("/x")
    assert (caught.value.code, len(web.log), clock.elapsed) == ("rate_limited", 1, 0)


def test_nothing_is_tried_again_past_the_deadline(serve: Serve, clock: FakeClock) -> None:
    web = serve(replies(Reply(503)))
    with channel_to(web.url, clock, deadline=0) as channel, pytest.raises(SyncError):
        channel.observe("/x")
    assert len(web.log) == 1


def test_a_poll_is_not_tried_again(serve: Serve) -> None:
    web = serve(replies(Reply(503)))
    with channel_to(web.url) as channel:
        with pytest.raises(SyncError):
            channel.once().observe("/x")
        assert channel.count.value == len(web.log) == 1


def test_statuses_that_are_expected_are_no_errors(serve: Serve) -> None:
    web = serve(replies(Reply(404, b"{}")))
    with channel_to(web.url) as channel:
        assert channel.observe("/x", expect=(200, 404)).status == 404


def test_the_provider_has_the_first_word_about_an_error(serve: Serve) -> None:
    def interpret(answer: Response) -> SyncError | None:
        return SyncError("disk_full", answer.text) if answer.status == 500 else None

    web = serve(replies(Reply(500, b"no space left"), Reply(404)))
    with channel_to(web.url, interpret=interpret) as channel:
        with pytest.raises(SyncError, match="no space left") as caught:
            channel.observe("/x")
        assert caught.value.code == "disk_full"
        with pytest.raises(SyncError, match="HTTP 404"):
            channel.observe("/x")


# -- transport --------------------------------------------------------------------------------------------------------


def test_connections_are_kept_alive(serve: Serve) -> None:
    web = serve(replies(GOOD))
    with channel_to(web.url) as channel:
        for _round in range(5):
            channel.observe("/x")
    assert {request.connection for request in web.log} == {1}


def test_a_refused_connection_is_named_without_the_path(clock: FakeClock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with channel_to(url, clock) as channel, pytest.raises(SyncError, match="refused") as caught:
        channel.observe("/secret/path", {"token": "canary"})
    assert caught.value.code == "connection_failed"
    assert url in caught.value.message
    assert "secret" not in caught.value.message + caught.value.hint
    assert "canary" not in caught.value.message + caught.value.hint


def test_a_name_that_does_not_resolve_is_named(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with channel_to("http://api.invalid", clock) as channel, pytest.raises(SyncError, match=r"api\.invalid.*not known") as caught:
        channel.observe("/x")
    assert caught.value.code == "connection_failed"


def test_a_server_that_never_answers_is_given_up(serve: Serve, clock: FakeClock) -> None:
    web = serve(replies(Reply(end="hang")))
    with channel_to(web.url, clock, request_timeout=0.1) as channel, pytest.raises(SyncError, match=r"within 0\.1 s") as caught:
        channel.once().observe("/x")
    assert caught.value.code == "connection_failed"
    assert caught.value.hint == "Raise request_timeout if the server is known to be slow."


def test_time_outs_are_cut_at_the_deadline_but_for_a_last_look(
    serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = serve(replies(GOOD))
    used: list[t.Any] = []
    with channel_to(web.url, clock, deadline=20, request_timeout=30) as channel:
        send = channel.client.send

        def spy(session: t.Any, method: str, url: str, timeout: t.Any, **kwargs: t.Any) -> Response:
            used.append(timeout)
            return send(session, method, url, timeout, **kwargs)

        monkeypatch.setattr(channel.client, "send", spy)
        channel.observe("/x")
        clock.sleep(12)
        channel.observe("/x")
        clock.sleep(8)
        channel.observe("/x")
        clock.sleep(LAST_LOOK)
        with pytest.raises(SyncError, match="20 s") as caught:
            channel.observe("/x")
    assert used == [(20, 20), (8, 8), (LAST_LOOK, LAST_LOOK)]
    assert (caught.value.code, len(web.log)) == ("timed_out", 3)


def test_an_untrusted_certificate_is_refused(serve: Serve, certificate: tuple[str, str]) -> None:
    web = serve(replies(GOOD), tls=certificate)
    with channel_to(web.url) as channel, pytest.raises(SyncError, match="certificate") as caught:
        channel.observe("/x")
    assert (caught.value.code, web.log, channel.count.value) == ("tls_failed", [], 1)
    assert "ca_path" in caught.value.hint


def test_a_certificate_is_trusted_where_the_options_say_so(serve: Serve, certificate: tuple[str, str]) -> None:
    web = serve(replies(GOOD), tls=certificate)
    with channel_to(web.url, verify=certificate[0]) as channel:
        channel.observe("/x")
    assert len(web.log) == 1


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_need_not_be_trusted_where_the_options_say_so(serve: Serve, certificate: tuple[str, str]) -> None:
    web = serve(replies(GOOD), tls=certificate)
    with channel_to(web.url, verify=False) as channel:
        channel.observe("/x")
    assert len(web.log) == 1


def test_a_ca_path_that_holds_no_certificate_is_a_failure_of_tls(serve: Serve, certificate: tuple[str, str]) -> None:
    web = serve(replies(GOOD), tls=certificate)
    with channel_to(web.url, verify=__file__) as channel, pytest.raises(SyncError) as caught:
        channel.observe("/x")
    assert caught.value.code == "tls_failed"


def test_a_tls_connection_that_breaks_off_is_passing_trouble(
    serve: Serve, clock: FakeClock, certificate: tuple[str, str]
) -> None:
    web = serve(replies(Reply(body={"a": 1}, end="half"), Reply(end="close"), GOOD), tls=certificate)
    with channel_to(web.url, clock, verify=certificate[0]) as channel:
        channel.observe("/x")
    assert len(web.log) == 3


def test_many_answers_at_once_are_counted_exactly(serve: Serve) -> None:
    web = serve(replies(GOOD))
    with channel_to(web.url) as channel, concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: channel.observe(f"/{number}"), range(100)))
        assert channel.count.value == len(web.log) == 100


# -- redirects --------------------------------------------------------------------------------------------------------


def redirecting(location: str, status: int = 302) -> Responder:
    return lambda request: Reply(status, headers={"Location": location}) if request.path == "/old" else GOOD


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_origin_is_followed_with_credentials(serve: Serve, status: int) -> None:
    web = serve(redirecting("/new?x=1", status))
    with channel_to(web.url) as channel:
        channel.observe("/old")
        assert channel.count.value == 2
    assert web.lines == ["GET /old", "GET /new"]
    assert {request.headers["Authorization"] for request in web.log} == {f"Bearer {TOKEN}"}


def test_a_redirect_to_another_origin_is_refused_and_nothing_is_sent_there(serve: Serve) -> None:
    other = serve(replies(GOOD))
    web = serve(redirecting(other.url + "/new?token=canary"))
    with channel_to(web.url) as channel, pytest.raises(SyncError, match="redirected") as caught:
        channel.observe("/old")
    assert (caught.value.code, caught.value.http_status) == ("redirect_refused", 302)
    assert other.netloc in caught.value.message
    assert "canary" not in caught.value.message
    assert other.log == []


def test_a_redirect_from_https_to_http_is_refused(serve: Serve, certificate: tuple[str, str]) -> None:
    plain = serve(replies(GOOD))
    web = serve(redirecting(plain.url + "/new"), tls=certificate)
    with channel_to(web.url, verify=certificate[0]) as channel, pytest.raises(SyncError) as caught:
        channel.observe("/old")
    assert (caught.value.code, plain.log) == ("redirect_refused", [])


def test_http_and_https_are_two_origins_even_on_one_host_and_port(serve: Serve) -> None:
    holder: list[str] = []
    web = serve(lambda request: Reply(302, headers={"Location": f"https://{holder[0]}/new"}))
    holder.append(web.netloc)
    with channel_to(web.url) as channel, pytest.raises(SyncError) as caught:
        channel.observe("/old")
    assert (caught.value.code, len(web.log)) == ("redirect_refused", 1)


def test_redirects_in_a_circle_end(serve: Serve) -> None:
    web = serve(lambda request: Reply(302, headers={"Location": "/again"}))
    with channel_to(web.url) as channel, pytest.raises(SyncError) as caught:
        channel.observe("/old")
    assert (caught.value.code, len(web.log)) == ("redirect_refused", 6)


@pytest.mark.parametrize("headers", [{}, {"Location": "http://host:port/"}, {"Location": "http://[::1/"}])
def test_a_redirect_to_nowhere_is_refused_at_once(serve: Serve, headers: dict[str, str]) -> None:
    web = serve(replies(Reply(302, headers=headers)))
    with channel_to(web.url) as channel, pytest.raises(SyncError) as caught:
        channel.observe("/old")
    assert (caught.value.code, len(web.log)) == ("redirect_refused", 1)


def test_a_search_by_post_is_not_redirected(serve: Serve) -> None:
    web = serve(redirecting("/new"))
    with channel_to(web.url) as channel, pytest.raises(SyncError) as caught:
        channel.observe("/old", method="POST", body={})
    assert (caught.value.code, web.lines) == ("redirect_refused", ["POST /old"])


# -- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(body=b"<!DOCTYPE html><h1>Log in</h1>"), "an HTML page"),
        (Reply(body=b"welcome", headers={"Content-Type": "text/html; charset=utf-8"}), "an HTML page"),
        (Reply(body=b"welcome"), "not JSON"),
        (Reply(body=b""), "not JSON"),
        (Reply(body=b"\xff\xfe\xfa"), "not JSON"),
        (Reply(body=b"[" * 100_000), "not JSON"),
    ],
)
def test_an_answer_that_is_not_json_is_named(serve: Serve, reply: Reply, words: str) -> None:
    web = serve(replies(reply))
    with channel_to(web.url) as channel:
        answer = channel.observe("/x")
        with pytest.raises(SyncError, match=words) as caught:
            answer.json()
        assert (caught.value.code, caught.value.http_status) == ("bad_response", 200)
        assert "api_url" in caught.value.hint
        assert answer.try_json() is None


def test_long_bodies_are_cut_in_messages_and_markup_is_left_out(serve: Serve) -> None:
    web = serve(replies(Reply(400, b"long\n  text " * 100), Reply(400, b"<html><body>long</body></html>")))
    with channel_to(web.url) as channel:
        with pytest.raises(SyncError) as caught:
            channel.observe("/x")
        assert "long text long" in caught.value.message
        assert len(caught.value.message) < 300
        with pytest.raises(SyncError) as caught:
            channel.observe("/x")
        assert "<" not in caught.value.message


def test_the_time_of_the_server_is_known(serve: Serve, clock: FakeClock) -> None:
    web = serve(replies(GOOD), clock=clock)
    with channel_to(web.url, clock) as channel:
        assert channel.observe("/x").server_now == clock.now()
    silent = serve(replies(GOOD))
    with channel_to(silent.url, clock) as channel:
        assert channel.observe("/x").server_now is None


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_a_server_that_repeats_the_credentials_cannot_make_us_show_them(serve: Serve) -> None:
    def echo(request: Request) -> Reply:
        # so far into the body that a cut would leave the first part of the token
        return Reply(400, b"x" * (200 - len(TOKEN)) + request.headers["Authorization"].encode())

    web = serve(echo)
    with channel_to(web.url) as channel, pytest.raises(SyncError) as caught:
        channel.observe("/x")
    assert "canary" not in caught.value.message


@pytest.mark.parametrize("token", ["canary\n", "canary\r\nX-Evil: 1", "canary\u20ac"])
def test_a_token_that_no_header_can_carry_is_refused_without_repeating_it(serve: Serve, token: str) -> None:
    web = serve(replies(GOOD))
    with channel_to(web.url, token=token) as channel:
        for send in (functools.partial(channel.observe, "/x"), functools.partial(channel.trigger, "POST", "/x")):
            with pytest.raises(SyncError) as caught:
                send()
            assert caught.value.code == "invalid_option"
            assert "canary" not in f"{caught.value.message} {caught.value.hint}"
            assert caught.value.__cause__ is None
            assert caught.value.__suppress_context__
    assert web.log == []


@pytest.fixture
def _netrc(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login mallory password canary-netrc\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.mark.usefixtures("_netrc")
def test_netrc_is_ignored(serve: Serve) -> None:
    web = serve(replies(GOOD))
    with channel_to(web.url) as channel:
        channel.observe("/x")
        channel.trigger("POST", "/x")
    assert [request.headers["Authorization"] for request in web.log] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.usefixtures("_netrc")
def test_netrc_is_ignored_without_credentials_too(serve: Serve, clock: FakeClock) -> None:
    web = serve(replies(GOOD))
    client = HttpClient(HttpSettings(web.url), clock, Redactor())
    channel = client.channel(Deadline(clock, 10), RequestCount())
    channel.observe("/x")
    channel.trigger("POST", "/x")
    client.close()
    assert ["Authorization" in request.headers for request in web.log] == [False, False]


def test_the_proxy_of_the_environment_is_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(replies(GOOD))
    monkeypatch.setenv("http_proxy", proxy.url)
    with channel_to("http://api.example.invalid/base") as channel:
        channel.observe("/x")
        channel.trigger("POST", "/x")
    assert proxy.lines == ["GET /base/x", "POST /base/x"]
    assert {request.headers["Host"] for request in proxy.log} == {"api.example.invalid"}


def test_a_host_can_be_kept_from_the_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, web = serve(replies(GOOD)), serve(replies(GOOD))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with channel_to(web.url) as channel:
        channel.observe("/x")
    assert (len(proxy.log), len(web.log)) == (0, 1)


# -- proxies ----------------------------------------------------------------------------------------------------------


def test_the_environment_is_read_once_and_its_proxy_used_each_time(
    serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, read = serve(replies(GOOD)), []
    original = requests.sessions.get_environ_proxies

    def get_environ_proxies(url: str, no_proxy: str | None = None) -> dict[str, str]:
        read.append(url)
        return dict(original(url, no_proxy=no_proxy))

    monkeypatch.setattr("requests.sessions.get_environ_proxies", get_environ_proxies)
    monkeypatch.setenv("http_proxy", proxy.url)
    with channel_to("http://upstream.invalid", clock) as channel:
        for path in ("/x", "/y", "/z"):
            assert channel.observe(path).json() == {"ok": True}
    assert [request.path for request in proxy.log] == ["/x", "/y", "/z"]
    assert len(read) == 1
