# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Receivers of notifications: a web server and a mail server."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.plugins.plugin_utils.notifications.receivers import PROXIES, Mailbox, Serve
from tests.unit.plugins.support.web import Reply, Web


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """No proxy and no CA of the user who runs the tests, and a netrc that would answer for everybody."""
    for name in (*PROXIES, *map(str.upper, PROXIES), "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("default login eve password sesame\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web(lambda request: Reply(200, b"ok"))
    yield server
    server.stop()


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[Mailbox] = []

    def start(**options: Any) -> Mailbox:
        started.append(Mailbox(**options))
        return started[-1]

    yield start
    for mailbox in started:
        mailbox.stop()
