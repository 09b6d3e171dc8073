# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control routes, below ``/parts/crafter`` on the control port.

================================ ============================================================================================
GET /sites                       every site with its number of executed resets: ``{"mysite": {"resets": 0, …}, …}``
POST /sites                      make sites: ``sites`` [ids], or ``prefix`` and ``count`` (prefix1, prefix2, …), all alike:
                                 ``staging_enabled`` true|false|null, ``staging_branch``, ``live_branch``, ``published`` (true),
                                 ``drift`` ahead|equal|same (equal), ``state`` (READY)
GET /sites/{site}                everything about a site: configuration, publisher, packages, resets, refs, head
PUT /sites/{site}                set ``state``, ``staging_enabled``, ``staging_branch``, ``live_branch``, ``config_xml``,
                                 ``failing_paths`` (publish/all cannot publish them)
DELETE /sites/{site}             the site and its repository
GET /sites/{site}/refs           ``{"head": "live", "refs": {"live": {"commit", "tree"}, …}}``
GET /sites/{site}/tree           ``?branch=``: ``{"files": {path: content}}``
POST /sites/{site}/commit        a commit right on ``branch`` of ``files`` {path: content or null}, which Studio never hears of
DELETE /sites/{site}/refs/{ref}  drop a branch
POST /sites/{site}/checkout      check ``branch`` out
POST /sites/{site}/edit          a sandbox commit of ``files`` {/path: content or null}; answers its ``commit_id``
PUT /sites/{site}/publisher      set ``enabled``, ``status`` (null too), ``message``, ``lock_owner``, ``lock_ttl``, ``target``,
                                 ``submission_id``, ``number_of_items``, ``total_items`` until the publisher changes them
POST /sites/{site}/publish       a package that starts at once: ``target`` (live), ``paths`` (default: all that changed),
                                 ``comment``, ``fail``; without ``seconds`` and ``hold`` it is over when the answer comes,
                                 with ``seconds`` it takes that long, with ``hold`` it lasts until …/publish/finish
POST /sites/{site}/publish/finish
PUT /sites/{site}/packages/{id}  set ``state``, ``schedule``
POST /logins/expire              end all sessions and UI tokens
GET /logins                      ``{"failed": {name: failures}}``
================================ ============================================================================================
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import shutil
from collections.abc import Mapping
from typing import Any, get_type_hints

from aiohttp import web

from ..framework import Abort, Call, Route, json_answer
from .accounts import Accounts
from .git import Change, PublishedRepository
from .model import PACKAGE_STATES, READY_FOR_LIVE, Package, PublisherState, Site, instant, now, parse_instant
from .publishing import Publisher, Spawn
from .seed import Plan, make_sites
from .studio import Studio

SITE_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")
SITE_SETTINGS = ("state", "staging_enabled", "staging_branch", "live_branch", "config_xml", "failing_paths")


class Control:
    def __init__(self, studio: Studio, publisher: Publisher, accounts: Accounts, spawn: Spawn) -> None:
        self._studio = studio
        self._publisher = publisher
        self._accounts = accounts
        self._spawn = spawn

    def routes(self) -> list[Route]:
        site = "/sites/{site}"
        return [
            Route("GET", "/sites", self.list_sites),
            Route("POST", "/sites", self.make_sites),
            Route("GET", site, self.show_site),
            Route("PUT", site, self.set_site),
            Route("DELETE", site, self.delete_site),
            Route("GET", site + "/refs", self.show_refs),
            Route("DELETE", site + "/refs/{ref}", self.delete_ref),
            Route("GET", site + "/tree", self.show_tree),
            Route("POST", site + "/commit", self.commit),
            Route("POST", site + "/checkout", self.checkout),
            Route("POST", site + "/edit", self.edit),
            Route("PUT", site + "/publisher", self.set_publisher),
            Route("POST", site + "/publish", self.publish),
            Route("POST", site + "/publish/finish", self.finish_publish),
            Route("PUT", site + "/packages/{package}", self.set_package),
            Route("POST", "/logins/expire", self.expire_logins),
            Route("GET", "/logins", self.show_logins),
        ]

    # Sites

    async def list_sites(self, call: Call) -> web.StreamResponse:
        return json_answer({site.id: {"state": site.state, "resets": len(site.resets)} for site in self._studio.sites.values()})

    async def make_sites(self, call: Call) -> web.StreamResponse:
        data = dict(call.json())
        site_ids = data.pop("sites", None) or _numbered(data.pop("prefix"), data.pop("count"))
        state = data.pop("state", "READY")
        for site_id in site_ids:
            if not SITE_ID.fullmatch(site_id) or site_id in self._studio.sites:
                raise ValueError(f"site id {site_id!r} is taken or malformed")
        await make_sites(self._studio, site_ids, Plan(**data), prepare=lambda site: setattr(site, "state", state))
        return json_answer({"sites": site_ids}, status=201)

    async def show_site(self, call: Call) -> web.StreamResponse:
        site = self._site(call)
        shown = {name: getattr(site, name) for name in SITE_SETTINGS}
        return json_answer(
            {
                "site": site.id,
                **shown,
                "published": self._studio.repository(site).exists,
                "publisher": dataclasses.asdict(site.publisher),
                "packages": [_package(package) for package in site.packages],
                "resets": [{**dataclasses.asdict(record), "at": instant(record.at)} for record in site.resets],
                **await self._refs(site),
            }
        )

    async def set_site(self, call: Call) -> web.StreamResponse:
        _assign(self._site(call), call.json(), SITE_SETTINGS)
        return await self.show_site(call)

    async def delete_site(self, call: Call) -> web.StreamResponse:
        site = self._site(call)
        del self._studio.sites[site.id]
        await asyncio.to_thread(shutil.rmtree, self._studio.repository(site).path.parent, ignore_errors=True)
        return json_answer({})

    async def edit(self, call: Call) -> web.StreamResponse:
        return json_answer({"commit_id": self._site(call).edit(call.json()["files"])})

    # Git

    async def show_refs(self, call: Call) -> web.StreamResponse:
        return json_answer(await self._refs(self._site(call)))

    async def _refs(self, site: Site) -> dict[str, Any]:
        repository = self._studio.repository(site)
        if not repository.exists:
            return {"head": None, "refs": {}}
        refs = await self._studio.refs(site)
        head = await asyncio.to_thread(repository.head)
        return {"head": head, "refs": {name: dataclasses.asdict(ref) for name, ref in refs.items()}}

    async def show_tree(self, call: Call) -> web.StreamResponse:
        return json_answer({"files": await asyncio.to_thread(self._repository(call).files, call.query["branch"])})

    async def commit(self, call: Call) -> web.StreamResponse:
        data = call.json()
        change = Change(data["files"], data.get("message", "made by a test"), now())
        commit_id = await asyncio.to_thread(self._repository(call).commit, data["branch"], change)
        return json_answer({"commit_id": commit_id})

    async def delete_ref(self, call: Call) -> web.StreamResponse:
        await asyncio.to_thread(self._repository(call).delete_branch, call.params["ref"])
        return json_answer({})

    async def checkout(self, call: Call) -> web.StreamResponse:
        await asyncio.to_thread(self._repository(call).checkout, call.json()["branch"])
        return json_answer({})

    def _repository(self, call: Call) -> PublishedRepository:
        repository = self._studio.repository(self._site(call))
        if not repository.exists:
            raise Abort(json_answer({"error": "the site was never published"}, status=409))
        return repository

    # Publishing

    async def set_publisher(self, call: Call) -> web.StreamResponse:
        site = self._site(call)
        _assign(site.publisher, call.json(), tuple(get_type_hints(PublisherState)))
        self._publisher.wake(site)
        return json_answer(dataclasses.asdict(site.publisher))

    async def publish(self, call: Call) -> web.StreamResponse:
        site, data = self._site(call), dict(call.json() or {})
        if self._studio.locked(site):
            raise Abort(json_answer({"error": "a publish or a reset is running"}, status=409))
        target = data.get("target") or self._studio.live_branch(site)
        paths = site.changed_paths() if data.get("paths") is None else data["paths"]
        package = self._publisher.package(target, paths, data.get("comment", "made by a test"))
        package.fail, package.hold, package.seconds = data.get("fail", False), data.get("hold", False), data.get("seconds", 0)
        site.packages.append(package)
        task = self._spawn(self._publisher.run(site, package))
        if package.hold or package.seconds:
            while package.state == READY_FOR_LIVE:
                await asyncio.sleep(0)
        else:
            await task
        return json_answer({"package": _package(package), **await self._refs(site)})

    async def finish_publish(self, call: Call) -> web.StreamResponse:
        self._publisher.release_held(self._site(call))
        return json_answer({})

    async def set_package(self, call: Call) -> web.StreamResponse:
        site, data = self._site(call), dict(call.json())
        package = site.package(call.params["package"])
        if package is None:
            raise Abort(json_answer({"error": "no such package"}, status=404))
        if data.get("state", READY_FOR_LIVE) not in PACKAGE_STATES:
            raise ValueError(f"states: {', '.join(PACKAGE_STATES)}")
        if "schedule" in data:
            data["schedule"] = parse_instant(data["schedule"])
        _assign(package, data, ("state", "schedule"))
        self._publisher.wake(site)
        return json_answer(_package(package))

    # Logins

    async def expire_logins(self, call: Call) -> web.StreamResponse:
        self._accounts.expire()
        return json_answer({})

    async def show_logins(self, call: Call) -> web.StreamResponse:
        return json_answer({"failed": self._accounts.failed_logins()})

    def _site(self, call: Call) -> Site:
        site = self._studio.sites.get(call.params["site"])
        if site is None:
            raise Abort(json_answer({"error": f"no site {call.params['site']!r}"}, status=404))
        return site


def _numbered(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(1, count + 1)]


def _assign(thing: object, values: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    """Set several attributes, or none if one is unknown."""
    unknown = sorted(set(values) - set(allowed))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(allowed)}")
    for name, value in values.items():
        setattr(thing, name, value)


def _package(package: Package) -> dict[str, Any]:
    shown = dataclasses.asdict(package)
    return {**shown, "schedule": instant(package.schedule), "published_on": instant(package.published_on)}
