# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redirects are followed within the origin only."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.module_utils.http.replies import GOOD, replies
from tests.unit.plugins.support.clients import TOKEN, channel_to
from tests.unit.plugins.support.web import Reply, Responder


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
