# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy that loses responses."""

from __future__ import annotations

import contextlib
import http.server
import threading
import urllib.parse
from collections.abc import Iterator

import requests

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length", "host"})


@contextlib.contextmanager
def losing_proxy(upstream: str, lost: str) -> Iterator[str]:
    """An address that leads to ``upstream``; the response to a POST whose path ends in ``lost`` never arrives."""
    parts = urllib.parse.urlsplit(upstream)
    origin = f"{parts.scheme}://{parts.netloc}"

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            response = requests.request(
                self.command, origin + self.path, data=body, headers=headers, timeout=60, allow_redirects=False
            )
            if self.command == "POST" and self.path.partition("?")[0].endswith(lost):
                self.close_connection = True
                return
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = _forward

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on standard error."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{parts.path}"
        finally:
            server.shutdown()
            thread.join()
