# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Syncs and creations as they go on, and what they do to production and to the status row."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Literal

from . import seed
from .knobs import Outcome, ServerAvatarKnobs
from .world import Application, Run, StagingRow, World, next_id


@dataclass(frozen=True)
class NewStaging:
    """A staging area as it was ordered."""

    name: str
    domain: str
    server_id: int
    database_id: int


class Runs:
    """Every run takes its settings along when it begins; knobs set later do not bend it."""

    def __init__(self, world: World, knobs: ServerAvatarKnobs) -> None:
        self._world = world
        self._knobs = knobs

    def begin_sync(self, application: Application, source: Literal["api", "control"]) -> Run:
        knobs = self._knobs.for_application(application.id)
        run = self._begin("sync", application, source)
        run.effect = lambda outcome, when: self._end_sync(application, knobs, outcome, when)
        if knobs.status_row == "moves":
            show_at = run.started + knobs.status_row_delay
            self._world.agenda.at(show_at, lambda when: self._show_running(run, knobs, knobs.sync_seconds, when))
        self._schedule(run, knobs.sync_outcome, knobs.sync_seconds)
        return run

    def begin_create(self, application: Application, order: NewStaging) -> Run:
        knobs = self._knobs.for_application(application.id)
        run = self._begin("create", application, "api")
        run.effect = lambda outcome, when: self._end_create(application, order, knobs, outcome, when)
        self._new_row(application, order, run.started)
        self._show_running(run, knobs, knobs.create_seconds, run.started)
        self._schedule(run, knobs.create_outcome, knobs.create_seconds)
        return run

    def occupy(self, application: Application, seconds: float) -> Run:
        """Some other process holds the lock; the status row shows nothing of it."""
        run = self._begin("other", application, "control")
        self._schedule(run, "success", seconds)
        return run

    def _begin(
        self, kind: Literal["sync", "create", "other"], application: Application, source: Literal["api", "control"]
    ) -> Run:
        runs = self._world.runs
        runs.append(Run(len(runs) + 1, kind, application.id, source, started=self._world.now))
        return runs[-1]

    def _schedule(self, run: Run, outcome: Outcome, seconds: float) -> None:
        if outcome != "never":
            self._world.agenda.at(run.started + seconds, lambda when: run.end(outcome, when))
        self._world.advance()

    def _show_running(self, run: Run, knobs: ServerAvatarKnobs, seconds: float, when: float) -> None:
        row = self._world.rows.get(run.application_id)
        if run.finished is not None or row is None:
            return
        row.status, row.display, row.updated = knobs.status_running, knobs.display_running, when
        if knobs.percent_running is None:
            row.progress = (run.started, run.started + seconds)
        else:
            row.percent = knobs.percent_running

    def _end_sync(self, production: Application, knobs: ServerAvatarKnobs, outcome: str, when: float) -> None:
        self._overwrite(production, knobs, outcome, when)
        row = self._world.rows.get(production.id)
        if row is None or knobs.status_row == "frozen":
            return
        if knobs.status_row == "stamp_only":
            row.updated = when
        else:
            _show_end(row, knobs, outcome, when)

    def _overwrite(self, production: Application, knobs: ServerAvatarKnobs, outcome: str, when: float) -> None:
        staging = self._world.staging_of(production.id)
        if staging is None:
            return
        if outcome == "success":
            production.content = staging.content
        elif knobs.sync_damages_on_failure:
            production.content = replace(production.content, files=staging.content.files)
        else:
            return
        production.updated, production.warm_at = when, when + knobs.site_warmup_seconds
        self._world.overwritten.setdefault(production.id, []).append(when)

    def _new_row(self, application: Application, order: NewStaging, when: float) -> None:
        self._world.rows[application.id] = StagingRow(
            id=max((row.id for row in self._world.rows.values()), default=0) + 1,
            server_id=application.server_id,
            migration_server_id=order.server_id,
            application_id=application.id,
            database_id=order.database_id,
            key=secrets.token_hex(16),
            status="",
            display="",
            percent=0,
            created=when,
            updated=when,
        )

    def _end_create(
        self, production: Application, order: NewStaging, knobs: ServerAvatarKnobs, outcome: str, when: float
    ) -> None:
        row = self._world.rows.get(production.id)
        if row is None:
            return
        if outcome == "success":
            number = next_id(self._world.applications)
            copy = seed.add_application(self._world, number, order.server_id, order.name, order.domain)
            copy.content, copy.production_id, copy.created = production.content, production.id, when
            row.migration_application_id = copy.id
        _show_end(row, knobs, outcome, when)


def _show_end(row: StagingRow, knobs: ServerAvatarKnobs, outcome: str, when: float) -> None:
    row.progress, row.updated = None, when
    if outcome == "success":
        row.status, row.display, row.percent = knobs.status_success, knobs.display_success, knobs.percent_success
    else:
        row.status, row.display, row.percent = knobs.status_failure, knobs.display_failure, knobs.percent_failure
