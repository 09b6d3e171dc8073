# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The statement in the guide to the ledger that gives up the lock of a run by hand."""

from __future__ import annotations

import contextlib
import pathlib
import re
import sqlite3

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import LockHeld, PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.databases import Database, PostgresqlDatabase, cluster
from tests.unit.plugins.support.promotion_users import KEY, OTHER
from tests.unit.plugins.support.promotions import begin

GUIDE = pathlib.Path(__file__).parents[5] / "docs" / "ledger.md"


def give_up(database: Database, run: str) -> None:
    """What the guide says, in the shell of the database."""
    (statement,) = re.findall(r"```sql\n(UPDATE promotions .*)\n```", GUIDE.read_text())
    statement = statement.replace("RUN", run)
    if isinstance(database, PostgresqlDatabase):
        with contextlib.closing(cluster().connect(database.name)) as db:
            db.execute(statement.replace("promotions", "lockstep.promotions").encode())
    else:
        with contextlib.closing(sqlite3.connect(database.location, isolation_level=None)) as file:
            file.execute(statement)


def test_the_next_run_resumes_at_once_and_the_other_one_stops(store: PromotionStore, database: Database, me: Owner) -> None:
    begin(store, "r1", me)
    store.begin("r0", {OTHER: "blog"}, "1", me)
    with pytest.raises(LockHeld, match="run r1 of"):
        begin(store, "r2", me)
    give_up(database, "r1")
    begun = begin(store, "r2", me)
    assert begun.taken_over is not None
    assert (begun.taken_over.reason, begun.resumed) == ("unlocked", "lock")
    with pytest.raises(SyncError, match="run r1 lost its lock on shop") as caught:
        store.advance("r1", KEY, "sync")
    assert (caught.value.code, store.renew("r1")) == ("busy", 0)
    # that of another run is as it was
    assert store.renew("r0") == 1
