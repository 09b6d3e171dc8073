# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What registered results of modules of this collection say of each target. Pure functions."""

from __future__ import annotations

import collections.abc
import dataclasses
import typing as t

from .._reports.fields import Fields

#: where results have their targets
_LISTS = ("syncs", "zones", "sites")


class NotAResult(ValueError):
    """A value that no module of this collection returned."""


@dataclasses.dataclass(frozen=True)
class TargetOutcome:
    """One target, as a sync module or an info module reported it.

    :param action: what was done; empty if nothing was to be done, as an info module only reads.
    :param code: of its failure, or empty.
    :param in_sync: whether it was in sync when it was read; ``None`` if that is not known.
    :param age: seconds since its last sync when it was read.
    """

    name: str
    action: str = ""
    state: str = ""
    code: str = ""
    timed_out: bool = False
    in_sync: bool | None = None
    age: float | None = None
    drift: Fields = dataclasses.field(default_factory=lambda: Fields(None))

    @property
    def is_synced(self) -> bool:
        """Whether it is in sync as far as the task knows: it was synced, or needed no sync."""
        return not self.code and (self.state == "succeeded" or self._was_left_alone or self.in_sync is True)

    def is_fresh(self, max_age: float | None = None) -> bool:
        """Whether it needs no sync.

        :param max_age: seconds for which a sync is enough, where only its age is known.
        """
        young = max_age is not None and self.age is not None and self.age <= max_age
        return not self.code and (self._was_left_alone or self.in_sync is True or young)

    @property
    def _was_left_alone(self) -> bool:
        """Whether it needed no sync. One that is known to differ was skipped since VinylDNS does not sync it again so soon."""
        return self.action == "skipped" and self.drift.known_flag("in_sync") is not False


def outcomes(value: object) -> list[TargetOutcome]:
    """The targets of a registered result, of the results of a loop, of a list of those, or of a single record.

    A task that was skipped has none. One that failed before it looked at its targets, whose host could not be reached, or that
    runs on in the background has one without a name.

    :raises NotAResult: for anything else.
    """
    if isinstance(value, (list, tuple)):
        return [outcome for item in value for outcome in outcomes(item)]
    if not isinstance(value, collections.abc.Mapping):
        raise NotAResult(f"a value of type {type(value).__name__} is no result of a module of lockstep.sync")
    fields = Fields(value)
    if isinstance(value.get("results"), (list, tuple)):
        return outcomes(value["results"])
    for name in _LISTS:
        if name in fields:
            found = [_of_target(each) for each in fields.children(name)]
            return found or _of_task(fields)
    if any(name in fields for name in ("target", "zone", "site")):
        return [_of_target(fields)]
    if "creates" in fields and "records" in fields:
        return [TargetOutcome("", in_sync=fields.known_flag("in_sync"), drift=fields)]
    # results of any module have "changed" and, once they are registered, "failed"
    found = _of_task(fields)
    if not found and not fields.flag("skipped"):
        raise NotAResult("the value is no result of a module of lockstep.sync, nor a part of one")
    return found


def _of_task(fields: Fields) -> list[TargetOutcome]:
    """What a task without targets shows."""
    if fields.flag("unreachable"):
        # the connection may have ended while the module was at work
        return [TargetOutcome("", state="unknown", code="connection_failed")]
    if fields.flag("failed"):
        return [TargetOutcome("", "refused", "not_started", fields.child("failure").text("code") or "failed")]
    if "ansible_job_id" in fields and not fields.flag("finished"):
        return [TargetOutcome("", state="running")]
    return []


def _of_target(fields: Fields) -> TargetOutcome:
    drift = fields.child("detail").child("drift") or fields.child("drift")
    in_sync = fields.known_flag("in_sync")
    return TargetOutcome(
        fields.text("target") or fields.text("zone") or fields.text("site"),
        fields.text("action"),
        fields.text("state"),
        fields.child("failure").text("code"),
        fields.flag("timed_out"),
        drift.known_flag("in_sync") if in_sync is None and not fields.text("action") else in_sync,
        fields.number("age"),
        drift,
    )


def all_of(value: object, holds: t.Callable[[TargetOutcome], bool]) -> bool:
    """Whether something holds for all targets of a result, and there is one.

    :raises NotAResult: see :func:`outcomes`.
    """
    found = outcomes(value)
    return bool(found) and all(map(holds, found))


def any_of(value: object, holds: t.Callable[[TargetOutcome], bool]) -> bool:
    """Whether something holds for a target of a result.

    :raises NotAResult: see :func:`outcomes`.
    """
    return any(map(holds, outcomes(value)))
