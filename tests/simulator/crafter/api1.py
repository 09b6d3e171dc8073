# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 1: the REST scripts, each with its releases."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from aiohttp import web

from ..framework import MUTATE, OBSERVE, Abort, json_answer
from .accounts import Accounts
from .answers import container_page, message, refuse
from .gate import API1, Endpoint, Handler, Visit, forbidden, json_object
from .git import BranchCheckedOut, GitError, RefNotFound
from .knobs import CrafterKnobs
from .lookup import alike
from .model import Site, User, parse_instant
from .publishing import Publisher
from .releases import Release
from .studio import ServerFailure, Studio

GONE_IN_4_0 = "4.0.0"
GONE_IN_4_2 = "4.2.0"
GONE_IN_5_0 = "5.0.0"

PAGE_SIZE = 25
LAST_ORDER = 2147483647
JGIT_EXCEPTIONS = {RefNotFound: "RefNotFoundException", BranchCheckedOut: "CannotDeleteCurrentBranchException"}
EMPTY_BODY = "Text must not be null or empty"  # Groovy's own words


def unknown_script(release: Release) -> web.Response:
    """A URL that no script answers."""
    if release.since("4.1.0"):
        return container_page(404)
    return message("REST script not found", 404 if release.stateless else 400)


def script_body(visit: Visit) -> dict[str, Any]:
    if not visit.call.body:
        raise refuse(EMPTY_BODY, 500)
    try:
        return json_object(visit.call)
    except ValueError:
        raise refuse("Bad Request", 400) from None


def is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def require_parameters(**values: object) -> None:
    """Missing, empty and non-text values are all invalid."""
    refuse_parameters({name: is_text(value) for name, value in values.items()})


def refuse_parameters(checked: Mapping[str, bool]) -> None:
    """The invalid ones are named in a list as Groovy prints it."""
    invalid = [name for name, valid in checked.items() if not valid]
    if invalid:
        raise refuse(f"Invalid parameter(s): [{', '.join(invalid)}]", 400)


class Api1:
    def __init__(self, studio: Studio, publisher: Publisher, accounts: Accounts, knobs: CrafterKnobs) -> None:
        self._studio = studio
        self._publisher = publisher
        self._accounts = accounts
        self._knobs = knobs

    def endpoints(self) -> list[Endpoint]:
        return [*self._publish_endpoints(), *self._other_endpoints()]

    def _publish_endpoints(self) -> list[Endpoint]:
        base = f"{API1}publish/"
        return [
            Endpoint("POST", f"{base}sync-staging.json", self.sync_staging, documented=True, kind=MUTATE),
            Endpoint("POST", f"{base}reset-staging.json", self.reset_staging, "3.0.14", GONE_IN_4_2, kind=MUTATE),
            # the check of permissions knows the address with its ending only
            Endpoint("POST", f"{base}reset-staging", self.reset_staging_unchecked, "4.0.0", "4.1.0", kind=MUTATE),
            Endpoint("GET", f"{base}status.json", self.publish_status, "3.0.0", "3.1.14"),
            Endpoint("GET", f"{base}status.json", self.moved("/api/2/publish/status"), "3.1.14", GONE_IN_4_2),
            Endpoint("POST", f"{base}start.json", self.start, "3.0.0", GONE_IN_5_0, kind=MUTATE),
            Endpoint("POST", f"{base}stop.json", self.stop, "3.0.0", GONE_IN_5_0, kind=MUTATE),
            Endpoint("POST", f"{base}commits.json", self.publish_commits, "3.0.2", GONE_IN_5_0, kind=MUTATE),
            Endpoint("POST", f"{base}publish-items.json", self.publish_items, "3.0.11", GONE_IN_4_2, kind=MUTATE),
        ]

    def _other_endpoints(self) -> list[Endpoint]:
        config = f"{API1}site/get-configuration.json"
        deployment = f"{API1}deployment/"
        return [
            Endpoint("POST", f"{deployment}bulk-golive.json", self.bulk_golive, "3.0.0", GONE_IN_5_0, kind=MUTATE),
            Endpoint("GET", f"{deployment}get-available-publishing-channels.json", self.channels, "3.0.0", GONE_IN_4_0),
            Endpoint("POST", f"{API1}security/login.json", self.login, "3.0.0", GONE_IN_4_0, access="public", kind=OBSERVE),
            Endpoint("POST", f"{API1}security/login.json", self.no_login, "4.0.0", "4.1.0", access="public", kind=OBSERVE),
            Endpoint("POST", f"{API1}security/logout.json", self.logout, "3.0.0", GONE_IN_4_0, kind=OBSERVE),
            Endpoint("POST", f"{API1}security/logout.json", self.no_login, "4.0.0", "4.1.0", kind=OBSERVE),
            Endpoint("GET", f"{API1}monitor/version.json", self.version, "3.0.0", "3.1.0", access="public"),
            Endpoint("GET", f"{API1}site/exists.json", self.exists, "3.0.0", GONE_IN_5_0),
            Endpoint("GET", f"{API1}site/get-per-user.json", self.sites_per_user, "3.0.0", GONE_IN_5_0),
            Endpoint("GET", config, self.configuration, "3.0.0", GONE_IN_4_0),
            Endpoint("GET", config, self.moved("/api/2/configuration/get_configuration"), GONE_IN_4_0, GONE_IN_5_0),
        ]

    # Resetting staging

    async def reset_staging(self, visit: Visit) -> web.Response:
        return await self._reset(visit, checked=visit.release.reset_needs_permission)

    async def reset_staging_unchecked(self, visit: Visit) -> web.Response:
        return await self._reset(visit, checked=False)

    async def _reset(self, visit: Visit, checked: bool) -> web.Response:
        site_id = script_body(visit).get("site_id")
        require_parameters(site_id=site_id)
        if visit.release.is_4_0 and site_id not in self._studio.sites and alike(self._studio, site_id):
            raise forbidden(visit)
        site = self._site(site_id)
        if checked:
            visit.require(site, "publish")
        return await self._answer_reset(visit, self._studio.reset_staging(site, visit.user))

    async def sync_staging(self, visit: Visit) -> web.Response:
        """The published contract; its page and its script word some answers differently."""
        try:
            body = script_body(visit)
            environment = body.get("environment")
            require_parameters(site_id=body.get("site_id"), environment=environment)
            site = self._site(body.get("site_id"))
            if environment not in self._knobs.staging_environments:
                raise refuse("Environment not found", 404)
            if not visit.user.member_of(site.id):
                raise forbidden(visit)
            return await self._answer_reset(visit, self._studio.sync_staging(site, visit.user, str(environment)))
        except Abort as abort:
            raise Abort(self._as_published(abort.response)) from None

    def _as_published(self, response: web.Response) -> web.Response:
        if self._knobs.documented_strings == "code":
            return response
        text = str(json.loads(response.text or "{}").get("message")) if response.content_type == "application/json" else ""
        if response.status == 500:
            return message("Internal server error", 500)
        return message("Invalid parameter(s)", 400) if text.startswith("Invalid parameter(s)") else response

    async def _answer_reset(self, visit: Visit, work: Awaitable[None]) -> web.Response:
        try:
            await work
        except (ServerFailure, GitError) as error:
            raise refuse(f"Internal server error: \n{_java_exception(visit.release, error)}", 500) from None
        return message("OK")

    # Publishing

    async def publish_status(self, visit: Visit) -> web.Response:
        site = self._site_argument(visit)
        status = visit.release.status_word(site.publisher.status)
        text = site.publisher.message or (status or "").capitalize()
        return json_answer({"status": status, "message": text})

    async def start(self, visit: Visit) -> web.Response:
        self._publisher.start(self._publisher_site(visit))
        return message("OK")

    async def stop(self, visit: Visit) -> web.Response:
        self._publisher.stop(self._publisher_site(visit))
        return message("OK")

    def _publisher_site(self, visit: Visit) -> Site:
        body = script_body(visit)
        site_id = visit.argument("site_id") or body.get("site_id")
        if not is_text(site_id):
            raise refuse("Invalid parameter: site_id", 400)
        if visit.release.is_4_0 and site_id not in self._studio.sites:
            action = 'Current subject does not have permission to execute action "start_stop_publisher"'
            raise refuse(f"{action} on {{siteId={site_id}}}", 403)
        site = self._site(site_id)
        self._require_publish(visit, site)
        return site

    async def publish_commits(self, visit: Visit) -> web.Response:
        body = script_body(visit)
        commit_ids = as_list(body.get("commit_ids"))
        checked = {"site_id": is_text(body.get("site_id")), "environment": is_text(body.get("environment"))}
        refuse_parameters(checked | {"commit_ids": bool(commit_ids)})
        site = self._target_site(visit, body["site_id"], body["environment"])
        if any(commit_id not in site.sandbox_commits for commit_id in commit_ids):
            raise refuse("Commit(s) not found", 404)
        paths = [path for commit_id in commit_ids for path in site.sandbox_commits[commit_id]]
        comment = str(body.get("comment") or "")
        package = self._publisher.package(body["environment"], list(dict.fromkeys(paths)), comment)
        self._publisher.submit(site, package, visit.user)
        return message("OK")

    async def publish_items(self, visit: Visit) -> web.Response:
        """``site_id`` is in the query, everything else in the body."""
        body = script_body(visit)
        site_id, entities = visit.argument("site_id"), as_list(body.get("entities"))
        paths = [str(entity["item"]) for entity in entities if isinstance(entity, dict) and entity.get("item")]
        refuse_parameters({"site_id": bool(site_id), "entities": bool(paths)})
        site = self._target_site(visit, site_id, body.get("environment"))
        comment, schedule = str(body.get("submission_comment") or ""), _schedule(body.get("schedule"))
        package = self._publisher.package(body["environment"], paths, comment, schedule)
        self._publisher.submit(site, package, visit.user)
        return message("OK")

    async def bulk_golive(self, visit: Visit) -> web.Response:
        """Its errors are not mapped to statuses: all of them are 500."""
        site = self._studio.sites.get(visit.argument("site_id") or "")
        prefix, target = visit.argument("path"), visit.argument("environment") or ""
        if site is None or prefix is None or target not in self._studio.targets(site):
            raise refuse("Internal server error", 500)
        self._require_publish(visit, site)
        paths = [path for path in site.items if path.startswith(prefix)]
        package = self._publisher.package(target, paths, visit.argument("comment") or "")
        self._publisher.submit(site, package, visit.user)
        return json_answer({"success": True})

    def _target_site(self, visit: Visit, site_id: object, environment: object) -> Site:
        site = self._site(site_id)
        if environment not in self._studio.targets(site):
            raise refuse("Environment not found", 404)
        self._require_publish(visit, site)
        return site

    def _require_publish(self, visit: Visit, site: Site) -> None:
        """Permissions on these URLs are known of 4.1; before, a login was enough."""
        if visit.release.stateless:
            visit.require(site, "publish")

    # Sites

    async def exists(self, visit: Visit) -> web.Response:
        site_id = visit.argument("site_id")
        require_parameters(site_id=site_id)
        # the database compares without regard to case
        return json_answer({"exists": any(site.casefold() == str(site_id).casefold() for site in self._studio.sites)})

    async def sites_per_user(self, visit: Visit) -> web.Response:
        start, number = self._page(visit)
        sites = self._studio.visible_sites(self._listed_user(visit))
        entries = [self._site_entry(visit.release, site) for site in sites[start : start + number]]
        return json_answer({"sites": entries, "total": len(sites)})

    def _page(self, visit: Visit) -> tuple[int, int]:
        texts = {"start": visit.argument("start") or "0", "number": visit.argument("number") or str(PAGE_SIZE)}
        refuse_parameters({name: text.isdecimal() for name, text in texts.items()})
        return int(texts["start"]), int(texts["number"])

    def _listed_user(self, visit: Visit) -> User:
        """3.0 requires the name; later versions take it from the session."""
        if visit.release.since("3.1.0"):
            return visit.user
        username = visit.argument("username")
        require_parameters(username=username)
        user = self._accounts.user(username or "")
        if user is None:
            raise refuse("User not found", 404)
        return user

    def _site_entry(self, release: Release, site: Site) -> dict[str, Any]:
        status = release.status_word(site.publisher.status)
        entry = {
            "id": site.number,
            "siteId": site.id,
            "siteUuid": site.uuid,
            "name": site.id,
            "publishingEnabled": int(site.publisher.enabled),
            "publishingStatusMessage": status and f"{status}|{site.publisher.message or status.capitalize()}",
            "sandboxBranch": "master",
        }
        if release.since("3.1.11"):
            entry["publishedRepoCreated"] = int(self._studio.repository(site).exists)
        return entry

    async def channels(self, visit: Visit) -> web.Response:
        targets = self._studio.targets(self._site_argument(visit))
        channels = [{"name": name, "publish": True, "updateStatus": False, "order": LAST_ORDER} for name in targets]
        return json_answer({"availablePublishChannels": channels, "availableUpdateStatusChannels": []})

    async def configuration(self, visit: Visit) -> web.Response:
        """The file as JSON, every value a text."""
        site_id, path = visit.argument("site_id") or visit.argument("site"), visit.argument("path")
        require_parameters(site_id=site_id, path=path)
        if (path or "").lstrip("/") != "site-config.xml":
            raise refuse("Content not found", 404)
        return json_answer(_xml_as_json(ElementTree.fromstring(self._site(site_id).site_config())))

    # The rest

    async def login(self, visit: Visit) -> web.Response:
        body = script_body(visit)
        username, password = body.get("username"), body.get("password")
        if not isinstance(username, str) or not isinstance(password, str):
            raise refuse("Bad Request", 400)
        user = self._accounts.check_password(visit.release, username, password)
        if user is None:
            raise refuse("Unauthorized", 401)
        visit.session = self._accounts.open_session(user)
        return json_answer(_user_details(visit.release, user))

    async def no_login(self, visit: Visit) -> web.Response:
        """4.0 has the URL; it says so to anybody who logs in, and to a user who logs out."""
        return message("This API has been replaced by a new login mechanism via JWT, please review the documentation.", 503)

    async def logout(self, visit: Visit) -> web.Response:
        if visit.session is not None:
            self._accounts.close_session(visit.session)
            visit.session = None
        return message("OK")

    async def version(self, visit: Visit) -> web.Response:
        values = version_values(self._knobs)
        if self._knobs.monitor_v1 == "documented":
            values = dict(zip(("name", "version", "build", "build_datetime"), values.values(), strict=True))
        return json_answer(values)

    def moved(self, path: str) -> Handler:
        """A stub in place of a script: the query is not in the new address."""

        async def stub(visit: Visit) -> web.Response:
            return json_answer({"message": "API deprecated."}, status=301, headers={"Location": visit.base_url + path})

        return stub

    def _site_argument(self, visit: Visit) -> Site:
        site_id = visit.argument("site_id")
        if site_id is None:
            raise refuse("Invalid parameter: site_id", 400)
        return self._site(site_id)

    def _site(self, site_id: object) -> Site:
        site = self._studio.sites.get(site_id) if isinstance(site_id, str) else None
        if site is None:
            raise refuse("Site not found", 404)
        return site


def _schedule(text: object) -> datetime | None:
    try:
        return parse_instant(str(text)) if text else None
    except ValueError as error:
        raise refuse(f"java.time.format.DateTimeParseException: {error}", 500) from None


def version_values(knobs: CrafterKnobs) -> dict[str, str]:
    """The same in every monitoring answer."""
    return {
        "packageName": "Crafter Studio",
        "packageVersion": knobs.reported_version or knobs.release.text,
        "packageBuild": "0123456789abcdef0123456789abcdef01234567",
        "packageBuildDate": "2026-01-01T00:00:00Z",
    }


def _java_exception(release: Release, error: Exception) -> str:
    if isinstance(error, ServerFailure):
        return str(error)
    service = "ServiceLayerException" if release.since("3.1.0") else "ServiceException"
    inner = next((name for kind, name in JGIT_EXCEPTIONS.items() if isinstance(error, kind)), "JGitInternalException")
    return f"org.craftercms.studio.api.v1.exception.{service}: org.eclipse.jgit.api.errors.{inner}: {error}"


def _user_details(release: Release, user: User) -> dict[str, str]:
    values = (user.username, user.first_name, user.last_name, user.email, "DB")
    later = ("username", "firstName", "lastName", "email", "authenticationType")
    earlier = ("username", "first_name", "last_name", "email", "authentication_type")
    return dict(zip(later if release.since("3.1.0") else earlier, values, strict=True))


def _xml_as_json(element: ElementTree.Element) -> object:
    return {child.tag: _xml_as_json(child) for child in element} if len(element) else element.text or ""
