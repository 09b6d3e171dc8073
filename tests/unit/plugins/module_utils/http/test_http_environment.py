# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is used of the environment: its proxies, and no netrc."""

from __future__ import annotations

import typing as t

import pytest
import requests.sessions

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import HttpClient, HttpSettings, RequestCount
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.module_utils.http.replies import GOOD, replies
from tests.unit.plugins.support.clients import TOKEN, channel_to
from tests.unit.plugins.support.clocks import FakeClock


@pytest.fixture
def _netrc(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login mallory password canary-netrc\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.mark.usefixtures("_netrc")
def test_netrc_is_ignored(serve: Serve) -> None:
    web = serve(replies(GOOD))
    with channel_to(web.url) as channel:
        channel.observe("/x")
        channel.trigger("POST", "/x")
    assert [request.headers["Authorization"] for request in web.log] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.usefixtures("_netrc")
def test_netrc_is_ignored_without_credentials_too(serve: Serve, clock: FakeClock) -> None:
    web = serve(replies(GOOD))
    client = HttpClient(HttpSettings(web.url), clock, Redactor())
    channel = client.channel(Deadline(clock, 10), RequestCount())
    channel.observe("/x")
    channel.trigger("POST", "/x")
    client.close()
    assert ["Authorization" in request.headers for request in web.log] == [False, False]


def test_the_proxy_of_the_environment_is_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(replies(GOOD))
    monkeypatch.setenv("http_proxy", proxy.url)
    with channel_to("http://api.example.invalid/base") as channel:
        channel.observe("/x")
        channel.trigger("POST", "/x")
    assert proxy.lines == ["GET /base/x", "POST /base/x"]
    assert {request.headers["Host"] for request in proxy.log} == {"api.example.invalid"}


def test_a_host_can_be_kept_from_the_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, web = serve(replies(GOOD)), serve(replies(GOOD))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with channel_to(web.url) as channel:
        channel.observe("/x")
    assert (len(proxy.log), len(web.log)) == (0, 1)


def test_the_environment_is_read_once_and_its_proxy_used_each_time(
    serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, read = serve(replies(GOOD)), []
    original = requests.sessions.get_environ_proxies

    def get_environ_proxies(url: str, no_proxy: str | None = None) -> dict[str, str]:
        read.append(url)
        return dict(original(url, no_proxy=no_proxy))

    monkeypatch.setattr("requests.sessions.get_environ_proxies", get_environ_proxies)
    monkeypatch.setenv("http_proxy", proxy.url)
    with channel_to("http://upstream.invalid", clock) as channel:
        for path in ("/x", "/y", "/z"):
            assert channel.observe(path).json() == {"ok": True}
    assert [request.path for request in proxy.log] == ["/x", "/y", "/z"]
    assert len(read) == 1
