# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""VinylDNS: the backend DNS server overwrites VinylDNS's copy of a zone (docs/reference/vinyldns.md)."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import typing as t

from ..._core.errors import SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options, from_env, list_of_names
from ..._core.vocabulary import Json
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
from .effect import EffectReader, OtherSync, effect_of, other_syncs
from .evidence import BACKEND_SPEC, GUARD_SPEC, DriftEvaluator, ZoneEvidence
from .signing import AccessKey, SigningAuth

#: seconds: usual delays between two syncs of a zone, and values in between; the server does not show its delay
#: (docs/reference/vinyldns.md#1.3)
DELAYS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0)
#: dates in the API are cut to whole seconds
DATE_RESOLUTION = 1.0

CONNECTION_SPEC = ArgumentSpec(
    {
        "api_url": {"type": "str", "required": True, **from_env("VINYLDNS_API_URL", "VINYLDNS_HOST")},
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
    },
    texts=("approve",),
    ids=("zones",),
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


class VinylDNS(Provider):
    """Zones of one VinylDNS server."""

    name = "vinyldns"
    capabilities = Capabilities(run_id=True, absence_proves=True)
    connection_spec = CONNECTION_SPEC
    sync_spec = SYNC_SPEC

    def __init__(self, options: Options, services: Services) -> None:
        super().__init__(options, services)
        self.evaluator = DriftEvaluator.from_options(options)
        if options.get("sync_delay") is not None and not 0 <= options["sync_delay"] <= 86400:
            raise invalid_option("sync_delay", options["sync_delay"], "is out of range", "Use a value from 0 to 86400 seconds.")
        self.client = new_client(options, services)
        self.address = self.client.settings.base_url
        self._wide = threading.Lock()

    @classmethod
    def requirements(cls, options: Options) -> t.Sequence[tuple[str, str | None]]:
        return (("dnspython", DNSPYTHON_IMPORT_ERROR),) if options.get("backend") else ()

    def names(self) -> list[str]:
        return list_of_names(self.options, "zones")

    def resolve(self, name: str, channel: Channel) -> Target:
        zone = api.find_zone(channel, name)
        return Target(zone["id"], zone["name"])

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        if not all(isinstance(handle.get(key), str) for key in ("zone", "zone_id", "change_id", "created")):
            raise invalid_option("handles", dict(handle), "is not a handle of VinylDNS", "Pass the handle of a record unchanged.")
        return Target(handle["zone_id"], handle["zone"])

    # -- evidence ----------------------------------------------------------------------------------------------------

    def observe(self, target: Target, channel: Channel) -> Observation:
        zone, server_now = api.get_zone(channel, target.id)
        if zone.get("accessLevel") not in (None, "Delete"):
            return Observation(reason="no permission to sync", obstacle=_no_permission(zone))
        changes = self._quiet_changes(target, channel)
        observation = Observation(
            running=self._running(target, changes),
            age=age_of(zone, server_now),
            snapshot=_snapshot(changes),
            detail={"latest_sync": zone.get("latestSync")},
        )
        if observation.running is None:
            evidence = self.evaluator.gather(target, channel)
            evidence.apply_to(observation)
        return observation

    def _quiet_changes(self, target: Target, channel: Channel) -> list[Json]:
        """The changes of the zone, as soon as no update of the zone itself is pending.

        A sync would write back the zone as it was when the sync was accepted, and so revert the update
        (docs/reference/vinyldns.md#1.5).
        """
        while True:
            changes = api.list_changes(channel, target.id)
            if not any(change["status"] == "Pending" and change["changeType"] == "Update" for change in changes):
                return changes
            if not channel.deadline.allows(1.0):
                raise SyncError(
                    "busy", f"an update of zone {target.name} is still pending", "Run the task again when it has ended."
                )
            channel.deadline.sleep(1.0)

    def _running(self, target: Target, changes: t.Sequence[Json]) -> Run | None:
        """The newest transfer in flight."""
        for change in changes:
            if change["status"] == "Pending" and change["changeType"] in api.TRANSFERRING:
                return self._run(target, change)
        return None

    def _run(self, target: Target, change: Json) -> Run:
        handle = {
            "provider": self.name,
            "address": self.address,
            "zone": target.name,
            "zone_id": target.id,
            "change_id": change["id"],
            "created": change["created"],
        }
        return Run(handle, api.when(change["created"]))

    def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
        return self.evaluator.still_valid(target, t.cast(ZoneEvidence, observation.data), channel)

    # -- the run -----------------------------------------------------------------------------------------------------

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        return self._run(target, api.sync_zone(channel, target.id))

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        for change in api.newer_changes(api.list_changes(channel, target.id), snapshot):
            if change["changeType"] == "Sync":
                return self._run(target, change)
        return None

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        changes = api.list_changes(channel, handle["zone_id"], until=api.when(handle["created"]))
        change = next((item for item in changes if item["id"] == handle["change_id"]), None)
        if change is None:
            # accepted, but no worker has taken it off the queue yet (docs/reference/vinyldns.md#1.4)
            return Reading("pending", "queued")
        status, zone = change["status"], change["zone"]
        message = change.get("systemMessage") or ""
        if status == "Failed":
            return Reading("failed", status, message, status, data=change)
        if status == "Synced":
            # very old servers set it before the zone was finished
            done = zone.get("status") != "Syncing"
            return Reading(
                "succeeded" if done else "running", status, message, status, api.when(zone.get("latestSync")), data=change
            )
        return Reading("running" if status == "Pending" else "unknown", status, message, status, data=change)

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        if reading.state == "failed":
            # the server applies a sync in one transaction, so a failed one changed nothing
            return Effect(False, "observed", failure=self._why_failed(target, reading))
        evidence = t.cast("ZoneEvidence | None", observation.data if observation else None)
        drift = evidence.drift if evidence else None
        with self._width() as width:
            rows = EffectReader(channel, target.id, reading.data, width).read(drift)
            others: list[OtherSync] = []
            if observation and drift and any(unseen(drift, rows.changes(target.name))):
                others = other_syncs(channel, target.id, reading.data["id"], observation.snapshot, width)
        return effect_of(target, drift, rows, others)

    @contextlib.contextmanager
    def _width(self) -> t.Iterator[int]:
        """Requests at a time for reading one effect: as a rule one, and several for one zone of the task at a time."""
        alone = self._wide.acquire(blocking=False)
        try:
            yield self.options["max_parallel"] if alone else 1
        finally:
            if alone:
                self._wide.release()

    def _why_failed(self, target: Target, reading: Reading) -> SyncError:
        change_id = reading.data["id"] if reading.data else ""
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
        if choice == "wait":
            pause = self._pause(observation.age or 0.0)
            return Remedy("wait", pause, f"{error.message}; may be synced in about {pause:.0f} s, which is past wait_timeout")
        return Remedy("fail")

    def _pause(self, age: float) -> float:
        """Seconds until a zone of this age may be synced again; an estimate unless ``sync_delay`` is set."""
        known = self.options.get("sync_delay")
        delays = (known,) if known is not None else DELAYS
        return max(DATE_RESOLUTION, next((delay for delay in delays if delay > age), age) + DATE_RESOLUTION - age)

    def explain_timeout(self, target: Target, reading: Reading | None, channel: Channel) -> str:
        if api.processing_disabled(channel):
            return "The server has its processing disabled (GET /status): nothing runs until it is enabled."
        if reading is not None and reading.state == "running":
            return "If an API node ended during the sync, another one takes over after an hour at the earliest."
        return "The server has not begun yet: its queue may be long."


def _no_permission(zone: Json) -> SyncError:
    group = zone.get("adminGroupName") or zone.get("adminGroupId")
    return SyncError(
        "permission_denied",
        f"the account may not sync zone {zone['name']} (access level {zone.get('accessLevel')})",
        f"It must be a member of the zone's admin group ({group}), or a super user.",
    )


def age_of(zone: Json, server_now: dt.datetime | None) -> float | None:
    """Seconds since the last successful sync, both by the server's clock."""
    latest = api.when(zone.get("latestSync"))
    if latest is None or server_now is None:
        return None
    return max(0.0, (server_now - latest).total_seconds())


def _snapshot(changes: t.Sequence[Json]) -> Json:
    """The newest changes. Dates are whole seconds, so those of the newest second are identified by id."""
    newest = max((change["created"] for change in changes), default=None)
    return {"created": newest, "ids": [change["id"] for change in changes if change["created"] == newest]}
