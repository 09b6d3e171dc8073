# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections: kept alive, refused, timed out, and TLS."""

from __future__ import annotations

import concurrent.futures
import socket
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import LAST_LOOK
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.module_utils.http.replies import GOOD, replies
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.web import Reply


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
