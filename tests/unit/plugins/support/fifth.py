# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fifth provider: the whole of what it takes to add one. The system behind it is imaginary (see mirrors.py).

Nothing in the core knows it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import parse_iso
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, Violation, invalid_option
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import (
    ArgumentSpec,
    Options,
    from_env,
    list_of_names,
)
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel, HttpClient
from ansible_collections.lockstep.sync.plugins.module_utils._http.json_reader import Form, JsonReader
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._http.transport import TokenAuth
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import Reading
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import (
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

RUN: dict[str, Form] = {"id": "number", "state": "text", "text": "text", "started": "text_or_null", "ended": "text_or_null"}
STATES = {"queued": "pending", "busy": "running", "done": "succeeded", "broken": "failed", "gone": "absent"}


def interpret(response: Response) -> SyncError | None:
    """What an error of the service means."""
    body = response.try_json()
    text = body.get("error", "") if isinstance(body, dict) else ""
    if response.status == 409:
        return SyncError("busy", text, "Wait.", 409)
    if response.status == 403 and "recently" in text:
        return SyncError("recently_synced", text, "Wait.", 403)
    return None


def read(response: Response) -> JsonReader:
    """The body of a response of the service."""
    return JsonReader(response, "Look at what answers at api_url.")


class Fifth(Provider):
    """Mirrors that are refreshed from their origin."""

    name = "fifth"
    capabilities = Capabilities(run_id=True)
    connection_spec = ArgumentSpec(
        {
            "api_url": {"type": "str", "required": True, **from_env("FIFTH_URL")},
            "token": {"type": "str", "required": True, "no_log": True, **from_env("FIFTH_TOKEN")},
        }
    )
    sync_spec = ArgumentSpec(
        {
            "mirrors": {"type": "list", "elements": "str", "required": True, "aliases": ["mirror"]},
            "max_loss": {"type": "int", "default": 100},
            "if_recent": {"type": "str", "choices": ["fail", "skip", "wait"], "default": "fail"},
        },
        ids=("mirrors",),
    )

    def __init__(self, options: Options, services: Services) -> None:
        super().__init__(options, services)
        auth = TokenAuth(f"Bearer {options['token']}")
        self.client = HttpClient(http_settings(options), services.clock, services.redactor, auth, interpret, services.rng)
        self.address = self.client.settings.base_url

    def names(self) -> list[str]:
        return list_of_names(self.options, "mirrors")

    def resolve(self, name: str, channel: Channel) -> Target:
        for mirror in read(channel.observe("/mirrors")).rows_at(id="text", name="text"):
            if name in (mirror["id"], mirror["name"]):
                return Target(mirror["id"], mirror["name"])
        raise SyncError("not_found", f"there is no mirror {name}", "Look at GET /mirrors.")

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        if not isinstance(handle.get("mirror"), str) or not isinstance(handle.get("run"), int):
            raise invalid_option("handles", dict(handle), "is not a handle of a mirror", "Pass it unchanged.")
        return Target(handle["mirror"], str(handle.get("name")))

    def observe(self, target: Target, channel: Channel) -> Observation:
        mirror = self._mirror(target, channel)
        broken = [Violation("max_loss", f"{mirror['loss']} files")] if mirror["loss"] > self.options["max_loss"] else []
        return Observation(
            in_sync=mirror["in_sync"],
            reason="drift" if mirror["in_sync"] is False else "",
            running=next((self._run(target, run) for run in mirror["runs"] if run["state"] == "busy"), None),
            age=mirror["age"],
            obstacle=SyncError("disk_full", "the disk is full", "Make room.") if mirror["full"] else None,
            violations=broken,
            snapshot={"last": max((run["id"] for run in mirror["runs"]), default=0)},
            detail={"revision": mirror["revision"], "note": mirror["note"]},
            compact_detail={"revision": mirror["revision"]},
            diff={"before": mirror["note"], "after": "fresh\n"},
            data=mirror["revision"],
        )

    def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
        return bool(self._mirror(target, channel)["revision"] == observation.data)

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        response = channel.trigger("POST", f"/mirrors/{target.id}/refresh", expect=(202,))
        return self._run(target, read(response).object_at(**RUN))

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        runs = self._mirror(target, channel)["runs"]
        newer = [run for run in runs if run["id"] > snapshot["last"]]
        newer.sort(key=lambda run: STATES.get(run["state"]) == "failed")
        return self._run(target, newer[0]) if newer else None

    def _mirror(self, target: Target, channel: Channel) -> t.Mapping[str, t.Any]:
        reader = read(channel.observe(f"/mirrors/{target.id}"))
        reader.rows_at("runs", **RUN)
        return reader.object_at(loss="number", revision="number")

    def _run(self, target: Target, run: t.Mapping[str, t.Any]) -> Run:
        handle = {"provider": self.name, "address": self.address, "mirror": target.id, "name": target.name, "run": run["id"]}
        return Run(handle, parse_iso(run["started"]))

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        run = read(channel.observe(f"/runs/{handle['run']}")).object_at(**RUN)
        state = STATES.get(run["state"], "unknown")
        return Reading(state, run["state"], run["text"], finished_at=parse_iso(run["ended"]), data=run)

    def refused(self, target: Target, observation: Observation, error: SyncError) -> Remedy:
        if error.code != "recently_synced":
            return Remedy("fail")
        return Remedy(self.options["if_recent"], 60.0, "refreshed a moment ago")

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        if reading.state == "failed":
            return Effect(False, "observed")
        files = read(channel.observe(f"/runs/{run.handle['run']}/files")).body
        if not isinstance(files, list):
            raise SyncError("bad_response", "that is no list of files", "Look at what answers at api_url.")
        return Effect(bool(files), "observed", f"{len(files)} files", {"files": files}, {"files": len(files)})

    def explain_timeout(self, target: Target, reading: Reading | None, channel: Channel) -> str:
        return "The origin may be slow."
