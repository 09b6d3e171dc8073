# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What is known of one target while it is at work, and what its result is in the end."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._core.clock import isoformat
from .._core.errors import SyncError
from .._core.vocabulary import Action, Basis, State, TargetProgress
from .interruption import Interruption


@dataclasses.dataclass
class Record:
    """The result of one target. The meaning of each field is documented in the RETURN of the modules."""

    target: str
    provider: str
    action: Action = "refused"
    state: State = "not_started"
    changed: bool = False
    changed_basis: Basis = "observed"
    reason: str = ""
    handle: dict[str, t.Any] | None = None
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    elapsed: float = 0.0
    polls: int = 0
    requests: int = 0
    timed_out: bool = False
    failure: SyncError | None = None
    detail: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    #: what is left of ``detail`` when a bulk result has to be cut
    compact_detail: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    diff: dict[str, t.Any] | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)
    #: what an earlier task left behind
    interruption: Interruption | None = None
    progress: TargetProgress = "waiting"

    @property
    def found(self) -> dict[str, t.Any]:
        """The part of ``detail`` that is the same for all providers."""
        return {"interrupted": self.interruption.as_dict()} if self.interruption else {}

    def fail(self, error: SyncError) -> None:
        """Note a failure, and the facts that it carries.

        A record with a failure is never ``succeeded``: a run that the server calls successful, but whose effect is not what it
        must be, has failed; and where it is not known what it did, its state is unknown.
        """
        self.failure = error
        self.timed_out = self.timed_out or error.code == "timed_out"
        self.reason = self.reason or error.message
        self.detail.update(error.detail)
        if self.state == "succeeded":
            self.state = "failed" if error.code == "run_failed" else "unknown"

    def copy(self) -> Record:
        """The record as it is now, whatever is noted in this one later."""
        own = {"detail": dict(self.detail), "compact_detail": dict(self.compact_detail), "warnings": list(self.warnings)}
        return dataclasses.replace(self, **own)  # type: ignore[arg-type]  # the values differ in type

    def as_dict(self, for_report: bool = False) -> dict[str, t.Any]:
        """The record as plain data.

        :param for_report: with what only the report file has, see :meth:`SyncError.as_failure`.
        """
        return {
            "target": self.target,
            "provider": self.provider,
            "action": self.action,
            "state": self.state,
            "changed": self.changed,
            "changed_basis": self.changed_basis,
            "reason": self.reason,
            "handle": self.handle,
            "started_at": isoformat(self.started_at),
            "finished_at": isoformat(self.finished_at),
            "elapsed": round(self.elapsed, 3),
            "polls": self.polls,
            "requests": self.requests,
            "timed_out": self.timed_out,
            "failure": self.failure.as_failure(for_report) if self.failure else None,
            "detail": {**self.detail, **self.found},
        }
