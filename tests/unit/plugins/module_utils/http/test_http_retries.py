# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading is retried within the deadline, and what the provider makes of errors."""

from __future__ import annotations

import datetime as dt
import email.utils

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import RateLimited, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.module_utils.http.replies import GOOD, replies
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.web import Reply


def http_date(moment: dt.datetime) -> str:
    return email.utils.format_datetime(moment, usegmt=True)


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
