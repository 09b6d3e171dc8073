# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is in anything that a job leaves: artifacts, events, output, reports, the ledger and temporary files."""

from __future__ import annotations

import base64
import contextlib
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.postgresql import Cluster

from .leaks import files_below, forms_of, leaks
from .systems import Promotions, Template, Zones

#: of a webhook, in its path, in its query and in a header
HOOK = ("T0KEN/of+the hook?", "quéry-ké&y=", "header:secret/1")
PASSWORD = "s3cret/p@ss w%rd"
TSIG = base64.b64encode(b"canary-of-tsig-canary-of-tsig-x").decode()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster("scram-sha-256")
    with contextlib.closing(made.connect()) as db:
        db.execute("CREATE ROLE awx LOGIN")
        db.execute(f"ALTER ROLE awx PASSWORD '{PASSWORD}'")
    yield made
    made.remove()


@pytest.fixture
def database(cluster: Cluster) -> str:
    """The address of an empty database, without the password."""
    name = cluster.new_database()
    with contextlib.closing(cluster.connect()) as db:
        db.execute(f"GRANT CREATE ON DATABASE {name} TO awx".encode())
    return cluster.address(name, "awx")


def notify(port: int) -> dict[str, object]:
    path, key, header = HOOK
    query = urllib.parse.urlencode({"key": key})
    url = f"http://127.0.0.1:{port}/hooks/{urllib.parse.quote(path, safe='')}?{query}"
    return {"when": "always", "webhook": {"url": url, "headers": {"X-Key": header}}}


def check_nothing_is_left(template: Template, *secrets: str) -> None:
    for job in template.awx.jobs:
        assert leaks(job.left(), secrets) == []
    assert leaks(files_below(template.awx.volume), secrets) == []


def test_a_secret_is_found_in_all_its_forms() -> None:
    """Lest the other tests find nothing because they do not search."""
    for secret in (*HOOK, PASSWORD, TSIG):
        written = [
            secret.encode(),
            urllib.parse.quote(secret, safe="").encode(),
            *(base64.b64encode(b"x" * number + secret.encode() + b"y" * 3) for number in range(3)),
        ]
        assert all(any(form in text for form in forms_of(secret)) for text in written)


def test_a_reconciliation_leaves_none(zones: Zones) -> None:
    """One zone is in trouble, so that errors are shown as well, and the webhook is not there."""
    zones.add_drifted("a.example.", "b.example.")
    backends = {"b.example.": {**zones.server.backend, "tsig_secret": TSIG}}
    ended = zones("-vvv", "--diff", zones=["a.example.", "b.example.", "c.example."], backends=backends, notify=notify(1))
    assert (ended.code, ended.artifacts["dns_reconciliation"]["verdict"]) == (2, "failed"), ended.stdout
    assert "task path: " in ended.stdout
    assert "[WARNING]" in ended.stdout
    assert zones.server.synced() == ["a.example."]
    check_nothing_is_left(zones, zones.server.secret, zones.server.backend["tsig_secret"], TSIG, *HOOK)


@pytest.mark.long
def test_a_promotion_with_its_ledger_in_a_database_leaves_none(promotions: Promotions, database: str) -> None:
    """Ten jobs at once, one trigger; and one whose password is wrong."""
    given: dict[str, Any] = {"notify": notify(1)}
    ledger = {"LOCKSTEP_LEDGER": database, "LOCKSTEP_LEDGER_PASSWORD": PASSWORD}
    address = {"LOCKSTEP_LEDGER": database.replace("awx@", f"awx:{urllib.parse.quote(PASSWORD, safe='')}@")}
    jobs = [promotions.start("-vvv", credentials=address if number % 2 else ledger, **given) for number in range(10)]
    ended = [job.finish() for job in jobs]
    assert [(job.code, job.artifacts["staging_promotion"]["verdict"]) for job in ended] == [(0, "succeeded")] * 10, [
        job.stdout for job in ended if job.code
    ]
    assert sum(job.changed > 0 for job in ended) == 1
    assert (promotions.syncs, len(promotions.server.sent())) == (1, 2)

    wrong = {"LOCKSTEP_LEDGER": database, "LOCKSTEP_LEDGER_PASSWORD": f"{PASSWORD}, but not quite"}
    refused = promotions("-vvv", survey={"release": "r2"}, credentials=wrong, **given)
    assert refused.code == 2, refused.stdout
    assert database in refused.one_line
    assert len(promotions.server.sent()) == 2
    check_nothing_is_left(promotions, promotions.server.token, PASSWORD, *HOOK)
