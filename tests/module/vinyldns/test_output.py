# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports, and that no secret is in any output."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from ..conftest import RunModule
from .server import ZONE, Server, drifted


@pytest.mark.parametrize("case", ["synced", "check", "refused", "invalid"])
def test_report_is_written_on_every_exit(case: str, server: Server, run_module: RunModule, tmp_path: Path) -> None:
    drifted(server)
    path = tmp_path / "report.json"
    more = {"refused": {"guard": {"max_deletes": 0}}, "invalid": {"poll_min_interval": 99}}.get(case, {})
    outcome = run_module("vinyldns_zone_sync", server.options(report_path=str(path), **more), check=case == "check")
    report = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert report["summary"] == outcome.result["summary"] and report["check_mode"] == (case == "check")
    if case == "invalid":
        assert report["failure"]["code"] == "invalid_option"
    else:
        assert report["syncs"][0]["detail"]["drift"]["records"]


def test_no_secret_in_any_output(server: Server, run_module: RunModule, tmp_path: Path, ledger: Path) -> None:
    server.add(connection=True)
    server.update_dns(add=[["new", 300, "A", "198.51.100.1"]])
    path = tmp_path / "report.json"
    outcome = run_module("vinyldns_zone_sync", server.options(report_path=str(path)), diff=True)
    info = run_module("vinyldns_zone_info", {**server.login, "zones": ZONE, "backend": server.backend})
    assert outcome.only["state"] == "succeeded"
    rows = sqlite3.connect(ledger).execute("SELECT * FROM runs").fetchall()
    everything = outcome.output + info.output + path.read_text() + repr(rows)
    assert rows and server.secret not in everything
    assert server.backend["tsig_secret"] not in everything
