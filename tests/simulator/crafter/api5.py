# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What 5.0 changed in API 2, as far as it is known: the site moved into the path, and packages have numbers and bits."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..framework import MUTATE
from .answers import CONTENT_NOT_FOUND, CREATED, OK
from .api1 import as_list
from .api2 import configuration_answer, instant_field, path_list, request_body, target_field, targets_answer
from .gate import Endpoint, Visit
from .lookup import find_site
from .model import BLOCKED, CANCELLED, COMPLETED, PROCESSING, READY_FOR_LIVE, Package, Site, instant
from .publishing import Publisher
from .studio import Studio

READY_BIT = 1
PROCESSING_BIT = 2
LIVE_SUCCESS_BIT = 4
LIVE_FAILED_BIT = 16
STAGING_SUCCESS_BIT = 32
STAGING_FAILED_BIT = 128
COMPLETED_BIT = 256
CANCELLED_BIT = 512

TASK_STATES = {READY_FOR_LIVE: "READY", PROCESSING: "IN_PROGRESS"}


class Api5:
    def __init__(self, studio: Studio, publisher: Publisher) -> None:
        self._studio = studio
        self._publisher = publisher

    def endpoints(self) -> list[Endpoint]:
        publish = "/api/2/publish/{site}/"
        return [
            Endpoint("GET", f"{publish}status", self.publish_status, "5.0.0"),
            Endpoint("GET", f"{publish}available_targets", self.available_targets, "5.0.0"),
            Endpoint("POST", f"{publish}package", self.submit, "5.0.0", kind=MUTATE),
            Endpoint("GET", publish + "package/{number}", self.package, "5.0.0"),
            Endpoint("GET", "/api/2/configuration/{site}/get_configuration", self.configuration, "5.0.0"),
        ]

    async def publish_status(self, visit: Visit) -> web.Response:
        site = self._site(visit, "publish_status")
        running = next((package for package in site.packages if package.state == PROCESSING), None)
        task = None
        if running is not None:
            task = {"taskId": running.number, "state": TASK_STATES[running.state], "stages": [], "result": None}
        published = self._studio.repository(site).exists
        return OK.answer(publishingStatus={"enabled": site.publisher.enabled, "published": published, "currentTask": task})

    async def available_targets(self, visit: Visit) -> web.Response:
        return targets_answer(self._studio, self._site(visit, "content_read"))

    async def configuration(self, visit: Visit) -> web.Response:
        return configuration_answer(visit, self._site(visit, "content_read"))

    async def submit(self, visit: Visit) -> web.Response:
        """The first submission that answers with an id."""
        site = self._site(visit, "publish")
        body = request_body(visit)
        target, paths = target_field(body), self._paths(site, body)
        comment, schedule = str(body.get("comment") or ""), instant_field(body, "schedule")
        package = self._publisher.package(target, paths, comment, schedule)
        package.title = str(body.get("title") or "")
        if body.get("requestApproval"):
            package.approval = "SUBMITTED"
        self._publisher.submit(site, package, visit.user)
        return CREATED.answer(packageId=package.number)

    def _paths(self, site: Site, body: dict[str, Any]) -> list[str]:
        if body.get("publishAll"):
            return list(site.items)
        names = [entry.get("path") for entry in as_list(body.get("paths")) if isinstance(entry, dict)]
        committed = [path for commit in as_list(body.get("commitIds")) for path in site.sandbox_commits.get(str(commit), [])]
        return list(dict.fromkeys(path_list(names + committed, "paths")))

    async def package(self, visit: Visit) -> web.Response:
        site = self._site(visit, "get_publishing_queue")
        for package in site.packages:
            if str(package.number) == visit.call.params["number"]:
                return OK.answer(package=self._package_entry(site, package))
        raise CONTENT_NOT_FOUND.abort()

    def _package_entry(self, site: Site, package: Package) -> dict[str, Any]:
        return {
            "id": package.number,
            "siteId": site.id,
            "title": package.title,
            "target": package.target,
            "schedule": instant(package.schedule),
            "approvalState": package.approval,
            "packageState": self._state_bits(site, package),
            "liveError": None,
            "stagingError": None,
            "itemCount": len(package.paths),
            "submitterComment": package.comment,
            "publishedStagingCommitId": package.staging_commit,
            "publishedLiveCommitId": package.live_commit,
        }

    def _state_bits(self, site: Site, package: Package) -> int:
        live = package.target == self._studio.live_branch(site)
        states = {
            READY_FOR_LIVE: READY_BIT,
            PROCESSING: PROCESSING_BIT,
            CANCELLED: CANCELLED_BIT,
            BLOCKED: COMPLETED_BIT | (LIVE_FAILED_BIT if live else STAGING_FAILED_BIT),
            COMPLETED: COMPLETED_BIT
            | (LIVE_SUCCESS_BIT if package.live_commit else 0)
            | (STAGING_SUCCESS_BIT if package.staging_commit else 0),
        }
        return states[package.state]

    def _site(self, visit: Visit, permission: str) -> Site:
        site = find_site(self._studio, visit.call.params["site"])
        visit.require(site, permission)
        return site
