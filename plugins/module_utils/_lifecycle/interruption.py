# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What a task that ended without its result left behind for a target, and what became of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._core.clock import isoformat
from .._core.vocabulary import InterruptedOutcome

_TEXTS: t.Mapping[InterruptedOutcome, str] = {
    "running": "its run is still in flight",
    "succeeded": "its run has succeeded since",
    "failed": "its run has failed since",
    "forgotten": "the server does not know its run any more",
    "not_sent": "it had not sent the trigger yet",
    "not_arrived": "its trigger did not reach the server",
    "unknown": "whether it was triggered cannot be seen",
}


def interrupted_text(outcome: InterruptedOutcome) -> str:
    """What became of an interrupted sync, in words."""
    return _TEXTS[outcome]


@dataclasses.dataclass(frozen=True)
class Interruption:
    """An unfinished entry of the ledger whose process is gone.

    :param intended_at: when that process recorded its intent.
    :param outcome: what became of it.
    """

    intended_at: dt.datetime
    outcome: InterruptedOutcome

    def as_dict(self) -> dict[str, str | None]:
        """``detail.interrupted`` of a record."""
        return {"intended_at": isoformat(self.intended_at), "outcome": self.outcome}

    def __str__(self) -> str:
        return f"a sync intended at {isoformat(self.intended_at)} was interrupted: {interrupted_text(self.outcome)}"
