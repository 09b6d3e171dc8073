# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A database whose disk is full: nothing is sent that could not be recorded, and nothing that was recorded is lost."""

from __future__ import annotations

import contextlib
import typing as t

import psycopg
import pytest

from tests.postgresql import Cluster
from tests.unit.plugins.support.lab import Lab, code, only


@pytest.fixture
def small() -> t.Iterator[Cluster]:
    """A server with a database on a file system of a few megabytes."""
    made = Cluster(disk="10m")
    with contextlib.closing(made.connect()) as db:
        db.execute(f"CREATE TABLESPACE small LOCATION '{made.disk}'".encode())
        db.execute("CREATE DATABASE ledger TABLESPACE small")
    yield made
    made.remove()


def fill(db: psycopg.Connection) -> None:
    """Take all that is left of the disk."""
    db.execute("CREATE TABLE filler (text TEXT)")
    for size in (100, 1):
        with pytest.raises(psycopg.errors.DiskFull):
            while True:
                db.execute("INSERT INTO filler SELECT repeat(md5(random()::text), 250) FROM generate_series(1, %s)", (size,))


def take_pages(lab: Lab) -> str | None:
    """Sync until the pages that the tables have are full, too; the code of the first failure."""
    for number in range(200):
        result = lab.run(release=f"full-{number}", force=True)
        if result.get("failed"):
            return code(result)
    return None


@pytest.mark.long
def test_nothing_is_sent_once_the_disk_is_full(small: Cluster, lab: Lab) -> None:
    lab.location = small.address("ledger")
    assert only(lab.run(release="1"))["state"] == "succeeded"
    with contextlib.closing(small.connect("ledger")) as db:
        fill(db)
        assert take_pages(lab) == "invalid_option"
        posts, sent = lab.posts, db.execute("SELECT count(*) FROM lockstep.runs WHERE state <> 'intended'").fetchone()
        result = lab.run(release="2")
        failure = only(result)["failure"]
        assert (only(result)["action"], lab.posts) == ("refused", posts)
        assert "No space left on device" in failure["message"]
        assert f"option ledger: {lab.location!r} cannot be used as the ledger" in failure["message"]
        # every run that was sent is known, and no other
        assert sent == (posts,)
        assert lab.ledger.release_done(lab.key, "1") is not None
        db.execute("DROP TABLE filler")
        # the space is free once the files are gone
        db.execute("CHECKPOINT")
    assert (only(lab.run(release="2"))["state"], lab.posts) == ("succeeded", posts + 1)
