# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, invalid_option, wrap_unexpected
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import harmless_json
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import failed_task_text
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.action_services import ActionServices
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.compare import check_batch, compare
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.fact import report_fact
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.find_zones import begin, find_zones
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.notify import NotifyOutcome, notify
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.report import ReconciliationReport, build_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.services import (
    PhaseOutcome,
    ReconciliationPhase,
    with_failure,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import PREFIX, notify_settings, read
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import ReconciliationState
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.sync import sync, verify
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports import console
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.links import with_documentation
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_table import reconciliation_table

Result = dict[str, object]

#: The phases between the first and the last step. The tasks of the role are their order.
PHASES: t.Mapping[str, ReconciliationPhase] = {
    "find_zones": find_zones,
    "compare": compare,
    "check_batch": check_batch,
    "sync": sync,
    "verify": verify,
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """One step of role dns_reconciliation. Between the steps, what is known lies in a file, see ``_state_path``."""

    _supports_check_mode = True
    _VALID_ARGS = frozenset({"step"})

    def run(self, tmp: object = None, task_vars: t.Mapping[str, object] | None = None) -> Result:
        result: Result = super().run(tmp, task_vars)
        variables = task_vars or {}
        services = ActionServices(self, variables)
        self._host = str(variables.get("inventory_hostname"))
        step = str(self._task.args.get("step"))
        try:
            with wrap_unexpected():
                return {**result, **harmless_json(self._take(step, services, variables))}
        except SyncError as error:
            if step in PHASES:
                # the next task may not be that of the rescue section: the play may ignore errors
                self._keep(PhaseOutcome(with_failure(self._load(), error), "", False))
            failed = {"failed": True, "proceed": False, "ok": False, "msg": error.coded_text, "failure": error.as_failure()}
            return {**result, **harmless_json(failed)}

    def _take(self, step: str, services: ActionServices, task_vars: t.Mapping[str, object]) -> Result:
        if step == "begin":
            # variable ansible_check_mode is that of the whole play, and not of a task, a block or a role
            begun = begin(services.variables(), bool(self._task.check_mode), services)
            return self._keep_and_report(step, begun, services)
        state = self._load()
        if step == "report":
            report = services.write_report(state)
            fact = report_fact(report)
            # a verdict that is a failure is for the last task of the role to show
            shown: Result = {**fact, "changed": False, "msg": report["message"], "notify": state.notify}
            left_out = len(report["digests"]) - len(fact["digests"])
            problem = f"the digests of {left_out} plans are too long to be passed on, and in the files of the report only"
            return {**shown, "warnings": [problem]} if left_out else shown
        if step == "notify":
            return _notified(notify(build_report(state, services.now()), notify_settings(services.variables().values)))
        if step == "show":
            return _shown(build_report(state, services.now()))
        if step == "record_failure":
            noted = state.with_error(failed_task_text(task_vars))
            return self._keep(PhaseOutcome(noted, noted.error, False))
        if step not in PHASES:
            raise invalid_option("step", step, "is not a step of the role", f"Use the role {PREFIX.rstrip('_')}.")
        return self._keep_and_report(step, PHASES[step](state, read(services.variables().values), services), services)

    def _keep_and_report(self, step: str, outcome: PhaseOutcome, services: ActionServices) -> Result:
        """What is kept for the next step is in the report, too, in case that it is never taken."""
        result = self._keep(outcome)
        if outcome.proceed:
            try:
                services.write_report(dataclasses.replace(outcome.state, unfinished=step))
            except SyncError as error:
                # before anything is sent it is written again, and then it has to succeed
                result["warnings"] = [*outcome.warnings, error.coded_text]
        return result

    def _keep(self, outcome: PhaseOutcome) -> Result:
        path = self._state_path()
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            # at once, which takes a fifth of the time of json.dump
            file.write(json.dumps(outcome.state.to_json()))
        os.replace(f"{path}.new", path)
        result: Result = {"changed": outcome.changed, "proceed": outcome.proceed, "msg": outcome.message}
        if outcome.diff and self._task.diff:
            result["diff"] = list(outcome.diff)
        if outcome.warnings:
            result["warnings"] = list(outcome.warnings)
        return result

    def _load(self) -> ReconciliationState:
        with open(self._state_path(), encoding="utf-8") as file:
            return ReconciliationState.from_json(json.load(file))

    def _state_path(self) -> str:
        # Ansible makes this directory for the time of one run, for its user alone, and removes it at the end
        host = hashlib.sha256(self._host.encode()).hexdigest()[:16]
        return os.path.join(constants.DEFAULT_LOCAL_TMP, f"lockstep-reconciliation-{host}.json")


def _notified(outcome: NotifyOutcome) -> Result:
    result: Result = {"changed": False, "skipped": not outcome.sent, "msg": outcome.message}
    return {**result, "warnings": list(outcome.warnings)} if outcome.warnings else result


def _shown(report: ReconciliationReport) -> Result:
    """The result of the last task, which fails where the report says so."""
    # printed line by line, whatever the verbosity, also where the task fails
    shown: Result = {"changed": False, "msg": report["message"], "table": reconciliation_table(report, console.WIDTH)}
    codes = [report["error_code"], *(zone["failure"]["code"] for zone in report["zones"] if zone["failure"])]
    return {**with_documentation(shown, codes), "failed": not report["ok"], "_ansible_verbose_always": True}
