# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the emulated Studio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..framework import KnobError, Knobs
from .releases import PROFILES, Release, parse_version


@dataclass
class CrafterKnobs(Knobs):
    profile: Literal["documented", "3.0", "3.1", "4.0", "4.1", "4.2", "5.0"] = "4.1"
    version: str | None = None  # behave as, and report, another release than the profile's
    reported_version: str | None = None  # only report it; any text
    context_path: Literal["/studio", ""] = "/studio"

    # Accounts
    basic_auth: bool = False  # 4.0 on: studio.security.http.basic.enabled
    management_token: str = "defaultManagementToken"
    session_seconds: float = 1800.0
    session_rotation: Literal["first_use", "login", "always"] = "first_use"  # when JSESSIONID changes
    ui_token_seconds: float = 300.0
    login_lock: Literal["auto", "on", "off"] = "auto"  # auto: from 4.0 on, where it is known to exist
    login_lock_unit: float = 1.0  # the n-th failure in a row locks the name for 2^n of these seconds, at most 3600

    # What docs/reference/crafter.md leaves open
    documented_strings: Literal["page", "code"] = "page"  # messages of sync-staging: as published, or as its script said
    monitor_v1: Literal["documented", "package"] = "documented"  # the keys of 3.0's version: name.. or packageName..

    # The published contract took one of these as its environment (global configuration)
    staging_environments: list[str] = field(default_factory=lambda: ["staging", "qa"])

    # Time
    queue_seconds: float = 0.15  # the publisher looks for due packages this often
    processing_seconds: float = 0.1  # ... and prepares one for so long,
    publishing_seconds: float = 0.15  # ... and works in git for so long
    publish_all_seconds: float = 0.05
    index_lock_seconds: float = 24.0  # how long a reset tries to get the index.lock that another process has left
    reset_seconds: float = 0.0  # reset-staging and sync-staging take at least this long, holding the lock

    def update(self, values: Mapping[str, object]) -> None:
        version = values.get("version")
        if isinstance(version, str):
            try:
                parse_version(version)
            except ValueError as error:
                raise KnobError(f"knob 'version': {error}") from error
        super().update(values)

    @property
    def release(self) -> Release:
        return Release(self.version or PROFILES[self.profile], documented=self.profile == "documented")
