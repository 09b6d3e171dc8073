# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing: from the sandbox to the branches of the published repository, at once or through the queue."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .answers import CONTENT_NOT_FOUND
from .git import Change, GitError
from .model import BLOCKED, COMPLETED, LIVE, MODIFIED, NEW, PROCESSING, STAGED, Item, Package, PublishRow, Site, User, now
from .studio import Studio

Spawn = Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]


@dataclass(frozen=True)
class Submission:
    """What is to be published, by whom and when."""

    target: str
    paths: list[str]
    user: str
    comment: str
    when: datetime
    only_target: bool = False
    everything: bool = False  # and not single items
    package: str | None = None

    @property
    def message(self) -> str:
        """Of the commits: that of everything is the comment itself."""
        if self.everything:
            return self.comment or "Publish all changes."
        note = f'Publish note from user: "{self.comment}\n"'
        return f"Publish event triggered by {self.user} on {_stamp(self.when)} via UI.\n\n{note}\n\nPackage ID: {self.package}\n"

    def tag(self, changed: datetime) -> str | None:
        """Items of a package leave a tag on each commit."""
        return None if self.package is None else f"{_stamp(changed)}_published_on_{_stamp(now())}"


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H%M%S}{moment.microsecond // 1000:03d}Z"


async def publish(studio: Studio, site: Site, submission: Submission) -> dict[str, str]:
    """Publish sandbox content and return the new commit of each branch.  The caller holds the lock."""
    if not studio.repository(site).exists:
        # The first publish of a site is of everything, to everywhere, whatever was asked for.
        await first_publish(studio, site, submission.user, submission.when)
        return {branch: ref.commit for branch, ref in (await studio.refs(site)).items()}
    return await _publish_to_branches(studio, site, submission)


async def first_publish(studio: Studio, site: Site, user: str, when: datetime) -> None:
    """Publish everything to live, and to staging where that is enabled.  The caller holds the lock."""
    live, repository = studio.live_branch(site), studio.repository(site)
    await asyncio.to_thread(repository.create, live)
    files: dict[str, str | None] = {item.git_path: item.content for item in site.items.values()}
    await asyncio.to_thread(repository.add_sandbox, Change(files, "Initial commit.", when, user))
    await _publish_to_branches(studio, site, Submission(live, list(site.items), user, "Initial publish.", when, everything=True))


async def publish_first(studio: Studio, site: Site, user: str) -> None:
    """Publish everything of a site that was never published, whatever was asked for."""
    if not studio.repository(site).exists:
        async with studio.published_lock(site):
            if not studio.repository(site).exists:
                await first_publish(studio, site, user, now())


async def _publish_to_branches(studio: Studio, site: Site, submission: Submission) -> dict[str, str]:
    live, staging = studio.live_branch(site), studio.staging_branch(site)
    branches = [submission.target]
    if submission.target == live and site.staging_enabled and not submission.only_target:
        branches = [staging, live]
    items = [site.items[path] for path in submission.paths if path in site.items]
    commits = {}
    for before_last, branch in zip(reversed(range(len(branches))), branches, strict=True):
        # one after the other, so that commits of equal content differ
        turn = dataclasses.replace(submission, when=submission.when - timedelta(seconds=before_last))
        commits[branch] = await _commit(studio, site, branch, items, turn)
    for item in items:
        _note_published(site, item, submission, to_live=submission.target == live)
    return commits


async def _commit(studio: Studio, site: Site, branch: str, items: list[Item], submission: Submission) -> str:
    """Each branch gets a commit of its own: equal content, different ids."""
    repository = studio.repository(site)
    refs = await asyncio.to_thread(repository.refs)
    files: dict[str, str | None] = {item.git_path: None if item.deleted else item.content for item in items}
    start = None
    if refs and branch not in refs and branch == studio.staging_branch(site):
        if studio.release.since("4.1.3"):
            start = refs[studio.live_branch(site)].commit if studio.live_branch(site) in refs else None
        elif submission.everything or not studio.release.is_4_0:
            files = {item.git_path: item.content for item in site.items.values() if not item.deleted}
        else:
            files = {".gitignore": "", **files}  # a branch without history, of the items alone
    change = Change(files, submission.message, submission.when, submission.user, submission.tag(submission.when))
    return await asyncio.to_thread(repository.commit, branch, change, start)


def _note_published(site: Site, item: Item, submission: Submission, to_live: bool) -> None:
    """The database rows.  A publish to live writes no row for staging, though it went there as well."""
    row = PublishRow(submission.when, submission.user, item.commit_id)
    if not to_live:
        item.staging = row
        item.state |= STAGED
        return
    item.live = row
    item.state = (item.state | STAGED | LIVE) & ~(NEW | MODIFIED)
    if item.deleted:
        del site.items[item.path]


async def publish_all(studio: Studio, site: Site, target: str, user: str, comment: str) -> list[str]:
    """The whole sandbox, inside the request; returns the paths that could not be published."""
    async with studio.published_lock(site):
        await _check_target(studio, site, target)
        failed = [path for path in site.failing_paths if path in site.items]
        paths = [path for path in site.items if path not in failed]
        if not studio.release.stateless:
            _show_status(site, "publishing")
        await asyncio.sleep(studio.knobs.publish_all_seconds)
        # publishing everything to live left staging alone before 4.1.3
        only_target = studio.repository(site).exists and not studio.release.since("4.1.3")
        await publish(studio, site, Submission(target, paths, user, comment, now(), only_target, everything=True))
        _show_status(site, "readyWithErrors" if failed else "ready")
        return failed


def _show_status(site: Site, status: str) -> None:
    if site.publisher.enabled:  # what a stopped publisher shows is why it stopped
        site.publisher.status = status


async def _check_target(studio: Studio, site: Site, target: str) -> None:
    """publish/all refuses targets it does not know; before 4.0.3 also staging while its branch is missing."""
    missing = target not in studio.targets(site)
    if missing and target == studio.staging_branch(site) and studio.release.stateless:
        # a branch from a time when staging was enabled will do
        missing = target not in await studio.refs(site)
    if not missing and target == studio.staging_branch(site) and not studio.release.since("4.0.3"):
        missing = studio.repository(site).exists and target not in await studio.refs(site)
    if missing:
        raise CONTENT_NOT_FOUND.abort(f"Publishing target '{target}' not found in site '{site.id}'")


class Publisher:
    """The task that works off the queue of each site."""

    def __init__(self, studio: Studio, spawn: Spawn) -> None:
        self._studio = studio
        self._spawn = spawn
        self._workers: dict[str, asyncio.Task[Any]] = {}
        self._held: dict[str, asyncio.Event] = {}
        self._next_number = 1

    def forget(self) -> None:
        """After a reset; the tasks have been cancelled."""
        self._workers.clear()
        self._held.clear()
        self._next_number = 1

    def package(self, target: str, paths: list[str], comment: str, schedule: datetime | None = None) -> Package:
        number, self._next_number = self._next_number, self._next_number + 1
        return Package(number, target, paths, comment, schedule or now())

    def submit(self, site: Site, package: Package, user: User) -> None:
        """Queue a package.  The target is not checked: one that does not exist waits for ever."""
        package.user = user.username
        site.packages.append(package)
        if package.waiting:
            site.publisher.status = "queued"  # even while the publisher is stopped
            self.wake(site)

    def wake(self, site: Site) -> None:
        worker = self._workers.get(site.id)
        if worker is None or worker.done():
            self._workers[site.id] = self._spawn(self._work(site))

    def start(self, site: Site) -> None:
        site.publisher.enabled = True
        site.publisher.status = "ready" if self._studio.release.stateless else "started"
        self.wake(site)

    def stop(self, site: Site) -> None:
        site.publisher.enabled = False
        site.publisher.status = "stopped"

    def release_held(self, site: Site) -> None:
        """Let a package with ``hold`` complete."""
        held = self._held.pop(site.id, None)
        if held is not None:
            held.set()

    def _queue(self, site: Site) -> list[Package]:
        targets = self._studio.targets(site)
        return [package for package in site.packages if package.waiting and package.target in targets]

    def _due(self, site: Site) -> Package | None:
        due = [package for package in self._queue(site) if package.schedule <= now()]
        return min(due, key=lambda package: package.schedule, default=None)

    def _later(self, site: Site) -> list[Package]:
        return [package for package in site.packages if package.waiting and package.schedule > now()]

    async def _work(self, site: Site) -> None:
        while self._queue(site):
            await asyncio.sleep(self._studio.knobs.queue_seconds)
            package = self._due(site)
            if package is not None and site.publisher.enabled:
                await self.run(site, package)

    async def run(self, site: Site, package: Package) -> None:
        """Publish one package, from the lock to the new publisher state."""
        async with self._studio.published_lock(site):
            if package.state != PROCESSING and not package.waiting:
                return  # cancelled while it waited for the lock
            package.state = PROCESSING
            self._show_progress(site, package)
            try:
                await self._take_time(site, package)
                await self._publish(site, package)
            except GitError:
                traceback.print_exc(file=sys.stderr)
                package.fail = True
            self._show_end(site, package)

    def _show_progress(self, site: Site, package: Package) -> None:
        state = site.publisher
        state.status, state.message = "processing", None
        state.target, state.submission_id = package.target, package.id
        state.number_of_items, state.total_items = 0, len(package.paths)

    async def _take_time(self, site: Site, package: Package) -> None:
        knobs = self._studio.knobs
        if package.seconds is None:
            await asyncio.sleep(knobs.processing_seconds)
        _show_status(site, "publishing")
        if package.hold:
            await self._held.setdefault(site.id, asyncio.Event()).wait()
        else:
            await asyncio.sleep(knobs.publishing_seconds if package.seconds is None else package.seconds)

    async def _publish(self, site: Site, package: Package) -> None:
        if package.fail:
            return
        submission = Submission(package.target, package.paths, package.user, package.comment, now(), package=package.id)
        commits = await publish(self._studio, site, submission)
        package.staging_commit = commits.get(self._studio.staging_branch(site))
        package.live_commit = commits.get(self._studio.live_branch(site))
        package.state = COMPLETED
        package.published_on = now()

    def _show_end(self, site: Site, package: Package) -> None:
        state = site.publisher
        state.target = state.submission_id = None
        state.number_of_items = state.total_items = 0
        if package.fail:
            package.state = BLOCKED
            state.enabled, state.status = False, "error"
        elif state.enabled:
            # packages for later are counted, and those that are due are not
            state.status = "queued" if self._later(site) else "ready"
