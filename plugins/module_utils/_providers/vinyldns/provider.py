# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""VinylDNS: the backend DNS server overwrites VinylDNS's copy of a zone (docs/reference/vinyldns.md)."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import threading
import typing as t

from ..._core.clock import isoformat, parse_iso
from ..._core.errors import SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options, from_env, list_of_names
from ..._core.vocabulary import ReadingState
from ..._dns.fidelity import unseen
from ..._dns.transfer import DNSPYTHON_IMPORT_ERROR
from ..._http.client import Channel, HttpClient
from ..._lifecycle.poll import Reading
from ..._lifecycle.provider import (
    Capabilities,
    Effect,
    Observation,
    Provider,
    Remedy,
    Run,
    Services,
    Target,
    http_settings,
)
from . import api
from .effect import EffectReader, OtherSync, effect_of, lost_renames, other_syncs
from .evidence import BACKEND_SPEC, GUARD_SPEC, DriftEvaluator, ZoneEvidence
from .listed_runs import ListedRun, ListedRuns
from .pending import STALE_AFTER, ChangeList, SteadyTime
from .rows import Accepted, Zone, ZoneChange
from .signing import AccessKey, SigningAuth
from .snapshots import newer_changes, newest_sync, snapshot_of
from .transfers import Transfers
from .zone_table import MANY, SeenZone, ZoneTable

#: seconds: usual delays between two syncs of a zone, and values in between; the server does not show its delay
#: (docs/reference/vinyldns.md#1.3)
DELAYS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0)
#: dates in the API are cut to whole seconds
DATE_RESOLUTION = 1.0
#: seconds for which a zone that was looked for need not be read again: it is observed right after
FRESH = 1.0
#: seconds without the end of another sync, after which an older one that is pending is taken for dead while it is waited for
QUIET = 60.0
MAX_STALE_AFTER = 30 * 86400.0
#: what is said of it
DEAD = "its change stays Pending although nothing works on it any more; the process that did must have ended"

CONNECTION_SPEC = ArgumentSpec(
    {
        "api_url": {"type": "str", "required": True, **from_env("VINYLDNS_API_URL", "VINYLDNS_HOST")},
        "allow_http": {"type": "bool", "default": False, **from_env("VINYLDNS_ALLOW_HTTP")},
        "access_key": {
            "type": "str",
            "required": True,
            "no_log": False,
            **from_env("VINYLDNS_ACCESS_KEY_ID", "VINYLDNS_ACCESS_KEY"),
        },
        "secret_key": {
            "type": "str",
            "required": True,
            "no_log": True,
            **from_env("VINYLDNS_SECRET_ACCESS_KEY", "VINYLDNS_SECRET_KEY"),
        },
    }
)

SYNC_SPEC = ArgumentSpec(
    {
        "zones": {"type": "list", "elements": "str", "required": True, "aliases": ["zone"]},
        "backend": BACKEND_SPEC,
        "drift": {"type": "str", "choices": ["auto", "axfr", "serial", "none"], "default": "auto"},
        "guard": GUARD_SPEC,
        "approve": {"type": "list", "elements": "str"},
        "only_approved": {"type": "bool", "default": False},
        "if_recently_synced": {"type": "str", "choices": ["auto", "ok", "wait", "fail"], "default": "auto"},
        "sync_delay": {"type": "float"},
        "stale_after": {"type": "float", "default": STALE_AFTER},
    },
    texts=("zones", "approve"),
)


def new_client(options: Options, services: Services) -> HttpClient:
    """A client that signs its requests.

    :raises SyncError: ``invalid_option``.
    """
    for name in ("access_key", "secret_key"):
        if not options[name].strip():
            raise SyncError("invalid_option", f"option {name} is empty", "Pass the API key pair of a VinylDNS account.")
    credentials = AccessKey(options["access_key"].strip(), options["secret_key"].strip())
    settings = http_settings(options)
    return HttpClient(
        settings, services.clock, services.redactor, SigningAuth(credentials, services.clock), api.interpret, services.rng
    )


@dataclasses.dataclass(frozen=True)
class Known:
    """What an observation rests on.

    :param zone: as it was then.
    :param seen_at: when that was (monotonic seconds).
    """

    evidence: ZoneEvidence
    zone: Zone
    seen_at: float

    @property
    def latest_sync(self) -> dt.datetime | None:
        """The zone's last successful sync by then."""
        return self.zone.synced_at


class VinylDNS(Provider):
    """Zones of one VinylDNS server."""

    name = "vinyldns"
    capabilities = Capabilities(run_id=True, absence_proves=True, queues_runs=True)
    connection_spec = CONNECTION_SPEC
    sync_spec = SYNC_SPEC

    def __init__(self, options: Options, services: Services) -> None:
        super().__init__(options, services)
        self.evaluator = DriftEvaluator.from_options(options, services.shows_plans)
        self.evaluator.transfers = Transfers(options.get("max_parallel") or 1, services.clock, services.lent)
        if options.get("sync_delay") is not None and not 0 <= options["sync_delay"] <= 86400:
            raise invalid_option("sync_delay", options["sync_delay"], "is out of range", "Use a value from 0 to 86400 seconds.")
        # sync_wait has no such option
        self.stale_after = float(options.get("stale_after", STALE_AFTER))
        if not 0 < self.stale_after <= MAX_STALE_AFTER:
            remedy = f"Use a value above 0, up to {MAX_STALE_AFTER:g} seconds."
            raise invalid_option("stale_after", options["stale_after"], "is out of range", remedy)
        self.client = new_client(options, services)
        self.address = self.client.settings.base_url
        self._wide = threading.Lock()
        #: zones that were looked for by themselves, and not observed yet
        self._found: dict[str, SeenZone] = {}
        #: zones that were looked at many at a time
        self._table = ZoneTable(services.clock)
        #: evidence that was gathered at a glance, for the observation that follows
        self._gathered: dict[str, ZoneEvidence] = {}
        self._runs = ListedRuns()
        self._time = SteadyTime(services.clock)

    @classmethod
    def requirements(cls, options: Options) -> t.Sequence[tuple[str, str | None]]:
        return (("dnspython", DNSPYTHON_IMPORT_ERROR),) if options.get("backend") else ()

    def names(self) -> list[str]:
        return list_of_names(self.options, "zones")

    def survey(self, names: t.Sequence[str], channel: Channel) -> None:
        if len(names) >= MANY:
            self._table.read(names, channel)

    def synced_at(self, name: str) -> dt.datetime | None:
        seen = self._table.by_name(name)
        return seen.zone.synced_at if seen else None

    def resolve(self, name: str, channel: Channel) -> Target:
        listed = self._table.by_name(name)
        if listed is not None:
            return Target(listed.zone.id, listed.zone.name)
        zone, server_now = api.find_zone(channel, name)
        if zone.access_level == "Delete":
            self._found[zone.id] = SeenZone(zone, server_now, self.services.clock.monotonic())
        return Target(zone.id, zone.name)

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        if not all(isinstance(handle.get(key), str) for key in ("zone", "zone_id", "change_id", "created")):
            raise invalid_option("handles", dict(handle), "is not a handle of VinylDNS", "Pass the handle of a record unchanged.")
        return Target(handle["zone_id"], handle["zone"])

    # -- evidence ----------------------------------------------------------------------------------------------------

    def glance(self, target: Target, channel: Channel) -> Observation | None:
        seen = self._table.by_id(target.id)
        if seen is None or seen.zone.status != "Active" or seen.zone.access_level != "Delete":
            return None
        age = age_of(seen.zone, seen.server_time(self.services.clock))
        observation = Observation(age=age, detail={"latest_sync": seen.zone.latest_sync})
        evidence = self._gathered[target.id] = self.evaluator.gather(target, channel)
        evidence.apply_to(observation)
        return observation

    def observe(self, target: Target, channel: Channel) -> Observation:
        zone, server_now = self._zone(target, channel)
        if zone.access_level not in (None, "Delete"):
            return Observation(reason="no permission to sync", obstacle=_no_permission(zone))
        listed = self._changes(zone, server_now, channel)
        gathered = self._gathered.pop(target.id, None)
        if listed.live or listed.newer_than(zone):
            # something went on since the zone was seen, and the evidence gathered
            gathered = None
        if listed.newer_than(zone):
            zone, server_now = api.get_zone(channel, target.id)
        zone, listed = self._quiet_changes(zone, listed, channel)
        running = listed.running
        observation = Observation(
            running=self._run(target, running) if running else None,
            abandoned=[self._run(target, change).handle for change in listed.dead],
            age=age_of(zone, server_now),
            snapshot=snapshot_of(listed.changes),
            detail={"latest_sync": zone.latest_sync},
        )
        evidence = ZoneEvidence()
        if running is None:
            evidence = gathered or self.evaluator.gather(target, channel)
            evidence.apply_to(observation)
        observation.data = Known(evidence, zone, self.services.clock.monotonic())
        return observation

    def _zone(self, target: Target, channel: Channel) -> tuple[Zone, dt.datetime | None]:
        """The zone, as it was seen a moment ago or is now, and the time by the server's clock."""
        clock = self.services.clock
        seen = self._found.pop(target.id, None)
        if seen is not None and clock.monotonic() - seen.seen_at > FRESH:
            seen = None
        seen = seen or self._table.take(target.id)
        return (seen.zone, seen.server_time(clock)) if seen else api.get_zone(channel, target.id)

    def refresh(self, target: Target, observation: Observation, channel: Channel) -> Observation | None:
        zone, server_now = api.get_zone(channel, target.id)
        listed = self._changes(zone, server_now, channel)
        known = t.cast(Known, observation.data)
        if listed.live or snapshot_of(listed.changes) != observation.snapshot or zone.synced_at != known.latest_sync:
            return None
        data = dataclasses.replace(known, seen_at=self.services.clock.monotonic())
        return dataclasses.replace(observation, age=age_of(zone, server_now), data=data)

    def _changes(self, zone: Zone, server_now: dt.datetime | None, channel: Channel) -> ChangeList:
        changes = api.list_changes(channel, zone.id)
        return ChangeList(zone.status, changes, self._time.now(server_now), self.stale_after)

    def _quiet_changes(self, zone: Zone, listed: ChangeList, channel: Channel) -> tuple[Zone, ChangeList]:
        """The zone and its changes, as soon as no update of the zone itself is pending.

        A sync would write back the zone as it was when the sync was accepted, and so revert the update
        (docs/reference/vinyldns.md#1.5).
        """
        while listed.updating:
            if not channel.deadline.allows(1.0):
                raise SyncError(
                    "busy", f"an update of zone {zone.name} is still pending", "Run the task again when it has ended."
                )
            channel.deadline.sleep(1.0)
            zone, server_now = api.get_zone(channel, zone.id)
            listed = self._changes(zone, server_now, channel)
        return zone, listed

    def _run(self, target: Target, change: ZoneChange | Accepted) -> Run:
        handle = {
            "provider": self.name,
            "address": self.address,
            "zone": target.name,
            "zone_id": target.id,
            "change_id": change.id,
            "created": change.created,
        }
        return Run(handle, parse_iso(change.created))

    def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
        return self.evaluator.still_valid(target, t.cast(Known, observation.data).evidence, channel)

    def accept_moving(self, target: Target, observation: Observation) -> t.Mapping[str, t.Any]:
        return {"serial_moved": True} if self.evaluator.accepts_moving(t.cast(Known, observation.data).evidence) else {}

    # -- the run -----------------------------------------------------------------------------------------------------

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        accepted = api.sync_zone(channel, target.id)
        if accepted.zone_updated is not None:
            before = t.cast(Known, observation.data).zone.latest_sync
            self._runs.add(ListedRun(accepted.id, target.name, accepted.created, accepted.zone_updated, before))
        return self._run(target, accepted)

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        found = newest_sync(newer_changes(api.list_changes(channel, target.id), snapshot))
        return self._run(target, found) if found else None

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        changes = api.list_changes(channel, handle["zone_id"])
        change = _by_id(changes, handle["change_id"])
        if change is None and len(changes) >= api.PAGE:
            change = _by_id(api.list_changes(channel, handle["zone_id"], parse_iso(handle["created"])), handle["change_id"])
        if change is None:
            # accepted, but no worker has taken it off the queue yet (docs/reference/vinyldns.md#1.4)
            return Reading("pending", "queued")
        if change.status == "Pending":
            return self._read_pending(handle["zone_id"], change, changes, channel)
        status, message = change.status, change.message
        if status == "Failed":
            return Reading("failed", status, message, status, data=change)
        if status == "Synced":
            # very old servers set it before the zone was finished
            state: ReadingState = "running" if change.zone_status == "Syncing" else "succeeded"
            return Reading(state, status, message, status, parse_iso(change.zone_latest_sync), data=change)
        return Reading("unknown", status, message, status, data=change)

    def read_many(self, handles: t.Sequence[t.Mapping[str, t.Any]], channel: Channel) -> list[Reading | None]:
        runs = [self._runs.of(handle) for handle in handles]
        names = [run.zone for run in runs if run is not None]
        if len(names) < MANY:
            return [None] * len(handles)
        rows = self._table.read(names, channel)
        seen = [rows.get(handle["zone_id"]) for handle in handles]
        return [run.read(each.zone) if run is not None and each is not None else None for run, each in zip(runs, seen)]

    def _read_pending(self, zone_id: str, change: ZoneChange, changes: t.Sequence[ZoneChange], channel: Channel) -> Reading:
        """The state of a pending change: running, unless it is dead (docs/reference/vinyldns.md#1.5)."""
        listed = ChangeList(None, changes, self.services.clock.now(), self.stale_after)
        if listed.newer_ended(change) is not None or listed.is_dead(change):
            zone, server_now = api.get_zone(channel, zone_id)
            listed = dataclasses.replace(listed, zone_status=zone.status, now=self._time.now(server_now))
            quiet = age_of(zone, listed.now)
            # syncs of one zone can run at the same time, so one that ends before an older one proves nothing at once
            if listed.is_dead(change) and (listed.is_old(change) or (quiet is not None and quiet >= QUIET)):
                return Reading("failed", change.status, DEAD, change.status, data=change)
        return Reading("running", change.status, change.message, change.status, data=change)

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        if reading.state == "failed" and reading.raw == "Pending":
            return Effect(True, "assumed", failure=self._why_dead(target, reading))
        if reading.state == "failed":
            # the server applies a sync in one transaction, so a failed one changed nothing
            return Effect(False, "observed", failure=self._why_failed(target, reading))
        known = t.cast("Known | None", observation.data if observation else None)
        drift = known.evidence.drift if known else None
        change = t.cast(ZoneChange, reading.data)
        with self._width() as width:
            rows = EffectReader(channel, target.id, change, width).read(drift)
            others: list[OtherSync] = []
            if observation and drift and any(unseen(drift, rows.changes(target.name))):
                others = other_syncs(channel, target.id, change.id, observation.snapshot, width)
        lost = lost_renames(channel, target, drift) if drift else []
        return effect_of(target, drift, rows, others, lost)

    @contextlib.contextmanager
    def _width(self) -> t.Iterator[int]:
        """Requests at a time for reading one effect: as a rule one, and several for one zone of the task at a time."""
        alone = self._wide.acquire(blocking=False)
        try:
            yield self.options["max_parallel"] if alone else 1
        finally:
            if alone:
                self._wide.release()

    def _why_dead(self, target: Target, reading: Reading) -> SyncError:
        return SyncError(
            "run_failed",
            f"the sync of {target.name} will not end: {reading.message}",
            "Run the task again: it looks at the zone anew, and does not wait for this change.",
        )

    def _why_failed(self, target: Target, reading: Reading) -> SyncError:
        change_id = t.cast(ZoneChange, reading.data).id if reading.data else ""
        return SyncError(
            "run_failed",
            f"the sync of {target.name} failed: {reading.message or 'the server stores no reason'}",
            "Usual causes: the DNS server refuses the transfer or the TSIG key, it cannot be reached, or the zone has more"
            f" records than max-zone-size. The API log has the reason, with zoneChange='{change_id}'. A failed sync may be"
            " run again at once.",
        )

    def refused(self, target: Target, observation: Observation, error: SyncError) -> Remedy:
        if error.code != "recently_synced":
            return Remedy("fail")
        choice = self.options["if_recently_synced"]
        if choice == "auto":
            wanted = observation.in_sync is False or self.options.get("force")
            choice = "wait" if wanted else "ok"
        if choice == "ok":
            return Remedy("skip", reason="the server says that the zone was recently synced")
        pause, when = self._pause(observation)
        if choice == "wait":
            return Remedy("wait", pause, f"{error.message}; {when}, which is past wait_timeout")
        return Remedy("fail", reason=f"{error.message}; {when}")

    def _pause(self, observation: Observation) -> tuple[float, str]:
        """Seconds until the zone may be synced again, and that time in words; an estimate, since the server does not say it.

        ``sync_delay`` counts for as long as the zone is younger; a refusal beyond it shows that it is wrong.
        """
        known = t.cast(Known, observation.data)
        age = (observation.age or 0.0) + self.services.clock.monotonic() - known.seen_at
        given = self.options.get("sync_delay")
        delays = (given, *DELAYS) if given is not None else DELAYS
        delay = next((delay for delay in delays if delay > age), age)
        pause = max(DATE_RESOLUTION, delay + DATE_RESOLUTION - age)
        at = isoformat(self.services.clock.now() + dt.timedelta(seconds=pause))
        if known.latest_sync is not None:
            at = isoformat(known.latest_sync + dt.timedelta(seconds=delay + DATE_RESOLUTION))
        guess = "" if delay == given else f", if its server requires {delay:g} s between two syncs, which it does not show"
        return pause, f"it may be synced in about {pause:.0f} s, at {at}{guess}"

    def explain_timeout(self, target: Target, reading: Reading | None, channel: Channel) -> str:
        if api.processing_disabled(channel):
            return "The server has its processing disabled (GET /status): nothing runs until it is enabled."
        if reading is not None and reading.state == "running":
            return "If an API node ended during the sync, another one takes over after an hour at the earliest."
        return "The server has not begun yet: its queue may be long."


def _no_permission(zone: Zone) -> SyncError:
    return SyncError(
        "permission_denied",
        f"the account may not sync zone {zone.name} (access level {zone.access_level})",
        f"It must be a member of the zone's admin group ({zone.admin_group}), or a super user.",
    )


def age_of(zone: Zone, server_now: dt.datetime | None) -> float | None:
    """Seconds since the last successful sync, both by the server's clock."""
    latest = zone.synced_at
    if latest is None or server_now is None:
        return None
    return max(0.0, (server_now - latest).total_seconds())


def _by_id(changes: t.Iterable[ZoneChange], change_id: str) -> ZoneChange | None:
    return next((change for change in changes if change.id == change_id), None)
