# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password of the ledger's database, in an option or in the environment: it is refused there, used here, and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import RunModule

OPTIONS = {
    "api_url": "http://127.0.0.1:9",
    "api_token": "t0ken-of-api",
    "organization": "5",
    "server": "15",
    "applications": ["1"],
}


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("postgresql://ops:s3cr3t@127.0.0.1:9/ledger", "'postgresql://ops@127.0.0.1:9/ledger' was given with a password"),
        (
            "postgresql://ops@127.0.0.1:9/ledger?password=s3cr3t",
            "'postgresql://ops@127.0.0.1:9/ledger' was given with a password",
        ),
        ("postgresql://ops:s3/cr3t@127.0.0.1:9/ledger", "the address of the database cannot be read"),
        ("mysql://ops:s3cr3t@127.0.0.1:9/ledger", "mysql:// is not a kind of ledger"),
    ],
)
def test_a_password_in_the_option_is_refused(run_module: RunModule, location: str, message: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    outcome = run_module("serveravatar_staging_sync", {**OPTIONS, "ledger": location, "report_path": str(report)})
    assert (outcome.failed, outcome.result["failure"]["code"]) == (True, "invalid_option")
    assert outcome.result["msg"].startswith("option ledger: ")
    assert message in outcome.result["msg"]
    for text in (outcome.output, report.read_text()):
        assert not any(part in text for part in ("s3", "cr3t"))


def test_one_in_the_environment_is_used_and_not_shown(run_module: RunModule, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    environment = {"LOCKSTEP_LEDGER": "postgresql://ops:s3%2Fcr3t@127.0.0.1:9/ledger"}
    outcome = run_module("serveravatar_staging_sync", {**OPTIONS, "report_path": str(report)}, env=environment)
    assert (outcome.failed, outcome.result["failure"]["code"]) == (True, "connection_failed")
    assert "option ledger: 'postgresql://ops@127.0.0.1:9/ledger' cannot be used as the ledger" in outcome.result["msg"]
    for text in (outcome.output, report.read_text()):
        assert not any(part in text for part in ("s3%2F", "s3/", "cr3t"))
