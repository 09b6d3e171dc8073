# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Sites as hosts of an inventory."""

from __future__ import annotations

import typing as t

from ..._core.options import ArgumentSpec, Options
from ..._core.texts import is_like
from ..._http.client import Channel
from ..._lifecycle.provider import Services
from ..._operations.inventory import inventory_source
from .auth import CONNECTION_SPEC
from .info import INFO_WORDS, SiteReader
from .provider import REPOSITORY_SPEC

INVENTORY_SPEC = (
    CONNECTION_SPEC
    + REPOSITORY_SPEC
    + ArgumentSpec(
        {"name_filter": {"type": "str"}, "details": {"type": "bool", "default": False}},
        texts=("name_filter",),
    )
)


class SiteLister:
    """Lists the sites that the account may see, with their state if the options want it."""

    def __init__(self, options: Options, services: Services) -> None:
        self.options = options
        self._reader = SiteReader(options, services)
        self.client = self._reader.client

    def names(self, channel: Channel) -> t.Sequence[str]:
        pattern = self.options["name_filter"]
        return [name for name in self._reader.names(channel) if pattern is None or is_like(name, pattern)]

    def inspect(self, name: str, channel: Channel) -> dict[str, object]:
        return self._reader.inspect(name, channel) if self.options["details"] else {"site": name}


INVENTORY = inventory_source("sites", "site", INVENTORY_SPEC, SiteLister, INFO_WORDS)
