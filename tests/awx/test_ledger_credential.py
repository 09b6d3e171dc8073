# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential of the ledger at work: jobs verify the certificate of the database by the one in its field."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.module.dns_reconciliation.playbook import Server
from tests.postgresql import Cluster
from tests.simulator.client import Simulator
from tests.unit.plugins.support.certificates import new_certificate

from .conftest import Played
from .emulator import AwxEmulator
from .jobs import Jobs

PASSWORD = "pass wörd"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Simulator.start(parts=["vinyldns"]) as running:
        yield Server(running)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return new_certificate(tmp_path_factory.mktemp("tls"), days=1)


@pytest.fixture(scope="module")
def database(certificate: tuple[str, str]) -> Iterator[Cluster]:
    made = Cluster("scram-sha-256", tls=certificate)
    with contextlib.closing(made.connect()) as db:
        db.execute("CREATE ROLE awx LOGIN")
        db.execute(f"ALTER ROLE awx PASSWORD '{PASSWORD}'")
        db.execute("CREATE DATABASE ledger OWNER awx")
    yield made
    made.remove()


@pytest.fixture
def jobs(awx: AwxEmulator, applied: Played, server: Server, tmp_path: Path) -> Jobs:
    assert applied.code == 0, applied.output
    backend = {key: str(value) for key, value in server.backend.items()}
    return Jobs(awx, tmp_path, {"Lockstep VinylDNS": server.login, "ns1": backend})


def launch(jobs: Jobs, database: Cluster, mode: str, ca_certificate: str) -> str:
    """A check of one zone; the message in its output if it failed."""
    location = f"{database.address('ledger', 'awx')}?sslmode={mode}"
    jobs.overrides["Lockstep ledger"] = {"location": location, "password": PASSWORD, "ca_certificate": ca_certificate}
    answers = {"dns_reconciliation_zones": "a.tls.example.", "dns_reconciliation_admin_group": ""}
    job = jobs.launch("Lockstep DNS: check", answers)
    assert PASSWORD not in job.output
    return job.output if job.failed else ""


def test_the_certificate_of_the_authority_is_used(
    jobs: Jobs, server: Server, database: Cluster, certificate: tuple[str, str], tmp_path: Path
) -> None:
    server.add("a.tls.example.")
    assert launch(jobs, database, "verify-full", Path(certificate[0]).read_text()) == ""
    another = Path(new_certificate(tmp_path / "another", days=1)[0]).read_text()
    assert "certificate verify failed" in launch(jobs, database, "verify-full", another)


def test_an_empty_field_is_as_if_there_were_none(jobs: Jobs, server: Server, database: Cluster) -> None:
    server.add("a.tls.example.")
    assert launch(jobs, database, "require", "") == ""
    # libpq names the file that it looks for by default
    assert "root.crt" in launch(jobs, database, "verify-full", "")
