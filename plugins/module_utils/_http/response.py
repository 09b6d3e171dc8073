# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""An answer of a server: decoded on demand, and what an unexpected one means."""

from __future__ import annotations

import datetime as dt
import typing as t
import urllib.parse

from .._core.clock import parse_http_date, parse_retry_after
from .._core.errors import SyncError
from .body import TooManyValues, parse_json

MAX_BODY_IN_MESSAGE = 200
#: of which so many characters are taken
EXCERPT_BYTES = 64 * 1024
REDIRECTS = (301, 302, 303, 307, 308)
DEFAULT_PORTS = {"http": 80, "https": 443}


class Response:
    """A complete response of the server, decoded on demand.

    :param redact: hides secrets in what is shown of the body.
    """

    def __init__(
        self,
        method: str,
        url: str,
        status: int,
        headers: t.Mapping[str, str],
        body: bytes,
        redact: t.Callable[[str], str] = lambda text: text,
    ) -> None:
        self.method = method
        self.url = url
        self.status = status
        self.headers = headers
        self.body = body
        self._redact = redact

    @property
    def server_now(self) -> dt.datetime | None:
        """The server's clock when it answered."""
        return parse_http_date(self.headers.get("Date"))

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def is_html(self) -> bool:
        start = self.body[:200].lstrip().lower()
        return "text/html" in self.headers.get("Content-Type", "") or start.startswith((b"<!doctype html", b"<html"))

    @property
    def redirect(self) -> str | None:
        """Where a redirect leads, or ``None`` if that is no address."""
        try:
            target = urllib.parse.urljoin(self.url, self.headers["Location"])
            origin_of(target)
        except (KeyError, ValueError):
            return None
        return target

    def retry_after(self, fallback_now: dt.datetime) -> float | None:
        return parse_retry_after(self.headers.get("Retry-After"), self.server_now or fallback_now)

    def json(self) -> t.Any:
        """The decoded body.

        :raises SyncError: ``bad_response`` if the body is not JSON.
        """
        try:
            return parse_json(self.body)
        except TooManyValues as error:
            raise SyncError("bad_response", f"{self.describe()} has {error}", "Check api_url.", self.status) from None
        except ValueError:
            raise SyncError(
                "bad_response",
                f"{self.describe()} is {'an HTML page' if self.is_html else 'not JSON'}",
                "Check that api_url is the address of the API itself, including any context path, and that no proxy or"
                " login page stands in front of it.",
                self.status,
            ) from None

    def try_json(self) -> t.Any:
        """The decoded body, or ``None`` if it is not JSON."""
        try:
            return parse_json(self.body)
        except ValueError:
            return None

    def describe(self) -> str:
        return f"the answer to {self.method} {urllib.parse.urlsplit(self.url).path} (HTTP {self.status})"

    def excerpt(self) -> str:
        """The body for a message: short, on one line, and no markup."""
        if self.is_html:
            return "(an HTML page)"
        # before the cut, which may leave a part of a secret that cannot be recognised
        text = self._redact(self.body[:EXCERPT_BYTES].decode("utf-8", "replace"))
        if len(self.body) > EXCERPT_BYTES:
            # the end, in which a secret may have been cut
            text = text[: EXCERPT_BYTES // 2]
        return _cut(text)

    def shown(self, text: str) -> str:
        """A text out of the body for a message: on one line, and short."""
        return _cut(self._redact(text))


def _cut(redacted: str) -> str:
    text = " ".join(redacted.split())
    return text if len(text) <= MAX_BODY_IN_MESSAGE else text[:MAX_BODY_IN_MESSAGE] + "…"


#: Turns an answer into the failure it means, or returns ``None`` to have it judged by its status.
Interpreter = t.Callable[[Response], t.Optional[SyncError]]


def judge_status(answer: Response) -> SyncError:
    """The failure that an unexpected status means where the provider has no closer word for it."""
    status = answer.status
    if status in REDIRECTS:
        return redirect_refused(answer)
    code, hint = "bad_response", "The server may not be of a supported version."
    if status == 401:
        code, hint = "auth_failed", "Check the credentials."
    elif status == 403:
        code, hint = "permission_denied", "Check what the account behind the credentials may do."
    elif status == 404:
        code, hint = "not_found", "Check the name or id, and the path in api_url."
    elif status >= 500:
        code, hint = "server_error", "Look into the log of the server, then run the task again."
    return SyncError(code, f"{answer.describe()} says: {answer.excerpt() or 'nothing'}", hint, status)


def redirect_refused(answer: Response) -> SyncError:
    parts = urllib.parse.urlsplit(answer.redirect or "")
    port = f":{parts.port}" if parts.port else ""
    target = f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}" if answer.redirect else "nowhere"
    return SyncError(
        "redirect_refused",
        f"{answer.method} {urllib.parse.urlsplit(answer.url).path} is redirected to {target}",
        "Triggers are never redirected, and reads only within one origin. Set api_url to the final address.",
        answer.status,
    )


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
