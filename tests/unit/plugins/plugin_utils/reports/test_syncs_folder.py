# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory next to the report of a reconciliation, which a run that was killed leaves behind."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import ReconciliationState
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.task_files import LocalFiles
from tests.unit.plugins.plugin_utils.reports.test_task_files import Services

NOW = "2026-11-28T21:00:00Z"


@pytest.mark.parametrize(("check_mode", "unfinished", "stays"), [(False, "", False), (True, "", True), (False, "compare", True)])
def test_the_last_report_of_the_next_run_removes_it(
    tmp_path: pathlib.Path, check_mode: bool, unfinished: str, stays: bool
) -> None:
    path, folder = tmp_path / "report.json", tmp_path / "report.syncs"
    folder.mkdir()
    (folder / "0.json").write_text("{}")
    state = ReconciliationState(check_mode, NOW, report_path=str(path), unfinished=unfinished)
    report = Services(LocalFiles()).write_report(state)
    assert (path.exists(), folder.exists()) == (True, stays)
    assert (report["verdict"] == "unknown", report["unfinished"] is not None) == (bool(unfinished), bool(unfinished))


def test_it_is_for_its_owner_alone_and_takes_the_place_of_an_old_one(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "report.syncs"
    folder.mkdir(mode=0o755)
    (folder / "7.json").write_text("{}")
    LocalFiles.make(str(folder))
    assert (folder.stat().st_mode & 0o777, [*folder.iterdir()]) == (0o700, [])
