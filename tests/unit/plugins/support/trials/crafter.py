# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A model of Crafter Studio with one site, by docs/reference/crafter.md#1 and #3: two branches, a publisher, and a reset."""

from __future__ import annotations

import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import Options
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Provider, Services
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.git import Comparison, PathChange, Repository
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.provider import Crafter

from .system import System, TrueRun
from .wire import Answered, Asked
from .world import World

CONFIGURATION = (
    "<site><published-repository><enable-staging-environment>true</enable-staging-environment>"
    "<staging-environment>staging</staging-environment><live-environment>live</live-environment></published-repository></site>"
)
#: seconds that a reset takes
LONGEST_RESET = 20.0


class StudioSystem(System):
    """:param with_repository: whether tasks can read the published repository."""

    provider = Crafter

    def __init__(self, world: World, with_repository: bool | None = None, **kwargs: t.Any) -> None:
        super().__init__(world, **kwargs)
        self.with_repository = world.chance.random() < 0.8 if with_repository is None else with_repository
        self.commits = 2
        self.live, self.staging = 1, 2
        self.publishing = False
        #: where staging was before each reset
        self.before: dict[int, int] = {}
        #: the last time that somebody else moved a branch
        self.published_at = -1.0

    def options(self) -> dict[str, t.Any]:
        base = {"api_url": "https://studio.trial/studio", "api_token": "canary", "sites": ["site"]}
        if self.with_repository:
            base["published_repo"] = "/published"
        return base

    def new_provider(self, options: Options, services: Services) -> Provider:
        provider = Crafter(options, services)
        if provider.repository is not None:
            provider.repository.__class__ = _TrialRepository
        return provider

    def change(self) -> None:
        self.commits += 1
        self.live = self.commits
        self.published_at = self.world.elapsed

    # -- the API -----------------------------------------------------------------------------------------------------

    def observe(self, asked: Asked) -> Answered:
        path = asked.path.removeprefix("/studio")
        answers: dict[str, t.Any] = {
            "/api/2/monitoring/version": {"version": {"packageVersion": "4.0.5"}},
            "/api/2/users/me/sites": {"sites": [{"siteId": "site"}], "total": 1},
            "/api/2/publish/status": {
                "publishingStatus": {"enabled": True, "status": "publishing" if self.publishing else "ready"},
            },
            "/api/2/publish/available_targets": {
                "publishingTargets": [{"name": "live"}, {"name": "staging"}],
                "published": True,
            },
            "/api/2/configuration/get_configuration": {"content": CONFIGURATION},
            "/api/2/publish/packages": {"packages": [], "total": 0},
            "/api/2/workflow/item_states": {"items": [], "total": 0},
        }
        return Answered(body=answers[path]) if path in answers else Answered(404, {"message": "no such thing"})

    def trigger(self, asked: Asked | None) -> Answered:
        """The reset, which is done when it answers; or somebody else publishes."""
        if asked is None:
            self._publish()
            return Answered()
        run = self.start(asked)
        ending = self.ending()
        self.before[run.id] = self.staging
        if ending == "succeeded":
            self.staging = self.live
        self.end(run, ending)
        if ending == "failed":
            return Answered(500, {"message": "Internal server error: java.io.IOException: no space left"})
        return Answered(200, {"message": "OK"})

    # -- what happens ------------------------------------------------------------------------------------------------

    def _publish(self) -> None:
        if not self.publishing:
            self.publishing = True
            self.world.at(self.world.chance.uniform(1, 10), self._published)

    def _published(self) -> None:
        self.publishing = False
        self.commits += 1
        self.published_at = self.world.elapsed
        if self.world.chance.random() < 0.5:
            self.live = self.commits
        else:
            self.staging = self.commits

    def restart(self) -> None:
        """A publish that is at work is begun anew."""
        self.world.forget_events()
        if self.publishing:
            self.world.at(5.0, self._published)

    # -- the truth ---------------------------------------------------------------------------------------------------

    def shows(self, run: TrueRun) -> bool:
        # the branches show it
        return self.with_repository and run.state == "succeeded" and self.published_at < run.began

    def named(self, handle: t.Mapping[str, t.Any]) -> list[TrueRun]:
        # somebody else may have published between the plan and the reset
        before = handle.get("staging_before")
        return [run for run in self.runs if before is None or _commit(self.before[run.id]) >= before]


class _TrialRepository(Repository):
    """Reads the branches of the trial."""

    def refs(self, site: str, staging: str, live: str, deadline: Deadline) -> Comparison:
        system = _system()
        return Comparison(_commit(system.live), _commit(system.staging))

    def tag_of(self, site: str, commit: str, deadline: Deadline) -> str | None:
        _system()
        return None

    def compare(self, site: str, staging: str, live: str, deadline: Deadline) -> Comparison:
        refs = self.refs(site, staging, live, deadline)
        if refs.same_commit:
            return refs
        changes = (PathChange("/index.xml", refs.staging, refs.live),)
        return Comparison(refs.live, refs.staging, refs.live, refs.staging, changes)


def _system() -> StudioSystem:
    world = World.current
    assert world is not None
    assert isinstance(world.system, StudioSystem)
    if world.at_work:
        world.at_work[-1].burn()
    world.others_go_on()
    if world.system.is_offline or world.chance.random() > world.calm:
        raise SyncError("connection_failed", "git ls-remote of published_repo failed")
    return world.system


def _commit(number: int) -> str:
    return f"{number:040x}"
