# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The state of applications on ServerAvatar, read without changing anything."""

from __future__ import annotations

import contextlib
import typing as t

from ..._core.errors import SyncError
from ..._core.options import ArgumentSpec, Options, list_of_names
from ..._http.client import Channel
from ..._lifecycle.provider import Services
from . import api
from .common import CONNECTION_SPEC, PATTERNS_SPEC, PLACE_SPEC, Directory, Patterns, new_client
from .rows import StatusRow

INFO_SPEC = (
    CONNECTION_SPEC
    + PLACE_SPEC
    + PATTERNS_SPEC
    + ArgumentSpec({"applications": {"type": "list", "elements": "str", "aliases": ["application"]}}, ids=("applications",))
)


class ApplicationReader:
    """Reads applications and their staging areas."""

    def __init__(self, options: Options, services: Services) -> None:
        self.options = options
        self.patterns = Patterns(options)
        self.directory = Directory(options)
        self.client = new_client(options, services)

    def names(self, channel: Channel) -> t.Sequence[str]:
        """The applications that were named, or the ids of all that the server has."""
        self.directory.server(channel)
        if self.options.get("applications") is not None:
            names = list_of_names(self.options, "applications")
            with contextlib.suppress(SyncError):
                # else each is looked for by itself, and says what is wrong
                self.directory.survey(names, channel)
            return names
        return [str(row.id) for row in self.directory.applications(channel)]

    def inspect(self, name: str, channel: Channel) -> dict[str, object]:
        """One application; ``id`` is null if the server does not have it."""
        try:
            found = self.directory.application(name, channel)
        except SyncError as error:
            if error.code != "not_found":
                raise
            return {"application": name, "id": None, "name": None, "staging": None, "status": None}
        return {
            "application": name if self.options.get("applications") else found.name,
            "id": found.place.application,
            "name": found.name,
            "staging": api.get_staging(channel, found.place).as_detail(),
            "status": self._status(api.get_status(channel, found.place)),
        }

    def _status(self, row: StatusRow | None) -> dict[str, object] | None:
        return None if row is None else {**row.as_detail(), "running": self.patterns.of(row) == "running"}
