# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Responses that are not what was asked for, and secrets in them."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.module_utils.http.replies import GOOD, replies
from tests.unit.plugins.support.clients import TOKEN, channel_to
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.web import Reply, Request


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
