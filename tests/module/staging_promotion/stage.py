# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated ServerAvatar and the role staging_promotion in front of it, in this process."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import re
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from tests.simulator.client import Simulator

from .promotion import Kill, Play, check_page, check_report

Json = dict[str, Any]

OLD, NEW = "release-1", "release-2"
#: of probes, in tests that have any
SECRETS = ("password-of-eve", "key-of-the-site")
ALLOWED_LONG_AGO = {"allow": [{"name": "long ago", "start": "2020-01-01", "end": "2020-01-02"}]}


class Stage:
    """The emulated service, and the role in front of it."""

    def __init__(self, simulator: Simulator, directory: Path) -> None:
        self.simulator = simulator
        self.directory = directory
        info = simulator["serveravatar"]
        self.url: str = info["url"]
        self.token: str = info["api_token"]
        self.ledger = directory / "state" / "ledger.sqlite3"
        self.report = directory / "reports" / "report.json"
        self.plays: list[Play] = []
        self._owner: subprocess.Popen[bytes] | None = None
        self._elsewhere = False
        self.knob(sync_seconds=0.08, backup_seconds=0.08, restore_seconds=0.08)

    # -- the process that locks belong to ----------------------------------------------------------------------------

    def begin_mortal(self, elsewhere: bool = False) -> None:
        """From now on, locks belong to a process that is going to die.

        :param elsewhere: so that its end cannot be proven from here, as in another container.
        """
        self._owner = subprocess.Popen(["sleep", "600"])
        self._elsewhere = elsewhere

    def die(self) -> None:
        """That process dies; from now on, locks belong to this one."""
        if self._owner is not None:
            self._owner.kill()
            self._owner.wait()
        self._owner = None

    def controlling_process(self) -> ProcessIdentity:
        if self._owner is None:
            return ProcessIdentity.current()
        identity = ProcessIdentity.of(self._owner.pid)
        return dataclasses.replace(identity, space="another") if self._elsewhere else identity

    def expire_leases(self) -> None:
        """As a minute after the last beat."""
        with contextlib.closing(sqlite3.connect(self.ledger)) as db:
            db.execute("UPDATE promotions SET expires_at = begun_at")
            db.commit()

    # -- the service -------------------------------------------------------------------------------------------------

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)

    def fault(self, kind: str, path: str, **rule: Any) -> None:
        """Something happens to the next requests of a path."""
        self.simulator.fault(kind, part="serveravatar", path_regex=path, **rule)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("serveravatar", method, path, body)

    def truth(self, application: int = 88) -> Json:
        found: Json = self.control("GET", f"/applications/{application}")
        return found

    @property
    def production(self) -> str:
        """The release that the shop serves."""
        return str(self.truth()["production"])

    @property
    def sent(self) -> Json:
        """How many requests of each kind would have changed something."""
        kinds = (("backup", r"/backups$"), ("restore", r"/restore$"), ("sync", r"/sync$"))
        found = [
            next(kind for kind, path in kinds if re.search(path, entry["path"]))
            for entry in self.simulator.requests(kind="mutate")
        ]
        return dict(sorted(collections.Counter(found).items()))

    # -- the role ----------------------------------------------------------------------------------------------------

    def entry(self, application: str = "shop", site: int = 88, **more: Any) -> Json:
        """An entry of the list of targets."""
        options = {
            "api_url": self.url,
            "api_token": self.token,
            "organization": "5",
            "server": "15",
            "application": application,
            "poll_min_interval": 0.05,
            "poll_max_interval": 0.05,
            "settle_grace": 3,
            "wait_timeout": 30,
        }
        return {
            "provider": "serveravatar",
            "options": {**options, **more.pop("options", {})},
            "backup": {"storage": "Offsite S3"},
            "verify": [{"name": f"site of {application}", "url": f"{self.url}/sites/{site}/"}],
            **more,
        }

    def variables(self, **more: Any) -> Json:
        filled: Json = {
            "targets": [self.entry()],
            "release": "2026.11",
            "verify_interval": 0.05,
            # one look that sees what it wants is enough, however long that takes; a second one decides against it
            "verify_successes": 1,
            "verify_timeout": 0.1,
            "ledger_path": str(self.ledger),
            "report_path": str(self.report),
        }
        return {**filled, **more}

    def play(
        self, *, check: bool = False, kill: Kill | None = None, failing: str = "", display: Any = None, **variables: Any
    ) -> Play:
        """Run the role; what must be true of every run is checked."""
        play = Play(self.variables(**variables), check=check, kill=kill, failing=failing, display=display, base=self.directory)
        play.run()
        self.plays.append(play)
        if play.reported.get("path"):
            self._check_files(play)
        return play

    def _check_files(self, play: Play) -> None:
        check_report(play.report)
        assert play.reported["verdict"] == play.report["verdict"]
        stem = Path(play.reported["path"]).with_suffix("")
        check_page(stem.with_suffix(".html").read_text(encoding="utf-8"))
        markdown = stem.with_suffix(".md").read_text(encoding="utf-8")
        assert markdown.startswith("# ")
        assert play.report["run"] in markdown
        assert play.report["check_mode"] == play.check
        assert play.changed or not play.report["changed"]

    def check_secrets(self) -> None:
        """The token is in nothing that is kept or shown."""
        shown = [json.dumps([play.texts, play.warnings, play.reported]) for play in self.plays]
        for path in self.directory.rglob("*"):
            if path.is_file():
                shown.append(path.read_bytes().decode("latin-1"))
        assert shown
        for secret in (self.token, *SECRETS):
            assert not [text for text in shown if secret in text]


def outcome(play: Play) -> list[Any]:
    return [play.verdict, play.report["ok"], play.report["changed"]]
