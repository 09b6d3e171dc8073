# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists on the service, and what happens to it as time passes.

Nothing here runs in the background: events wait in an agenda and take place, in order and with their own times, as soon
as somebody looks (``World.advance``).  That makes short timings exact whatever the load of the machine is.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

DATE_FORMAT = "%Y-%m-%d %H:%M:%S"  # no zone, one second resolution


@dataclass(frozen=True)
class Content:
    """What an application serves: the release its files and its database come from."""

    files: str
    database: str

    @property
    def marker(self) -> str:
        return self.files if self.files == self.database else f"{self.files}/{self.database}"


def release(name: str) -> Content:
    return Content(name, name)


@dataclass
class Organization:
    id: int
    name: str


@dataclass
class Server:
    id: int
    organization_id: int
    name: str
    ip: str
    redis_password: str


@dataclass
class Database:
    id: int
    server_id: int
    name: str


@dataclass
class Application:
    id: int
    server_id: int
    name: str
    primary_domain: str
    database_id: int
    content: Content
    created: float
    updated: float
    active: bool = True
    production_id: int | None = None  # of a staging application
    warm_at: float = 0.0


@dataclass
class StagingRow:
    """The one ``siteMigration`` row of a staging area."""

    id: int
    server_id: int
    migration_server_id: int
    application_id: int
    database_id: int
    key: str
    status: str
    display: str
    percent: int
    created: float
    updated: float
    migration_application_id: int | None = None
    progress: tuple[float, float] | None = None  # while a run shows in it

    def percentage(self, now: float) -> int:
        if self.progress is None:
            return self.percent
        begin, end = self.progress
        done = (now - begin) / (end - begin) if end > begin else 1.0
        return max(0, min(99, int(100 * done)))


@dataclass
class Run:
    """Something that keeps an application busy: a sync, the creation of its staging area, or an unnamed other process."""

    number: int
    kind: Literal["sync", "create", "other"]
    application_id: int
    source: Literal["api", "control"]
    started: float
    effect: Callable[[str, float], None] | None = None  # of an end with this outcome at this time
    finished: float | None = None
    outcome: str | None = None

    def end(self, outcome: str, when: float) -> None:
        if self.finished is not None:
            return
        self.finished, self.outcome = when, outcome
        if self.effect is not None:
            self.effect(outcome, when)


@dataclass
class CloudProvider:
    id: int
    organization_id: int
    name: str
    provider: str
    email: str


@dataclass
class Backup:
    id: int
    config_id: int
    organization_id: int
    server_id: int
    provider: CloudProvider
    application_id: int
    database_id: int | None
    type: str
    name: str
    content: Content
    status: str
    created: float
    updated: float
    done: bool = False
    visible: bool = True
    expires: float | None = None

    def applied_to(self, content: Content) -> Content:
        if self.type == "filesystem":
            return replace(content, files=self.content.files)
        if self.type == "database":
            return replace(content, database=self.content.database)
        return self.content


@dataclass
class Restore:
    backup_id: int
    application_id: int
    source: Literal["api", "control"]
    started: float
    effect: Callable[[str, float], None]  # of an end with this outcome at this time
    finished: float | None = None
    outcome: str | None = None
    unseen: int = 0  # how often its row has to be shown before it ends

    def end(self, outcome: str, when: float) -> None:
        if self.finished is None:
            self.finished, self.outcome = when, outcome
            self.effect(outcome, when)


class Agenda:
    """Events to come."""

    def __init__(self) -> None:
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()

    def at(self, when: float, event: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def advance(self, now: float) -> None:
        while self._events and self._events[0][0] <= now:
            when, _order, event = heapq.heappop(self._events)
            event(when)


@dataclass
class World:
    organizations: dict[int, Organization] = field(default_factory=dict)
    servers: dict[int, Server] = field(default_factory=dict)
    databases: dict[int, Database] = field(default_factory=dict)
    applications: dict[int, Application] = field(default_factory=dict)
    rows: dict[int, StagingRow] = field(default_factory=dict)  # by production application
    providers: dict[int, CloudProvider] = field(default_factory=dict)
    backups: dict[int, Backup] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    restores: list[Restore] = field(default_factory=list)
    overwritten: dict[int, list[float]] = field(default_factory=dict)  # times, by production application
    agenda: Agenda = field(default_factory=Agenda)

    def __post_init__(self) -> None:
        self._wall_minus_monotonic = time.time() - time.monotonic()

    @property
    def now(self) -> float:
        """Seconds since the epoch that never run backwards."""
        return time.monotonic() + self._wall_minus_monotonic

    def advance(self) -> float:
        now = self.now
        self.agenda.advance(now)
        return now

    def busy(self, application_id: int) -> Run | None:
        """The run that holds the lock of a production application."""
        for run in reversed(self.runs):
            if run.application_id == application_id and run.finished is None:
                return run
        return None

    def restoring(self, application_id: int) -> Restore | None:
        for restore in self.restores:
            if restore.application_id == application_id and restore.finished is None:
                return restore
        return None

    def staging_of(self, application_id: int) -> Application | None:
        """The staging copy of a production application, once it exists."""
        row = self.rows.get(application_id)
        if row is None or row.migration_application_id is None:
            return None
        return self.applications.get(row.migration_application_id)

    def on_server(self, server_id: int) -> Iterator[Application]:
        return (application for application in self.applications.values() if application.server_id == server_id)


def next_id(existing: Mapping[int, object]) -> int:
    return max(existing, default=0) + 1


def timestamp(when: float) -> str:
    return time.strftime(DATE_FORMAT, time.gmtime(when))
