# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The modules, the inventory, the clock and the files that the phases need, by means of an action plugin."""

from __future__ import annotations

import json
import typing as t

from ansible.inventory.manager import InventoryManager

from ...module_utils._core.clock import SystemClock, isoformat
from ...module_utils._core.errors import SyncError, invalid_option, place_of_traceback
from ...module_utils._core.redact import harmless_json
from .._actions.role_variables import RoleVariables, evaluate_role_variables, unknown_variable
from .._actions.run_module import run_module
from .._reports.files import sibling_paths, syncs_folder
from .._reports.reconciliation_markdown import reconciliation_markdown
from .._reports.reconciliation_page import reconciliation_page
from .._reports.task_files import Files, LocalFiles, RemoteFiles
from .report import ReconciliationReport, build_report
from .settings import INTERNAL, PREFIX, VARIABLES, Options, name_variables
from .state import ModuleAnswer, ReconciliationState

Variables = t.Mapping[str, object]
Groups = t.Mapping[str, t.Sequence[str]]


class ActionServices:
    """What an action plugin has at hand. Modules run where and as its task runs.

    :param action: the plugin; ansible-core ships no types.
    """

    def __init__(self, action: t.Any, task_vars: Variables) -> None:
        self._action = action
        self._task_vars = task_vars
        self._files = self._files_of_task()

    def variables(self) -> RoleVariables:
        """Those of the role."""
        found = evaluate_role_variables(self._action, self._task_vars, PREFIX, VARIABLES)
        unknown = unknown_variable(self._task_vars, PREFIX, VARIABLES, INTERNAL, {})
        return found._replace(problem=unknown or found.problem)

    def now(self) -> str:
        return str(isoformat(SystemClock().now()))

    def hosts(self, group: str) -> t.Sequence[str]:
        """Those of an inventory group that ``--limit`` leaves.

        :raises SyncError: ``invalid_option`` if it leaves none.
        """
        groups = t.cast(Groups, self._task_vars.get("groups") or {})
        names, limit = groups.get(group, ()), self._task_vars.get("ansible_limit")
        if not names or not limit:
            return names
        kept = limited(self._action._loader, names, str(limit), groups)
        if not kept:
            remedy = f"Add zones to it, for example --limit 'localhost,{names[0]}', or leave it out."
            raise SyncError("invalid_option", f"--limit {limit} leaves no host of group {group}", remedy)
        return kept

    def list_zones(self, options: Options) -> t.Sequence[str]:
        answer = self._run("lockstep.sync.vinyldns_zone_info", {**options, "drift": "none", "details": False})
        if answer.get("failed"):
            failure = t.cast("t.Mapping[str, str]", answer.get("failure") or {})
            message = str(failure.get("message") or answer.get("msg") or "the zones cannot be listed")
            error = SyncError(failure.get("code", "invalid_option"), message, failure.get("hint", ""))
            error.traceback_text = str(answer.get("traceback") or "")
            raise error
        return [str(zone["zone"]) for zone in t.cast("t.Sequence[Variables]", answer["zones"])]

    def sync_zones(self, options: t.Sequence[Options], check_mode: bool) -> t.Sequence[ModuleAnswer]:
        """The results go through files: those that modules return are cut where they are long.

        Those of syncs are next to the report, where they are left if the run is killed.
        """
        folder, answers = self._scratch() if check_mode else self._folder_for_syncs(), []
        try:
            for number, task_options in enumerate(options):
                answers.append(self._sync(f"{folder}/{number}.json", task_options, check_mode))
        finally:
            warning = self._remove(folder)
        if warning and answers:
            answers[-1]["warnings"] = [*answers[-1].get("warnings", ()), warning]
        return answers

    def _remove(self, folder: str) -> str:
        """Remove a directory; returns a warning if it cannot be, since what was found is of more interest."""
        try:
            self._files.remove(folder)
        except OSError as error:
            return f"{folder} cannot be removed: {_reason(error)}"
        return ""

    def _sync(self, path: str, options: Options, check_mode: bool) -> ModuleAnswer:
        answer = t.cast(
            "ModuleAnswer",
            self._run("lockstep.sync.vinyldns_zone_sync", {**options, "report_path": path}, check_mode),
        )
        # what Ansible itself refuses has no report
        if "syncs" not in answer:
            return self._with_place_of_traceback(answer)
        try:
            whole = t.cast("ModuleAnswer", json.loads(self._files.read(path)))
        except (OSError, ValueError) as error:
            problem = f"the full result of a task cannot be read from {path}: {_reason(error)}"
            raise SyncError("outcome_unknown", problem, "Run the playbook again: nothing is triggered twice.") from error
        if _targets(whole) != _targets(answer):
            problem = f"{path} has the result of another run, which writes its report to the same place at the same time"
            raise SyncError(
                "outcome_unknown", problem, f"Give each run a {PREFIX}report_path of its own, and run this one again."
            )
        whole["diff"], whole["warnings"] = answer.get("diff", ()), answer.get("warnings", ())
        return self._with_place_of_traceback(whole)

    def _with_place_of_traceback(self, answer: ModuleAnswer) -> ModuleAnswer:
        """The same answer; hints of failures that are bugs of the collection name the report of the role."""
        if "failure" in answer and "traceback" in answer:
            answer["failure"]["traceback"] = answer["traceback"]
        for failure in (answer.get("failure"), *(record["failure"] for record in answer.get("syncs", ()))):
            if failure and "traceback" in failure:
                path = self.variables().values.get("report_path")
                place = place_of_traceback(str(path) if path else None, f"{PREFIX}report_path")
                failure["hint"] = f"{failure['hint']} {place}"
        return answer

    def check_report(self, path: str) -> None:
        try:
            self._files.probe(path)
        except OSError as error:
            raise _unwritable(path, error) from error

    def write_report(self, state: ReconciliationState) -> ReconciliationReport:
        report = t.cast("ReconciliationReport", harmless_json(t.cast("dict[str, t.Any]", build_report(state, self.now()))))
        if state.report_path:
            text = json.dumps(report, indent=4, sort_keys=True, ensure_ascii=False)
            path = state.report_path
            self.write_files(path, (f"{text}\n", reconciliation_markdown(report, path), reconciliation_page(report, path)))
        if state.report_path and not state.unfinished and not state.check_mode:
            # left by a run that was killed, if this one had nothing to sync
            self._remove(syncs_folder(self._files.prepare(state.report_path)))
        return report

    def write_files(self, path: str, contents: t.Sequence[str]) -> None:
        """Write the JSON, the Markdown and the HTML file of a report.

        :raises SyncError: ``invalid_option``.
        """
        try:
            self._files.write(zip(sibling_paths(self._files.prepare(path)), contents))
        except OSError as error:
            raise _unwritable(path, error) from error

    def _folder_for_syncs(self) -> str:
        path = str(self.variables().values.get("report_path") or "")
        if not path:
            return self._scratch()
        try:
            folder = syncs_folder(self._files.prepare(path))
            self._files.make(folder)
        except OSError as error:
            raise _unwritable(path, error) from error
        return folder

    def _scratch(self) -> str:
        try:
            return self._files.scratch()
        except OSError as error:
            problem = f"a temporary directory cannot be made: {_reason(error)}"
            raise SyncError("invalid_option", problem, "Set TMPDIR to a directory that this user may write to.") from error

    def _run(self, name: str, options: Options, check_mode: bool | None = None) -> dict[str, object]:
        answer = run_module(self._action, PREFIX, name, options, self._task_vars, check_mode)
        if "msg" in answer:
            answer["msg"] = name_variables(str(answer["msg"]))
        failure = t.cast("t.Mapping[str, object] | None", answer.get("failure"))
        if failure:
            answer["failure"] = {**failure, "message": name_variables(str(failure["message"]))}
        return answer

    def _files_of_task(self) -> Files:
        connection = self._action._connection
        if connection.transport == "local" and not connection.become:
            return LocalFiles()
        # a run in check mode has a report, too
        return RemoteFiles(lambda name, options: self._run(name, options, check_mode=False))


def limited(loader: t.Any, names: t.Sequence[str], limit: str, groups: Groups) -> list[str]:
    """The hosts that a limit leaves of some, as Ansible understands limits.

    :param loader: of Ansible, which ships no types.
    :param groups: all hosts by their groups.
    """
    inventory = InventoryManager(loader, parse=False)
    for group, hosts in groups.items():
        inventory.add_group(group)
        for host in hosts:
            inventory.add_host(host, group)
    inventory.subset(limit)
    kept = {host.name for host in inventory.list_hosts("all")}
    return [name for name in names if name in kept]


def _targets(answer: ModuleAnswer) -> list[str]:
    return [record["target"] for record in answer.get("syncs", ())]


def _unwritable(path: str, error: OSError) -> SyncError:
    remedy = "Name a file in a directory that this user may write to."
    return invalid_option(f"{PREFIX}report_path", path, f"cannot be written: {_reason(error)}", remedy)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
