# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One emulated Studio: its sites, their repositories, and the lock between publishing and resetting."""

from __future__ import annotations

import asyncio
import copy
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from ..framework import Abort
from .answers import container_page
from .git import PublishedRepository, Ref
from .knobs import CrafterKnobs
from .model import DEFAULT_LIVE, DEFAULT_STAGING, ResetRecord, Site, User, now
from .releases import Release

Fingerprint = frozenset[tuple[str, int, int, int]]

NULL_POINTER = "java.lang.NullPointerException"
UNDECLARED = "java.lang.reflect.UndeclaredThrowableException"


class ServerFailure(Exception):
    """Something the server answers with 500.  The text is the Java exception's."""


class Studio:
    def __init__(self, knobs: CrafterKnobs, workdir: Path) -> None:
        self.knobs = knobs
        self.repositories_path = workdir / "data" / "repos" / "sites"
        self._seed_path = workdir / "seed"
        self._seed_sites: dict[str, Site] = {}
        self._fingerprints: dict[str, Fingerprint] = {}
        self.sites: dict[str, Site] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._repositories: dict[str, PublishedRepository] = {}

    # Sites

    @property
    def release(self) -> Release:
        return self.knobs.release

    def add_site(self, site_id: str) -> Site:
        site = Site(site_id, number=len(self.sites) + 2)  # 1 is Studio's own
        self.sites[site_id] = site
        return site

    def visible_sites(self, user: User) -> list[Site]:
        return [site for site in self.sites.values() if user.member_of(site.id)]

    def repository(self, site: Site) -> PublishedRepository:
        if site.id not in self._repositories:
            self._repositories[site.id] = PublishedRepository(self.repositories_path / site.id / "published")
        return self._repositories[site.id]

    def staging_branch(self, site: Site) -> str:
        return (self.release.site_branch_names and site.staging_branch) or DEFAULT_STAGING

    def live_branch(self, site: Site) -> str:
        return (self.release.site_branch_names and site.live_branch) or DEFAULT_LIVE

    def targets(self, site: Site) -> list[str]:
        """What may be published to: staging only when it is enabled."""
        live = self.live_branch(site)
        return [live, self.staging_branch(site)] if site.staging_enabled else [live]

    async def refs(self, site: Site) -> dict[str, Ref]:
        repository = self.repository(site)
        return await asyncio.to_thread(repository.refs) if repository.exists else {}

    # The lock on a published repository, which publishing and resetting both hold

    def locked(self, site: Site) -> bool:
        return self._lock(site).locked()

    @asynccontextmanager
    async def published_lock(self, site: Site) -> AsyncIterator[None]:
        async with self._lock(site):
            if self.sites.get(site.id) is not site:
                raise Abort(container_page(503))  # the simulator was reset meanwhile: this request belongs to the past
            yield

    def _lock(self, site: Site) -> asyncio.Lock:
        return self._locks.setdefault(site.id, asyncio.Lock())

    # The two endpoints

    async def reset_staging(self, site: Site, user: User) -> None:
        """Contract B.  Whether staging is enabled, or the publisher is, does not matter."""
        await self._reset(site, user, self.staging_branch(site), checkout=True)

    async def sync_staging(self, site: Site, user: User, environment: str) -> None:
        """Contract A."""
        await self._reset(site, user, environment, checkout=False)

    async def _reset(self, site: Site, user: User, environment: str, checkout: bool) -> None:
        async with self.published_lock(site):
            repository, live = self.repository(site), self.live_branch(site)
            if not repository.exists:
                raise ServerFailure(NULL_POINTER)
            if repository.index_locked and self.release.stateless:
                await asyncio.sleep(self.knobs.index_lock_seconds)
                raise ServerFailure(UNDECLARED)
            before = await self.refs(site)
            move = repository.reset_staging if checkout else repository.sync_staging
            await asyncio.to_thread(move, environment, live)
            await asyncio.sleep(self.knobs.reset_seconds)
            after = await self.refs(site)
            site.resets.append(ResetRecord(user.username, environment, now(), _commits(before), _commits(after)))

    # Start and reset of the simulator

    def remember(self) -> None:
        """Keep the present sites and repositories as the state to come back to.  Blocks."""
        for repository in self._repositories.values():
            if repository.exists:
                repository.pack()  # a reset copies them, which the tests do all the time
        self._seed_sites = copy.deepcopy(self.sites)
        shutil.copytree(self.repositories_path, self._seed_path)
        self._fingerprints = {path.name: _fingerprint(path) for path in self.repositories_path.iterdir()}

    def forget(self) -> None:
        """Drop all sites; requests that wait for one of their locks notice it."""
        self.sites = {}
        self._locks = {}

    def restore(self) -> None:
        """Back to what was remembered.  Blocks until no git process uses the repositories."""
        with ExitStack() as stack:
            for repository in self._repositories.values():
                stack.enter_context(repository.mutex)
            for path in self.repositories_path.iterdir():
                if _fingerprint(path) != self._fingerprints.get(path.name):
                    shutil.rmtree(path)
            for seed in self._seed_path.iterdir():
                self._copy_seed(seed)
            self.sites = copy.deepcopy(self._seed_sites)

    def _copy_seed(self, seed: Path) -> None:
        path = self.repositories_path / seed.name
        if not path.exists():
            shutil.copytree(seed, path)
            self._fingerprints[seed.name] = _fingerprint(path)

    def clone_site(self, original: Site, site_id: str) -> Site:
        """A further site with the same content, at the cost of copying files."""
        site = copy.deepcopy(original)
        site.id, site.number = site_id, len(self.sites) + 2
        self.sites[site_id] = site
        source = self.repository(original)
        if source.exists:
            shutil.copytree(source.path, self.repository(site).path)
        return site


def _fingerprint(folder: Path) -> Fingerprint:
    """Differs after any change, at a fraction of the cost of copying."""
    entries = ((path, path.lstat()) for path in folder.rglob("*"))
    return frozenset((str(path), about.st_ino, about.st_size, about.st_mtime_ns) for path, about in entries)


def _commits(refs: dict[str, Ref]) -> dict[str, str]:
    return {name: ref.commit for name, ref in refs.items()}
