# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What options mean, and how bad ones are refused before any request."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import MASK
from ansible_collections.lockstep.sync.plugins.module_utils._probe.address import parse_address, redirected, shown_url
from ansible_collections.lockstep.sync.plugins.module_utils._probe.options import (
    SPEC,
    Probe,
    parse_before,
    parse_probes,
    parse_rules,
    shown_options,
)
from tests.unit.plugins.support.lab import validated as by_spec

URL = "https://shop.example.com/"
SECRET = "s3cr3t-Value"


def validated(**options: t.Any) -> dict[str, t.Any]:
    """Options as AnsibleModule would pass them."""
    return by_spec(SPEC, options)


def probe(**options: t.Any) -> Probe:
    (only,) = parse_probes(validated(probes=[{"url": URL, **options}]))
    return only


def refused(*probes: dict[str, t.Any], **options: t.Any) -> SyncError:
    given = validated(probes=list(probes) or [{"url": URL}], **options)
    with pytest.raises(SyncError) as caught:
        for parse in (parse_rules, parse_before, parse_probes):
            parse(given)
    assert caught.value.code == "invalid_option"
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"regex": "("}, "option probes[0].regex: '(' is not a regular expression"),
        ({"not_regex": "*"}, "option probes[0].not_regex: '*'"),
        ({"headers": {"X": "["}}, "option probes[0].headers[X]: '['"),
        ({"json": [{"path": "a[", "exists": True}]}, "option probes[0].json[0].path: 'a[' cannot be read"),
        ({"json": [{"path": "", "exists": True}]}, "option probes[0].json[0].path: '' is empty"),
        ({"json": [{"path": "a", "regex": "("}]}, "option probes[0].json[0].regex: '('"),
        ({"url": "ftp://x.test/"}, "option probes[0].url: 'ftp://x.test/'"),
        ({"url": "shop.example.com/health"}, "option probes[0].url: 'shop.example.com/health'"),
        ({"url": ""}, "option probes[0].url: ''"),
        ({"url": "https:///x"}, "option probes[0].url: 'https:///x'"),
        ({"url": "https://x.test:99999/"}, "option probes[0].url: 'https://x.test:99999/'"),
        ({"url": "https://x.test/a b"}, "option probes[0].url: 'https://x.test/a b'"),
        ({"name": " "}, "option probes[0].name: ' ' is empty"),
        ({"status": []}, "option probes[0].status: []"),
        ({"status": [200, 99]}, "option probes[0].status[1]: 99"),
        ({"status": [600]}, "option probes[0].status[0]: 600"),
        ({"max_latency": -1}, "option probes[0].max_latency: -1"),
        ({"max_latency": "nan"}, "option probes[0].max_latency: nan"),
        ({"min_certificate_days": -1}, "option probes[0].min_certificate_days: -1"),
        ({"min_certificate_days": 3, "url": "http://x.test/"}, "option probes[0].min_certificate_days: 3 asks"),
        ({"request_timeout": 0}, "option probes[0].request_timeout: 0"),
        ({"max_body": 0}, "option probes[0].max_body: 0"),
        ({"max_body": -5}, "option probes[0].max_body: -5"),
        ({"ca_path": "nowhere/ca.pem"}, "option probes[0].ca_path: "),
        ({"client_cert": "nowhere/c.pem"}, "option probes[0].client_cert: "),
        ({"method": "HEAD", "regex": "x"}, "option probes[0].regex: 'x' looks at a body"),
        ({"method": "HEAD", "json": [{"path": "a", "exists": True}]}, "option probes[0].json: "),
        ({"request_headers": {"X Y": "1"}}, "option probes[0].request_headers[X Y]: 'X Y' is not the name"),
    ],
)
def test_bad_probes_are_named(options: dict[str, t.Any], named: str) -> None:
    assert refused({"url": URL, **options}).message.startswith(named)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"successes": 0}, "option successes: 0"),
        ({"interval": 0}, "option interval: 0"),
        ({"interval": -1}, "option interval: -1"),
        ({"timeout": -1}, "option timeout: -1"),
        ({"soak": -0.5}, "option soak: -0.5"),
        ({"max_parallel": 0}, "option max_parallel: 0"),
        ({"before": [{"name": "x"}]}, "option before[0]: ['name']"),
        ({"before": [{"name": "x", "ok": True}, {"name": 3, "ok": "yes"}]}, "option before[1]: "),
        ({"probes": []}, "option probes: []"),
    ],
)
def test_bad_options_are_named(options: dict[str, t.Any], named: str) -> None:
    given = validated(**{"probes": [{"url": URL}], **options})
    with pytest.raises(SyncError) as caught:
        for parse in (parse_rules, parse_before, parse_probes):
            parse(given)
    assert caught.value.message.startswith(named)


def test_names_are_unique() -> None:
    assert (
        "option probes[2].name: 'a' is the name of probes[0]"
        in refused({"url": URL, "name": "a"}, {"url": URL, "name": "b"}, {"url": URL, "name": " a "}).message
    )
    error = refused({"url": f"{URL}?t={SECRET}1"}, {"url": f"{URL}?t={SECRET}2"})
    assert "probes[1].name" in error.message
    assert SECRET not in error.message


@pytest.mark.parametrize(
    "value",
    ["two\nlines", " blank", "tab\t\n", "snow\u2603", "\0", None, ["x"]],
    ids=["lines", "blank", "tab", "snow", "nul", "null", "list"],
)
def test_a_bad_header_value_is_not_repeated(value: t.Any) -> None:
    error = refused({"url": URL, "request_headers": {"Authorization": value}})
    assert error.message == f"option probes[0].request_headers[Authorization]: {MASK} is not a value that HTTP can carry"


@pytest.mark.parametrize(
    "url",
    [
        f"https://u:{SECRET}@host:bad/",
        f"https://u:{SECRET}/x@host/",
        f"https://u:{SECRET}?x@ho st/",
        f"ftp://u:{SECRET}@h/",
        f"h/?token={SECRET}",
    ],
)
def test_a_bad_address_is_shown_without_secrets(url: str) -> None:
    assert SECRET not in refused({"url": url}).message


def test_credentials_come_from_options_or_the_address() -> None:
    assert probe().login is None
    assert probe(url="https://us%40er:p%2Fw@shop.example.com/").login == ("us@er", "p/w")
    assert probe(url="https://a:b@shop.example.com/", url_username="u", url_password="p").login == ("u", "p")
    assert "Authorization" in refused({"url": "https://a:b@x.test/", "request_headers": {"authorization": "x"}}).message.title()


def test_the_name_is_the_address_without_secrets() -> None:
    given = probe(url=f"https://u:{SECRET}@Shop.example.com?token={SECRET}&{SECRET}&page=#frag")
    assert (given.name, given.address.shown) == (
        given.address.shown,
        f"https://Shop.example.com/?token={MASK}&{MASK}&page={MASK}",
    )
    assert given.address.url == f"https://Shop.example.com/?token={SECRET}&{SECRET}&page="
    assert probe(name=" shop ").name == "shop"


def test_secrets_are_known_and_harmless_values_are_none() -> None:
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": f"a=cookie-1; b={SECRET}2", "Accept": "text/html", "X-Debug": "1"}
    given = probe(url="https://x.test/?q=query-1&page=1", request_headers=headers)
    assert {SECRET, "cookie-1", f"{SECRET}2", "query-1"} <= set(given.secrets)
    assert not {"1", "text/html"} & set(given.secrets)
    assert {"pw", "dTpwdw=="} <= set(probe(url_username="u", url_password="pw").secrets)


def test_tls_options(tmp_path: pathlib.Path) -> None:
    pem = tmp_path / "some.pem"
    pem.touch()
    name = str(pem)
    assert (probe().verify, probe().cert) == (True, None)
    assert (probe(validate_certs=False, ca_path=name).verify, probe(ca_path=name).verify) == (False, name)
    assert probe(client_cert=name).cert == name
    assert probe(client_cert=name, client_key=name).cert == (name, name)


def test_json_null_can_be_wanted() -> None:
    (rule,) = probe(json=[{"path": "a", "equals": None}]).wanted.json
    assert (rule.equals, rule.regex, rule.exists) == (None, None, None)


def test_before_goes_by_name() -> None:
    assert parse_before({}) == {}
    assert parse_before({"before": [{"name": "a", "ok": True, "status": 200}, {"name": "b", "ok": False}]}) == {
        "a": True,
        "b": False,
    }


def test_options_are_shown_without_secrets() -> None:
    given = {"url": f"https://u:{SECRET}@x.test/?a={SECRET}", "request_headers": {"A": SECRET}, "url_password": SECRET}
    shown = shown_options({"probes": [given, "nonsense"], "fail": True})
    assert SECRET not in str(shown)
    assert shown["probes"][0]["request_headers"] == {"A": MASK}
    assert (shown["probes"][1], shown["fail"]) == ("nonsense", True)
    assert SECRET not in str(shown_options({"probes": [{"url": URL, "request_headers": f"A={SECRET}"}]}))
    assert shown_options({"probes": "nonsense"}) == {"probes": "nonsense"}
    # the options themselves stay as they are
    assert given["url_password"] == SECRET


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/x", "https://a.test/x"),
        ("x?y=1", "https://a.test/p/x?y=1"),
        ("//b.test", "https://b.test/"),
        ("http://u:p@b.test:8080/x#f", "http://b.test:8080/x"),
        ("/a b", "https://a.test/a%20b"),
        ("/gr\xc3\xb6\xc3\x9fe", "https://a.test/größe"),
        ("ftp://b.test/", None),
        ("javascript:alert(1)", None),
        ("https://b.test:x/", None),
        ("https://[b/", None),
        (None, None),
    ],
)
def test_where_redirects_lead(location: str | None, target: str | None) -> None:
    assert redirected("https://a.test/p/q", location) == target


@given(st.text("abc:/@?#&=", max_size=12), st.sampled_from(["https://", "http://", ""]))
def test_no_address_is_shown_with_a_value_or_user(text: str, scheme: str) -> None:
    shown = shown_url(f"{scheme}{text}")
    host, _sign, query = shown.partition("?")
    assert "#" not in shown
    assert all(pair.partition("=")[2] in ("", MASK) for pair in query.split("&"))
    if scheme:
        assert "@" not in host[len(scheme) :].partition("/")[0]


def test_an_address_that_is_fine_is_sent_as_it_is() -> None:
    for url in ("https://a.test/x/@y?b=c&d=%20", "http://[::1]:8080/", "https://a.test/;p=1"):
        assert parse_address("url", url).url == url
