# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The state of sites in Crafter Studio, read without changing anything."""

from __future__ import annotations

import typing as t

from ..._core.errors import SyncError
from ..._core.options import ArgumentSpec, Options, list_of_names
from ..._core.vocabulary import Json
from ..._http.client import Channel
from ..._lifecycle.provider import Services
from .api import Site, check_site, choose_endpoint
from .auth import CONNECTION_SPEC
from .provider import MAX_PATHS, REPOSITORY_SPEC, open_repository
from .studio import Studio

INFO_SPEC = (
    CONNECTION_SPEC
    + REPOSITORY_SPEC
    + ArgumentSpec({"sites": {"type": "list", "elements": "str", "aliases": ["site", "site_id"]}}, ids=("sites",))
)


#: failures that say nothing about other sites
OF_ONE_SITE = frozenset({"not_found", "permission_denied", "bad_response", "server_error", "busy"})


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

    def inspect(self, name: str, channel: Channel) -> Json:
        """One site; ``exists`` is false if Studio does not have it, ``failure`` says why it could not be inspected."""
        version = self.studio.version(channel)
        try:
            endpoint: str | None = choose_endpoint("auto", version)
        except SyncError:
            endpoint = None
        entry: Json = {"site": name, "exists": False, "version": str(version) if version else None, "sync_endpoint": endpoint}
        empty = ("targets", "staging_enabled", "published", "publisher", "refs", "in_sync", "staged_not_live", "failure")
        nothing: Json = {**entry, **dict.fromkeys(empty), "in_sync_basis": "unknown"}
        try:
            self.studio.check_exists(channel, name)
            return {**nothing, "exists": True, **self._state(name, channel)}
        except SyncError as error:
            if error.code not in OF_ONE_SITE:
                raise
            exists = error.code != "not_found"
            return {**nothing, "exists": exists, "failure": error.as_failure() if exists else None}

    def _state(self, name: str, channel: Channel) -> Json:
        site = self.studio.site(channel, name)
        return {
            "targets": None if site.targets is None else list(site.targets),
            "staging_enabled": site.enabled,
            "published": site.published,
            "publisher": self.studio.publisher(channel, name).as_detail(),
            **self._difference(name, site, channel),
        }

    def _difference(self, name: str, site: Site, channel: Channel) -> Json:
        """Whether staging equals live, by the best evidence available."""
        staged = self.studio.staged_not_live(channel, name)
        known: Json = {"refs": None, "staged_not_live": None if staged is None else staged[:MAX_PATHS]}
        if self.repository is not None and site.published is not False:
            try:
                seen = self.repository.compare(name, site.staging, site.live, channel.deadline)
            except SyncError as error:
                return {**known, "in_sync": None, "in_sync_basis": "unknown", "failure": error.as_failure()}
            basis = "git_ref" if seen.same_commit or None in (seen.live, seen.staging) else "git_tree"
            return {**known, "refs": seen.refs, "in_sync": seen.in_sync, "in_sync_basis": basis}
        # items that are staged and were never live mean a difference, unless staging was reset since; none prove nothing
        return {**known, "in_sync": False if staged else None, "in_sync_basis": "item_states" if staged else "unknown"}
