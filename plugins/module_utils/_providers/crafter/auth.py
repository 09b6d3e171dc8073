# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Signing in to Crafter Studio (docs/reference/crafter.md#2): a session with a CSRF pair in 3.x, a token or Basic from 4.0 on.

Studio locks a user after failed logins, for longer each time. So a password that was refused once is not sent again.
"""

from __future__ import annotations

import base64
import dataclasses
import secrets
import threading
import typing as t

from ..._core.errors import SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options, from_env, with_environment
from ..._core.redact import Redactor
from ..._http.client import Channel
from ..._http.transport import AuthBase

SESSION_COOKIE = "JSESSIONID"
CSRF_COOKIE = "XSRF-TOKEN"
CSRF_HEADER = "X-XSRF-TOKEN"
LOGIN = "/api/1/services/api/1/security/login.json"

CONNECTION_SPEC = ArgumentSpec(
    {
        "api_url": {"type": "str", "required": True, **from_env("CRAFTER_STUDIO_URL")},
        "allow_http": {"type": "bool", "default": False, **from_env("CRAFTER_STUDIO_ALLOW_HTTP")},
        "api_token": {"type": "str", "no_log": True, **from_env("CRAFTER_STUDIO_TOKEN")},
        "username": {"type": "str", **from_env("CRAFTER_STUDIO_USERNAME")},
        "password": {"type": "str", "no_log": True, **from_env("CRAFTER_STUDIO_PASSWORD")},
        "auth_method": {"type": "str", "choices": ["auto", "token", "basic", "session"], "default": "auto"},
        "management_token": {"type": "str", "no_log": True, **from_env("CRAFTER_STUDIO_MANAGEMENT_TOKEN")},
    }
)

#: what may cause a 401, for each authentication method
HINTS = {  # nosec B105
    "anonymous": "Check the credentials.",
    "token": "Check api_token: it may be wrong, expired or disabled. Studio 3.x has no tokens: use username and password there.",
    "basic": (
        "Check username and password, and that studio.security.http.basic.enabled is true: it is off by default, and with it off"
        " the response is the same. An api_token needs no such setting. The password is not tried again: failures lock the user."
    ),
    "session": "Check username and password. The password is not tried again, as failures may lock the user.",
}


@dataclasses.dataclass(frozen=True)
class StudioCredentials:
    """Credentials, and how to use them.

    :param method: token, basic, session, or ``password`` if the version of the server decides between the last two.
    """

    method: str
    token: str = ""
    username: str = ""
    password: str = ""

    @classmethod
    def of(cls, options: Options) -> StudioCredentials:
        """The credentials in the options of a module; a token wins over a password.

        :raises SyncError: ``invalid_option``.
        """
        token, username = (options.get("api_token") or "").strip(), (options.get("username") or "").strip()
        # blanks may be a part of a password
        password, method = options.get("password") or "", options["auth_method"]
        if method == "auto":
            method = "token" if token else "password"
        if method == "token":
            if not token or not token.isascii() or not token.isprintable() or " " in token:
                hint = f"Pass an API token of Studio 4.0 or later in {_option('api_token')}."
                raise SyncError("invalid_option", "option api_token is empty or not a token", hint)
            return cls("token", token=token)
        for name, value in (("username", username), ("password", password)):
            if not value:
                login = f"{_option('username')} and {_option('password')}"
                hint = f"Studio 4.0 and later take {_option('api_token')}, all releases {login}."
                raise SyncError("invalid_option", f"option {name} is empty, and there is no other way to sign in", hint)
        if ":" in username and method == "basic":
            raise invalid_option("username", username, "has a colon, which Basic does not allow", "Use a token.")
        return cls(method, username=username, password=password)


def _option(name: str) -> str:
    return with_environment(name, CONNECTION_SPEC.arguments[name])


class StudioAuth(AuthBase):
    """Adds credentials to each request of both HTTP sessions of a client, so that reads and triggers share one set of cookies."""

    def __init__(self, redactor: Redactor) -> None:
        self.method = "anonymous"
        self._changes = 0
        self._redactor = redactor
        self._lock = threading.Lock()
        self._authorization = ""
        self._cookies: dict[str, str] = {}

    def use_token(self, token: str) -> None:
        self.method, self._authorization = "token", f"Bearer {token}"

    def use_basic(self, username: str, password: str) -> None:
        pair = f"{username}:{password}"
        self._redactor.add(pair)
        self.method, self._authorization = "basic", "Basic " + base64.b64encode(pair.encode()).decode("ascii")

    def use_session(self) -> None:
        """Begin without a session. The client chooses the value of the CSRF pair (docs/reference/crafter.md#2.2)."""
        with self._lock:
            self.method, self._authorization, self._changes = "session", "", 0
            self._cookies = {CSRF_COOKIE: secrets.token_urlsafe(24)}

    @property
    def rotates_session(self) -> bool:
        """Whether the session id changes with each response, and not only after the login."""
        return self._changes > 2

    def __call__(self, request: t.Any) -> t.Any:
        if self._authorization:
            request.headers["Authorization"] = self._authorization
        if self.method == "session":
            with self._lock:
                request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
                request.headers[CSRF_HEADER] = self._cookies[CSRF_COOKIE]
            request.register_hook("response", self._note_cookies)
        return request

    def _note_cookies(self, response: t.Any, **kwargs: t.Any) -> None:
        """Keep the session id, which changes after the login, and the CSRF value, which the server may replace."""
        with self._lock:
            for cookie in response.cookies:
                name, value = cookie.name, cookie.value
                if name in (SESSION_COOKIE, CSRF_COOKIE) and value and self._cookies.get(name) != value:
                    self._cookies[name] = value
                    self._changes += name == SESSION_COOKIE
                    self._redactor.add(value)

    def sign_in(self, credentials: StudioCredentials, channel: Channel) -> None:
        """Log in for a session (3.x). The request changes nothing at the server, and is sent once.

        :raises SyncError: ``auth_failed`` and those of :meth:`Channel.observe`.
        """
        self.use_session()
        body = {"username": credentials.username, "password": credentials.password}
        try:
            channel.once().observe(LOGIN, method="POST", body=body)
        except SyncError as error:
            if error.http_status == 401:
                raise refused("session", f"Studio does not accept the login of {credentials.username}") from None
            # 4.0 has the call and refuses it (docs/reference/crafter.md#2.3)
            if error.code == "endpoint_missing" or error.http_status == 503:
                remedy = "Set auth_method to token or basic: Studio has sessions for its API up to 3.1 only. Check api_url, too."
                raise SyncError("auth_failed", f"no login for sessions: {error.message}", remedy, error.http_status) from None
            raise


def refused(method: str, message: str) -> SyncError:
    return SyncError("auth_failed", message, HINTS[method], 401)
