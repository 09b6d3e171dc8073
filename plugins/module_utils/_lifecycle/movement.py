# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Whether the plan of a target still holds right before the trigger."""

from __future__ import annotations

import typing as t

from .._http.client import Channel
from .plan import kept_changing
from .provider import Observation, Provider, Target

MAX_REPLANS = 5


class Movement:
    """Counts the plans of one target that were void before they could be carried out."""

    def __init__(self, provider: Provider, target: Target, channel: Channel) -> None:
        self._provider = provider
        self._target = target
        self._channel = channel
        self._replans = 0
        #: what to add to the detail of the record: not empty if the newest plan is good enough
        self.detail: t.Mapping[str, t.Any] = {}

    def holds(self, observation: Observation) -> bool:
        """Whether the target may be triggered by this observation."""
        return bool(self.detail) or self._provider.still_valid(self._target, observation, self._channel)

    def must_plan_again(self, observation: Observation) -> bool:
        """Whether the target has changed since it was observed. One that never rests may be synced by its newest plan.

        :raises SyncError: ``busy`` if it never rests, and may not.
        """
        if self.holds(observation):
            return False
        self._replans += 1
        if self._replans < MAX_REPLANS:
            return True
        self.detail = self._provider.accept_moving(self._target, observation)
        if self.detail:
            return False
        raise kept_changing(self._replans)
