# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sync modules as the fault matrix runs them: options, the trigger, and what the server knows of the sync."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any, Literal

from tests.simulator.client import Simulator

Json = dict[str, Any]
#: what the server knows of the sync: whether one began, and how it stands
Truth = Literal["none", "running", "succeeded", "failed"]

PARTS = ("serveravatar", "crafter", "plm", "vinyldns")
ZONE = "example.com."
PAGE = "site/website/index.xml"
#: the newest backup that there is at the start
LAST_BACKUP = 312
#: seconds of a run that ``sync_wait`` waits for
SLOW_SECONDS = 0.8
SLOW = {
    "serveravatar": ("sync_seconds", "backup_seconds", "restore_seconds"),
    "crafter": ("queue_seconds",),
    "plm": ("pull_seconds",),
    "vinyldns": ("sync_duration",),
}


@dataclasses.dataclass(frozen=True)
class Case:
    """A sync module with one target.

    :param trigger: what its trigger looks like: method and path.
    :param truth: asks the control API of the simulator.
    :param prepare: arranges something to sync.
    :param fail: has the sync fail at the server; ``None`` if that cannot be arranged.
    :param waits: whether it is ``sync_wait`` for a run of this module.
    """

    module: str
    part: str
    options: Callable[[Json], Json]
    trigger: str
    truth: Callable[[Simulator], Truth]
    prepare: Callable[[Simulator], object] = lambda simulator: None
    fail: Callable[[Simulator], object] | None = None
    what: str = ""
    waits: bool = False

    def is_trigger(self, method: str, path: str) -> bool:
        return not self.waits and re.fullmatch(self.trigger, f"{method} {path}") is not None

    def __str__(self) -> str:
        name = f"{self.module} {self.what}".strip()
        return f"sync_wait, {name}" if self.waits else name


def _serveravatar(**more: Any) -> Callable[[Json], Json]:
    return lambda info: {"api_token": info["api_token"], "organization": "5", "server": "15", **more}


def _crafter(**more: Any) -> Callable[[Json], Json]:
    return lambda info: {"api_token": info["users"]["admin"]["api_token"], "sites": "mysite", **more}


def _vinyldns(info: Json) -> Json:
    backend = {key: value for key, value in info["dns"].items() if key != "kind"}
    return {"access_key": info["access_key"], "secret_key": info["secret_key"], "zones": ZONE, "backend": backend}


def _knob(part: str, **values: Any) -> Callable[[Simulator], object]:
    return lambda simulator: simulator.knob(part, **values)


def _state(states: list[str], good: str, bad: tuple[str, ...]) -> Truth:
    """The truth of the last of some states."""
    if not states:
        return "none"
    return "succeeded" if states[-1] == good else "failed" if states[-1] in bad else "running"


def _shop(simulator: Simulator) -> Json:
    found: Json = simulator.control.part("serveravatar", "GET", "/applications/88")
    return found


def _mysite(simulator: Simulator) -> Json:
    found: Json = simulator.control.part("crafter", "GET", "/sites/mysite")
    return found


def _staging(kind: str) -> Callable[[Simulator], Truth]:
    return lambda simulator: _state([run["outcome"] or "" for run in _shop(simulator)[kind]], "success", ("failure",))


def _backup(simulator: Simulator) -> Truth:
    made = {int(number): status for number, status in _shop(simulator)["backup_status"].items() if int(number) > LAST_BACKUP}
    return _state([made[number] for number in sorted(made)], "Completed", ("Failed",))


def _reset(simulator: Simulator) -> Truth:
    return "succeeded" if _mysite(simulator)["resets"] else "none"


def _package(simulator: Simulator) -> Truth:
    return _state([package["state"] for package in _mysite(simulator)["packages"]], "COMPLETED", ("BLOCKED", "CANCELLED"))


def _everything(simulator: Simulator) -> Truth:
    files = simulator.control.part("crafter", "GET", "/sites/mysite/tree", branch="live")["files"]
    return "succeeded" if "sale" in files[PAGE] else "none"


def _plm(simulator: Simulator) -> Truth:
    runs = simulator.control.part("plm", "GET", "/synchronizers")["synchronizers"]
    if not runs:
        return "none"
    states = {runs[-1]["push"], runs[-1]["pull"]}
    return "succeeded" if states == {"completed"} else "failed" if "error" in states else "running"


def _zone(simulator: Simulator) -> Truth:
    syncs = simulator.control.part("vinyldns", "GET", "/syncs", zone=ZONE)["syncs"]
    if not syncs:
        return "none"
    changes = simulator.control.part("vinyldns", "GET", "/zone", name=ZONE, records="no")["changes"]
    return _state([each["status"] for each in changes if each["id"] == syncs[-1]["change_id"]], "Synced", ("Failed",))


def _drift(simulator: Simulator) -> object:
    change = {"zone": ZONE, "add": [["new", 300, "A", "198.51.100.1"]], "delete": []}
    return simulator.control.part("vinyldns", "POST", "/dns/update", change)


TRIGGERING = (
    Case(
        "serveravatar_staging_sync",
        "serveravatar",
        _serveravatar(applications="shop"),
        r"GET .*/applications/88/sync",
        _staging("runs"),
        fail=_knob("serveravatar", sync_outcome="failure"),
    ),
    Case(
        "serveravatar_backup",
        "serveravatar",
        _serveravatar(applications="shop", storage="Offsite S3"),
        r"POST .*",
        _backup,
        fail=_knob("serveravatar", backup_outcome="failure"),
    ),
    Case(
        "serveravatar_restore",
        "serveravatar",
        _serveravatar(backups=[305]),
        r"GET .*/restore",
        _staging("restores"),
        fail=_knob("serveravatar", restore_outcome="failure"),
    ),
    Case("crafter_staging_sync", "crafter", _crafter(), r"POST .*/reset-staging\.json", _reset),
    Case("crafter_publish", "crafter", _crafter(items=["/" + PAGE]), r"POST .*publish.*", _package, what="items"),
    Case("crafter_publish", "crafter", _crafter(everything=True), r"POST .*publish.*", _everything, what="everything"),
    Case(
        "plm_storage_sync",
        "plm",
        lambda info: {},
        r"POST .*/synchronizers",
        _plm,
        fail=_knob("plm", pull_outcome="error"),
    ),
    Case(
        "vinyldns_zone_sync",
        "vinyldns",
        _vinyldns,
        r"POST .*/sync",
        _zone,
        prepare=_drift,
        fail=_knob("vinyldns", fail_syncs="made to fail"),
    ),
)


def _slowly(case: Case) -> Callable[[Simulator], object]:
    """What ``sync_wait`` waits for is still running when it looks."""

    def prepare(simulator: Simulator) -> None:
        case.prepare(simulator)
        simulator.knob(case.part, **dict.fromkeys(SLOW[case.part], SLOW_SECONDS))

    return prepare


#: a run of ``crafter_staging_sync`` has ended once there is a handle, so that there is nothing to ask the server for
WAITING = tuple(
    dataclasses.replace(case, waits=True, prepare=_slowly(case))
    for case in TRIGGERING
    if case.module != "crafter_staging_sync" and case.what != "everything"
)
CASES = (*TRIGGERING, *WAITING)
