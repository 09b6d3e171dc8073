# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs of role dns_reconciliation with the same report: one does not take the result of the other one for its own."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import RoleVariables
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.task_files import LocalFiles

from .test_task_files import Json, Services


def records(*zones: str) -> list[Json]:
    return [{"target": zone, "failure": None} for zone in zones]


def services_with(monkeypatch: pytest.MonkeyPatch, report: pathlib.Path, *there: str) -> Services:
    """A run that syncs ``a.``, and finds the result of these zones in its place."""

    def answer(number: int, options: Json) -> Json:
        pathlib.Path(t.cast(str, options["report_path"])).write_text(json.dumps({"syncs": records(*there)}))
        return {"syncs": records("a.")}

    services = Services(LocalFiles(), answer)
    monkeypatch.setattr(services, "variables", lambda: RoleVariables({"report_path": str(report)}, None))
    return services


@pytest.mark.parametrize("there", [("b.",), (), ("a.", "b.")])
def test_the_result_of_another_run(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, there: tuple[str, ...]) -> None:
    services = services_with(monkeypatch, tmp_path / "report.json", *there)
    with pytest.raises(SyncError, match=r"report\.syncs/0\.json has the result of another run") as caught:
        services.sync_zones([{"zones": ["a."]}], False)
    assert caught.value.code == "outcome_unknown" and "dns_reconciliation_report_path of its own" in caught.value.hint


def test_its_own_result(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    (answer,) = services_with(monkeypatch, tmp_path / "report.json", "a.").sync_zones([{"zones": ["a."]}], False)
    assert [record["target"] for record in answer["syncs"]] == ["a."]
