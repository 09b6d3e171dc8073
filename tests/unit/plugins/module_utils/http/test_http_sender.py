# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a sender does as a session of requests does it, at less cost."""

from __future__ import annotations

import re
import typing as t

import requests
import urllib3
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._http import sender, transport
from ansible_collections.lockstep.sync.plugins.module_utils._http.sender import Sender
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.web import Reply, Request

ADDRESSES = st.one_of(
    st.from_regex(sender._PLAIN, fullmatch=True),
    st.from_regex(re.compile(r"https?://[a-zA-Z0-9.:-]{1,9}(/[!-~]{0,9}){0,4}"), fullmatch=True),
)


@given(ADDRESSES)
def test_addresses_taken_as_they_are_are_those_that_requests_does_not_change(url: str) -> None:
    if not sender._PLAIN.fullmatch(url) or url.count(":") > 1:
        # ports are those of the options, which have been checked
        return
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    assert prepared.url == url
    assert urllib3.util.parse_url(url).url == url


def test_addresses_of_the_apis_are_taken_as_they_are() -> None:
    for path in ("/zones/6d1c9a55-8f5b-4b8e-9d53-2f7b9e4c0a11/changes?maxItems=100", "/zones/name/a.example.com.", "/x"):
        assert sender._PLAIN.fullmatch(f"https://vinyldns.example.com:9000{path}")
    for path in ("", "?x", "/a/../b", "/./b", "/a/..", "/%7Ex", "/a b", "/x#y", "/ä"):
        assert not sender._PLAIN.fullmatch(f"https://vinyldns.example.com{path}")
    for origin in ("https://user@host", "https://HOST", "https://hößt", "ftp://host"):
        assert not sender._PLAIN.fullmatch(f"{origin}/x")


def test_a_request_has_the_headers_that_a_session_would_send(serve: Serve) -> None:
    web = serve(lambda request: Reply(body={}))
    with channel_to(web.url) as channel:
        channel.observe("/x")
        channel.observe("/x", method="POST", body={"a": 1})
    session = requests.Session()
    session.headers["Accept-Encoding"] = transport.ACCEPTED_CODINGS
    own = {"Accept": "application/json", "X-Api-Version": "2", "Authorization": web.log[0].headers["Authorization"]}
    session.get(f"{web.url}/x", headers=own)
    session.post(f"{web.url}/x", headers=own, json={"a": 1})
    session.close()
    assert [request.headers for request in web.log[:2]] == [request.headers for request in web.log[2:]]
    assert [request.body for request in web.log[:2]] == [request.body for request in web.log[2:]]


def test_what_is_no_plain_address_arrives_as_a_session_would_send_it(serve: Serve) -> None:
    web = serve(lambda request: Reply(body={}))
    paths = ["/a%2Fb%7ec", "/a/../b", "/a b/ä", "", "?x=/y", "/x?a=%20b#c"]
    one = Sender(transport.ReadAdapter(), transport.NoAuth())
    session = requests.Session()
    for path in paths:
        one.send("GET", web.url + path, {}, None, (5, 5)).drain_conn()
        session.get(web.url + path)
    one.close()
    session.close()
    assert [request.target for request in web.log[::2]] == [request.target for request in web.log[1::2]]


def test_cookies_are_sent_back(serve: Serve) -> None:
    """A load balancer may need them in order to find the same server again."""

    def respond(request: Request) -> Reply:
        return Reply(body={}, headers={"Set-Cookie": "node=7; Path=/"} if request.path == "/first" else {})

    web = serve(respond)
    with channel_to(web.url) as channel:
        for path in ("/before", "/first", "/second", "/third"):
            channel.observe(path)
    assert [request.headers.get("Cookie") for request in web.log] == [None, None, "node=7", "node=7"]


def test_hooks_of_an_auth_object_get_the_response(serve: Serve) -> None:
    web = serve(lambda request: Reply(body={}, headers={"Set-Cookie": "JSESSIONID=canary; Path=/"}))
    seen: list[tuple[int, dict[str, str]]] = []

    class Auth(transport.AuthBase):
        def __call__(self, request: t.Any) -> t.Any:
            request.register_hook(
                "response", lambda response, **kwargs: seen.append((response.status_code, dict(response.cookies)))
            )
            return request

    one = Sender(transport.ReadAdapter(), Auth())
    response = one.send("GET", f"{web.url}/x", {}, None, (5, 5))
    assert response.read(decode_content=False) == b"{}"
    one.close()
    assert seen == [(200, {"JSESSIONID": "canary"})]


def test_what_was_closed_can_be_used_again(serve: Serve) -> None:
    web = serve(lambda request: Reply(body={}))
    with channel_to(web.url) as channel:
        channel.observe("/x")
        channel.client.close()
        channel.observe("/x")
    assert [request.connection for request in web.log] == [1, 2]
