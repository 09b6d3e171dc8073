# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bug of the role itself: ``internal_error``, with its traceback in the report and nowhere else."""

from __future__ import annotations

import json
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import InternalError, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions import run_module
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import phases
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import ModuleResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import PromotionServices, StepRequest, StepResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import RunState

Json = dict[str, Any]
TOKEN = "token-of-the-operator"
TARGET: Json = {"provider": "serveravatar", "options": {"application": "shop", "api_token": TOKEN}}


class Run:
    """A run of the role; each call of a module is a bug."""

    def __init__(self, directory: Path, report: bool = True) -> None:
        self.report = directory / "report.json"
        path = {"report_path": str(self.report)} if report else {}
        self.variables: Json = {"targets": [TARGET], "ledger": str(directory / "ledger.sqlite3"), **path}
        self.kept: list[RunState] = []
        self.services = PromotionServices(
            SystemClock(), self._call, self.kept.append, types.SimpleNamespace(), Redactor([]), (), str(directory)
        )

    def _call(self, module: str, options: Json, check_mode: bool) -> ModuleResult:
        raise KeyError(f"no {options['api_token']}")

    def read(self, names: Iterable[str]) -> Json:
        return {name: self.variables[name] for name in names if name in self.variables}

    def start(self) -> StepResult:
        return phases.start(self.services, self.read, False, lambda module, options: options)

    def take(self, step: str, state: RunState, **request: Any) -> StepResult:
        return phases.take_step(self.services, step, StepRequest(**request), state, self.read, lambda module, options: options)

    @property
    def written(self) -> Json:
        found: Json = json.loads(self.report.read_text())
        return found


@pytest.mark.parametrize("report", [True, False])
def test_a_bug_in_a_step_is_an_internal_error(tmp_path: Path, report: bool) -> None:
    run = Run(tmp_path, report)
    with pytest.raises(InternalError) as caught:
        run.take("inspect", run.start().state, target=0)
    assert "internal error in lockstep.sync (KeyError: " in caught.value.message
    where = f"The traceback is in {run.report}." if report else "set staging_promotion_report_path and run the task again."
    assert caught.value.hint.endswith(where)
    assert run.kept[-1].stopped and "in _call" in run.kept[-1].traceback

    ended = run.take("record_failure", run.kept[-1], message="Inspect targets: internal error").state
    ending = run.take("report", ended)
    assert "Traceback" not in json.dumps([ending.message, dict(ending.facts)])
    if report:
        assert (run.written["verdict"], run.written["error"]) == ("failed", "Inspect targets: internal error")
        assert "in _call" in run.written["traceback"]
        assert TOKEN not in "".join(path.read_text() for path in tmp_path.glob("report.*"))


def test_a_bug_before_there_are_targets_is_in_the_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(variables: object, complete: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(f"{phases.start.__module__}.read", broken)
    run = Run(tmp_path)
    begun = run.start()
    assert (begun.proceed, "ZeroDivisionError: oops" in begun.message) == (False, True)
    assert begun.message.endswith(f"The traceback is in {run.report}.")
    run.take("report", begun.state)
    assert "in broken" in run.written["traceback"]


def test_a_run_without_a_bug_has_no_traceback(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.variables["release"] = 2026.1
    run.take("report", run.start().state)
    assert (run.written["verdict"], run.written["traceback"]) == ("failed", None)


@pytest.mark.parametrize(
    ("error", "code"),
    [(AnsibleConnectionFailure("no route."), "connection_failed"), (AnsibleError("'key' is undefined"), "invalid_option")],
)
def test_what_ansible_cannot_run_is_no_bug(monkeypatch: pytest.MonkeyPatch, error: AnsibleError, code: str) -> None:
    def fail(*dummy: object) -> None:
        raise error

    monkeypatch.setattr(run_module, "with_module_defaults", fail)
    with pytest.raises(SyncError) as caught:
        run_module.run_module(None, "staging_promotion_", "lockstep.sync.plm_storage_sync", {}, {})
    assert (caught.value.code, "plm_storage_sync cannot be run: " in caught.value.message) == (code, True)
    assert not isinstance(caught.value, InternalError)
