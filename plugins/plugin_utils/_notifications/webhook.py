# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Notifications by a webhook: one POST of JSON."""

from __future__ import annotations

import contextlib
import json
import typing as t

from ...module_utils._core.errors import SyncError
from ...module_utils._core.libraries import missing_library
from ...module_utils._http import transport
from ...module_utils._http.failures import transport_error
from .announcement import Announcement, target_lines
from .settings import Webhook

#: seconds for connecting, and for each wait for data
REQUEST_TIMEOUT = 10.0


class WebResponse(t.Protocol):
    """A response of requests, as much of it as is used."""

    status_code: int

    def close(self) -> None:
        """Give the connection back."""


class WebSession(t.Protocol):
    """A session of requests, as much of it as is used."""

    def post(
        self,
        url: str,
        *,
        data: bytes,
        headers: t.Mapping[str, str],
        timeout: tuple[float, float],
        allow_redirects: bool,
        stream: bool,
    ) -> WebResponse:
        """Send a POST request."""

    def close(self) -> None:
        """Give the connection back."""


def new_session() -> WebSession:
    """A session of requests: no redirects, no retries, no netrc.

    :raises SyncError: requests is not installed.
    """
    if transport.REQUESTS_IMPORT_ERROR is not None:
        raise SyncError("library_missing", missing_library("requests"))
    adapter = transport.requests.adapters.HTTPAdapter(max_retries=0)
    return t.cast(WebSession, transport.new_session(adapter, transport.NoAuth()))


def post(hook: Webhook, about: Announcement, session: t.Callable[[], WebSession]) -> str:
    """Post to a webhook once.

    :returns: what was done, for the report.
    :raises SyncError: it was not accepted.
    """
    data = json.dumps(_slack(about) if hook.format == "slack" else about.brief, default=str).encode()
    headers = {"Content-Type": "application/json", **hook.headers}
    timeout = (REQUEST_TIMEOUT, REQUEST_TIMEOUT)
    with contextlib.closing(session()) as client:
        try:
            # the body of the response is of no interest, and may be long
            response = client.post(hook.url, data=data, headers=headers, timeout=timeout, allow_redirects=False, stream=True)
        except OSError as exc:
            raise transport_error(exc, hook.origin, timeout) from None
        status = response.status_code
        response.close()
    if 300 <= status < 400:
        message = f"{hook.origin} answered {status}, and redirects are not followed"
        raise SyncError("redirect_refused", message, http_status=status)
    if not 200 <= status < 300:
        raise SyncError("bad_response", f"{hook.origin} answered {status}", http_status=status)
    return f"posted to {hook.origin} ({status})"


def _slack(about: Announcement) -> dict[str, str]:
    """The form of Slack, which Mattermost and others accept too. Names and reasons must not become mentions or links."""
    text = "\n".join([about.message or about.verdict, *target_lines(about, "• ")])
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
