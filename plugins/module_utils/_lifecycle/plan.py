# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The decision what to do with a target: pure, the same for check mode and for a real run."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._core.clock import isoformat
from .._core.errors import SyncError, Violation
from .._core.vocabulary import Basis, PlannedAction
from .interruption import Interruption
from .provider import Observation


@dataclasses.dataclass(frozen=True)
class Policy:
    """What the options say about doing nothing.

    :param max_age: seconds for which a successful run counts as fresh.
    :param release: what is being brought to the target, if the user names it.
    """

    if_running: str = "join"
    max_age: float | None = None
    release: str | None = None
    force: bool = False


@dataclasses.dataclass(frozen=True)
class LedgerEvidence:
    """What the ledger knows about a target.

    :param release_done: when the requested release was synced to it successfully, in words; empty if never.
    :param age: seconds since its last successful run.
    :param duration: seconds that this run took, as far as that is known.
    """

    release_done: str = ""
    age: float | None = None
    duration: float | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """``action`` is skip, join, queue, trigger or refuse; ``basis`` is that of an unchanged result."""

    action: PlannedAction
    reason: str
    basis: Basis = "assumed"
    failure: SyncError | None = None


def decide(observation: Observation, memory: LedgerEvidence, policy: Policy) -> Plan:
    """Make the plan for one target.

    A run in flight comes first, since it makes all other evidence stale. Then the evidence counts in the order of its
    strength: drift, release, age.
    """
    if observation.running is not None:
        return _in_flight(policy)
    skip = None if policy.force else _skip(observation, memory, policy)
    if skip is not None:
        return skip
    if observation.obstacle is not None:
        return Plan("refuse", observation.obstacle.message, failure=observation.obstacle)
    if observation.violations:
        failure = guard_failure(observation.violations)
        return Plan("refuse", failure.message, failure=failure)
    reason = observation.reason or "nothing shows that the target is up to date"
    return Plan("trigger", f"forced; {reason}" if policy.force else reason)


def _in_flight(policy: Policy) -> Plan:
    if policy.if_running == "join":
        return Plan("join", "a run is already in flight")
    if policy.if_running == "queue":
        return Plan("queue", "a run is already in flight")
    failure = SyncError("busy", "a run is already in flight", "Set if_running to join or queue, or run the task again later.")
    return Plan("refuse", failure.message, failure=failure)


def _skip(observation: Observation, memory: LedgerEvidence, policy: Policy) -> Plan | None:
    if observation.in_sync is True:
        return Plan("skip", observation.reason or "in sync", "observed")
    if observation.in_sync is False:
        return None
    if policy.release is not None and memory.release_done:
        return Plan("skip", f"release {policy.release} was already synced at {memory.release_done}")
    if policy.max_age is not None:
        shown_by_server = observation.age is not None
        age = observation.age if shown_by_server else memory.age
        if age is not None and age <= policy.max_age:
            basis: Basis = "observed" if shown_by_server else "assumed"
            return Plan("skip", f"last synced {age:.0f} s ago, within max_age {policy.max_age:g}", basis)
    return None


def guard_failure(violations: t.Sequence[Violation]) -> SyncError:
    """All broken guards as one failure, each named by its option."""
    return SyncError(
        "guard_refused",
        "refused by guard: " + "; ".join(f"{violation.rule}: {violation.message}" for violation in violations),
        "Look at the plan (--check --diff) before you permit it.",
        detail={"guards": [violation.as_dict() for violation in violations]},
        violations=violations,
    )


def kept_changing(times: int) -> SyncError:
    """The failure of a target that is never quiet enough for a plan."""
    return SyncError(
        "busy",
        f"the target changed between the plan and the trigger {times} times in a row",
        "Run the task again when it is quiet.",
    )


def interrupted(intended_at: dt.datetime) -> SyncError:
    """The run that an earlier process intended can neither be found nor ruled out."""
    return SyncError(
        "outcome_unknown",
        f"a run intended at {isoformat(intended_at)} was interrupted, and whether it was triggered cannot be seen",
        "Look at the target. If it still needs the sync, run the task again: this message comes once.",
        detail={"interrupted": Interruption(intended_at, "unknown").as_dict()},
    )
