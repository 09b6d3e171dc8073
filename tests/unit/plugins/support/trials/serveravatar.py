# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A model of ServerAvatar with one staging area, by docs/reference/serveravatar.md: a status row, and no ids of runs.

Since runs have no ids, those of somebody else begin at least :data:`QUIET` seconds after another one has ended. A shorter time
than between two looks could not be seen by anybody.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.provider import ServerAvatar

from .system import Ending, System, TrueRun
from .wire import Answered, Asked
from .world import World

QUIET = 30.0
LONGEST_DELAY = 10.0
PLACE = "/organizations/1/servers/2/applications/3"
#: changes of the offset of Central European Time (RFC 5545 calls them transitions)
_SUMMER_ENDS = dt.datetime(2026, 10, 25, 1, tzinfo=dt.timezone.utc)
_SUMMER_BEGINS = dt.datetime(2027, 3, 28, 1, tzinfo=dt.timezone.utc)


def in_central_europe(moment: dt.datetime) -> dt.datetime:
    """Local time, without its zone: one hour of it comes twice in October."""
    is_winter = _SUMMER_ENDS <= moment < _SUMMER_BEGINS
    return (moment + dt.timedelta(hours=1 if is_winter else 2)).replace(tzinfo=None)


class StagingSystem(System):
    provider = ServerAvatar

    def __init__(self, world: World, **kwargs: t.Any) -> None:
        super().__init__(world, **kwargs)
        self.writes_local_time = world.chance.random() < 0.5
        self.status, self.percent, self.updated_at = "Completed", 100, self._date()
        self.updates = 0
        #: the run that holds the lock of the application, and how often it has changed the row
        self.at_work: TrueRun | None = None
        self.idle_since = -QUIET
        #: the run that the row is about
        self.shown: TrueRun | None = None

    def options(self) -> dict[str, t.Any]:
        return {
            "api_url": "https://avatar.trial",
            "api_token": "canary",
            "organization": "1",
            "server": "2",
            "applications": ["3"],
        }

    def _date(self) -> str:
        now = self.world.server_now()
        return f"{in_central_europe(now) if self.writes_local_time else now.replace(tzinfo=None):%Y-%m-%d %H:%M:%S}"

    # -- the API -----------------------------------------------------------------------------------------------------

    def observe(self, asked: Asked) -> Answered:
        if asked.path.endswith("/status"):
            row = {"id": 9, "status": self.status, "updated_at": self.updated_at, "database_id": 4}
            return Answered(body={"siteMigration": row, "displayText": "", "configurationInPercentage": self.percent})
        if asked.path.endswith("/staging-area-detail"):
            return Answered(body={"is_availabel_staging_area": True, "application_name": "copy"})
        if asked.path == "/organizations/1/servers/2":
            return Answered(body={"server": {"id": 2, "name": "web", "agent_status": "1"}})
        return Answered(body={"application": {"id": 3, "name": "shop"}})

    def trigger(self, asked: Asked | None) -> Answered:
        if self.at_work is not None:
            return Answered(500, {"message": "Please wait, another process is already running."})
        if asked is None and self.world.elapsed - self.idle_since < QUIET:
            return Answered(500, {"message": "Please wait, another process is already running."})
        run = self.at_work = self.start(asked)
        self.world.at(self.world.chance.uniform(0, LONGEST_DELAY), lambda: self._move(run))
        return Answered(200, {"message": "Staging area sync started."})

    # -- what happens ------------------------------------------------------------------------------------------------

    def _write(self, status: str, percent: int) -> None:
        self.status, self.percent, self.updated_at = status, percent, self._date()

    def _move(self, run: TrueRun) -> None:
        if run.state == "running":
            self.shown = run
            self._write("In Progress", 10)
            self.world.at(self.duration(), lambda: self._end(run, self.ending()))

    def _end(self, run: TrueRun, ending: Ending) -> None:
        if run.state == "running":
            self._write("Completed" if ending == "succeeded" else "Failed", 100)
            self.at_work, self.idle_since = None, self.world.elapsed
            self.end(run, ending)

    def restart(self) -> None:
        """Runs are processes of the managed servers, which the restart does not touch."""

    # -- the truth ---------------------------------------------------------------------------------------------------

    def shows(self, run: TrueRun) -> bool:
        # what a later run overwrites in the row, nothing shows any more
        return run is self.shown

    def named(self, handle: t.Mapping[str, t.Any]) -> list[TrueRun]:
        return self.runs
