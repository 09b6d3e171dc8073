# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables on terminals of 80 columns."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.console import table_width, terminal_columns
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_table import promotion_table
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_table import reconciliation_table
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.table import MAX_LINES, MAX_WIDTH, width


def zones(name: str, count: int = 1) -> dict[str, t.Any]:
    drift = {"creates": 1, "updates": 20, "deletes": 3, "digest": "8875298edb71" * 2, "in_sync": False}
    zone = {"zone": name, "verdict": "drift", "action": "would_trigger", "guards": [], "drift": drift}
    return {"zones": [zone] * count, "summary": {"creates": count, "updates": 20 * count, "deletes": 3 * count}}


def test_what_fits_stays_on_one_line() -> None:
    assert reconciliation_table(zones("a.example."), table_width(80)) == [
        "zone        action         +   ~  -  guard  digest        verdict",
        "a.example.  would_trigger  1  20  3  ok     8875298edb71  drift",
        "1 zone: 1 create, 20 updates, 3 deletes",
    ]


def test_names_that_do_not_fit_have_a_line_of_their_own() -> None:
    report = zones("intranet.branch-office.example.com.")
    assert reconciliation_table(report, table_width(80)) == [
        "zone",
        "  action         +   ~  -  guard  digest        verdict",
        "intranet.branch-office.example.com.",
        "  would_trigger  1  20  3  ok     8875298edb71  drift",
        "1 zone: 1 create, 20 updates, 3 deletes",
    ]
    # where there is no terminal, and on wide ones, a row is a line
    for columns in (None, 120):
        assert len(reconciliation_table(report, table_width(columns))) == 3


def test_narrow_tables_keep_their_size() -> None:
    lines = reconciliation_table(zones("intranet.branch-office.example.com.", 70), table_width(80))
    assert len(lines) <= MAX_LINES and lines[-2:] == ["… and 42 more", "70 zones: 70 creates, 1400 updates, 210 deletes"]
    check = {"name": "target", "ok": True}
    target = {"name": "a name of a shop that is very long", "provider": "serveravatar", "verdict": "planned", "checks": [check]}
    promoted = promotion_table({"targets": [{**target, "plan": {"action": "would_trigger"}}]}, table_width(80))
    assert promoted[2] == target["name"] and max(map(width, [*lines, *promoted])) <= 69


@pytest.mark.parametrize(("columns", "expected"), [(None, MAX_WIDTH), (20, 60), (80, 69), (300, MAX_WIDTH)])
def test_width_by_the_terminal(columns: int | None, expected: int) -> None:
    assert table_width(columns) == expected


def test_terminals_and_what_is_none() -> None:
    leader, follower = pty.openpty()
    reading, writing = os.pipe()
    try:
        assert terminal_columns(follower) is None
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 93, 0, 0))
        assert terminal_columns(follower) == 93
        assert terminal_columns(writing) is None
    finally:
        for file in (leader, follower, reading, writing):
            os.close(file)
