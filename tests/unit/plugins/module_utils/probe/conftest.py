# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the probes share."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from .site import Responder, Site, new_certificate

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """No proxy, no netrc and no certificates of the user who runs the tests."""
    for name in (*PROXIES, *map(str.upper, PROXIES), "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))


class Serve(t.Protocol):
    def __call__(self, responder: Responder, tls: tuple[str, str] | None = None, client_ca: str | None = None) -> Site:
        """Serve what the responder answers."""


@pytest.fixture
def serve() -> t.Iterator[Serve]:
    """Starts sites that end with the test."""
    started: list[Site] = []

    def start(responder: Responder, tls: tuple[str, str] | None = None, client_ca: str | None = None) -> Site:
        started.append(Site(responder, tls, client_ca))
        return started[-1]

    yield start
    for site in started:
        site.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Valid for ten days and a bit."""
    return new_certificate(tmp_path_factory.mktemp("tls"), 10.5)
