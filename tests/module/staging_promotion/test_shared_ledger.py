# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in containers of their own, as those of AWX are, that have a ledger in common: a file on a volume, or a database."""

from __future__ import annotations

import contextlib
import json
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state import postgresql
from tests.conftest import Repeats
from tests.postgresql import Cluster, unused_port
from tests.unit.plugins.support.namespaces import container

from .playbook import SHOP, Playbook, Running, Server
from .promotion import Play
from .stage import Stage

PASSWORD = "s3cret p@ssword"
#: seconds for many jobs that take turns on a busy machine
PATIENCE = 1800


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster("scram-sha-256")
    with contextlib.closing(made.connect()) as db:
        db.execute("CREATE ROLE awx LOGIN")
        db.execute(f"ALTER ROLE awx PASSWORD '{PASSWORD}'")
    yield made
    made.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What LOCKSTEP_LEDGER is."""
    if request.param == "sqlite":
        return str(tmp_path / "volume" / "ledger.sqlite3")
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.new_database()
    with contextlib.closing(cluster.connect()) as db:
        db.execute(f"GRANT CREATE ON DATABASE {name} TO awx".encode())
    return cluster.address(name, f"awx:{urllib.parse.quote(PASSWORD)}")


class Jobs:
    """:param ledger: the one of all jobs."""

    def __init__(self, playbook: Playbook, folder: Path, ledger: str) -> None:
        self._playbook, self._folder, self._ledger = playbook, folder, ledger
        self._count = 0

    def launch(self, *arguments: str, **variables: object) -> Running:
        self._count += 1
        home = self._folder / f"home{self._count}"
        home.mkdir()
        self._playbook.prefix = container(hostname=f"automation-job-{self._count}")
        environment = {"HOME": str(home), "AWX_PRIVATE_DATA_DIR": str(home), "LOCKSTEP_LEDGER": self._ledger}
        return self._playbook.start(*arguments, environment=environment, **variables)


@pytest.fixture
def jobs(playbook: Playbook, tmp_path: Path, ledger: str) -> Jobs:
    return Jobs(playbook, tmp_path, ledger)


def changed(output: str) -> int:
    match = re.search(r"^localhost .*\bchanged=(\d+)", output, re.MULTILINE)
    assert match, output
    return int(match[1])


def test_jobs_of_one_release(server: Server, jobs: Jobs, tmp_path: Path, repeats: Repeats) -> None:
    """Of many at once one triggers, and none fails. A later one changes nothing."""
    at_work = [jobs.launch(targets=[server.target()], lock_wait=PATIENCE) for _job in range(repeats(2, 10))]
    at_once = [job.finish(PATIENCE) for job in at_work]
    assert {(job.code, job.verdict) for job in at_once} == {(0, "succeeded")}, [job.output for job in at_once]
    assert server.syncs(SHOP) == 1
    assert sorted(job.report["changed"] for job in at_once) == [False] * (len(at_once) - 1) + [True]
    later = jobs.launch("-vvv", targets=[server.target()]).finish()
    assert (later.code, later.verdict, server.syncs(SHOP)) == (0, "succeeded", 1), later.output
    assert (changed(later.output), later.report["changed"]) == (0, False)
    for played in (*at_once, later):
        for form in (PASSWORD, urllib.parse.quote(PASSWORD), "s3cret"):
            assert form not in played.output
            assert form not in played.files
    # nothing is remembered anywhere else
    assert [*tmp_path.glob("home*/.local/state/lockstep")] == []


class TestOutOfReach:
    """Nothing is sent, and the report says which variable, which address, and what to do."""

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgresql, "OPENING_PATIENCE", 0.2)

    def check(self, stage: Stage, address: str, play: Play) -> None:
        assert (play.verdict, play.report["changed"], stage.sent) == ("failed", False, {})
        message = json.dumps(play.report)
        assert f"option staging_promotion_ledger: '{address}' cannot be used as the ledger" in message
        assert "LOCKSTEP_LEDGER" in message
        assert "s3cret" not in message

    def test_by_a_variable(self, stage: Stage) -> None:
        address = f"postgresql://awx@127.0.0.1:{unused_port()}/ledger"
        self.check(stage, address, stage.play(ledger=address))

    def test_by_the_environment(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        address = f"postgresql://awx@127.0.0.1:{unused_port()}/ledger"
        monkeypatch.setenv("LOCKSTEP_LEDGER", address.replace("awx@", "awx:s3cret@"))
        self.check(stage, address, stage.play(ledger_path=None))

    def test_a_password_in_the_variable(self, stage: Stage) -> None:
        play = stage.play(ledger="postgresql://awx:s3cret@127.0.0.1:1/ledger")
        message = json.dumps(play.report)
        assert (play.verdict, stage.sent) == ("failed", {})
        assert (
            "option staging_promotion_ledger: the address 'postgresql://awx@127.0.0.1:1/ledger' was given with a password"
            in message
        )
        assert "s3cret" not in message
