# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Reads synchronizers of a PLM Media Manager for its info module."""

from __future__ import annotations

import typing as t

from ..._core.options import ArgumentSpec, Options
from ..._http.client import Channel
from ..._lifecycle.provider import Services
from .api import CONNECTION_SPEC, NOTHING, check_id, database_is_down, get_states, new_client

INFO_SPEC = CONNECTION_SPEC + ArgumentSpec(
    {"synchronizers": {"type": "list", "elements": "str", "required": True, "aliases": ["synchronizer"]}},
    texts=("synchronizers",),
)


class SynchronizerReader:
    """Reads synchronizers by their ids; the server cannot list them."""

    def __init__(self, options: Options, services: Services) -> None:
        self.options = options
        self.client = new_client(options, services)

    def names(self, channel: Channel) -> t.Sequence[str]:
        """The ids that were given.

        :raises SyncError: ``invalid_option``.
        """
        return [check_id(name.strip(), "synchronizers") for name in self.options["synchronizers"]]

    def inspect(self, name: str, channel: Channel) -> dict[str, object]:
        """One synchronizer; ``known`` is never false, as nothing proves that it does not exist."""
        states = get_states(channel, name)
        shown_for_any_id = states == NOTHING or (states.all_error and database_is_down(channel))
        known = None if shown_for_any_id else True
        return {"id": name, **states.as_detail(), "known": known}
