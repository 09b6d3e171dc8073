# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Studio keeps in its database: sites, items, packages, publisher states, users.  A reset touches none of it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

NEW = 1
MODIFIED = 2
DELETED_ITEM = 4
STAGED = 512
LIVE = 1024

READY_FOR_LIVE = "READY_FOR_LIVE"
PROCESSING = "PROCESSING"
COMPLETED = "COMPLETED"
CANCELLED = "CANCELLED"
BLOCKED = "BLOCKED"
PACKAGE_STATES = (READY_FOR_LIVE, PROCESSING, COMPLETED, CANCELLED, BLOCKED)

DEFAULT_STAGING = "staging"
DEFAULT_LIVE = "live"

ROLES: dict[str, frozenset[str]] = {
    "publisher": frozenset({"content_read", "publish", "publish_status"}),
    "author": frozenset({"content_read", "publish_status"}),
}


def now() -> datetime:
    return datetime.now(UTC)


def instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass
class PublishRow:
    """The last completed publish of an item to one target."""

    date: datetime
    publisher: str
    commit_id: str

    def as_json(self) -> dict[str, object]:
        return {
            "datePublished": instant(self.date),
            "publisher": self.publisher,
            "commitId": self.commit_id,
            "dateScheduled": None,
        }


@dataclass
class Item:
    """One file of the sandbox."""

    id: int
    path: str
    content: str
    commit_id: str
    state: int = NEW
    staging: PublishRow | None = None
    live: PublishRow | None = None

    @property
    def deleted(self) -> bool:
        return bool(self.state & DELETED_ITEM)

    @property
    def mime_type(self) -> str:
        return "application/xml" if self.path.endswith(".xml") else "text/css"

    @property
    def git_path(self) -> str:
        return self.path.lstrip("/")


@dataclass
class PublisherState:
    """``status`` may be anything, even None, when a test says so."""

    enabled: bool = True
    status: str | None = "ready"
    message: str | None = None  # None: made from the status
    lock_owner: str | None = None
    lock_ttl: str | None = None
    target: str | None = None
    submission_id: str | None = None
    number_of_items: int = 0
    total_items: int = 0


@dataclass
class Package:
    """One submission to the publishing queue.  ``seconds``, ``fail`` and ``hold`` are for tests."""

    number: int
    target: str
    paths: list[str]
    comment: str
    schedule: datetime
    user: str = "admin"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    title: str = ""
    state: str = READY_FOR_LIVE
    approval: str = "APPROVED"
    published_on: datetime | None = None
    staging_commit: str | None = None
    live_commit: str | None = None
    seconds: float | None = None
    fail: bool = False
    hold: bool = False

    @property
    def waiting(self) -> bool:
        return self.state == READY_FOR_LIVE and self.approval == "APPROVED"


@dataclass
class ResetRecord:
    """One executed reset: for tests, no Studio keeps it."""

    user: str
    environment: str
    at: datetime
    before: dict[str, str]
    after: dict[str, str]


@dataclass
class Site:
    id: str
    number: int
    state: str = "READY"
    staging_enabled: bool | None = None  # None: the element is absent from site-config.xml
    staging_branch: str | None = None  # None: the default name
    live_branch: str | None = None
    config_xml: str | None = None  # in place of the generated file; has no effect on the server
    items: dict[str, Item] = field(default_factory=dict)
    sandbox_commits: dict[str, list[str]] = field(default_factory=dict)
    publisher: PublisherState = field(default_factory=PublisherState)
    packages: list[Package] = field(default_factory=list)
    failing_paths: list[str] = field(default_factory=list)  # publish/all cannot publish these
    resets: list[ResetRecord] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.id}.studio.invalid"))

    def edit(self, files: dict[str, str | None]) -> str:
        """A sandbox commit: new and changed files, None for a deleted one."""
        commit_id = hashlib.sha1(f"{self.id} {len(self.sandbox_commits)}".encode(), usedforsecurity=False).hexdigest()
        for path, content in files.items():
            self._edit_item(path, content, commit_id)
        self.sandbox_commits[commit_id] = list(files)
        return commit_id

    def _edit_item(self, path: str, content: str | None, commit_id: str) -> None:
        item = self.items.get(path)
        if item is None:
            if content is not None:
                self.items[path] = Item(len(self.items) + 1, path, content, commit_id)
            return
        item.commit_id = commit_id
        if content is None:
            item.state |= DELETED_ITEM
        else:
            item.content = content
            item.state = (item.state | MODIFIED) & ~DELETED_ITEM

    def changed_paths(self) -> list[str]:
        return [path for path, item in self.items.items() if item.state & (NEW | MODIFIED | DELETED_ITEM)]

    def package(self, package_id: str) -> Package | None:
        return next((package for package in self.packages if package.id == package_id), None)

    def site_config(self) -> str:
        if self.config_xml is not None:
            return self.config_xml
        entries = {
            "enable-staging-environment": None if self.staging_enabled is None else str(self.staging_enabled).lower(),
            "staging-environment": self.staging_branch,
            "live-environment": self.live_branch,
        }
        inner = "".join(f"    <{name}>{value}</{name}>\n" for name, value in entries.items() if value is not None)
        published = f"  <published-repository>\n{inner}  </published-repository>\n" if inner else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<site-config>\n  <display-name>{self.id}</display-name>\n{published}</site-config>\n"
        )


@dataclass(frozen=True)
class User:
    """``sites`` None: a member of all."""

    username: str
    password: str
    first_name: str
    last_name: str
    role: str | None = None  # None: the system administrator
    sites: frozenset[str] | None = None

    @property
    def email(self) -> str:
        return f"{self.username}@studio.invalid"

    @property
    def system_admin(self) -> bool:
        return self.role is None

    def member_of(self, site_id: str) -> bool:
        return self.system_admin or self.sites is None or site_id in self.sites

    def may(self, site_id: str, permission: str) -> bool:
        return self.role is None or (self.member_of(site_id) and permission in ROLES[self.role])
