# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials are not sent over plain HTTP, unless that is allowed or the server is on this machine."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import CONNECTION
from ansible_collections.lockstep.sync.plugins.module_utils._http.plain_http import check_encrypted, is_loopback
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Provider, http_settings
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import PROVIDERS
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.provider import VinylDNS
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.lab import Lab, validated
from tests.unit.plugins.support.web import Reply

WITH_CREDENTIALS = [
    provider for provider in PROVIDERS.values() if any(spec.get("no_log") for spec in provider.connection_spec.arguments.values())
]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.3.2.1", "::1"])
def test_what_stays_on_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example.com", "127.0.0.1.example.com", "127.1", "10.0.0.1", "::2", "0.0.0.0", ""])
def test_what_may_leave_it(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://api.example.com", False),
        ("http://localhost:9000/x", False),
        ("http://127.0.0.1:9000", False),
        ("http://[::1]:9000", False),
        ("http://api.example.com", True),
    ],
)
def test_what_is_sent(url: str, allowed: bool) -> None:
    check_encrypted(url, "api_url", allowed)


@pytest.mark.parametrize("url", ["http://api.example.com/x", "http://10.0.0.1:80", "http://localhost.example.com"])
def test_what_is_refused(url: str) -> None:
    with pytest.raises(SyncError, match="plain HTTP") as caught:
        check_encrypted(url, "api_url", False)
    assert (caught.value.code, "allow_http: true" in caught.value.hint) == ("invalid_option", True)


@pytest.mark.parametrize("provider", WITH_CREDENTIALS, ids=lambda provider: provider.name)
def test_every_provider_with_credentials_has_the_option(provider: type[Provider]) -> None:
    spec = provider.connection_spec.arguments["allow_http"]
    assert (spec["type"], spec["default"]) == ("bool", False)
    options = {"api_url": "http://api.example.com", **dict.fromkeys(CONNECTION.arguments)}
    options.update(validate_certs=True, request_timeout=30.0)
    with pytest.raises(SyncError, match="plain HTTP"):
        http_settings({**options, "allow_http": False})
    assert http_settings({**options, "allow_http": True}).base_url == "http://api.example.com"


def options_of(lab: Lab, url: str, **more: t.Any) -> dict[str, t.Any]:
    given = {"api_url": url, "access_key": "a", "secret_key": "s3cret", "zones": ["example.com."], "ledger": lab.location, **more}
    return validated(sync_spec(VinylDNS), given)


def test_a_task_sends_nothing_then(lab: Lab, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(lambda request: Reply(500))
    monkeypatch.setenv("http_proxy", proxy.url)
    result = run_sync(VinylDNS, options_of(lab, "http://vinyldns.example.com"), lab.new_context())
    assert (result["failed"], result["failure"]["code"], proxy.log) == (True, "invalid_option", [])
    assert "s3cret" not in str(result)
    allowed = options_of(lab, "http://vinyldns.example.com", allow_http=True, wait_timeout=5)
    run_sync(VinylDNS, allowed, lab.new_context())
    assert proxy.log


@pytest.mark.parametrize(("text", "refused"), [("", True), ("False", True), ("True", False)])
def test_the_environment_may_allow_it(lab: Lab, monkeypatch: pytest.MonkeyPatch, text: str, refused: bool) -> None:
    """As AWX sets the variable of a field that is not ticked, has no value, or is ticked."""
    monkeypatch.setenv("VINYLDNS_ALLOW_HTTP", text)
    assert options_of(lab, "http://vinyldns.example.com")["allow_http"] is not refused
