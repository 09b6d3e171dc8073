# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Rules that refuse a plan before it does damage. VinylDNS has no such rules: it applies even an empty backend."""

from __future__ import annotations

import dataclasses
import fnmatch
import re
import typing as t

from .._core.errors import Violation, invalid_option
from .._core.vocabulary import RecordAction
from . import rdata
from .drift import CREATE, DELETE, UPDATE, Drift, RecordChange, serial_compare

#: rules that a review may lift for one plan; the others need an explicit option
LIFTED_BY_APPROVE = ("max_delete_percent", "max_update_percent", "max_deletes", "max_updates")

#: types of stored record sets; UNKNOWN is what very old servers stored of other types (docs/reference/vinyldns.md#2.4)
_TYPES = (*sorted(rdata.TYPE_NUMBERS), "UNKNOWN")
_MAX_NAMES = 5


class Globs:
    """Patterns for record sets: ``NAME`` or ``NAME/TYPE``, split at the last slash, ``@`` for the apex.

    Names are relative to the zone, as results show them. ``*`` matches any characters, dots included; the wildcard
    record itself is ``[*]``. Case does not matter. A name that contains a slash needs a type, if only as ``/*``.

    :param option: option that the patterns come from.
    :raises SyncError: ``invalid_option`` for a pattern that can match nothing.
    """

    def __init__(self, patterns: t.Iterable[str], option: str) -> None:
        self._patterns = [_compile(pattern, option) for pattern in patterns]

    def match(self, change: RecordChange, zone: str) -> bool:
        """Whether one of the patterns matches the record set.

        :param zone: name of the zone with its dot, which is the name of the apex in changes.
        """
        if not self._patterns:
            return False
        name = "@" if change.name == zone else change.name.lower()
        rtype = change.type.lower()
        return any(names.match(name) and types.match(rtype) for names, types in self._patterns)


@dataclasses.dataclass(frozen=True)
class GuardPolicy:
    """The ``guard`` option.

    :param max_delete_percent: of the stored record sets; in zones with at least ``min_records`` of them.
    :param max_update_percent: likewise.
    :param max_deletes: number of record sets in zones of any size; ``None`` for no limit.
    :param max_updates: likewise.
    :param allow_empty: permit that a backend with nothing but SOA and NS at the apex empties a zone.
    :param allow_apex_ns_change: permit changes to the NS records of the zone itself.
    :param allow_owner_group_loss: permit to delete record sets that belong to a group.
    :param allow_serial_regression: permit a backend whose serial is older than the stored one (RFC 1982).
    :param protect: patterns of record sets that must not change at all.
    :param ignore: patterns of record sets whose changes are no drift. A sync applies them nevertheless.
    """

    max_delete_percent: float = 30
    max_update_percent: float = 30
    min_records: int = 10
    max_deletes: int | None = None
    max_updates: int | None = None
    allow_empty: bool = False
    allow_apex_ns_change: bool = False
    allow_owner_group_loss: bool = False
    allow_serial_regression: bool = False
    protect: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any] | None) -> GuardPolicy:
        """The policy in a module's options; what is absent or ``None`` has its default.

        :raises SyncError: ``invalid_option``.
        """
        given = {name: value for name, value in (options or {}).items() if value is not None}
        checks = {field.name: _CHECKS[field.name] for field in dataclasses.fields(cls)}
        for name in given:
            if name not in checks:
                raise invalid_option("guard", name, "is not a valid rule", f"Use one of {', '.join(checks)}.")
        policy = cls(**{name: checks[name](name, value) for name, value in given.items()})
        Globs(policy.protect, "guard.protect")
        Globs(policy.ignore, "guard.ignore")
        return policy

    def mark_ignored(self, drift: Drift) -> Drift:
        """The same plan, with the changes that ``ignore`` names flagged."""
        if not self.ignore:
            return drift
        globs = Globs(self.ignore, "guard.ignore")
        return drift.ignoring(lambda change: globs.match(change, drift.zone))


#: digits of a digest that identify a plan among all that a person could mean
SHORT_DIGEST = 12


@dataclasses.dataclass(frozen=True)
class Approval:
    """Plans that were reviewed.

    :param digests: of these plans. One names its zone too, so those of several zones can be in one list.
    :param required: whether a plan with another digest is refused even if it breaks no rule.
    """

    digests: tuple[str, ...] = ()
    required: bool = False

    def covers(self, digest: str) -> bool:
        """Whether the plan with this digest was reviewed. The first :data:`SHORT_DIGEST` digits of it are enough."""
        given = (reviewed.strip().lower() for reviewed in self.digests)
        return any(len(reviewed) >= SHORT_DIGEST and digest.startswith(reviewed) for reviewed in given)

    def mismatch(self, drift: Drift) -> str:
        """Why a plan is refused that none of the digests is for, with its own one."""
        plan = f"the digest of this plan, {drift.digest} (serial {drift.serial})"
        if not self.digests:
            return f"no plan was approved. If this one is right, approve {plan}"
        given = f"{self.digests[0]} is not" if len(self.digests) == 1 else f"none of the {len(self.digests)} approved digests is"
        changed = "the zone, the backend or its serial changed since the review"
        return f"{given} {plan}: {changed}. If this one is right, approve its digest"


def check(drift: Drift, policy: GuardPolicy, approve: str | Approval | None = None) -> list[Violation]:
    """The rules that a sync with this plan would break.

    Rules about numbers do not count the SOA and ignored record sets; the others apply to all changes of the sync.

    :param approve: digest of a plan that was reviewed; lifts :data:`LIFTED_BY_APPROVE` for that very plan.
    """
    drift = policy.mark_ignored(drift)
    violations = [*_quantities(drift, policy), *_dangers(drift, policy)]
    approval = Approval((approve,)) if isinstance(approve, str) else approve or Approval()
    if approval.covers(drift.digest):
        return [violation for violation in violations if violation.rule not in LIFTED_BY_APPROVE]
    if (violations and approval.digests) or (approval.required and drift.changes):
        violations.append(Violation("approve", approval.mismatch(drift)))
    return violations


def _quantities(drift: Drift, policy: GuardPolicy) -> t.Iterator[Violation]:
    limits: tuple[tuple[RecordAction, str, float, str, int | None], ...] = (
        (DELETE, "max_delete_percent", policy.max_delete_percent, "max_deletes", policy.max_deletes),
        (UPDATE, "max_update_percent", policy.max_update_percent, "max_updates", policy.max_updates),
    )
    stored = drift.stored_total
    for action, percent_rule, percent, number_rule, number in limits:
        count = drift.counted(action)
        approve = f"set approve to {drift.digest} or " if drift.digest else ""
        lift = f"If the plan is right, {approve}raise guard."
        if stored >= policy.min_records and _exceeds(count, stored, percent):
            excess = f"would {action} {_share(count, stored)}, more than {percent_rule} {percent:g}. "
            yield Violation(percent_rule, excess + lift + percent_rule)
        if number is not None and count > number:
            excess = f"would {action} {count} record sets, more than {number_rule} {number}. "
            yield Violation(number_rule, excess + lift + number_rule)


def _dangers(drift: Drift, policy: GuardPolicy) -> t.Iterator[Violation]:
    if not policy.allow_empty and drift.empty and drift.stored_content:
        yield Violation(
            "allow_empty",
            f"the backend has nothing but SOA and NS at the apex, and the sync would leave none of {drift.stored_content} other "
            "record sets. Check the backend; set guard.allow_empty if the zone is to be empty",
        )
    if not policy.allow_apex_ns_change:
        yield from _apex_ns(drift)
    if not policy.allow_owner_group_loss:
        yield from _owner_groups(drift)
    if not policy.allow_serial_regression:
        yield from _serial(drift)
    globs = Globs(policy.protect, "guard.protect")
    touched = [change for change in drift.changes if globs.match(change, drift.zone)]
    if touched:
        yield Violation(
            "protect",
            f"would change {len(touched)} protected record sets: {listing(touched)}. "
            "Correct the backend, or remove them from guard.protect",
        )


def _apex_ns(drift: Drift) -> t.Iterator[Violation]:
    # a zone that stores nothing yet has no delegation to break
    if not drift.stored_total:
        return
    for change in drift.changes:
        if change.name == drift.zone and change.type == "NS":
            yield Violation(
                "allow_apex_ns_change",
                f"would {change.action} the NS records of the zone itself, {_names(change.before)} -> {_names(change.after)}. "
                "Set guard.allow_apex_ns_change if its name servers did change",
            )


def _owner_groups(drift: Drift) -> t.Iterator[Violation]:
    lost = [change for change in drift.changes if change.action == DELETE and change.owner_group_id]
    if not lost:
        return
    created = {(change.name.lower(), change.type) for change in drift.changes if change.action == CREATE}
    again = sum((change.name.lower(), change.type) in created for change in lost)
    case = f" ({again} of them only change the case of their name)" if again else ""
    yield Violation(
        "allow_owner_group_loss",
        f"would delete {len(lost)} record sets that belong to a group, and no later sync brings their owner back{case}: "
        f"{listing(lost)}. Set guard.allow_owner_group_loss if that is intended",
    )


def _serial(drift: Drift) -> t.Iterator[Violation]:
    if drift.stored_serial is None:
        return
    order = serial_compare(drift.serial, drift.stored_serial)
    if order is None or order < 0:
        relation = "is older than" if order else "has no defined order (RFC 1982) to"
        yield Violation(
            "allow_serial_regression",
            f"serial {drift.serial} of the backend {relation} the stored serial {drift.stored_serial}: it may be a restored or "
            "lagging server. Set guard.allow_serial_regression if the serial was reset on purpose",
        )


def _exceeds(count: int, stored: int, percent: float) -> bool:
    # without division, so that 3 of 10 do not exceed 30 percent by rounding
    return count * 100 > percent * stored


def _share(count: int, stored: int) -> str:
    return f"{count} of {stored} record sets ({100 * count / stored:.1f} %)"


def listing(changes: t.Sequence[RecordChange]) -> str:
    """The first few record sets, and the number of others."""
    names = [f"{change.name}/{change.type}" for change in changes[:_MAX_NAMES]]
    rest = len(changes) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")


def _names(side: t.Mapping[str, t.Any] | None) -> str:
    return " ".join(side["records"]) if side else "none"


def _compile(pattern: str, option: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    name, slash, rtype = pattern.rpartition("/")
    if not slash:
        name, rtype = pattern, "*"
    if not name or not rtype:
        raise invalid_option(option, pattern, "lacks a name or a type", "Write NAME or NAME/TYPE, with @ for the apex.")
    types = re.compile(fnmatch.translate(rtype.lower()))
    if not any(types.match(known.lower()) for known in _TYPES):
        remedy = f"The types are {', '.join(_TYPES)}; for a name that contains a slash write {pattern}/*."
        raise invalid_option(option, pattern, f"ends with {rtype}, which is not a type that VinylDNS stores", remedy)
    return re.compile(fnmatch.translate(name.lower())), types


def _percent(name: str, value: t.Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        raise invalid_option(f"guard.{name}", value, "is not a percentage", "Use a number from 0 to 100.")
    return value


def _count(name: str, value: t.Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise invalid_option(f"guard.{name}", value, "is not a count", "Use a whole number, 0 or more.")
    return value


def _flag(name: str, value: t.Any) -> bool:
    if not isinstance(value, bool):
        raise invalid_option(f"guard.{name}", value, "is neither true nor false", "Use true or false.")
    return value


def _patterns(name: str, value: t.Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise invalid_option(f"guard.{name}", value, "is not a list of patterns", "List NAME or NAME/TYPE, with @ for the apex.")
    return tuple(value)


_CHECKS: dict[str, t.Callable[[str, t.Any], t.Any]] = {
    "max_delete_percent": _percent,
    "max_update_percent": _percent,
    "min_records": _count,
    "max_deletes": _count,
    "max_updates": _count,
    "allow_empty": _flag,
    "allow_apex_ns_change": _flag,
    "allow_owner_group_loss": _flag,
    "allow_serial_regression": _flag,
    "protect": _patterns,
    "ignore": _patterns,
}
