# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``backend`` option."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.backend import TSIG_ALGORITHMS, Backend, Request

SECRET = base64.b64encode(b"never to be seen").decode()
KEY = {"tsig_name": "sync.", "tsig_secret": SECRET}


def refusal(**options: object) -> SyncError:
    with pytest.raises(SyncError) as caught:
        Backend.from_options({"server": "ns1.example.net", **options})
    assert caught.value.code == "invalid_option"
    assert caught.value.hint
    return caught.value


def test_a_server_is_enough() -> None:
    assert Backend.from_options({"server": "ns1.example.net", "port": None, "tsig_name": None}) == Backend(
        server="ns1.example.net", port=53, tsig_name=None, tsig_secret=None, tsig_algorithm="hmac-sha256"
    )


def test_a_key_is_taken_apart() -> None:
    backend = Backend.from_options({"server": "192.0.2.53", "port": "5353", **KEY, "tsig_algorithm": "hmac-sha512"})
    assert (backend.port, backend.tsig_name, backend.tsig_algorithm) == (5353, "sync.", "hmac-sha512")
    assert backend.secret_octets() == b"never to be seen"
    assert backend.key == "TSIG key sync. (hmac-sha512)"


@pytest.mark.parametrize("name", ["sync", "sync.", " sync "])
def test_names_of_keys_are_absolute(name: str) -> None:
    assert Backend.from_options({"server": "a", **KEY, "tsig_name": name}).tsig_name == "sync."


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        *((name, name) for name in TSIG_ALGORITHMS),
        ("HMAC-SHA256", "hmac-sha256"),
        ("hmac-sha256.", "hmac-sha256"),
        ("sha1", "hmac-sha1"),
        ("HMAC-MD5.SIG-ALG.REG.INT.", "hmac-md5"),
    ],
)
def test_algorithms_have_several_spellings(given: str, meant: str) -> None:
    assert Backend.from_options({"server": "a", **KEY, "tsig_algorithm": given}).tsig_algorithm == meant


@pytest.mark.parametrize("server", [None, "", " ", 5, "http://ns1", "ns1 ns2", "[::1]", "ns1@53"])
def test_a_server_has_a_name_or_an_address(server: object) -> None:
    assert "backend.server" in refusal(server=server).message


def test_a_port_belongs_into_its_own_option() -> None:
    error = refusal(server="ns1.example.net:5353")
    assert error.hint == "Use server ns1.example.net and port 5353."


def test_an_ipv6_address_is_a_server() -> None:
    assert Backend.from_options({"server": "2001:db8::53"}).address == "[2001:db8::53]:53"


@pytest.mark.parametrize("port", [0, 65536, -1, "domain", 5.3, True])
def test_a_port_is_a_number(port: object) -> None:
    assert "backend.port" in refusal(port=port).message


@pytest.mark.parametrize("algorithm", ["hmac-sha3", "none", "", "gss-tsig", "hmac-sha256-128"])
def test_unknown_algorithms_are_refused(algorithm: str) -> None:
    error = refusal(**KEY, tsig_algorithm=algorithm)
    assert "backend.tsig_algorithm" in error.message
    assert "hmac-sha256" in error.hint


@pytest.mark.parametrize("secret", ["not base64!", f"{SECRET[:8]}!{SECRET[8:]}", SECRET[:-1], "", "  ", "ä"])
def test_a_secret_is_base64_and_is_not_shown(secret: str) -> None:
    error = refusal(tsig_name="sync.", tsig_secret=secret)
    assert "backend.tsig_secret" in error.message
    if secret.strip():
        assert secret.strip() not in error.message + error.hint


def test_a_secret_may_be_wrapped() -> None:
    assert Backend.from_options({"server": "a", **KEY, "tsig_secret": f" {SECRET[:5]}\n{SECRET[5:]}\n"}).tsig_secret == SECRET


@pytest.mark.parametrize(("given", "missing"), [({"tsig_name": "sync."}, "tsig_secret"), ({"tsig_secret": SECRET}, "tsig_name")])
def test_half_a_key_is_refused(given: dict[str, str], missing: str) -> None:
    error = refusal(**given)
    assert f"backend.{missing}" in error.message
    assert SECRET not in error.message + error.hint


@pytest.mark.parametrize("name", ["a..b", "", "x" * 64])
def test_the_name_of_a_key_is_a_domain_name(name: str) -> None:
    assert "backend.tsig_name" in refusal(tsig_secret=SECRET, tsig_name=name).message


def test_unknown_options_are_refused() -> None:
    assert "'tsig'" in refusal(tsig="x").message


def test_a_secret_is_in_no_representation() -> None:
    backend = Backend.from_options({"server": "a", **KEY})
    assert SECRET not in f"{backend} {backend!r} {Request('example.com.', backend, 'transfer')!r} {backend.key}"


def test_failures_name_zone_server_and_remedy() -> None:
    error = Request("example.com.", Backend("ns1", 5353), "transfer").error("not_found", "no such zone", "Look elsewhere.")
    assert (error.code, error.message, error.hint) == (
        "not_found",
        "zone example.com., transfer from ns1:5353: no such zone",
        "Look elsewhere.",
    )
