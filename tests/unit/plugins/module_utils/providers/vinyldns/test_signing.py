# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signer against an independent one (botocore) where that is right, and against the emulator's check where it is not."""

from __future__ import annotations

import datetime as dt
import urllib.parse
from collections.abc import Mapping

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
import requests
from hypothesis import given, strategies as st
from requests.structures import CaseInsensitiveDict

from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.signing import (
    AccessKey,
    SigningAuth,
    authorization,
    canonical_query,
    encode_segment,
)
from tests.simulator.vinyldns import auth

CREDENTIALS = AccessKey("access", "secret/with+signs")
MOMENT = dt.datetime(2026, 11, 20, 10, 11, 12, tzinfo=dt.timezone.utc)
TIMESTAMP = "20261120T101112Z"


class FixedClock:
    def now(self) -> dt.datetime:
        return MOMENT

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("signing does not wait")


def verify_as_server(authorization: str, method: str, url: str, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether the emulated server would accept a request with this Authorization header."""
    parsed = auth.AUTHORIZATION.fullmatch(authorization)
    assert parsed is not None
    parts = urllib.parse.urlsplit(url)
    given = CaseInsensitiveDict(headers)
    request = auth.canonical_request(method, parts.path, parts.query, given, parsed["headers"], body)
    return auth.sign(secret, auth.request_date(given), parsed, request) == parsed["signature"]


def by_botocore(method: str, url: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    request = botocore.awsrequest.AWSRequest(
        method=method, url=url, data=body, headers={"Host": urllib.parse.urlsplit(url).netloc}
    )
    auth = botocore.auth.SigV4Auth(botocore.credentials.Credentials(*CREDENTIALS), "VinylDNS", "us-east-1")
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: MOMENT.replace(tzinfo=None))
    auth.add_auth(request)
    return str(request.headers["Authorization"])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("body", [b"", b'{"name": "example.com."}'])
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/zones",
        "https://vinyldns.example.com/zones/6d1c9a55-8f5b-4b8e-9d53-2f7b9e4c0a11/sync",
        "http://h/zones?maxItems=100&startFrom=a%20b",
        "http://h/zones?nameFilter=%2Afoo%2A&ignoreAccess=true",
        "http://h/zones/1/recordsets?startFrom=www%3C....%3E1&maxItems=100",
    ],
)
def test_plain_paths_are_signed_as_botocore_does(method: str, body: bytes, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host = urllib.parse.urlsplit(url).netloc
    assert authorization(CREDENTIALS, method, url, host, TIMESTAMP, body) == by_botocore(method, url, body, monkeypatch)


def test_botocore_encodes_a_slash_in_a_name_twice_and_we_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://h/zones/name/" + encode_segment("0/27.2.0.192.in-addr.arpa.")
    assert url.endswith("/0%2F27.2.0.192.in-addr.arpa.")
    ours = authorization(CREDENTIALS, "GET", url, "h", TIMESTAMP, b"")
    assert ours != by_botocore("GET", url, b"", monkeypatch)
    assert verify_as_server(ours, "GET", url, {"host": "h", "x-amz-date": TIMESTAMP}, b"", CREDENTIALS.secret_key)


SEGMENTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F), min_size=1, max_size=12).filter(
    lambda text: text.strip(".")
)


@given(segments=st.lists(SEGMENTS, min_size=1, max_size=4), query=st.lists(st.tuples(SEGMENTS, st.text(max_size=8)), max_size=4))
def test_what_is_sent_is_what_the_server_verifies(segments: list[str], query: list[tuple[str, str]]) -> None:
    url = "http://Server.Example:9000/" + "/".join(map(encode_segment, segments))
    prepared = requests.Request("GET", url, params=query, auth=SigningAuth(CREDENTIALS, FixedClock())).prepare()
    headers = {key.lower(): value for key, value in prepared.headers.items()}
    assert headers["host"] == "server.example:9000"
    assert verify_as_server(headers["authorization"], "GET", prepared.url or "", headers, b"", CREDENTIALS.secret_key)


def test_any_change_voids_the_signature() -> None:
    url = "http://h/zones/1/sync"
    good = authorization(CREDENTIALS, "POST", url, "h", TIMESTAMP, b"")
    headers = {"host": "h", "x-amz-date": TIMESTAMP}
    assert verify_as_server(good, "POST", url, headers, b"", CREDENTIALS.secret_key)
    for method, address, body, secret in (
        ("GET", url, b"", CREDENTIALS.secret_key),
        ("POST", "http://h/zones/2/sync", b"", CREDENTIALS.secret_key),
        ("POST", url + "?a=b", b"", CREDENTIALS.secret_key),
        ("POST", url, b"x", CREDENTIALS.secret_key),
        ("POST", url, b"", "other"),
    ):
        assert not verify_as_server(good, method, address, headers, body, secret)


def test_query_is_rebuilt_as_the_server_does() -> None:
    assert canonical_query("b=2&a=1&a=1&c=x+y&d=*~") == "a=1&b=2&c=x%20y&d=%2A~"
