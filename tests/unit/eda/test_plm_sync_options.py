# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source plm_sync: addresses and files that its options name."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import certifi
import pytest

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source.plm_sync import Settings


@pytest.mark.parametrize("url", ["ws://[2001:db8::1/", "ws://host:99999/", "ws://host:0/", "ws://host:x/", "ws:///path"])
def test_an_address_that_cannot_be_one_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="notifications_url: is not the address of a WebSocket; use ws://"):
        Settings.from_args({"notifications_url": url})


@pytest.mark.parametrize("url", ["ws://[2001:db8::1]:9002/n", "wss://media.example.com", "ws://192.0.2.1:9002/notifications"])
def test_other_addresses_are_taken_as_they_are(url: str) -> None:
    assert Settings.from_args({"notifications_url": url}).url == url


def test_authorities_are_found_in_the_home_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copy(certifi.where(), tmp_path / "ca.pem")
    trust = Settings.from_args({"notifications_url": "wss://media.example.com", "ca_path": "~/ca.pem"}).trust
    assert isinstance(trust, ssl.SSLContext) and trust.get_ca_certs()
