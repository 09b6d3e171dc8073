# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role staging_promotion in front of a PLM Media Manager that cannot sync: preflight, check mode and run agree."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from tests.simulator.client import Simulator

from .promotion import Play, check_page, check_report, run_module

Json = dict[str, Any]

MODULE = "plm_storage_sync"


@dataclasses.dataclass(frozen=True)
class Trouble:
    """What is wrong with a server, and how that is reported.

    :param patience: seconds of a task: with a server that does not answer all of them pass.
    """

    code: str
    said: str
    status: int | None = None
    knobs: Json = dataclasses.field(default_factory=dict)
    url: tuple[str, str] = ("", "")
    offline: bool = False
    patience: float = 60.0


TROUBLES = {
    "down": Trouble("connection_failed", "Check api_url", offline=True, patience=2),
    "wrong prefix": Trouble("endpoint_missing", "prefix", 404, {"prefix": "/moved/v0"}),
    "standalone server without remote": Trouble(
        "server_error", "without a remote", 500, {"no_remote": True}, ("/api/media-manager/v0", "/v0")
    ),
    "desktop application without remote": Trouble("connection_failed", "no remote", None, {"no_remote": True}, patience=2),
    "database down": Trouble("server_error", "local database of the server is down", 200, {"db_down": True}),
    "database hangs": Trouble("connection_failed", "database that hangs", None, {"db_hung": True}, patience=2),
}
#: they take the patience of a task, or more
SLOW = {"desktop application without remote", "database down", "database hangs"}


class MediaStage:
    """The emulated server, and the role in front of it."""

    def __init__(self, simulator: Simulator, directory: Path) -> None:
        self.simulator = simulator
        self.directory = directory
        self.ledger = directory / "state" / "ledger.sqlite3"
        self.report = directory / "reports" / "report.json"
        self.url: str = simulator["plm"]["url"]
        self._troubled = False

    @property
    def sent(self) -> int:
        """How many syncs the server was asked for."""
        return len(self.simulator.requests(part="plm", kind="mutate"))

    @contextlib.contextmanager
    def in_trouble(self, trouble: Trouble) -> Iterator[None]:
        self._troubled = True
        self.simulator.knob("plm", **trouble.knobs)
        if trouble.offline:
            self.simulator.control.offline("plm")
        try:
            yield
        finally:
            self.simulator.control.online("plm")
            self._troubled = False

    def options(self, trouble: Trouble) -> Json:
        pace = {"poll_min_interval": 0.05, "poll_max_interval": 0.3, "settle_grace": 30}
        patience = {"wait_timeout": trouble.patience, "request_timeout": 1} if self._troubled else {"wait_timeout": 60}
        return {"api_url": self.url.replace(*trouble.url), **pace, **patience}

    def play(self, trouble: Trouble, *, check: bool = False, release: str = "spring", **more: Any) -> Play:
        variables = {
            "targets": [{"name": "media", "provider": "plm", "options": self.options(trouble)}],
            "release": release,
            "ledger_path": str(self.ledger),
            "report_path": str(self.report),
            **more,
        }
        play = Play(variables, check=check, base=self.directory).run()
        check_report(play.report)
        check_page(Path(play.reported["path"]).with_suffix(".html").read_text(encoding="utf-8"))
        assert play.report["check_mode"] == check
        return play


@pytest.fixture
def media(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MediaStage:
    made = MediaStage(simulator, tmp_path)
    monkeypatch.setenv("LOCKSTEP_LEDGER", str(made.ledger))
    return made


def without_times(found: object) -> object:
    """The same without the seconds for which an answer was waited for: the last attempt has what is left of the deadline."""
    return json.loads(re.sub(r"within [\d.]+ s", "in time", json.dumps(found)))


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.long) if name in SLOW else name for name in TROUBLES])
def test_a_server_that_cannot_sync_is_refused_by_the_preflight_in_every_mode(media: MediaStage, name: str) -> None:
    trouble = TROUBLES[name]
    with media.in_trouble(trouble):
        plays = [media.play(trouble, check=True), media.play(trouble)]
        alone = [run_module(MODULE, media.options(trouble), check, SystemClock()) for check in (True, False)]
    found = []
    for play in plays:
        assert (play.verdict, play.report["ok"], play.report["changed"]) == ("refused", False, False)
        assert play.phases[:1] == ["preflight:refused"]
        assert not {"lock:passed", "sync:passed", "sync:planned"} & set(play.phases)
        assert {called for called in play.called if called[0] == MODULE} == {(MODULE, True)}
        assert (play.target["plan"]["action"], play.target["sync"]) == ("refused", None)
        found.append((play.target["plan"], play.failed_checks, [row["text"] for row in play.target["checks"]]))
    assert without_times(found[0]) == without_times(found[1])
    for result in alone:
        (record,) = result["syncs"]
        assert (result["failed"], result["changed"], record["action"]) == (True, False, "refused")
        assert without_times(record["failure"]) == without_times(found[0][0]["failure"])
        assert (record["failure"]["code"], record["failure"]["http_status"]) == (trouble.code, trouble.status)
        assert trouble.said in record["failure"]["message"] + record["failure"]["hint"]
    assert media.sent == 0


@pytest.mark.parametrize(
    "name",
    ["down", "wrong prefix", *(pytest.param(name, marks=pytest.mark.long) for name in ("database down", "database hangs"))],
)
def test_a_release_that_is_there_needs_no_server(media: MediaStage, name: str) -> None:
    trouble = TROUBLES[name]
    assert media.play(trouble).verdict == "succeeded"
    assert media.sent == 1
    with media.in_trouble(trouble):
        done = [media.play(trouble, check=check) for check in (True, False)]
        other = media.play(trouble, release="summer")
    assert [(play.report["ok"], play.report["changed"]) for play in done] == [(True, False), (True, False)]
    assert {play.target["plan"]["action"] for play in done} == {"skipped"}
    assert other.verdict == "refused"
    assert media.sent == 1


@pytest.mark.parametrize("check", [True, False])
def test_the_refusal_of_one_server_keeps_the_other_from_being_synced(media: MediaStage, check: bool) -> None:
    trouble = TROUBLES["wrong prefix"]
    good = {"name": "good", "provider": "plm", "options": media.options(trouble)}
    bad = {**good, "name": "bad", "options": {**good["options"], "api_url": f"{media.url}/nowhere"}}
    play = media.play(trouble, check=check, targets=[good, bad])
    assert (play.verdict, play.report["changed"]) == ("refused", False)
    plans = {target["name"]: target["plan"]["action"] for target in play.report["targets"]}
    assert plans["bad"] == "refused"
    assert plans["good"] == "would_trigger"
    assert media.sent == 0


def test_a_server_that_comes_back_is_synced(media: MediaStage) -> None:
    trouble = TROUBLES["down"]
    with media.in_trouble(trouble):
        assert media.play(trouble).verdict == "refused"
    play = media.play(trouble)
    assert (play.verdict, play.report["changed"], media.sent) == ("succeeded", True, 1)
    again = media.play(trouble)
    assert (again.report["ok"], again.report["changed"], media.sent) == (True, False, 1)
