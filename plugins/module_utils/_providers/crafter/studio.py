# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The requests to Crafter Studio, for all supported versions."""

from __future__ import annotations

import contextlib
import itertools
import threading
import typing as t
import urllib.parse

from ..._core.clock import parse_iso
from ..._core.errors import Ambiguous, SyncError
from ..._core.options import Options
from ..._core.vocabulary import Json
from ..._http.client import Channel, HttpClient
from ..._http.json_reader import Form, JsonReader
from ..._http.response import Response
from ..._lifecycle.provider import Services, http_settings
from . import auth
from .api import (
    ADDRESS,
    FIRST_PACKAGES,
    FIRST_RESET,
    LIVE,
    LIVE_BIT,
    MAX_PAGES,
    MAX_QUEUE,
    PAGE,
    PUBLISHED_SHOWN,
    ROUTES,
    STAGED_BIT,
    STAGING,
    V1,
    V4,
    V5,
    ManagementTokenRefused,
    Package,
    PackageBits,
    Publisher,
    Queue,
    Site,
    Version,
    interpret,
    nested_settings,
    published_repository,
    read_json,
    version_in,
)
from .published_sites import PublishedSites

_ITEM_STATE: dict[str, Form] = {"path": "text", "state": "number"}


class Studio:
    """One Studio, as the account of the options sees it. Used by several threads; the first one signs in for all."""

    def __init__(self, options: Options, services: Services) -> None:
        self._credentials = auth.StudioCredentials.of(options)
        self._management_token = (options.get("management_token") or "").strip()
        services.redactor.add(self._management_token)
        self._auth = auth.StudioAuth(services.redactor)
        self.client = HttpClient(
            http_settings(options), services.clock, services.redactor, self._auth, self._interpret, services.rng
        )
        self._lock = threading.RLock()
        self._signed_in = False
        self._refusal: SyncError | None = None
        self._version: Version | None = None
        self._sites_read = False
        self._known_sites: frozenset[str] | None = None
        self._published = PublishedSites()

    def _interpret(self, response: Response) -> SyncError | None:
        return interpret(response, self._auth.method)

    # -- signing in --------------------------------------------------------------------------------------------------------

    def version(self, channel: Channel) -> Version | None:
        """The version of the server; ``None`` if it does not show it."""
        self._ensure_signed_in(channel)
        return self._version

    @property
    def known_version(self) -> Version | None:
        """The version, if it is known already."""
        return self._version

    def _ensure_signed_in(self, channel: Channel) -> None:
        """Sign in once for all targets. A refusal is final, as passwords must not be tried again."""
        with channel.deadline.holding(self._lock):
            if self._refusal is not None:
                raise self._refusal
            if self._signed_in:
                return
            try:
                self._sign_in(channel)
            except SyncError as error:
                self._note_refusal(error)
                raise
            self._signed_in = True

    def _note_refusal(self, error: SyncError) -> None:
        if error.code == "auth_failed" and self._auth.method != "token":
            self._refusal = error

    def _sign_in(self, channel: Channel) -> None:
        method = self._credentials.method
        if method == "password":
            method = self._password_method(channel)
        if method == "token":
            self._auth.use_token(self._credentials.token)
        elif method == "basic":
            self._auth.use_basic(self._credentials.username, self._credentials.password)
            # no other request is sent before it is known whether the password is right
            self._check_login(channel, "/api/2/users/me/sites", {"offset": 0, "limit": 1})
        else:
            self._auth.sign_in(self._credentials, channel)
            # the session id changes with the next request, so that one must end before there are several at a time
            params = {"username": self._credentials.username, "start": 0, "number": 1}
            self._check_login(channel, f"{V1}/site/get-per-user.json", params)
        if self._version is None:
            self._version = self._ask_version(channel)

    def _check_login(self, channel: Channel, path: str, params: Json) -> None:
        try:
            channel.once().observe(path, params)
        except SyncError as error:
            # that this request is unknown or not allowed proves nothing about others
            if error.code not in ("endpoint_missing", "permission_denied", "not_found", "invalid_option"):
                raise

    def _password_method(self, channel: Channel) -> str:
        """How this Studio accepts passwords, found out without sending one."""
        if self._management_token:
            self._version = self._monitoring_version(channel)
        if self._version is None:
            # 3.0 answers without a login. Later versions refuse: 3.x with an HTML page, 4.x with JSON.
            response = channel.observe(f"{V1}/monitor/version.json", expect=(200, 401))
            if response.status == 401:
                return "session" if response.try_json() is None else "basic"
            self._version = version_in(response)
        return "basic" if self._version is not None and self._version >= V4 else "session"

    def _monitoring_version(self, channel: Channel) -> Version | None:
        """The version, which Studio 3.1 and later show to signed-in users and with the management token.

        The token goes into the URL because Studio accepts it nowhere else (docs/reference/crafter.md#2.4). Messages show no
        query.
        """
        try:
            return version_in(channel.observe("/api/2/monitoring/version", {"token": self._management_token or None}))
        except SyncError as error:
            wrong = self._management_token and isinstance(error, ManagementTokenRefused)
            if wrong or error.code == "rate_limited" or error.http_status is None or error.http_status >= 500:
                raise
            if error.code == "auth_failed" and self._auth.method == "token":
                raise
            return None

    def _ask_version(self, channel: Channel) -> Version | None:
        found = self._monitoring_version(channel)
        if found is None:
            with contextlib.suppress(SyncError):
                found = version_in(channel.observe(f"{V1}/monitor/version.json"))
        return found

    # -- requests ----------------------------------------------------------------------------------------------------------

    def get(self, channel: Channel, path: str, params: Json | None = None) -> Response:
        """Read ``path``. A session that has ended is replaced once; this is never done for triggers."""
        self._ensure_signed_in(channel)
        if self._auth.method != "session":
            try:
                return channel.observe(path, params)
            except SyncError as error:
                self._note_refusal(error)
                raise
        # one at a time, since each response may change the session id
        with channel.deadline.holding(self._lock):
            try:
                return channel.observe(path, params)
            except SyncError as error:
                if error.code != "auth_failed":
                    raise
            try:
                self._auth.sign_in(self._credentials, channel)
                return channel.observe(path, params)
            except SyncError as error:
                self._note_refusal(error)
                raise

    def post(
        self,
        channel: Channel,
        path: str,
        body: Json | None,
        definite: t.Callable[[Response], SyncError | None],
        patience: float | None = None,
        **kwargs: t.Any,
    ) -> Response:
        """Trigger. The response is complete and from Studio.

        These requests do their work before they respond, or wait for a lock, so the response may take all the remaining time.

        :param patience: seconds to wait for the response, where its loss can be resolved otherwise.
        """
        self._ensure_signed_in(channel)
        remaining = channel.deadline.remaining() if patience is None else min(patience, channel.deadline.remaining())
        with channel.deadline.holding(self._lock) if self._auth.rotates_session else contextlib.nullcontext():
            response = channel.trigger("POST", path, body, read_timeout=remaining, definite=definite, **kwargs)
        if response.try_json() is None:
            raise Ambiguous(f"{response.describe()} is not from Studio: {response.excerpt() or 'nothing'}", response.status)
        return response

    def ask(self, channel: Channel, what: str, site: str, **params: t.Any) -> JsonReader:
        """Read ``what`` of a site, if this version offers it.

        :raises SyncError: ``endpoint_missing`` if it does not, and those of :meth:`Channel.observe`.
        """
        version = self.version(channel)
        missing = SyncError("endpoint_missing", f"this Studio does not show the {what} of a site", ADDRESS)
        for route in ROUTES[what]:
            if version is not None and not (route.first <= version and (route.before is None or version < route.before)):
                continue
            path = route.path.replace("{site}", urllib.parse.quote(site, safe=""))
            try:
                response = self.get(channel, path, {**({route.parameter: site} if route.parameter else {}), **params})
            except SyncError as error:
                if error.code != "endpoint_missing":
                    raise
                missing = error
                continue
            return read_json(response)
        raise missing

    def check_exists(self, channel: Channel, site: str) -> None:
        """Refuse a site that the account cannot work with.

        The list of the account's sites decides: ``exists`` ignores the case of the id, and says yes to any account
        (docs/reference/crafter.md#4.1).

        :raises SyncError: ``not_found``, or ``permission_denied`` for a site that the account is not a member of.
        """
        known = self._site_ids(channel)
        if known is not None and site in known:
            return
        alike = sorted(identifier for identifier in known or () if identifier.casefold() == site.casefold())
        if alike:
            hint = f"The ids of sites are case sensitive. Did you mean {alike[0]}?"
            raise SyncError("not_found", f"option sites: Studio has no site {site}", hint)
        if not self._exists_in_any_case(channel, site):
            raise SyncError(
                "not_found", f"option sites: Studio has no site {site}", "Check sites: the id of a site, not its name."
            )
        if known is not None:
            groups = "is in no group with a role on any site" if not known else "is not a member of it"
            message = f"site {site} exists, but the account {groups}"
            raise SyncError("permission_denied", message, "Add the account to a group that has a role on the site.")

    def _exists_in_any_case(self, channel: Channel, site: str) -> bool:
        try:
            return self.ask(channel, "exists", site).object_at().get("exists") is True
        except SyncError as error:
            if error.code != "endpoint_missing":
                raise
            return False

    def _site_ids(self, channel: Channel) -> frozenset[str] | None:
        """The ids of the account's sites, read once for all targets; ``None`` if this version does not list them."""
        version = self.version(channel)
        if version is not None and version < Version(3, 1, 0) and not self._credentials.username:
            # that list is one of a named user
            return None
        with channel.deadline.holding(self._lock):
            if not self._sites_read:
                try:
                    self._known_sites = frozenset(self.sites(channel))
                except SyncError as error:
                    if error.code not in ("endpoint_missing", "permission_denied"):
                        raise
                self._sites_read = True
            return self._known_sites

    def sites(self, channel: Channel) -> list[str]:
        """The ids of all sites that the account may see."""
        version = self.version(channel)
        if version is not None and version < Version(3, 1, 0):
            rows: t.Iterable[Json] = itertools.chain.from_iterable(self._per_user(channel))
        else:
            rows = self.pages(channel, "/api/2/users/me/sites", {}, "sites")
        return [row["siteId"] for row in rows if isinstance(row.get("siteId"), str)]

    def _per_user(self, channel: Channel) -> t.Iterator[list[Json]]:
        """The pages of the list of sites of API 1."""
        start, username = 0, self._credentials.username or None
        for _page in range(MAX_PAGES):
            params = {"username": username, "start": start, "number": PAGE}
            body = read_json(self.get(channel, f"{V1}/site/get-per-user.json", params))
            rows = body.rows_at("sites")
            yield rows
            start += len(rows)
            if not rows or start >= body.number_at("total"):
                return

    def pages(
        self, channel: Channel, route: str, params: Json, key: str, limit: int = MAX_PAGES, /, **fields: Form
    ) -> t.Iterator[Json]:
        """The rows of a list of API 2, at most ``limit`` pages of them.

        :param fields: those that each row must have.
        """
        offset = 0
        for _page in range(limit):
            body = read_json(self.get(channel, route, {**params, "offset": offset, "limit": PAGE}))
            rows = body.rows_at(key, **fields)
            yield from rows
            offset += len(rows)
            if not rows or offset >= body.number_at("total"):
                return

    def site(self, channel: Channel, site: str) -> Site:
        """Branches, targets and publishing of a site."""
        configured = self._configured(channel, site)
        targets: tuple[str, ...] | None = None
        published: bool | None = None
        try:
            reader = self.ask(channel, "targets", site)
            body = reader.object_at()
            key = "availablePublishChannels" if "availablePublishChannels" in body else "publishingTargets"
            targets = tuple(str(row["name"]) for row in reader.rows_at(key, name="text"))
            published = body.get("published")
        except SyncError as error:
            if error.code not in ("endpoint_missing", "permission_denied"):
                raise
        version = self.version(channel)
        if published is None and version is not None and PUBLISHED_SHOWN <= version < V4:
            pages = (
                {str(row.get("siteId")): row.get("publishedRepoCreated") for row in rows} for rows in self._per_user(channel)
            )
            published = self._published.has(site, pages, channel.deadline)
        names = {} if version == FIRST_RESET else configured or {}
        staging, live = (names.get(f"{name}-environment") or name for name in (STAGING, LIVE))
        enabled = None if configured is None else configured.get("enable-staging-environment") == "true"
        # the list of targets takes precedence over the configuration
        return Site(staging, live, staging in targets if targets is not None else enabled, published, targets)

    def _configured(self, channel: Channel, site: str) -> dict[str, str] | None:
        """``published-repository`` in site-config.xml."""
        try:
            body = self.ask(channel, "configuration", site, module="studio", path="/site-config.xml").object_at()
        except SyncError as error:
            if error.code not in ("endpoint_missing", "permission_denied"):
                raise
            return None
        return published_repository(body["content"]) if isinstance(body.get("content"), str) else nested_settings(body)

    def publisher(self, channel: Channel, site: str) -> Publisher:
        """The state of a publisher."""
        reader = self.ask(channel, "status", site)
        path = ("publishingStatus",) if "publishingStatus" in reader.object_at() else ()
        shown = reader.object_at(*path, currentTask="object_or_null")
        if "currentTask" in shown:
            # 5.0 has no status text
            task = shown["currentTask"] or {}
            return Publisher(shown.get("enabled"), "publishing" if task.get("state") in ("READY", "IN_PROGRESS") else "ready")
        if "enabled" not in shown:
            # a response without anything about a publisher is no idle one
            reader.object_at(*path, status="text")
        enabled = shown.get("enabled")
        return Publisher(enabled if isinstance(enabled, bool) else None, str(shown.get("status") or ""))

    def queue(self, channel: Channel, site: str, targets: t.Sequence[str] | None) -> Queue | None:
        """What waits to be published on a site, or ``None`` where this version or this account does not see packages.

        :param targets: those that the site has; a package for another one waits for ever.
        """
        version = self.version(channel)
        if version is not None and not FIRST_PACKAGES <= version < V5:
            return None
        # the ones that are due come last
        params = {"siteId": site, "states": "READY_FOR_LIVE,PROCESSING", "offset": 0, "limit": MAX_QUEUE}
        try:
            response = self.get(channel, "/api/2/publish/packages", params)
        except SyncError as error:
            if error.code not in ("endpoint_missing", "permission_denied"):
                raise
            return None
        rows = [row for row in read_json(response).rows_at("packages") if targets is None or row.get("environment") in targets]
        waiting = [parse_iso(row.get("schedule")) for row in rows if row.get("state") == "READY_FOR_LIVE"]
        now = response.server_now or self.client.clock.now()
        due = sum(moment is None or moment <= now for moment in waiting)
        return Queue(len(rows) - len(waiting), due, len(waiting) - due)

    def packages(self, channel: Channel, site: str, environment: str, states: t.Sequence[str], limit: int) -> t.Iterator[Package]:
        """The packages for a target in these states, newest first, from at most ``limit`` pages."""
        # the OpenAPI document has another name for this filter (docs/reference/crafter.md#3.3)
        params = {"siteId": site, "environment": environment, "states": ",".join(states)}
        return map(Package.from_json, self.pages(channel, "/api/2/publish/packages", params, "packages", limit, state="text"))

    def package(self, channel: Channel, site: str, identifier: str) -> PackageBits:
        """A package of 5.0."""
        parts = (urllib.parse.quote(part, safe="") for part in (site, identifier))
        reader = read_json(self.get(channel, "/api/2/publish/{}/package/{}".format(*parts)))
        return PackageBits.from_json(reader.object_at("package", packageState="number"))

    def publications(self, channel: Channel, site: str, path: str) -> dict[str, str] | None:
        """When an item was last published and as which commit, by branch (``staging``, ``live``); ``None`` for an unknown item.

        :raises SyncError: those of :meth:`Channel.observe`; ``endpoint_missing`` before 4.0 and from 5.0 on, and ``not_found``
            for an item that exists and cannot be shown, such as one without its content type.
        """
        version = self.version(channel)
        if version is not None and not V4 <= version < V5:
            raise SyncError("endpoint_missing", "this Studio does not show single items", ADDRESS)
        try:
            reader = read_json(self.get(channel, "/api/2/content/item_by_path", {"siteId": site, "path": path}))
        except SyncError as error:
            # the message quotes what is missing, which may be something that the item refers to (docs/reference/crafter.md#3.4)
            if error.code != "not_found" or f"'{path}'" not in error.message:
                raise
            return None
        item = reader.object_at("item", staging="object_or_null", live="object_or_null")
        rows = {branch: item.get(branch) or {} for branch in (STAGING, LIVE)}
        return {branch: f"{row.get('datePublished') or ''} {row.get('commitId') or ''}".strip() for branch, row in rows.items()}

    def staged_not_live(self, channel: Channel, site: str, limit: int = 10) -> list[str] | None:
        """Paths that Studio lists as staged and never live, from at most ``limit`` pages; ``None`` if it does not show them.

        They prove nothing about the branches, as a reset does not change these states (docs/reference/crafter.md#3.4).
        """
        version = self.version(channel)
        if version is None or not V4 <= version < V5:
            return None
        # the filter matches any of the bits; a path is required, although documented as optional (docs/reference/crafter.md#3.4)
        params = {"siteId": site, "path": ".*", "states": STAGED_BIT}
        try:
            rows = list(self.pages(channel, "/api/2/workflow/item_states", params, "items", limit, **_ITEM_STATE))
        except SyncError as error:
            if error.code not in ("endpoint_missing", "permission_denied"):
                raise
            return None
        return sorted(str(row["path"]) for row in rows if not int(row["state"]) & LIVE_BIT)
