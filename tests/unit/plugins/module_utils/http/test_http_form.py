# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of APIs, and the form of requests."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import HttpSettings, parse_api_url
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.web import Reply, Web


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        (" https://API.Example.com/Studio/ ", "https://api.example.com/Studio"),
        ("HTTP://api.example.com:8080/a/b", "http://api.example.com:8080/a/b"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("http://api.example.com:80/x", "http://api.example.com/x"),
        ("http://api.example.com:443", "http://api.example.com:443"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_address_has_one_form(given: str, canonical: str) -> None:
    assert parse_api_url(given) == canonical


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https:///path",
        "https://api.example.com:99999",
        "https://api.example.com:x",
        "https://[::1",
        "https://api.example.com?x=1",
        "https://api.example.com/#top",
        "https://api example.com",
        "https://api.example.com/a b",
    ],
)
def test_what_is_no_address_is_refused_naming_the_option(url: str) -> None:
    with pytest.raises(SyncError, match="option notifications_url: ") as caught:
        parse_api_url(url, "notifications_url")
    assert (caught.value.code, bool(caught.value.hint)) == ("invalid_option", True)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:canary@api.example.com",
        "https://canary@api.example.com",
        "https://user:canary@api.example.com:x",
        "https://user:canary@[::1",
        "ftp://user:canary@api.example.com",
        "user:canary@api.example.com",
        "https:/user:canary@api.example.com",
        "https://api.example.com/?token=canary",
        "https://api.example.com/#canary",
        "https://api.example.com:x/?token=canary",
    ],
)
def test_a_refused_address_is_not_repeated_where_it_may_hold_a_secret(url: str) -> None:
    with pytest.raises(SyncError, match="option api_url: ") as caught:
        parse_api_url(url)
    assert "canary" not in caught.value.message + caught.value.hint


def test_the_origin_is_all_that_messages_name() -> None:
    assert HttpSettings("https://api.example.com:8443/studio").origin == "https://api.example.com:8443"


def web_of(serve: Serve) -> Web:
    return serve(lambda request: Reply(body={}))


def test_paths_go_below_the_context_path(serve: Serve) -> None:
    web = web_of(serve)
    with channel_to(web.url + "/studio/") as channel:
        channel.observe("/api/2/sites")
    assert web.lines == ["GET /studio/api/2/sites"]


def test_encoded_slashes_in_a_path_stay_encoded(serve: Serve) -> None:
    web = web_of(serve)
    with channel_to(web.url) as channel:
        channel.observe("/zones/0%2F25.2.0.192.in-addr.arpa.")
    assert web.lines == ["GET /zones/0%2F25.2.0.192.in-addr.arpa."]


def test_parameters_are_encoded_and_those_without_a_value_are_left_out(serve: Serve) -> None:
    seen: list[str] = []

    def respond(request: object) -> Reply:
        seen.append(repr(request))
        return Reply(body={})

    web = serve(respond)
    with channel_to(web.url) as channel:
        channel.observe("/x", {"a b": "c/d&e", "n": 5, "none": None})
        channel.observe("/x", {"none": None})
    assert [request.query for request in web.log] == [{"a b": "c/d&e", "n": "5"}, {}]


def test_headers_of_the_provider_and_its_credentials_are_sent(serve: Serve) -> None:
    web = web_of(serve)
    with channel_to(web.url, token="t") as channel:
        channel.observe("/x", headers={"X-More": "1"})
        channel.trigger("POST", "/x", headers={"X-More": "2"})
    for request, more in zip(web.log, "12"):
        assert request.headers["Authorization"] == "Bearer t"
        assert (request.headers["X-Api-Version"], request.headers["X-More"]) == ("2", more)
        assert request.headers["Accept"] == "application/json"


def test_bodies_are_sent_as_json(serve: Serve) -> None:
    web = web_of(serve)
    with channel_to(web.url) as channel:
        channel.observe("/search", method="POST", body={"a": 1})
        channel.trigger("POST", "/sync", body={"b": 2})
        channel.trigger("POST", "/sync")
    assert [request.body for request in web.log] == [b'{"a": 1}', b'{"b": 2}', b""]
    assert web.log[0].headers["Content-Type"] == "application/json"
