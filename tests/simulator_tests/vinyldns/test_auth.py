# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures: what the original accepts, what it refuses, and with which words."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.simulator.vinyldns.auth import (
    AuthenticationError,
    MissingDateError,
    authenticate,
    canonical_path,
    canonical_query,
    canonical_request,
    rendered_header,
)
from tests.simulator.vinyldns.directory import Directory
from tests.simulator_tests.vinyldns.vinyl import Vinyl

HOST = "127.0.0.1:9000"
Headers = requests.structures.CaseInsensitiveDict


def botocore_headers(
    method: str,
    target: str,
    body: str = "",
    extra: dict[str, str] | None = None,
    scope: tuple[str, str] = ("VinylDNS", "us-east-1"),
) -> Headers[str]:
    request = AWSRequest(method=method, url=f"http://{HOST}{target}", data=body, headers={"Host": HOST, **(extra or {})})
    SigV4Auth(Credentials("okAccessKey", "okSecretKey"), *scope).add_auth(request)
    return Headers(dict(request.headers.items()))


def dated_headers(date: str, **sent: str) -> Headers[str]:
    """A GET of /zones, signed by hand for a date that no library would sign for."""
    canonical = f"GET\n/zones\n\nhost:{HOST}\n\nhost\n{hashlib.sha256().hexdigest()}"
    scope = f"{date[:8]}/r/s/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4okSecretKey"
    for piece in scope.split("/"):
        key = hmac.digest(key, piece.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = f"AWS4-HMAC-SHA256 Credential=okAccessKey/{scope}, SignedHeaders=host, Signature={signature}"
    return Headers({"Host": HOST, "Authorization": authorization, **sent})


def check(method: str, target: str, headers: Headers[str], body: str = "") -> str:
    path, _mark, query = target.partition("?")
    return authenticate(Directory(), method, path, query, headers, body.encode()).user.name


@pytest.mark.parametrize(
    ("method", "target", "body", "extra"),
    [
        ("GET", "/zones", "", {}),
        ("POST", "/zones/6d1c4c3e-0000-4000-8000-000000000000/sync", "", {}),
        ("GET", "/zones?maxItems=10&nameFilter=%2Afoo&startFrom=a.example.", "", {}),
        ("GET", "/zones/x/recordsets?startFrom=srv%3C....%3E1", "", {}),
        ("GET", "/zones?b=2&a=2&a=1", "", {}),
        ("POST", "/zones", json.dumps({"name": "é"}), {"Content-Type": "application/json"}),
        ("GET", "/zones", "null", {"Accept": "application/json, text/plain", "X-Amz-Target": "VinylDNS"}),
        ("GET", "/zones/name/example.com.", "", {}),
    ],
)
def test_botocore_signs_plain_requests_as_expected(method: str, target: str, body: str, extra: dict[str, str]) -> None:
    assert check(method, target, botocore_headers(method, target, body, extra), body) == "ok"


def test_region_and_service_may_be_anything() -> None:
    headers = botocore_headers("GET", "/zones", scope=("execute-api", "mars-north-7"))
    assert check("GET", "/zones", headers) == "ok"


def test_there_is_no_skew_check() -> None:
    assert check("GET", "/zones", dated_headers("19991231T235959Z", **{"X-Amz-Date": "19991231T235959Z"})) == "ok"


@pytest.mark.parametrize(
    ("change", "target", "body"),
    [
        ({"X-Amz-Date": "20200101T000000Z"}, "/zones", ""),
        ({"Host": "elsewhere:9000"}, "/zones", ""),
        ({}, "/zonez", ""),
        ({}, "/zones?x=1", ""),
        ({}, "/zones", "body"),
    ],
)
def test_anything_signed_that_changes_breaks_the_signature(change: dict[str, str], target: str, body: str) -> None:
    headers = botocore_headers("GET", "/zones")
    headers.update(change)
    with pytest.raises(AuthenticationError, match="Request signature could not be validated") as caught:
        check("GET", target, headers, body)
    assert caught.value.status == 401


def test_double_encoded_paths_of_aws_clients_fail() -> None:
    """The trap of reverse zones: botocore encodes the percent sign again, the original does not."""
    target = "/zones/name/0%2F27.2.0.192.in-addr.arpa."
    with pytest.raises(AuthenticationError, match="could not be validated"):
        check("GET", target, botocore_headers("GET", target))


def test_a_signed_charset_of_json_fails() -> None:
    headers = botocore_headers("POST", "/zones", "{}", {"Content-Type": "application/json; charset=utf-8"})
    with pytest.raises(AuthenticationError, match="could not be validated"):
        check("POST", "/zones", headers, "{}")


@pytest.mark.parametrize(
    ("name", "sent", "verified"),
    [
        ("host", "LocalHost:9000", "localhost:9000"),
        ("accept", "a/b,c/d", "a/b, c/d"),
        ("content-type", "application/json", "application/json"),
        ("content-type", "application/json; charset=utf-8", "application/json"),
        ("content-type", "text/plain; charset=utf-8", "text/plain; charset=UTF-8"),
        ("x-amz-target", " as sent ", "as sent"),
    ],
)
def test_headers_are_verified_as_rendered(name: str, sent: str, verified: str) -> None:
    assert rendered_header(name, Headers({name: sent}), b"") == verified


def test_a_listed_header_that_is_absent_is_left_out() -> None:
    text = canonical_request("GET", "/", "", Headers({"Host": "h"}), "host;x-nope", b"")
    assert "x-nope:" not in text
    assert "\nhost;x-nope\n" in text


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("/zones/name/0%2F27.in-addr.arpa.", "/zones/name/0%2F27.in-addr.arpa."),
        ("/a/%7Eb/%21", "/a/~b/!"),
        ("/a b", "/a%20b"),
        ("//a///b/", "/a/b/"),
        ("/a/./b/../c", "/a/c"),
        ("/", "/"),
        ("/x:y@z", "/x:y@z"),
        ("/%e4", "/%EF%BF%BD"),
    ],
)
def test_paths_are_encoded_once_and_collapsed(raw: str, canonical: str) -> None:
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=1", "a=1&a=2"),
        ("a=1&a=1", "a=1"),
        ("a=x+y", "a=x%20y"),
        ("f=*&t=~", "f=%2A&t=~"),
        ("flag", "flag="),
    ],
)
def test_queries_are_decoded_encoded_and_sorted(raw: str, canonical: str) -> None:
    assert canonical_query(raw) == canonical


UNPARSABLE = "Authentication Failed: Authorization header could not be parsed"
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential={key}/20260101/r/s/aws4_request, SignedHeaders=host, Signature=" + 64 * "0"


@pytest.mark.parametrize(
    ("header", "status", "text"),
    [
        (None, 401, "Authentication Failed: Authorization header not found"),
        ("Basic b2s6b2s=", 401, UNPARSABLE),
        (AUTHORIZATION.format(key="okAccessKey") + " ", 401, UNPARSABLE),
        (
            AUTHORIZATION.format(key="okAccessKey").replace(", S", " S"),
            401,
            "Authentication Failed: Authorization header could not be parsed",
        ),
        (AUTHORIZATION.format(key=""), 401, "Authentication Failed: accessKey not found"),
        (AUTHORIZATION.format(key="who"), 401, "Authentication Failed: Account with accessKey who specified was not found"),
        (AUTHORIZATION.format(key="okAccessKey"), 401, "Authentication Failed: Request signature could not be validated"),
        (AUTHORIZATION.format(key="lockedAccessKey"), 403, "Authentication Failed: Account with username locked is locked"),
    ],
)
def test_refusals_have_the_exact_texts(header: str | None, status: int, text: str) -> None:
    headers = Headers({"Host": HOST, "X-Amz-Date": "20260101T000000Z"})
    if header is not None:
        headers["Authorization"] = header
    with pytest.raises(AuthenticationError) as caught:
        check("GET", "/zones", headers)
    assert (caught.value.status, caught.value.text) == (status, text)


def test_spaces_after_the_commas_are_optional() -> None:
    headers = botocore_headers("GET", "/zones")
    headers["Authorization"] = headers["Authorization"].replace(", ", ",")
    assert check("GET", "/zones", headers) == "ok"


@pytest.mark.parametrize("date", ["2026-11-20T10:00:00Z", "Fri, 20 Nov 2026 10:00:00 GMT"])
def test_the_date_header_serves_when_the_other_is_missing(date: str) -> None:
    assert check("GET", "/zones", dated_headers("20261120T100000Z", Date=date)) == "ok"


def test_without_any_date_the_server_crashes() -> None:
    with pytest.raises(MissingDateError):
        check("GET", "/", Headers({"Authorization": AUTHORIZATION.format(key="okAccessKey"), "Host": HOST}))


def raw_request(vinyl: Vinyl, path: str, headers: dict[str, str], method: str = "GET") -> tuple[int, str, str]:
    answer = vinyl.session.request(method, vinyl.url + path, headers=headers, timeout=10)
    return answer.status_code, answer.headers["Content-Type"], answer.text


PLAIN = "text/plain; charset=UTF-8"


def test_refusals_are_plain_text(vinyl: Vinyl) -> None:
    wanted: list[tuple[dict[str, str], Any]] = [
        ({}, (401, PLAIN, "Authentication Failed: Authorization header not found")),
        ({"Authorization": AUTHORIZATION.format(key="okAccessKey")}, (500, PLAIN, "There was an internal server error.")),
    ]
    for headers, answer in wanted:
        assert raw_request(vinyl, "/zones", headers) == answer


def test_routes_are_matched_before_anybody_asks_for_a_signature(vinyl: Vinyl) -> None:
    assert raw_request(vinyl, "/nope/a%2Fb?x=1", {}) == (404, PLAIN, "The requested path [/nope/a%2Fb] does not exist.")
    assert raw_request(vinyl, "/zones/1/sync", {}) == (404, PLAIN, "The requested path [/zones/1/sync] does not exist.")


def test_a_reverse_zone_is_found_by_its_encoded_name(vinyl: Vinyl) -> None:
    found = vinyl.get("/zones/name/0%2F27.2.0.192.in-addr.arpa.")["zone"]
    assert found["name"] == "0/27.2.0.192.in-addr.arpa."


def test_the_host_is_verified_in_lower_case(vinyl: Vinyl) -> None:
    """A client that signs what it typed fails, one that signs lower case passes."""
    port = vinyl.url.rsplit(":", 1)[1]
    answer = vinyl.call("GET", "/zones", headers={"Host": f"127.0.0.1:{port}"})
    assert answer.status_code == 200
    keys = vinyl.info["users"]["ok"]
    url = f"http://LOCALHOST:{port}/zones"
    request = AWSRequest(method="GET", url=url, headers={"Host": f"LOCALHOST:{port}"})
    SigV4Auth(Credentials(keys["access_key"], keys["secret_key"]), "VinylDNS", "us-east-1").add_auth(request)
    assert raw_request(vinyl, "/zones", dict(request.headers.items()))[0] == 401
