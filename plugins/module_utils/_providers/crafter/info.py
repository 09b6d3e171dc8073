# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The state of sites in Crafter Studio, read without changing anything."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._core.errors import SyncError
from ..._core.options import ArgumentSpec, Options, list_of_names
from ..._http.client import Channel
from ..._lifecycle.provider import Services
from .api import Site, check_site, choose_endpoint
from .auth import CONNECTION_SPEC
from .provider import MAX_PATHS, REPOSITORY_SPEC, open_repository
from .studio import Studio

INFO_SPEC = (
    CONNECTION_SPEC
    + REPOSITORY_SPEC
    + ArgumentSpec({"sites": {"type": "list", "elements": "str", "aliases": ["site", "site_id"]}}, texts=("sites",))
)


#: failures that say nothing about other sites
OF_ONE_SITE = frozenset({"not_found", "permission_denied", "bad_response", "server_error", "busy"})


SiteBasis = t.Literal["git_ref", "git_tree", "item_states", "unknown"]

INFO_WORDS: frozenset[str] = frozenset(t.get_args(SiteBasis))


@dataclasses.dataclass(frozen=True)
class SiteEntry:
    """What the info module returns of a site; ``None`` stands for what is not known."""

    site: str
    exists: bool
    version: str | None
    sync_endpoint: str | None
    targets: list[str] | None = None
    staging_enabled: bool | None = None
    published: bool | None = None
    publisher: t.Mapping[str, object] | None = None
    refs: t.Mapping[str, str | None] | None = None
    in_sync: bool | None = None
    staged_not_live: list[str] | None = None
    failure: t.Mapping[str, object] | None = None
    in_sync_basis: SiteBasis = "unknown"


class SiteReader:
    """Reads the state of sites, of those named or of all that Studio lists."""

    def __init__(self, options: Options, services: Services) -> None:
        self.options = options
        self.repository = open_repository(options, services)
        self.studio = Studio(options, services)
        self.client = self.studio.client

    def names(self, channel: Channel) -> t.Sequence[str]:
        """The sites that were named, or all that the account may see.

        :raises SyncError: ``invalid_option``.
        """
        if self.options.get("sites") is not None:
            return [check_site(name) for name in list_of_names(self.options, "sites")]
        return self.studio.sites(channel)

    def inspect(self, name: str, channel: Channel) -> dict[str, object]:
        """One site; ``exists`` is false if Studio does not have it, ``failure`` says why it could not be inspected."""
        version = self.studio.version(channel)
        try:
            endpoint: str | None = choose_endpoint("auto", version)
        except SyncError:
            endpoint = None
        entry = SiteEntry(name, False, str(version) if version else None, endpoint)
        try:
            self.studio.check_exists(channel, name)
            entry = self._state(dataclasses.replace(entry, exists=True), channel)
        except SyncError as error:
            if error.code not in OF_ONE_SITE:
                raise
            exists = error.code != "not_found"
            entry = dataclasses.replace(entry, exists=exists, failure=error.as_failure() if exists else None)
        return dataclasses.asdict(entry)

    def _state(self, entry: SiteEntry, channel: Channel) -> SiteEntry:
        site = self.studio.site(channel, entry.site)
        entry = dataclasses.replace(
            entry,
            targets=None if site.targets is None else list(site.targets),
            staging_enabled=site.enabled,
            published=site.published,
            publisher=self.studio.publisher(channel, entry.site).as_detail(),
        )
        return self._difference(entry, site, channel)

    def _difference(self, entry: SiteEntry, site: Site, channel: Channel) -> SiteEntry:
        """Whether staging equals live, by the best evidence available."""
        staged = self.studio.staged_not_live(channel, entry.site)
        entry = dataclasses.replace(entry, staged_not_live=None if staged is None else staged[:MAX_PATHS])
        if self.repository is not None and site.published is not False:
            try:
                seen = self.repository.compare(entry.site, site.staging, site.live, channel.deadline)
            except SyncError as error:
                return dataclasses.replace(entry, failure=error.as_failure())
            basis: SiteBasis = "git_ref" if seen.same_commit or None in (seen.live, seen.staging) else "git_tree"
            return dataclasses.replace(entry, refs=seen.refs, in_sync=seen.in_sync, in_sync_basis=basis)
        # items that are staged and were never live mean a difference, unless staging was reset since; none prove nothing
        return dataclasses.replace(entry, in_sync=False, in_sync_basis="item_states") if staged else entry
