# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Applications of one server as hosts of an inventory."""

from __future__ import annotations

import collections
import typing as t

from ..._core.options import ArgumentSpec, Options
from ..._core.texts import is_like
from ..._http.client import Channel
from ..._lifecycle.provider import Services
from ..._operations.inventory import inventory_source
from .common import CONNECTION_SPEC, PATTERNS_SPEC, PLACE_SPEC
from .info import ApplicationReader
from .rows import ApplicationRow, is_id

INVENTORY_SPEC = (
    CONNECTION_SPEC
    + PLACE_SPEC
    + PATTERNS_SPEC
    + ArgumentSpec(
        {"name_filter": {"type": "str"}, "details": {"type": "bool", "default": False}},
        texts=("name_filter",),
    )
)


class ApplicationLister:
    """Lists the applications of the server, with their staging areas if the options want it.

    An application is called by its name, or by its id if a sync module would not find it by its name.
    """

    def __init__(self, options: Options, services: Services) -> None:
        self.options = options
        self._reader = ApplicationReader(options, services)
        self.client = self._reader.client
        self._rows: dict[str, ApplicationRow] = {}

    def names(self, channel: Channel) -> t.Sequence[str]:
        rows = self._reader.directory.applications(channel)
        often = collections.Counter((row.name or "").lower() for row in rows)
        pattern = self.options["name_filter"]
        for row in rows:
            name = row.name or ""
            if pattern is None or is_like(name, pattern):
                # digits are the id of another application, and blanks around a name are no part of an option
                finds_it = bool(name) and name == name.strip() and not is_id(name) and often[name.lower()] == 1
                self._rows[name if finds_it else str(row.id)] = row
        return list(self._rows)

    def inspect(self, name: str, channel: Channel) -> dict[str, object]:
        row = self._rows[name]
        known = {"application": name, "id": row.id, "name": row.name, "primary_domain": row.primary_domain}
        return {**self._reader.inspect(str(row.id), channel), **known} if self.options["details"] else known


INVENTORY = inventory_source("applications", "application", INVENTORY_SPEC, ApplicationLister)
