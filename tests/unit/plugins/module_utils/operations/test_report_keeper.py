# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a task at work never takes the place of the last one."""

from __future__ import annotations

from ansible_collections.lockstep.sync.plugins.module_utils._operations.unfinished import ReportKeeper


def test_a_thread_that_comes_to_its_trigger_after_the_end_writes_nothing() -> None:
    written: list[str] = []
    keeper = ReportKeeper(lambda: written.append("unfinished"))
    with keeper.keeping():
        pass
    before = list(written)
    keeper.before_trigger()
    keeper.moved()
    assert written == before == ["unfinished"]


def test_the_first_trigger_waits_for_the_report_and_the_others_do_not_write_it_again() -> None:
    written: list[str] = []
    keeper = ReportKeeper(lambda: written.append("unfinished"), interval=3600)
    with keeper.keeping():
        keeper.before_trigger()
        keeper.before_trigger()
    assert len(written) == 2
