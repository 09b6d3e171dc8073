# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Evidence from the DNS server of a zone: the drift, whether the guards allow it, and afterwards whether it was applied."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._core.errors import Violation, invalid_option
from ..._core.options import Options
from ..._dns import guard
from ..._dns.backend import DEFAULT_MAX_BYTES, DEFAULT_MAX_RECORDS, Backend
from ..._dns.drift import Drift, DriftBuilder, RecordChange, serial_compare
from ..._dns.transfer import read_soa, transfer
from ..._http.client import Channel
from ..._lifecycle.provider import Observation, Target
from .at_once import ThreadBudget
from .record_sets import RecordSetReader, count_record_sets, soa_serial
from .transfers import Transfers

#: maximum of record sets that a result or diff shows of one zone; the report file has all of them
SHOWN = 1000

#: the part of a plan that bulk results leave out
_LISTED = ("records", "truncated")

BACKEND_OPTIONS: dict[str, dict[str, t.Any]] = {
    "server": {"type": "str", "required": True},
    "port": {"type": "int", "default": 53},
    "tsig_name": {"type": "str"},
    "tsig_secret": {"type": "str", "no_log": True},
    "tsig_algorithm": {
        "type": "str",
        "choices": ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"],
        "default": "hmac-sha256",
    },
    "max_records": {"type": "int", "default": DEFAULT_MAX_RECORDS},
    "max_bytes": {"type": "int", "default": DEFAULT_MAX_BYTES},
}
BACKEND_SPEC: dict[str, t.Any] = {
    "type": "dict",
    "options": BACKEND_OPTIONS,
    "required_together": [["tsig_name", "tsig_secret"]],
}

GUARD_SPEC: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "max_delete_percent": {"type": "float", "default": 30.0},
        "max_update_percent": {"type": "float", "default": 30.0},
        "min_records": {"type": "int", "default": 10},
        "max_deletes": {"type": "int"},
        "max_updates": {"type": "int"},
        "allow_empty": {"type": "bool", "default": False},
        "allow_apex_ns_change": {"type": "bool", "default": False},
        "allow_owner_group_loss": {"type": "bool", "default": False},
        "allow_serial_regression": {"type": "bool", "default": False},
        "protect": {"type": "list", "elements": "str", "default": []},
        "ignore": {"type": "list", "elements": "str", "default": []},
    },
}


@dataclasses.dataclass(frozen=True)
class ZoneEvidence:
    """What is known about one zone before a sync.

    :param serial: of the backend's SOA when the evidence was gathered.
    """

    drift: Drift | None = None
    serial: int | None = None
    in_sync: bool | None = None
    reason: str = "nothing is known about drift"
    violations: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()
    result: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    def apply_to(self, observation: Observation) -> None:
        """Add the evidence to an observation."""
        observation.in_sync, observation.reason = self.in_sync, self.reason
        observation.violations, observation.warnings = self.violations, self.warnings
        if self.result:
            observation.detail["drift"] = dict(self.result)
            left_out = _LISTED if self.drift is None else (*_LISTED, "stored_serial")
            observation.compact_detail["drift"] = {key: value for key, value in self.result.items() if key not in left_out}
        if self.drift is not None and self.drift.changes:
            observation.diff = self.drift.to_diff(SHOWN)


class DriftEvaluator:
    """Gathers evidence as the options specify.

    :param in_full: whether plans are shown, so that one that is refused for certain has to be listed, too.
    """

    def __init__(
        self, backend: Backend | None, mode: str, policy: guard.GuardPolicy, options: Options, in_full: bool = True
    ) -> None:
        self.backend = backend
        self.mode = mode
        self.policy = policy
        self.approval = guard.Approval(tuple(options.get("approve") or ()), bool(options.get("only_approved")))
        self.timeout: float = options["request_timeout"]
        self.limit = None if options.get("report_path") else SHOWN
        self.in_full = in_full or bool(options.get("report_path")) or bool(self.approval.digests) or self.approval.required
        self.threads = ThreadBudget(options.get("max_parallel") or 1)
        self.transfers = Transfers(options.get("max_parallel") or 1)

    @classmethod
    def from_options(cls, options: Options, in_full: bool = True) -> DriftEvaluator:
        """The evaluator that the options of a module describe.

        :raises SyncError: ``invalid_option``.
        """
        backend = Backend.from_options(options["backend"]) if options.get("backend") else None
        mode = options.get("drift") or "auto"
        if mode == "auto":
            mode = "axfr" if backend else "none"
        if mode != "none" and backend is None:
            raise invalid_option("drift", mode, "needs access to the DNS server", "Set backend, or drift: none.")
        if options.get("only_approved") and (mode != "axfr" or options.get("approve") is None):
            remedy = "Set approve, which may be empty, and backend with drift: axfr, or leave only_approved out."
            raise invalid_option("only_approved", True, "needs digests to compare with the plan of each zone", remedy)
        return cls(backend, mode, guard.GuardPolicy.from_options(options.get("guard") or {}), options, in_full)

    def gather(self, target: Target, channel: Channel) -> ZoneEvidence:
        """The evidence about one zone.

        :raises SyncError: the DNS server or the API cannot be read; there is no fallback to weaker evidence.
        """
        if self.backend is None or self.mode == "none":
            return ZoneEvidence()
        if self.mode == "serial":
            return self._by_serial(target, channel, self.backend)
        return self._by_transfer(target, channel, self.backend)

    def still_valid(self, target: Target, evidence: ZoneEvidence | None, channel: Channel) -> bool:
        """Whether the backend still has the serial that the evidence was gathered from."""
        if evidence is None or evidence.serial is None or self.backend is None:
            return True
        return self._serial(target, channel, self.backend) == evidence.serial

    def accepts_moving(self, evidence: ZoneEvidence | None) -> bool:
        """Whether a zone that is updated all the time may be synced by a plan of a moment ago.

        Its plan is within the guards then, as were those before it. An approval is for one plan only, and a serial says nothing
        about the extent of a sync.
        """
        reviewed = bool(self.approval.digests) or self.approval.required
        return evidence is not None and evidence.drift is not None and not reviewed

    def _serial(self, target: Target, channel: Channel, backend: Backend) -> int:
        return read_soa(target.name, backend, self._within(channel, self.timeout)).serial

    def _by_serial(self, target: Target, channel: Channel, backend: Backend) -> ZoneEvidence:
        serial, stored = self._serial(target, channel, backend), soa_serial(channel, target.id)
        result = {"serial": serial, "stored_serial": stored}
        if serial == stored:
            return ZoneEvidence(None, serial, True, f"serial {serial} on both sides", result=result)
        # a different serial proves little: VinylDNS's own updates of the backend raise it as well
        reason = f"serial {serial} in DNS, {stored if stored is not None else 'none'} in VinylDNS"
        violations: tuple[Violation, ...] = ()
        if stored is not None and serial_compare(serial, stored) == -1 and not self.policy.allow_serial_regression:
            text = (
                f"the serial of the DNS server ({serial}) is older than the one in VinylDNS ({stored})."
                " Set guard.allow_serial_regression if it was reset on purpose"
            )
            violations = (Violation("allow_serial_regression", text),)
        return ZoneEvidence(None, serial, None, reason, violations, result=result)

    def _by_transfer(self, target: Target, channel: Channel, backend: Backend) -> ZoneEvidence:
        builder = self.transfers.read(lambda: self._from_backend(target, channel, backend), channel.deadline)
        drift = self.policy.mark_ignored(self._compare(builder, target, channel))
        broken = tuple(guard.check(drift, self.policy, self.approval))
        if not drift.in_sync:
            reason = f"drift: {drift.creates} to create, {drift.updates} to update, {drift.deletes} to delete"
        elif not drift.changes:
            reason = f"in sync at serial {drift.serial}"
        else:
            reason = f"in sync: only the SOA{' and ignored record sets differ' if not drift.soa_only else ' differs'}"
        result = {**drift.to_result(self.limit), "in_sync": drift.in_sync, "record_sets": drift.stored_total}
        result["stored_serial"] = drift.stored_serial
        return ZoneEvidence(drift, drift.serial, drift.in_sync, reason, broken, _warnings(drift), result)

    def _from_backend(self, target: Target, channel: Channel, backend: Backend) -> DriftBuilder:
        builder = DriftBuilder(target.name)
        builder.add_backend(transfer(target.name, backend, self._within(channel, float("inf"))))
        return builder

    def _compare(self, builder: DriftBuilder, target: Target, channel: Channel) -> Drift:
        """The plan, with the record sets of the API.

        A backend that lost its zone would delete everything. Unless that is allowed, it is refused, and so the record sets are
        counted rather than listed, which would take hundreds of requests for a large zone; SOA and NS of the zone are compared.
        """
        reader = RecordSetReader(channel, target.id)
        builder.feed_all(reader.first())
        if not reader.has_more:
            return builder.finish()
        count = count_record_sets(channel, target.id)
        if not (builder.backend_content or self.policy.allow_empty or self.in_full):
            builder.feed_all(reader.apex(builder.apex))
            return builder.finish(count)
        with self.threads.some() as width:
            for page in reader.rest(builder, count, width):
                builder.feed_all(page)
        return builder.finish()

    @staticmethod
    def _within(channel: Channel, seconds: float) -> float:
        return channel.deadline.budget(seconds)


def counts_of(changes: t.Iterable[RecordChange]) -> dict[str, int]:
    """The number of record sets that are created, updated and deleted."""
    counts = {"creates": 0, "updates": 0, "deletes": 0}
    for change in changes:
        counts[change.action + "s"] += 1
    return counts


def _warnings(drift: Drift) -> tuple[str, ...]:
    """What VinylDNS is known to do to record sets of this plan (docs/reference/vinyldns.md#2.5)."""
    texts = []
    renames, recurring = drift.renames(), drift.recurring()
    if renames:
        texts.append(
            f"{drift.zone}: record sets change the case of their name only: {guard.listing(renames)}. VinylDNS loses such record"
            " sets, and creates them by the next sync: run the task again after this one"
        )
    if recurring:
        texts.append(
            f"{drift.zone}: VinylDNS cannot represent {guard.listing(recurring)}: a sync does not remove this drift. Name such"
            " record sets in guard.ignore if they are right in DNS"
        )
    return tuple(texts)
