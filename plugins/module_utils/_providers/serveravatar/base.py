# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What the ServerAvatar providers have in common."""

from __future__ import annotations

import typing as t

from ..._core.errors import SyncError
from ..._core.options import ArgumentSpec, Options, list_of_names
from ..._http.client import Channel
from ..._lifecycle.poll import Reading
from ..._lifecycle.provider import Capabilities, Effect, Provider, Run, Services, Target
from .common import CONNECTION_SPEC, PATTERNS_SPEC, Directory, Patterns, new_client
from .rows import Server

ROW_SPEC = PATTERNS_SPEC + ArgumentSpec({"if_unobservable": {"type": "str", "choices": ["warn", "fail"], "default": "warn"}})


class ServerAvatarProvider(Provider):
    """A provider whose runs have no id."""

    capabilities = Capabilities(run_id=False)
    connection_spec = CONNECTION_SPEC
    handle_spec = PATTERNS_SPEC
    #: the option that names the targets
    targets_option: t.ClassVar[str] = "applications"

    def __init__(self, options: Options, services: Services) -> None:
        super().__init__(options, services)
        self.patterns = Patterns(options)
        self.directory = Directory(options)
        self.client = new_client(options, services)
        self.address = self.client.settings.base_url

    def names(self) -> list[str]:
        return list_of_names(self.options, self.targets_option)

    def survey(self, names: t.Sequence[str], channel: Channel) -> None:
        self.directory.survey(names, channel)

    def connected_server(self, channel: Channel) -> tuple[Server, SyncError | None]:
        """The server of the options, and why nothing can be done on it: its agent is not connected."""
        server = self.directory.server(channel)
        if server.connected:
            return server, None
        return server, SyncError(
            "connection_failed",
            f"server {server.name} is not connected to ServerAvatar (agent_status)",
            "Start the ServerAvatar agent on that server, or look at it in the panel.",
        )


class RowProvider(ServerAvatarProvider):
    """A provider of whose runs the only sign is that a row changes, which the API does not promise."""

    handle_spec = ROW_SPEC
    #: the row, and what to look at where it has not changed
    row: t.ClassVar[str]
    overwritten: t.ClassVar[str]

    def lost(self, target: Target, run: Run) -> Effect:
        what = f"started; completion not observable: {self.row} did not change within settle_grace"
        remedy = f"Check {self.overwritten}. Raise settle_grace if the row is known to change later."
        if self.options["if_unobservable"] == "fail":
            return Effect(True, "assumed", failure=SyncError("outcome_unknown", what, remedy))
        return Effect(True, "assumed", what, warnings=(f"{target.name}: {what}. {remedy}",))

    def explain_timeout(self, target: Target, reading: Reading | None, channel: Channel) -> str:
        if reading is None or reading.state == "absent":
            return f"{self.row[0].upper()}{self.row[1:]} has not changed since the trigger."
        return "If the panel shows that nothing is running, this status is not a known one: set status_patterns."
