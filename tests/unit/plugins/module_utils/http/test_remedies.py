# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is advised for failures of transport, by real connections on the loopback interface."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
import requests

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.failures import transport_error


@pytest.fixture
def plain() -> Iterator[str]:
    """The host and port of a server that speaks plain HTTP."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def failure_of(url: str, **options: object) -> SyncError:
    session = requests.Session()
    session.trust_env = False
    with pytest.raises(requests.exceptions.RequestException) as caught:
        session.get(url, timeout=30, **options)  # type: ignore[arg-type]
    return transport_error(caught.value, url, (30, 30))


def test_tls_with_a_server_that_has_none(plain: str) -> None:
    error = failure_of(f"https://{plain}/")

    assert error.code == "tls_failed"
    assert "does not speak TLS" in error.hint
    assert "http://" in error.hint
    assert "ca_path" not in error.hint


def test_a_proxy_that_is_not_there(plain: str) -> None:
    error = failure_of(f"http://{plain}/", proxies={"http": "http://127.0.0.1:9"})

    assert error.code == "connection_failed"
    assert all(name in error.hint for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"))
