# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a task is written however the task ends."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import typing as t

import pytest

from tests.unit.plugins.support.lab import ALL, Lab, code, only


class TestReport:
    def test_it_has_everything(self, lab: Lab) -> None:
        result = lab.run(mirrors=ALL, report_path=str(lab.report_path))
        assert lab.report["syncs"] == result["syncs"]
        assert lab.report["summary"] == result["summary"]
        assert (lab.report["changed"], lab.report["check_mode"]) == (True, False)
        assert lab.report["generated_at"]

    def test_it_is_for_its_owner_alone(self, lab: Lab) -> None:
        lab.report_path.write_text("old")
        lab.report_path.chmod(0o644)
        lab.run(report_path=str(lab.report_path))
        assert stat.S_IMODE(lab.report_path.stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        ("options", "failure"),
        [
            ({}, None),
            ({"check": True}, None),
            ({"mirrors": ["seventy"]}, "not_found"),
            ({"max_loss": -1}, "guard_refused"),
            ({"wait_timeout": 1}, "timed_out"),
            ({"wait_timeout": 1, "on_timeout": "warn"}, "timed_out"),
            ({"token": "wrong"}, "auth_failed"),
        ],
    )
    def test_it_is_written_however_the_task_ends(self, lab: Lab, options: dict[str, t.Any], failure: str | None) -> None:
        result = lab.run(report_path=str(lab.report_path), **options)
        assert code(result) == failure
        assert lab.report["syncs"] == result["syncs"]
        assert lab.report.get("failed") == result.get("failed")

    def test_it_is_written_for_invalid_options_too(self, lab: Lab) -> None:
        lab.run(report_path=str(lab.report_path), wait_timeout=1e12)
        assert (lab.report["failed"], lab.report["failure"]["code"]) == (True, "invalid_option")

    def test_one_that_cannot_be_written_fails_the_task_before_anything_is_sent(self, lab: Lab) -> None:
        for path in (lab.directory, lab.directory / "none" / "report.json"):
            result = lab.run(report_path=str(path))
            assert (result["failed"], result["failure"]["code"]) == (True, "invalid_option")
            assert "option report_path" in result["msg"]
        assert lab.web.log == []

    def test_one_that_cannot_be_written_any_more_is_no_secret(self, lab: Lab) -> None:
        directory = lab.directory / "reports"
        directory.mkdir()
        lab.service.before["GET /runs/1"] = functools.partial(shutil.rmtree, directory)
        result = lab.run(report_path=str(directory / "report.json"))
        assert (result["failed"], only(result)["state"]) == (True, "succeeded")
        assert "option report_path" in result["msg"]

    def test_no_half_of_it_is_left_behind(self, lab: Lab) -> None:
        lab.run(report_path=str(lab.report_path))
        assert not [name for name in os.listdir(lab.directory) if name.startswith(".lockstep")]
