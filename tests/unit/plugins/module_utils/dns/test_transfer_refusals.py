# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transfers that a server refuses: keys, clocks, permissions and zones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._dns.transfer import read_soa
from tests.simulator.dns_embedded import EmbeddedServer
from tests.simulator.dns_server import DnsServer, TsigKey
from tests.unit.plugins.module_utils.dns.conftest import KEY, backend
from tests.unit.plugins.module_utils.dns.transfers import UNSIGNED, ZONE, failure, fetch


@pytest.fixture
def shift_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the clock of this thread wrong; servers have threads or processes of their own."""
    right, client = time.time, threading.get_ident()

    def shift(seconds: int) -> None:
        monkeypatch.setattr(time, "time", lambda: right() + (seconds if threading.get_ident() == client else 0))

    return shift


def test_an_unknown_key_is_named(server: DnsServer) -> None:
    stranger = backend(server, TsigKey.make("stranger."))
    for call in (lambda: fetch(ZONE, stranger), lambda: read_soa(ZONE, stranger, 5)):
        error = failure(call, "auth_failed", TsigKey.make("stranger.").secret)
        assert "BADKEY" in error.message
        assert "stranger." in error.message
        assert f"{ZONE}, " in error.message
        assert f"127.0.0.1:{server.port}" in error.message


def test_a_wrong_secret_is_named(server: DnsServer) -> None:
    wrong = backend(server, TsigKey(KEY.name, TsigKey.make("other").secret, KEY.algorithm))
    for call in (lambda: fetch(ZONE, wrong), lambda: read_soa(ZONE, wrong, 5)):
        assert "BADSIG" in failure(call, "auth_failed", TsigKey.make("other").secret).message


def test_a_wrong_algorithm_is_named(server: DnsServer) -> None:
    wrong = backend(server, TsigKey(KEY.name, KEY.secret, "hmac-sha1"))
    error = failure(lambda: fetch(ZONE, wrong), "auth_failed")
    assert "hmac-sha1" in error.message


@pytest.mark.parametrize(("shift", "relation"), [(3600, "behind"), (-3600, "ahead of")])
def test_clocks_that_differ_are_named(server: DnsServer, shift_clock: Callable[[int], None], shift: int, relation: str) -> None:
    shift_clock(shift)
    for call in (lambda: fetch(ZONE, backend(server)), lambda: read_soa(ZONE, backend(server), 5)):
        error = failure(call, "auth_failed")
        skew = next(int(word) for word in error.message.split() if word.isdigit())
        assert abs(skew - 3600) <= 5
        assert f"s {relation} this host's" in error.message
        assert "BADTIME" in error.message
        assert "NTP" in error.hint


def test_clocks_may_differ_a_little(server: DnsServer, shift_clock: Callable[[int], None]) -> None:
    shift_clock(200)
    assert len(fetch("empty.example.", backend(server))) == 2


@pytest.mark.parametrize("key", [None, KEY])
def test_a_refused_transfer_is_a_matter_of_permission(server: DnsServer, key: TsigKey | None) -> None:
    error = failure(lambda: fetch("closed.example.", backend(server, key)), "permission_denied")
    assert "REFUSED" in error.message
    assert (KEY.name if key else "no TSIG key") in error.message
    assert "allow-transfer" in error.hint


@pytest.mark.parametrize("key", [None, KEY])
def test_an_unknown_zone_is_not_found(server: DnsServer, key: TsigKey | None) -> None:
    error = failure(lambda: fetch("nowhere.example.", backend(server, key)), "not_found")
    assert "nowhere.example." in error.message
    failure(lambda: read_soa("nowhere.example.", backend(server, key), 5), "not_found")


def test_a_host_is_no_zone(server: DnsServer) -> None:
    failure(lambda: read_soa("www.example.com.", backend(server), 5), "not_found")
    failure(lambda: read_soa("no.such.example.com.", backend(server), 5), "not_found")
    failure(lambda: read_soa("sub.example.com.", backend(server), 5), "not_found")


def test_a_server_in_trouble_is_named(embedded: EmbeddedServer) -> None:
    embedded.set_fault("servfail")
    embedded.set_fault("servfail", on="query")
    assert "SERVFAIL" in failure(lambda: fetch(ZONE, backend(embedded)), "bad_response").message
    assert "SERVFAIL" in failure(lambda: read_soa(ZONE, backend(embedded), 5), "bad_response").message


@pytest.mark.parametrize("zone", ["", "a..b", "x" * 64])
def test_a_zone_needs_a_name(zone: str) -> None:
    failure(lambda: fetch(zone, UNSIGNED), "invalid_option")
    failure(lambda: read_soa(zone, UNSIGNED, 5), "invalid_option")
