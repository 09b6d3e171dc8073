# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, sessions, tokens and login locks: what can prove who somebody is."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from .knobs import CrafterKnobs
from .model import User, instant, now
from .releases import Release

LONGEST_LOCK = 3600.0


@dataclass
class Token:
    """An API token, or (without an id) the short-lived one of the user interface."""

    secret: str
    user: User
    label: str = ""
    id: int | None = None
    enabled: bool = True
    expires_at: datetime | None = None
    created_on: datetime = field(default_factory=now)

    @property
    def valid(self) -> bool:
        return self.enabled and (self.expires_at is None or self.expires_at > now())

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "label": self.label,
            "enabled": self.enabled,
            "expiresAt": instant(self.expires_at),
            "createdOn": instant(self.created_on),
        }


@dataclass
class Session:
    user: User
    expires: float
    rotates_session: bool


@dataclass
class LoginLock:
    failures: int = 0
    until: float = 0.0


def new_secret() -> str:
    """Looks like the compact form of an encrypted token: five parts, the first one a header."""
    return ".".join(["eyJhbGciOiJkaXIifQ", "", *(secrets.token_urlsafe(size) for size in (12, 48, 16))])


class Accounts:
    def __init__(self, knobs: CrafterKnobs, users: Iterable[User], tokens: Iterable[Token]) -> None:
        self._knobs = knobs
        self._users = {user.username: user for user in users}
        self._first_tokens = tuple(tokens)
        self.tokens: list[Token] = []
        self._sessions: dict[str, Session] = {}
        self._refresh: dict[str, Session] = {}  # the user interface's refresh cookies, 4.0 on
        self._locks: dict[str, LoginLock] = {}
        self.reset()

    def reset(self) -> None:
        self.tokens = [Token(token.secret, token.user, token.label, token.id) for token in self._first_tokens]
        self.expire()
        self._locks.clear()

    def expire(self) -> None:
        """End every session and every token that came from a login."""
        self._sessions.clear()
        self._refresh.clear()
        self.tokens = [token for token in self.tokens if token.id is not None]

    def user(self, username: str) -> User | None:
        return self._users.get(username)

    # Passwords

    def check_password(self, release: Release, username: str, password: str, basic: bool = False) -> User | None:
        """The user, or None for anything wrong; a locked name is refused without a look at its password.

        :param basic: the password comes by Basic, which locks nothing (docs/reference/crafter.md#2.3).
        """
        lock = self._locks.setdefault(username, LoginLock())
        locking = self._locks_logins(release) and not (basic and self._knobs.login_lock == "auto")
        if locking and time.monotonic() < lock.until:
            return None
        user = self._users.get(username)
        if user is not None and user.password == password:
            del self._locks[username]
            return user
        lock.failures += 1
        lock.until = time.monotonic() + min(2.0**lock.failures, LONGEST_LOCK) * self._knobs.login_lock_unit
        return None

    def _locks_logins(self, release: Release) -> bool:
        return release.stateless if self._knobs.login_lock == "auto" else self._knobs.login_lock == "on"

    def failed_logins(self) -> dict[str, int]:
        return {name: lock.failures for name, lock in self._locks.items() if lock.failures}

    # Sessions, 3.x

    def open_session(self, user: User) -> str:
        return self._new_session(user, rotates_session=self._knobs.session_rotation != "login")

    def _new_session(self, user: User, rotates_session: bool) -> str:
        session_id = secrets.token_hex(16).upper()
        self._sessions[session_id] = Session(user, time.monotonic() + self._knobs.session_seconds, rotates_session)
        return session_id

    def use_session(self, session_id: str) -> tuple[User, str] | None:
        """The user and the id that is valid from now on, which may be a new one."""
        session = self._sessions.get(session_id)
        if session is None or session.expires < time.monotonic():
            return None
        if not session.rotates_session:
            return session.user, session_id
        del self._sessions[session_id]
        return session.user, self._new_session(session.user, rotates_session=self._knobs.session_rotation == "always")

    def close_session(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)

    # The user interface's login, 4.0 on

    def open_refresh(self, user: User) -> str:
        cookie = secrets.token_urlsafe(24)
        self._refresh[cookie] = Session(user, time.monotonic() + self._knobs.ui_token_seconds, rotates_session=False)
        return cookie

    def ui_token(self, cookie: str, expires_at: datetime) -> Token | None:
        session = self._refresh.get(cookie)
        if session is None or session.expires < time.monotonic():
            return None
        token = Token(new_secret(), session.user, expires_at=expires_at)
        self.tokens.append(token)
        return token

    # Tokens

    def bearer(self, secret: str) -> User | None:
        return next((token.user for token in self.tokens if token.secret == secret and token.valid), None)

    def tokens_of(self, user: User) -> list[Token]:
        return [token for token in self.tokens if token.user == user and token.id is not None]

    def create_token(self, user: User, label: str, expires_at: datetime | None) -> Token:
        number = max((token.id or 0 for token in self.tokens), default=0) + 1
        token = Token(new_secret(), user, label, number, expires_at=expires_at)
        self.tokens.append(token)
        return token
