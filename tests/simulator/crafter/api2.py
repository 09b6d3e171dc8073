# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 2, as 3.1 and 4.x have it; ``api5.py`` has what 5.0 changed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from aiohttp import web

from ..framework import MUTATE, Abort
from . import lookup
from .accounts import Accounts, Token
from .answers import (
    COMPLETED_WITH_ERRORS,
    CONTENT_NOT_FOUND,
    CREATED,
    DELETED,
    INTERNAL_FAILURE,
    INVALID_PARAMETERS,
    INVALID_SITE_STATE,
    OK,
    UNAUTHORIZED,
    WRONG_MANAGEMENT_TOKEN,
    invalid_field,
)
from .api1 import version_values
from .gate import Endpoint, Visit, json_object
from .git import GitError
from .knobs import CrafterKnobs
from .lookup import OTHER, Operation, check_package_id, find_site
from .model import CANCELLED, READY_FOR_LIVE, Item, Package, Site, instant, parse_instant
from .publishing import Publisher, publish_all, publish_first
from .studio import Studio

GONE = "5.0.0"
PAGE_SIZE = 10
LONG_AGO = parse_instant("0001-01-01T00:00:00Z")
FIRST_DAY = "2026-01-01T09:00:00Z"
TARGET_NAME = re.compile(r"[a-zA-Z0-9]+")
#: what 4.0 adds to its version
MACHINE = {
    "osName": "Linux",
    "osVersion": "6.1",
    "osArch": "amd64",
    "javaVersion": "17",
    "javaVendor": "Oracle Corporation",
    "javaVm": "OpenJDK 64-Bit Server VM",
}

Entry = TypeVar("Entry")


def request_body(visit: Visit) -> dict[str, Any]:
    try:
        return json_object(visit.call)
    except ValueError:
        raise INVALID_PARAMETERS.abort() from None


def query_argument(visit: Visit, name: str) -> str:
    value = visit.argument(name)
    if value is None and visit.release.stateless:
        remedy = f"Add missing parameter '{name}' of type 'String'"
        raise dataclasses.replace(INVALID_PARAMETERS, remedy=remedy).abort()
    if value is None:
        raise INVALID_PARAMETERS.abort(f"Missing parameter: '{name}'")
    return value


def text_field(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid_field(name, "must not be empty")
    return value


def instant_field(body: Mapping[str, Any], name: str) -> datetime | None:
    value = body.get(name)
    try:
        return parse_instant(value) if value else None
    except (TypeError, ValueError):
        raise invalid_field(name, "is not a date and time") from None


def path_list(values: object, name: str) -> list[str]:
    """Paths are checked for their form only, not for existence."""
    if not isinstance(values, list) or not values:
        raise invalid_field(name, "must not be empty")
    for index, path in enumerate(values):
        if not isinstance(path, str) or not path.startswith("/") or "\n" in path or ".." in path.split("/"):
            raise invalid_field(f"{name}[{index}]", "is not a valid path")
    return values


def target_field(body: Mapping[str, Any]) -> str:
    """Letters and digits; whether the site has such a target is not asked."""
    target = text_field(body, "publishingTarget")
    if not TARGET_NAME.fullmatch(target):
        raise invalid_field("publishingTarget", "is not alphanumeric")
    return target


def page_of(visit: Visit, entries: list[Entry]) -> tuple[list[Entry], dict[str, int]]:
    """One page, and the three numbers that describe it."""
    numbers = {}
    for name, default in (("offset", 0), ("limit", PAGE_SIZE)):
        text = visit.argument(name) or str(default)
        if not text.isdecimal():
            raise INVALID_PARAMETERS.abort(f"Parameter '{name}' is not valid.")
        numbers[name] = int(text)
    offset, limit = numbers["offset"], numbers["limit"]
    return entries[offset : offset + limit], {"total": len(entries), "offset": offset, "limit": limit}


class Api2:
    def __init__(self, studio: Studio, publisher: Publisher, accounts: Accounts, knobs: CrafterKnobs) -> None:
        self._studio = studio
        self._publisher = publisher
        self._accounts = accounts
        self._knobs = knobs

    def endpoints(self) -> list[Endpoint]:
        publish = "/api/2/publish/"
        return [
            *self._account_endpoints(),
            Endpoint("GET", "/api/2/users/me/sites", self.my_sites, "3.1.0"),
            Endpoint("GET", "/api/2/configuration/get_configuration", self.configuration, "3.1.1", GONE),
            Endpoint("GET", f"{publish}status", self.publish_status, "3.1.14", GONE),
            Endpoint("GET", f"{publish}available_targets", self.available_targets, "4.0.0", GONE),
            Endpoint("GET", f"{publish}has_initial_publish", self.has_initial_publish, "4.0.3", GONE),
            Endpoint("GET", f"{publish}packages", self.packages, "3.1.4", GONE),
            Endpoint("GET", f"{publish}package", self.package, "3.1.4", GONE),
            Endpoint("POST", f"{publish}cancel", self.cancel, "3.1.4", GONE, kind=MUTATE),
            Endpoint("POST", f"{publish}all", self.publish_all, "3.1.24", GONE, kind=MUTATE),
            Endpoint("POST", "/api/2/workflow/publish", self.workflow_publish, "4.0.0", GONE, kind=MUTATE),
            Endpoint("GET", "/api/2/workflow/item_states", self.item_states, "4.0.0", GONE),
            Endpoint("GET", "/api/2/content/item_by_path", self.item_by_path, "4.0.0", GONE),
        ]

    def _account_endpoints(self) -> list[Endpoint]:
        tokens = "/api/2/security/tokens"
        return [
            Endpoint("GET", "/api/2/monitoring/version", self.version, "3.1.0", access="management"),
            Endpoint("GET", tokens, self.list_tokens, "4.0.0"),
            Endpoint("POST", tokens, self.create_token, "4.0.0", kind=MUTATE),
            Endpoint("POST", tokens + "/{id}", self.update_token, "4.0.0", kind=MUTATE),
            Endpoint("DELETE", tokens + "/{id}", self.delete_token, "4.0.0", kind=MUTATE),
        ]

    # Monitoring and tokens

    async def version(self, visit: Visit) -> web.Response:
        if visit.known_user is None and query_argument(visit, "token") != self._knobs.management_token:
            raise WRONG_MANAGEMENT_TOKEN.abort()
        machine = MACHINE if visit.release.stateless else {}
        return OK.answer(version={**version_values(self._knobs), **machine})

    async def list_tokens(self, visit: Visit) -> web.Response:
        self._require_token_permission(visit)
        return OK.answer(tokens=[token.as_json() for token in self._accounts.tokens_of(visit.user)])

    async def create_token(self, visit: Visit) -> web.Response:
        """The only answer that shows the secret."""
        self._require_token_permission(visit)
        body = request_body(visit)
        token = self._accounts.create_token(visit.user, text_field(body, "label"), instant_field(body, "expiresAt"))
        created = dataclasses.replace(OK, http=201) if visit.release.is_4_0 else CREATED
        return created.answer(token={**token.as_json(), "token": token.secret})

    async def update_token(self, visit: Visit) -> web.Response:
        token = self._own_token(visit)
        enabled = request_body(visit).get("enabled")
        if not isinstance(enabled, bool):
            raise invalid_field("enabled", "must not be null")
        token.enabled = enabled
        return OK.answer(token=token.as_json())

    async def delete_token(self, visit: Visit) -> web.Response:
        self._accounts.tokens.remove(self._own_token(visit))
        return (OK if visit.release.is_4_0 else DELETED).answer()

    def _own_token(self, visit: Visit) -> Token:
        self._require_token_permission(visit)
        for token in self._accounts.tokens_of(visit.user):
            if str(token.id) == visit.call.params["id"]:
                return token
        raise CONTENT_NOT_FOUND.abort()

    def _require_token_permission(self, visit: Visit) -> None:
        if not visit.user.system_admin:
            raise UNAUTHORIZED.abort()

    # Sites

    async def my_sites(self, visit: Visit) -> web.Response:
        sites, numbers = page_of(visit, self._studio.visible_sites(visit.user))
        state = (lambda site: {}) if visit.release.stateless else (lambda site: {"state": site.state})
        entries = [{"siteId": site.id, "uuid": site.uuid, "name": site.id, "desc": "", **state(site)} for site in sites]
        return OK.answer(**numbers, sites=entries)

    async def configuration(self, visit: Visit) -> web.Response:
        return configuration_answer(visit, self._site(visit, "content_read", lookup.CONFIGURATION))

    async def available_targets(self, visit: Visit) -> web.Response:
        if not self._studio.visible_sites(visit.user):
            raise INTERNAL_FAILURE.abort()
        return targets_answer(self._studio, self._site(visit, "content_read", lookup.TARGETS))

    async def has_initial_publish(self, visit: Visit) -> web.Response:
        site = self._site(visit, "content_read", lookup.INITIAL_PUBLISH)
        return OK.answer(hasInitialPublish=self._studio.repository(site).exists)

    # Publishing

    async def publish_status(self, visit: Visit) -> web.Response:
        site = self._site(visit, "publish_status", lookup.STATUS)
        if site.state != "READY":
            raise INVALID_SITE_STATE.abort()
        state = site.publisher
        status = visit.release.status_word(state.status)
        shown: dict[str, Any] = {"enabled": state.enabled, "status": status}
        if not visit.release.stateless:
            shown["message"] = state.message or (status or "").capitalize()
        shown |= {"lockOwner": state.lock_owner, "lockTTL": state.lock_ttl}
        if visit.release.stateless:
            shown |= {
                "publishingTarget": state.target,
                "submissionId": state.submission_id,
                "numberOfItems": state.number_of_items,
                "totalItems": state.total_items,
                "published": self._studio.repository(site).exists,
            }
        return OK.answer(publishingStatus=shown)

    async def packages(self, visit: Visit) -> web.Response:
        """The filter is called ``environment``, whatever the API description says; other names are ignored."""
        site = self._site(visit, "get_publishing_queue", lookup.PACKAGES)
        path, environment = _path_pattern(visit.argument("path") or ".*"), visit.argument("environment")
        states = visit.call.query["states"].split(",") if visit.argument("states") else None
        found = [
            package
            for package in sorted(site.packages, key=_newest_first, reverse=True)
            if (environment is None or package.target == environment)
            and (states is None or package.state in states)
            and any(path.search(name) for name in package.paths)
        ]
        page, numbers = page_of(visit, found)
        if visit.release.is_4_0:
            # the number of rows, whatever was asked for
            numbers["limit"] = len(page)
        return OK.answer(**numbers, packages=[_package_entry(site, package) for package in page])

    async def package(self, visit: Visit) -> web.Response:
        package_id = query_argument(visit, "packageId")
        check_package_id(visit.release, package_id)
        site = self._site(visit, "get_publishing_queue")
        package = site.package(package_id)
        if package is None:
            raise CONTENT_NOT_FOUND.abort()
        items = [_package_item(site, path) for path in package.paths]
        return OK.answer(package={**_package_entry(site, package), "items": items})

    async def cancel(self, visit: Visit) -> web.Response:
        body = request_body(visit)
        site = self._body_site(visit, body)
        package_ids = body.get("packageIds")
        if package_ids == [] and visit.release.stateless:
            raise INTERNAL_FAILURE.abort()
        if not isinstance(package_ids, list) or not package_ids:
            raise invalid_field("packageIds", "must not be empty")
        packages = [package for package_id in package_ids if (package := site.package(package_id)) is not None]
        if len(packages) < len(package_ids):
            raise CONTENT_NOT_FOUND.abort()
        for package in packages:
            if package.state == READY_FOR_LIVE:  # too late for any other
                package.state = CANCELLED
        return OK.answer()

    async def publish_all(self, visit: Visit) -> web.Response:
        body = request_body(visit)
        site = self._body_site(visit, body, "publish_all")
        target = target_field(body)
        comment = str(body.get("submissionComment") or "")
        try:
            failed = await publish_all(self._studio, site, target, visit.user.username, comment)
        except GitError as error:
            raise INTERNAL_FAILURE.abort(str(error)) from error
        return (COMPLETED_WITH_ERRORS if failed else OK).answer()

    async def workflow_publish(self, visit: Visit) -> web.Response:
        """Queued; the answer does not say which package it became."""
        body = request_body(visit)
        site = self._body_site(visit, body, operation=lookup.PUBLISH_ITEMS)
        items = self._items(visit, body)
        optional = body.get("optionalDependencies")
        paths = list(dict.fromkeys(items + (path_list(optional, "optionalDependencies") if optional else [])))
        comment, schedule, target = str(body.get("comment") or ""), instant_field(body, "schedule"), target_field(body)
        # before it is known whether there are such items
        await publish_first(self._studio, site, visit.user.username)
        missing = next((path for path in paths if path not in site.items), None)
        if missing is not None and visit.release.within("4.0.0", "4.0.5"):
            raise INTERNAL_FAILURE.abort()
        if missing is not None and visit.release.within("4.0.5", "4.1.0"):
            raise no_content(missing, site)
        package = self._publisher.package(target, paths, comment, schedule)
        self._publisher.submit(site, package, visit.user)
        return OK.answer()

    def _items(self, visit: Visit, body: Mapping[str, Any]) -> list[str]:
        items = body.get("items")
        if items == [] and visit.release.within("4.0.0", "4.0.5"):
            raise INTERNAL_FAILURE.abort()
        relative = isinstance(items, list) and any(isinstance(path, str) and not path.startswith("/") for path in items)
        if relative and visit.release.is_4_0:
            raise UNAUTHORIZED.abort()
        return path_list(items, "items")

    # Items

    async def item_states(self, visit: Visit) -> web.Response:
        """``path`` is described as optional, and refused when it is absent."""
        site = self._site(visit, "content_read", lookup.ITEM_STATES)
        path, mask = _path_pattern(visit.argument("path")), visit.argument("states")
        if mask is not None and not mask.isdecimal():
            raise INVALID_PARAMETERS.abort("Parameter 'states' is not valid.")
        found = [
            item
            for item in site.items.values()
            if path.search(item.path) and (mask is None or item.state & int(mask))  # any of the bits will do
        ]
        page, numbers = page_of(visit, found)
        # the number of rows, whatever was asked for
        numbers["limit"] = len(page)
        rows = [_item_entry(item) | _sandbox(item, None, None) for item in page]
        return OK.answer(**numbers, items=rows)

    async def item_by_path(self, visit: Visit) -> web.Response:
        site = self._site(visit, "content_read", lookup.ITEM)
        path = query_argument(visit, "path")
        item = site.items.get(path)
        if item is None:
            raise no_content(path, site)
        rows = {"staging": item.staging, "live": item.live}
        branches = {name: row.as_json() if row else None for name, row in rows.items()}
        return OK.answer(item=_item_entry(item) | {"sandbox": _sandbox(item, "git_repo_user", "admin")} | branches)

    # Which site

    def _site(self, visit: Visit, permission: str, operation: Operation = OTHER) -> Site:
        site = find_site(self._studio, query_argument(visit, "siteId"), operation)
        visit.require(site, permission)
        return site

    def _body_site(
        self, visit: Visit, body: Mapping[str, Any], permission: str = "publish", operation: Operation = OTHER
    ) -> Site:
        site = find_site(self._studio, text_field(body, "siteId"), operation)
        visit.require(site, permission)
        return site


def configuration_answer(visit: Visit, site: Site) -> web.Response:
    module, path = query_argument(visit, "module"), query_argument(visit, "path")
    if module != "studio" or path.lstrip("/") != "site-config.xml":
        raise CONTENT_NOT_FOUND.abort()
    return OK.answer(content=site.site_config())


def targets_answer(studio: Studio, site: Site) -> web.Response:
    targets = [{"name": name, "order": 0} for name in studio.targets(site)]
    return OK.answer(publishingTargets=targets, published=studio.repository(site).exists)


def _path_pattern(text: str | None) -> re.Pattern[str]:
    try:
        return re.compile(text or "(")
    except re.error:
        raise INVALID_PARAMETERS.abort("Parameter 'path' is not valid regular expression.") from None


def _newest_first(package: Package) -> tuple[datetime, datetime]:
    return package.published_on or LONG_AGO, package.schedule


def _package_entry(site: Site, package: Package) -> dict[str, Any]:
    return {
        "id": package.id,
        "siteId": site.id,
        "environment": package.target,
        "state": package.state,
        "schedule": instant(package.schedule),
        "approver": package.user,
        "comment": package.comment,
    }


def _package_item(site: Site, path: str) -> dict[str, str]:
    item = site.items.get(path)
    mime_type = item.mime_type if item else "application/octet-stream"
    return {"path": path, "mimeType": mime_type, "contentTypeClass": content_class(path)}


def content_class(path: str) -> str:
    return "page" if path.startswith("/site/website/") else "asset"


def no_content(path: str, site: Site) -> Abort:
    """The refusal of a path that the site does not have."""
    remedy = f"Check that path '{path}' is correct and it exists in site '{site.id}'"
    return dataclasses.replace(CONTENT_NOT_FOUND, remedy=remedy).abort()


def _item_entry(item: Item) -> dict[str, Any]:
    folder, name = item.path.split("/")[-2:]
    return {
        "id": item.id,
        "label": folder if name == "index.xml" else name,
        "parentId": 0,
        "contentTypeId": "/page/entry",
        "path": item.path,
        "previewUrl": item.path.removeprefix("/site/website").removesuffix("index.xml"),
        "systemType": content_class(item.path),
        "mimeType": item.mime_type,
        "state": item.state,
        "lockOwner": None,
        "localeCode": None,
        "translationSourceId": None,
        "availableActions": 0,
        "childrenCount": 0,
    }


def _sandbox(item: Item, creator: str | None, modifier: str | None) -> dict[str, Any]:
    return {
        "creator": creator,
        "dateCreated": FIRST_DAY,
        "modifier": modifier,
        "dateModified": FIRST_DAY,
        "commitId": item.commit_id,
        "sizeInBytes": len(item.content),
    }
