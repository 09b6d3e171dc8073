# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What each version of Crafter Studio offers, and what its responses mean (docs/reference/crafter.md#1 to #5)."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from xml.etree import ElementTree

from ..._core.errors import SyncError, invalid_option
from ..._core.vocabulary import Json
from ..._http.json_reader import JsonReader
from ..._http.response import Response
from . import auth

V1 = "/api/1/services/api/1"
SYNC, RESET = "sync-staging", "reset-staging"
ENDPOINTS = {SYNC: f"{V1}/publish/sync-staging.json", RESET: f"{V1}/publish/reset-staging.json"}

STAGING, LIVE = "staging", "live"
#: bits of the state of an item
STAGED_BIT, LIVE_BIT = 512, 1024
PAGE = 100
MAX_PAGES = 1000
#: more packages than this do not wait for one site
MAX_QUEUE = 1000

ADDRESS = "Check that api_url is the address of Crafter Studio including its context path, as a rule /studio."


# -- versions --------------------------------------------------------------------------------------------------------------


class Version(t.NamedTuple):
    """The version of a Studio."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse_version(text: t.Any) -> Version | None:
    """The numbers that a version begins with."""
    found = re.match(r"\s*v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?![\d])", text) if isinstance(text, str) else None
    return Version(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


FIRST_RESET, FIRST_WITHOUT_RESET = Version(3, 0, 14), Version(4, 2, 0)


def choose_endpoint(wanted: str, version: Version | None) -> str:
    """The endpoint to call, from the version and never by trial.

    The documented ``sync-staging`` was never in a release, so the version does not show whether a server has it: it is used only
    if the options ask for it.

    :raises SyncError: ``endpoint_missing``.
    """
    if wanted == SYNC:
        return SYNC
    if version is not None and version >= FIRST_WITHOUT_RESET:
        raise SyncError(
            "endpoint_missing",
            f"this Studio is version {version}, and resetting staging was removed in 4.2.0 without any replacement",
            "Publish to both targets instead (lockstep.sync.crafter_publish), or move the staging branch of the published"
            " repository with git.",
        )
    if version is not None and version < FIRST_RESET:
        raise SyncError(
            "endpoint_missing",
            f"this Studio is version {version}, and resetting staging came with 3.0.14",
            "Upgrade Studio. If it offers the endpoint that was once documented, set endpoint to sync-staging.",
        )
    return RESET


# -- errors ----------------------------------------------------------------------------------------------------------------


def error_text_and_code(response: Response) -> tuple[str | None, int | None]:
    """Message and code of a response of either API; those of API 1 have no code. HTML pages have neither."""
    body = response.try_json()
    if not isinstance(body, dict):
        return None, None
    if isinstance(body.get("message"), str):
        return body["message"], None
    envelope = body.get("response")
    if not isinstance(envelope, dict):
        return None, None
    code = envelope.get("code")
    texts = [envelope.get("message")] + (_field_errors(body) or [envelope.get("remedialAction")])
    return ": ".join(str(text) for text in texts if text), code if isinstance(code, int) else None


def _field_errors(body: Json) -> list[t.Any]:
    errors = body.get("validationErrors")
    rows = errors if isinstance(errors, list) else []
    return [f"{row.get('field')} {row.get('message')}" for row in rows if isinstance(row, dict)]


@dataclasses.dataclass(frozen=True)
class StudioErrorPattern:
    """What a text means. It is a prefix: lists of parameters, details and exceptions follow (docs/reference/crafter.md#1.1)."""

    text: str
    code: str
    hint: str
    statuses: tuple[int, ...]


_MISSING = "This Studio does not offer the call. " + ADDRESS
_SERVER = "Look into the log of Studio."
ERROR_PATTERNS = (
    StudioErrorPattern("REST script not found", "endpoint_missing", _MISSING, (400, 404)),
    StudioErrorPattern("Site not found", "not_found", "Check sites: the id of a site, not its name.", (404,)),
    StudioErrorPattern(
        "Environment not found", "invalid_option", "Check environment (or target): the site does not have it.", (404,)
    ),
    StudioErrorPattern("Commit(s) not found", "not_found", "Check the commits.", (404,)),
    StudioErrorPattern("User not found", "not_found", "Check username.", (404,)),
    StudioErrorPattern("Content not found", "not_found", "Check items and target: the site does not have them.", (404,)),
    StudioErrorPattern(
        "Invalid parameter", "invalid_option", "Check sites, environment, target and items: Studio rejects them.", (400,)
    ),
    StudioErrorPattern("Bad Request", "bad_response", "Studio could not read the request: a proxy may have changed it.", (400,)),
    StudioErrorPattern(
        "Invalid site state", "busy", "The site is being created, locked or deleted: run the task again later.", (400,)
    ),
    StudioErrorPattern("Publishing is disabled", "permission_denied", "Start the publisher of the site in Studio.", ()),
    StudioErrorPattern("Internal server error", "server_error", _SERVER, (500,)),
    StudioErrorPattern("Internal system failure", "server_error", _SERVER, (500,)),
)
_NOT_ALLOWED = (
    "The account is logged in and may not do this: it has to be an administrator of the site, or its role needs the permission"
    " publish to reset staging and to publish items, publish_all to publish everything, get_publishing_queue to see packages."
)


class ManagementTokenRefused(SyncError):
    """Studio does not accept the management token, whatever the account of the options may do."""

    def __init__(self) -> None:
        super().__init__("auth_failed", "Studio does not accept the management token", "Check management_token.", 401)


def interpret(response: Response, method: str = "anonymous") -> SyncError | None:
    """The failure behind an error response.

    :param method: how the request was authenticated.
    """
    text, code = error_text_and_code(response)
    status, shown = response.status, f"{response.describe()} says: {text or response.excerpt() or 'nothing'}"
    if status == 401:
        if code == 2001:
            return ManagementTokenRefused()
        # 3.x answers a missing login with an HTML page, a missing permission with JSON (docs/reference/crafter.md#1.5)
        if method == "session" and text is not None and code is None:
            return SyncError("permission_denied", shown, _NOT_ALLOWED, 401)
        return auth.refused(method, shown)
    if status == 403:
        return SyncError("permission_denied", shown, _NOT_ALLOWED, 403)
    for pattern in ERROR_PATTERNS if text is not None else ():
        if t.cast(str, text).startswith(pattern.text) and (not pattern.statuses or status in pattern.statuses):
            return SyncError(pattern.code, shown, pattern.hint, status)
    if status == 409:
        return SyncError("busy", shown, "Run the task again when no other user is working on it.", 409)
    # a missing site is reported in JSON; without JSON it is the URL that does not exist (docs/reference/crafter.md#1.6)
    if status in (404, 405) and code is None:
        return SyncError("endpoint_missing", shown, _MISSING, status)
    return None


# -- sites and publishers --------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Site:
    """What Studio shows of a site; ``None`` stands for what it does not show."""

    staging: str
    live: str
    enabled: bool | None
    published: bool | None
    targets: tuple[str, ...] | None


#: states of publishers; ``started`` stays until something is published (docs/reference/crafter.md#3.1, #3.2)
IDLE = frozenset({"idle", "ready", "readyWithErrors", "started", ""})
OFF = frozenset({"stopped", "error"})
#: said while any package waits, even one that is scheduled for next year (docs/reference/crafter.md#3.2)
QUEUED = "queued"


PublisherState = t.Literal["idle", "busy", "stopped", "error"]


@dataclasses.dataclass(frozen=True)
class Publisher:
    """The publisher of a site."""

    enabled: bool | None
    status: str

    @property
    def state(self) -> PublisherState:
        """``idle``, ``busy``, ``stopped`` or ``error``. The status alone is not enough: it may be ``queued`` while stopped."""
        if self.status == "error":
            return "error"
        if self.enabled is False or self.status == "stopped":
            return "stopped"
        return "idle" if self.status in IDLE else "busy"

    def as_detail(self) -> Json:
        return {"enabled": self.enabled, "status": self.status or None}


@dataclasses.dataclass(frozen=True)
class Queue:
    """The packages of a site that are not published yet, for targets that the site has.

    :param running: packages that are being published.
    :param due: packages that are published as soon as the publisher looks.
    :param scheduled: packages for a later time.
    """

    running: int = 0
    due: int = 0
    scheduled: int = 0


def busy_reason(publisher: Publisher, queue: Queue | None) -> str:
    """Why the branches of a site are about to change; empty if they are not.

    The word ``queued`` says nothing where the packages are known, and ``ready`` may be said while a due one waits
    (docs/reference/crafter.md#3.2).

    :param queue: ``None`` where the packages cannot be read.
    """
    if publisher.status in OFF or publisher.enabled is False:
        return ""
    if publisher.status not in IDLE and publisher.status != QUEUED:
        return f"the publisher is {publisher.status}"
    if queue is not None and queue.running:
        return "a package is being published"
    if queue is not None and queue.due:
        return f"{queue.due} package{'s' if queue.due > 1 else ''} due to be published wait{'' if queue.due > 1 else 's'}"
    return ""


@dataclasses.dataclass(frozen=True)
class Package:
    """A package of a request to publish, up to 4.x."""

    state: str
    comment: str

    @classmethod
    def from_json(cls, row: Json) -> Package:
        return cls(str(row["state"]), str(row.get("comment")))


@dataclasses.dataclass(frozen=True)
class PackageBits:
    """A package of 5.0.

    :param bits: what has happened to it.
    """

    rejected: bool
    bits: int

    @classmethod
    def from_json(cls, package: Json) -> PackageBits:
        return cls(package.get("approvalState") == "REJECTED", int(package["packageState"]))


class Route(t.NamedTuple):
    """The path of a request, from version ``first`` on and before version ``before``."""

    path: str
    first: Version
    before: Version | None
    parameter: str | None


_ALWAYS = Version(3, 0, 0)
V4, V5 = Version(4, 0, 0), Version(5, 0, 0)
_NEW_STATUS = Version(3, 1, 14)
PUBLISHED_SHOWN = Version(3, 1, 11)
_NEW_CONFIGURATION = Version(3, 1, 1)
FIRST_PACKAGES = Version(3, 1, 4)
#: If the version is unknown, these are tried in order. In 5.0 the site is in the path.
ROUTES: dict[str, tuple[Route, ...]] = {
    "status": (
        Route("/api/2/publish/status", _NEW_STATUS, V5, "siteId"),
        Route(f"{V1}/publish/status.json", _ALWAYS, _NEW_STATUS, "site_id"),
        Route("/api/2/publish/{site}/status", V5, None, None),
    ),
    "targets": (
        Route("/api/2/publish/available_targets", V4, V5, "siteId"),
        Route(f"{V1}/deployment/get-available-publishing-channels.json", _ALWAYS, V4, "site_id"),
        Route("/api/2/publish/{site}/available_targets", V5, None, None),
    ),
    "configuration": (
        Route("/api/2/configuration/get_configuration", _NEW_CONFIGURATION, V5, "siteId"),
        Route(f"{V1}/site/get-configuration.json", _ALWAYS, _NEW_CONFIGURATION, "site_id"),
        Route("/api/2/configuration/{site}/get_configuration", V5, None, None),
    ),
    "exists": (Route(f"{V1}/site/exists.json", _ALWAYS, V5, "site_id"),),
}


# -- parsing ---------------------------------------------------------------------------------------------------------------


def read_json(response: Response) -> JsonReader:
    """The body of a response of Studio."""
    return JsonReader(response, ADDRESS)


def package_id(response: Response) -> str | None:
    """The id of the package in the response to a request to publish, where it has one."""
    found = read_json(response).object_at().get("packageId")
    return None if found is None else str(found)


def version_in(response: Response) -> Version | None:
    body = response.try_json()
    found = body.get("version", body) if isinstance(body, dict) else None
    if isinstance(found, dict):
        found = found.get("packageVersion") or found.get("version")
    elif isinstance(body, dict):
        found = body.get("packageVersion") or found
    return parse_version(found)


def published_repository(content: str) -> dict[str, str]:
    """The settings of the published repository in the text of site-config.xml."""
    try:
        if "<!DOCTYPE" in content:
            raise ValueError("it has a document type")
        root = ElementTree.fromstring(content.encode())  # nosec B314
    except (ElementTree.ParseError, ValueError) as exc:
        message = f"the site-config.xml of the site cannot be read: {exc}"
        raise SyncError("bad_response", message, "Repair the configuration of the site.") from None
    return {item.tag: (item.text or "").strip() for item in root.iterfind(".//published-repository/*")}


def nested_settings(body: t.Any) -> dict[str, str]:
    """The settings of the published repository in site-config.xml, as 3.0 returns it: as JSON."""
    if not isinstance(body, dict):
        return {}
    found = body.get("published-repository")
    if isinstance(found, dict):
        return {str(key): str(value or "").strip() for key, value in found.items()}
    return next((inner for inner in map(nested_settings, body.values()) if inner), {})


def check_site(name: str) -> str:
    """A site id that is safe in addresses.

    :raises SyncError: ``invalid_option``.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name) or ".." in name:
        raise invalid_option("sites", name, "is not the id of a site", "Use letters, digits, hyphens and underscores.")
    return name
