# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Publishing in Crafter Studio: the requests of each version, and what identifies a request in results and in the ledger."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t
import urllib.parse

from ..._core.errors import SyncError, invalid_option
from ..._core.vocabulary import Json
from .api import V1, V4, V5, Version, check_site

FIRST_ITEMS, FIRST_ALL = Version(3, 0, 11), Version(3, 1, 24)


@dataclasses.dataclass(frozen=True)
class PublishRequest:
    """What is to be published, and to which target. No items means everything."""

    site: str
    target: str
    items: tuple[str, ...]

    @property
    def id(self) -> str:
        """Identity of the request: other items are another target of the ledger."""
        if not self.items:
            return f"{self.site}/{self.target}"
        digest = hashlib.sha256("\n".join(sorted(self.items)).encode("utf-8", "surrogateescape")).hexdigest()
        return f"{self.site}/{self.target}/{digest[:16]}"


@dataclasses.dataclass(frozen=True)
class Call:
    """A request to publish.

    :param synchronous: the publish has ended when the response arrives.
    """

    path: str
    body: Json | None
    params: t.Mapping[str, str] | None = None
    synchronous: bool = False


def choose_call(version: Version | None, request: PublishRequest, comment: str) -> Call:
    """The way in which this version publishes.

    :raises SyncError: ``endpoint_missing``.
    """
    site, target, items = request.site, request.target, list(request.items)
    if version is not None and version >= V5:
        body: Json = {
            "publishingTarget": target,
            "paths": [{"path": path, "includeChildren": False, "includeSoftDeps": False} for path in items],
            "commitIds": [],
            "publishAll": not items,
            "requestApproval": False,
            "schedule": None,
            "title": comment[:255],
            "comment": comment,
        }
        return Call(f"/api/2/publish/{urllib.parse.quote(site, safe='')}/package", body)
    if not items:
        if version is None or version >= FIRST_ALL:
            body = {"siteId": site, "publishingTarget": target, "submissionComment": comment}
            return Call("/api/2/publish/all", body, synchronous=True)
        params = {"site_id": site, "path": "/", "environment": target, "comment": comment}
        return Call(f"{V1}/deployment/bulk-golive.json", None, params)
    if version is None or version >= V4:
        body = {"siteId": site, "items": items, "optionalDependencies": [], "publishingTarget": target, "schedule": None}
        return Call("/api/2/workflow/publish", {**body, "comment": comment})
    if version < FIRST_ITEMS:
        message = f"this Studio is version {version}, and publishing items by the API came with {FIRST_ITEMS}"
        raise SyncError("endpoint_missing", message, "Upgrade Studio, or publish everything.")
    entities = [{"item": path} for path in items]
    body = {"environment": target, "schedule": None, "submission_comment": comment, "entities": entities}
    return Call(f"{V1}/publish/publish-items.json", body, {"site_id": site})


@dataclasses.dataclass(frozen=True)
class ItemsBefore:
    """When each item was last published before the request, for accounts that may not see packages.

    :param branch: the part of an item that shows it.
    :param items: by path.
    """

    branch: str
    items: t.Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class PublishSnapshot:
    """What distinguishes a request from the earlier ones.

    :param mark: the unique text in its comment.
    """

    mark: str
    before: ItemsBefore | None = None

    @classmethod
    def from_json(cls, snapshot: t.Mapping[str, t.Any]) -> PublishSnapshot:
        before = snapshot.get("published_before")
        return cls(snapshot["mark"], None if before is None else ItemsBefore(before["branch"], before["items"]))

    def to_json(self) -> Json:
        return {"mark": self.mark, **_before_as_json(self.before)}


@dataclasses.dataclass(frozen=True)
class PublishHandle:
    """A request to publish, once it was sent.

    :param order: see :attr:`PublishRequest.id`.
    :param ordered_at: as text.
    :param package: the id of its package, where the response had one.
    :param ended: how a synchronous publish ended.
    """

    site: str
    target: str
    order: str
    snapshot: PublishSnapshot
    ordered_at: str | None = None
    package: str | None = None
    ended: str | None = None

    @classmethod
    def from_json(cls, handle: t.Mapping[str, t.Any]) -> PublishHandle:
        """
        :raises SyncError: ``invalid_option`` if it is not a handle of a publish.
        """
        before = handle.get("published_before")
        known = before is None or (isinstance(before, dict) and isinstance(before.get("items"), dict) and "branch" in before)
        if not known or not all(isinstance(handle.get(key), str) for key in ("site", "target", "mark", "order")):
            raise invalid_option("handles", dict(handle), "is not a handle of Crafter", "Pass the handle of a record unchanged.")
        package, ended = (None if handle.get(key) is None else str(handle[key]) for key in ("package", "ended"))
        snapshot = PublishSnapshot.from_json(handle)
        site = check_site(handle["site"])
        return cls(site, handle["target"], handle["order"], snapshot, handle.get("ordered_at"), package, ended)

    def to_json(self, provider: str, address: str) -> Json:
        later = {"package": self.package, "ended": self.ended}
        return {
            **_before_as_json(self.snapshot.before),
            "provider": provider,
            "address": address,
            "site": self.site,
            "target": self.target,
            "order": self.order,
            "mark": self.snapshot.mark,
            "ordered_at": self.ordered_at,
            **{name: value for name, value in later.items() if value is not None},
        }


def _before_as_json(before: ItemsBefore | None) -> Json:
    return {} if before is None else {"published_before": {"branch": before.branch, "items": dict(before.items)}}
