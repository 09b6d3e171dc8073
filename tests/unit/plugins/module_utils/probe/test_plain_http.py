# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes with credentials over plain HTTP."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._probe.options import SPEC, Probe, parse_probes
from tests.unit.plugins.support.lab import validated

SECRET = "s3cr3t-Value"
CREDENTIALS: list[dict[str, t.Any]] = [
    {"url_username": "u", "url_password": SECRET},
    {"request_headers": {"authorization": f"Bearer {SECRET}"}},
    {"request_headers": {"Cookie": f"id={SECRET}"}},
]


def probe(url: str, **options: t.Any) -> Probe:
    (only,) = parse_probes(validated(SPEC, {"probes": [{"url": url, **options}]}))
    return only


@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_they_are_refused(credentials: dict[str, t.Any]) -> None:
    with pytest.raises(SyncError, match=r"option probes\[0\]\.url: .*shop\.example\.com over plain HTTP") as caught:
        probe("http://shop.example.com/", **credentials)
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"
    assert "probes[0].allow_http: true" in caught.value.hint


def test_a_password_in_the_address_is_refused_too() -> None:
    with pytest.raises(SyncError, match="plain HTTP") as caught:
        probe(f"http://u:{SECRET}@shop.example.com/")
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("credentials", CREDENTIALS)
@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("https://shop.example.com/", {}),
        ("http://127.0.0.1:8080/", {}),
        ("http://shop.example.com/", {"allow_http": True}),
    ],
)
def test_these_are_fine(credentials: dict[str, t.Any], url: str, options: dict[str, t.Any]) -> None:
    assert probe(url, **credentials, **options).address.url == url


def test_a_probe_without_credentials_may_use_it() -> None:
    assert probe("http://shop.example.com/", request_headers={"Accept": "text/html"}).login is None
