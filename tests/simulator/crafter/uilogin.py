# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The user interface's way in, 4.0 on: a form gives a cookie, the cookie gives tokens that live for minutes."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs

from aiohttp import web

from ..framework import OBSERVE, Abort, json_answer
from .accounts import Accounts
from .answers import container_page
from .gate import CSRF_COOKIE, CSRF_HEADER, Endpoint, Gate, Visit
from .knobs import CrafterKnobs
from .model import instant, now

REFRESH_COOKIE = "refresh_token"


class UiLogin:
    def __init__(self, gate: Gate, accounts: Accounts, knobs: CrafterKnobs) -> None:
        self._gate = gate
        self._accounts = accounts
        self._knobs = knobs

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/login", self.login, "4.0.0", access="public", kind=OBSERVE),
            Endpoint("GET", "/refresh", self.refresh, "4.0.0", access="public"),
        ]

    async def login(self, visit: Visit) -> web.Response:
        form = {name: values[-1] for name, values in parse_qs(visit.call.body.decode(errors="replace")).items()}
        pair = visit.call.request.cookies.get(CSRF_COOKIE)
        if not pair or pair not in (form.get("_csrf"), visit.call.headers.get(CSRF_HEADER)):
            raise Abort(container_page(403))
        user = self._accounts.check_password(visit.release, form.get("username", ""), form.get("password", ""))
        if user is None:
            return web.Response(status=302, headers={"Location": f"{visit.base_url}/login?error"})
        cookie = self._gate.cookie(REFRESH_COOKIE, self._accounts.open_refresh(user), int(self._knobs.ui_token_seconds))
        return web.Response(status=302, headers={"Location": f"{visit.base_url}/", "Set-Cookie": cookie})

    async def refresh(self, visit: Visit) -> web.Response:
        expires_at = now() + timedelta(seconds=self._knobs.ui_token_seconds)
        token = self._accounts.ui_token(visit.call.request.cookies.get(REFRESH_COOKIE, ""), expires_at)
        if token is None:
            return web.Response(status=401)
        return json_answer({"token": token.secret, "expiresAt": instant(expires_at)})
