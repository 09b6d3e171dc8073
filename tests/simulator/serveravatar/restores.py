# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores as they go on, and what they do to production and to the row of their backup.

Inferred: no page of the documentation says how a restore can be seen to go on or to have ended.  The knobs hold what is
plausible.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from .knobs import ServerAvatarKnobs
from .world import Application, Backup, Restore, World


class Restores:
    """Every restore takes its settings along when it begins, as runs do."""

    def __init__(self, world: World, knobs: ServerAvatarKnobs) -> None:
        self._world = world
        self._knobs = knobs

    def begin(self, backup: Backup, application: Application, source: Literal["api", "control"]) -> Restore:
        knobs, world = self._knobs.for_application(application.id), self._world

        def end(outcome: str, when: float) -> None:
            _overwrite(backup, application, knobs, outcome, when)
            _show_end(backup, knobs, outcome, when)

        restore = Restore(backup.id, application.id, source, world.now, end, unseen=knobs.restore_until_seen)
        world.restores.append(restore)
        if knobs.restore_row == "moves":
            world.agenda.at(restore.started + knobs.restore_row_delay, lambda when: _show_running(restore, backup, knobs, when))
        if knobs.restore_outcome != "never" and not restore.unseen:
            world.agenda.at(restore.started + knobs.restore_seconds, lambda when: restore.end(knobs.restore_outcome, when))
        world.advance()
        return restore

    def shown(self, backup: Backup) -> None:
        """Somebody has looked at the row of a backup."""
        knobs, restore = self._knobs.for_application(backup.application_id), self.of(backup)
        if restore is None or not restore.unseen or knobs.restore_outcome == "never":
            return
        if knobs.restore_row != "moves" or backup.status == knobs.restore_running:
            restore.unseen -= 1
            if not restore.unseen:
                restore.end(knobs.restore_outcome, self._world.now)

    def of(self, backup: Backup) -> Restore | None:
        """The restore of a backup that goes on."""
        restore = self._world.restoring(backup.application_id)
        return restore if restore is not None and restore.backup_id == backup.id else None


def _show_running(restore: Restore, backup: Backup, knobs: ServerAvatarKnobs, when: float) -> None:
    if restore.finished is None:
        backup.status, backup.updated = knobs.restore_running, when


def _show_end(backup: Backup, knobs: ServerAvatarKnobs, outcome: str, when: float) -> None:
    if knobs.restore_row == "frozen":
        return
    backup.updated = when
    if knobs.restore_row == "moves":
        backup.status = knobs.restore_success if outcome == "success" else knobs.restore_failure


def _overwrite(backup: Backup, application: Application, knobs: ServerAvatarKnobs, outcome: str, when: float) -> None:
    if outcome == "success":
        application.content = backup.applied_to(application.content)
    elif knobs.restore_damages_on_failure:
        application.content = replace(application.content, files=backup.content.files)
    else:
        return
    application.updated, application.warm_at = when, when + knobs.site_warmup_seconds
