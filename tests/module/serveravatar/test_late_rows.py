# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A status row that moves later than ``settle_grace``: the release is not triggered a second time once the row has moved."""

from __future__ import annotations

from ..conftest import RunModule
from .server import SYNC, Server


def test_a_row_that_moved_after_the_task_had_ended(server: Server, run_module: RunModule) -> None:
    server.knob(status_row="frozen")
    options = server.options(settle_grace=0.5, release="r1")
    assert (run_module(SYNC, options).only["state"], server.accepted) == ("unknown", 1)
    server.control("PUT", "/applications/88/row", {"status": "Completed", "percent": 100, "updated_ago": 0})
    again = run_module(SYNC, options)
    assert (again.only["action"], again.failed, server.accepted) == ("skipped", False, 1)
    # what was synced is that release, and no other
    server.knob(status_row="moves")
    assert (run_module(SYNC, {**options, "release": "r2"}).only["action"], server.accepted) == ("triggered", 2)


def test_a_row_that_has_not_moved_by_then_either(server: Server, run_module: RunModule) -> None:
    server.knob(status_row="frozen")
    options = server.options(settle_grace=0.5, release="r1")
    assert [run_module(SYNC, options).only["action"] for _task in range(2)] == ["triggered", "triggered"]
    assert server.accepted == 2
