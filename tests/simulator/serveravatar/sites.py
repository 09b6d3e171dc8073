# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web sites of the applications, reduced to what a probe looks at: does it answer, and with which release?"""

from __future__ import annotations

import html

from aiohttp import web

from ..framework import Abort, Call, Route, json_answer, text_answer
from .gate import number
from .knobs import ServerAvatarKnobs
from .world import Application, World


class Sites:
    """``/sites/<id or name>/`` is the site of that application; ``…/health`` answers JSON, every other path a page."""

    def __init__(self, world: World, knobs: ServerAvatarKnobs) -> None:
        self._world = world
        self._knobs = knobs

    def routes(self) -> list[Route]:
        return [Route("GET", "/sites/{site}", self.visit), Route("GET", "/sites/{site}/{path:rest}", self.visit)]

    async def visit(self, call: Call) -> web.StreamResponse:
        site = self._find(call.params["site"])
        headers = {
            "X-Release": site.content.marker,
            "X-Site": "production" if site.production_id is None else "staging",
            "Cache-Control": "no-store",
        }
        status, text = self._health(site)
        if call.params.get("path") == "health":
            return json_answer({"status": text, "release": site.content.marker}, status=status, headers=headers)
        title = html.escape(f"{site.name} {site.content.marker}")
        page = f'<!DOCTYPE html>\n<title>{title}</title>\n<p data-status="{text}">{title}</p>\n'
        return text_answer(page, status=status, content_type="text/html", headers=headers)

    def _find(self, name: str) -> Application:
        site = self._world.applications.get(number(name))
        for each in self._world.applications.values():
            if site is None and each.name == name:
                site = each
        if site is None:
            raise Abort(text_answer("No such site\n", status=404))
        return site

    def _health(self, site: Application) -> tuple[int, str]:
        knobs = self._knobs.for_application(site.production_id or site.id)
        if not site.active:
            return 503, "disabled"
        if site.production_id is not None:
            return 200, "ok"
        if site.content.marker == knobs.broken_release or site.content.files != site.content.database:
            return 500, "broken"
        run = self._world.busy(site.id)
        if knobs.site_during_sync == "down" and run is not None and run.kind == "sync":
            return 503, "updating"
        return (503, "starting") if self._world.now < site.warm_at else (200, "ok")
