# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an answer is held against what is wanted."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

import pytest
import requests

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._probe.expect import (
    Certificate,
    Expectation,
    HttpResponse,
    JsonRule,
    problems_of,
    same_json,
)
from ansible_collections.lockstep.sync.plugins.module_utils._probe.jsonpath import find, parse_path

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.timezone.utc)


def seen(body: bytes = b"", status: int = 200, headers: t.Mapping[str, str] | None = None, **more: t.Any) -> HttpResponse:
    return HttpResponse(status, requests.structures.CaseInsensitiveDict(headers or {}), body, more.pop("latency", 0.01), **more)


def problems(answer: HttpResponse, redact: t.Callable[[str], str] = lambda text: text, **wanted: t.Any) -> list[str]:
    return problems_of(Expectation(**wanted), answer, NOW, redact)


def rule(path: str, **more: t.Any) -> tuple[JsonRule, ...]:
    return (JsonRule(path, parse_path(path), **more),)


def test_status() -> None:
    assert problems(seen()) == []
    assert problems(seen(status=503)) == ["status 503, wanted 200"]
    assert problems(seen(status=503), status=(200, 204)) == ["status 503, wanted 200 or 204"]
    assert problems(seen(status=503), status=(503,)) == []
    assert problems(seen(status=302, not_followed="a redirect to elsewhere")) == [
        "status 302 (a redirect to elsewhere), wanted 200"
    ]


def test_headers_whatever_the_case_of_their_names() -> None:
    wanted = (("x-release", re.compile(r"^2026\.\d+$")),)
    assert problems(seen(headers={"X-Release": "2026.11"}), headers=wanted) == []
    assert problems(seen(headers={"X-Release": "2025"}), headers=wanted) == [
        r"header x-release is '2025', wanted one that matches '^2026\\.\\d+$'"
    ]
    assert problems(seen(), headers=wanted) == [r"no header x-release, wanted one that matches '^2026\\.\\d+$'"]


def test_headers_that_carry_secrets_are_not_shown() -> None:
    headers = {"Set-Cookie": "session=s3cret", "Location": "https://u:s3cret@x.test/?code=s3cret", "X-Echo": "got s3cret"}
    wanted = tuple((name, re.compile("^nope$")) for name in headers)
    found = problems(seen(headers=headers), Redactor(["s3cret"]).text, headers=wanted)
    assert len(found) == 3
    assert "s3cret" not in "".join(found)
    assert "https://x.test/?code=" in found[1]
    # not because of the redactor
    assert "s3cret" not in "".join(problems(seen(headers=headers), headers=wanted)[:2])


def test_body() -> None:
    page = seen(b"<title>Shop</title>")
    assert problems(page, regex=re.compile("<title>Sh"), not_regex=re.compile("Fatal")) == []
    assert problems(page, regex=re.compile("Blog")) == ["the body (19 bytes) has nothing that matches 'Blog', wanted a match"]
    assert problems(page, not_regex=re.compile("Shop")) == ["the body (19 bytes) has something that matches 'Shop', wanted none"]
    cut = seen(b"<title>", truncated=True)
    assert problems(cut, regex=re.compile("Shop"))[0].startswith("the first 7 bytes of the body (max_body) has nothing")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", "Größe".encode()),
        ("text/html; charset=iso-8859-1", "Größe".encode("latin-1")),
        ('text/html; charset="utf-16"', "Größe".encode("utf-16")),
        ("text/html; charset=klingon", "Größe".encode()),
        ("text/html; charset=base64", "Größe".encode()),
    ],
)
def test_body_in_its_character_set(content_type: str, body: bytes) -> None:
    assert problems(seen(body, headers={"content-type": content_type}), regex=re.compile("^Größe$")) == []


DOCUMENT = b'{"status": "ok", "n": 1, "on": true, "none": null, "checks": [{"state": "up"}], "a.b": {"c d": [1, 2]}}'


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("status", {"equals": "ok"}),
        ("n", {"equals": 1}),
        ("n", {"equals": 1.0}),
        ("on", {"equals": True}),
        ("none", {"equals": None}),
        ("none", {"regex": re.compile("^null$")}),
        ("checks", {"equals": [{"state": "up"}]}),
        ("checks[0].state", {"regex": re.compile("^(up|degraded)$")}),
        ("checks[0]", {"exists": True}),
        ("checks[1]", {"exists": False}),
        ("status.x", {"exists": False}),
        ('["a.b"]["c d"][1]', {"equals": 2}),
    ],
)
def test_json_that_is_as_wanted(path: str, wanted: dict[str, t.Any]) -> None:
    assert problems(seen(DOCUMENT), json=rule(path, **wanted)) == []


@pytest.mark.parametrize(
    ("path", "wanted", "problem"),
    [
        ("status", {"equals": "up"}, 'json status is "ok", wanted "up"'),
        ("n", {"equals": True}, "json n is 1, wanted true"),
        ("n", {"equals": "1"}, 'json n is 1, wanted "1"'),
        ("nope", {"equals": None}, "json nope is not there, wanted null"),
        ("nope", {"regex": re.compile("")}, "json nope is not there, wanted a match of ''"),
        ("checks[0].state", {"regex": re.compile("^down")}, "json checks[0].state is \"up\", wanted a match of '^down'"),
        ("checks[1]", {"exists": True}, "json checks[1] is not there, wanted it to be there"),
        ("on", {"exists": False}, "json on is true, wanted nothing there"),
    ],
)
def test_json_that_is_not(path: str, wanted: dict[str, t.Any], problem: str) -> None:
    assert problems(seen(DOCUMENT), json=rule(path, **wanted)) == [problem]


def test_json_that_is_none() -> None:
    wanted = rule("status", exists=True)
    assert problems(seen(b"<html>"), json=wanted) == ["the body (6 bytes) is not JSON, wanted JSON"]
    assert problems(seen(b"[" * 100_000), json=wanted)[0].endswith("is not JSON, wanted JSON")
    assert "larger than 4 bytes (max_body)" in problems(seen(b'{"st', truncated=True), json=wanted)[0]


def test_a_finding_is_short_and_without_secrets() -> None:
    document = b'{"status": "' + b"x" * 5000 + b'", "token": "s3cret"}'
    assert len(problems(seen(document), json=rule("status", equals="ok"))[0]) < 200
    assert "s3cret" not in problems(seen(document), Redactor(["s3cret"]).text, json=rule("token", equals="ok"))[0]


def test_same_json_goes_by_type_at_any_depth() -> None:
    assert same_json({"a": [1, {"b": False}]}, {"a": [1, {"b": False}]})
    assert not same_json({"a": [1, {"b": False}]}, {"a": [1, {"b": 0}]})
    assert not same_json([1], [1, 2])
    assert not same_json({"a": 1}, {"b": 1})
    assert not same_json(0, False)


def test_latency() -> None:
    assert problems(seen(latency=2.0), max_latency=2.0) == []
    assert problems(seen(latency=2.0004), max_latency=2.0) == ["complete after 2.000 s, wanted at most 2 s"]


@pytest.mark.parametrize(("hours", "days"), [(24 * 30 + 1, 30), (24 * 30 - 1, 29), (1, 0), (-1, -1)])
def test_certificate(hours: int, days: int) -> None:
    certificate = Certificate(NOW + dt.timedelta(hours=hours))
    found = problems(seen(certificate=certificate), min_certificate_days=30)
    assert found == ([] if days >= 30 else [f"certificate valid for {days} more days, wanted at least 30"])


def test_a_certificate_of_unknown_validity_is_a_problem() -> None:
    for certificate, why in ((None, "no TLS"), (Certificate(None, "no idea"), "no idea")):
        (problem,) = problems(seen(certificate=certificate), min_certificate_days=0)
        assert why in problem
        assert "wanted at least 0" in problem
    assert problems(seen(certificate=Certificate(None, "no idea"))) == []


def test_all_problems_are_reported_at_once() -> None:
    found = problems(seen(b"{}", status=500, latency=9), regex=re.compile("x"), json=rule("a", exists=True), max_latency=1)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("status", ("status",)),
        ("checks[0].state", ("checks", 0, "state")),
        ("data.items[2].name", ("data", "items", 2, "name")),
        ("[0][1].x", (0, 1, "x")),
        ("['a.b'].c", ("a.b", "c")),
        ('x[""]', ("x", "")),
        ("größe-1", ("größe-1",)),
    ],
)
def test_paths(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text", ["", ".", ".a", "a.", "a..b", "a[", "a[]", "a[x]", "a[-1]", "a[0", "a]", "a b", "$.a", "[0]a", "a[*]", "a.[0]"]
)
def test_bad_paths_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is empty|cannot be read"):
        parse_path(text)


def test_a_number_is_no_key() -> None:
    assert find({"0": "x"}, (0,)) == (False, None)
    assert find(["x"], ("0",)) == (False, None)
    assert find(["x"], ()) == (True, ["x"])
