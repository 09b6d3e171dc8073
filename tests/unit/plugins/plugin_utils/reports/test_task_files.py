# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files where a task runs, and what role dns_reconciliation does with them."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import stat
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import RoleVariables
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.action_services import ActionServices
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.files import sibling_paths
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.task_files import Files, LocalFiles, RemoteFiles

Json = dict[str, t.Any]

#: answers for the sync module, by the number of the task
Respond = t.Callable[[int, Json], Json]


class Connection:
    transport = "local"
    become = None


class Action:
    """Stands in for the action plugin."""

    _connection = Connection()


class Services(ActionServices):
    """With these files, and with ``answer`` instead of the sync module."""

    def __init__(self, files: Files, answer: Respond = lambda number, options: {}) -> None:
        super().__init__(Action(), {})
        self._files = files
        self._answer = answer
        self.count = 0

    def _run(self, name: str, options: t.Mapping[str, object], check_mode: bool | None = None) -> dict[str, object]:
        self.count += 1
        return self._answer(self.count - 1, dict(options))


class Modules:
    """Stands in for the modules of Ansible: notes what is asked of them."""

    def __init__(self, **result: t.Any) -> None:
        self.result = result
        self.calls: list[tuple[str, Json]] = []

    def __call__(self, name: str, options: Json) -> Json:
        self.calls.append((name, options))
        return self.result


def reporting(text: str | None = None) -> Respond:
    """A module that returns less than it writes to its report."""

    def answer(number: int, options: Json) -> Json:
        whole = json.dumps({"syncs": [{"target": f"{number}.", "failure": None}], "summary": {"requests": number}})
        if text != "nothing":
            pathlib.Path(options["report_path"]).write_text(whole if text is None else text, "latin-1")
        return {"syncs": [{"target": f"{number}."}], "warnings": ["cut"], "diff": [{"before": "", "after": ""}], "changed": True}

    return answer


def test_on_this_machine_they_are_files(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "made" / "on the way" / "report.json"
    services = Services(LocalFiles())
    services.check_report(str(path))
    services.write_files(str(path), ["{}\n", "# é\n", "<p>"])
    assert [(tmp_path / name).read_text() for name in map(str, sibling_paths(str(path)))] == ["{}\n", "# é\n", "<p>"]
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["report.html", "report.json", "report.md"]
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()} == {0o600}


def test_full_results_are_read_in_order_and_go_away(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    modes = []

    def answer(number: int, options: Json) -> Json:
        modes.append(stat.S_IMODE(os.stat(os.path.dirname(options["report_path"])).st_mode))
        return reporting()(number, options)

    answers = Services(LocalFiles(), answer).sync_zones([{"zones": [str(number)]} for number in range(11)], True)
    assert [item["syncs"][0]["target"] for item in answers] == [f"{number}." for number in range(11)]
    assert answers[7]["summary"] == {"requests": 7}
    assert (answers[0]["warnings"], answers[0]["diff"]) == (["cut"], [{"before": "", "after": ""}])
    assert set(modes) == {0o700}
    assert list(tmp_path.iterdir()) == []


def test_the_traceback_of_a_bug_is_in_the_report_of_the_role(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def answer(number: int, options: Json) -> Json:
        failure = {"code": "internal_error", "message": "", "http_status": None, "hint": "Report it."}
        failure["traceback"] = "Traceback: here"
        pathlib.Path(options["report_path"]).write_text(json.dumps({"syncs": [{"target": "a.", "failure": failure}]}))
        return {"syncs": [{"target": "a.", "failure": None}]}

    for variables, where in (
        ({"report_path": "/r.json"}, "in /r.json."),
        ({}, "set dns_reconciliation_report_path and run the task again."),
    ):
        services = Services(LocalFiles(), answer)
        monkeypatch.setattr(services, "variables", lambda variables=variables: RoleVariables(variables, None))
        (whole,) = services.sync_zones([{}], True)
        failure = whole["syncs"][0]["failure"]
        assert failure and failure["traceback"] == "Traceback: here"
        assert failure["hint"].startswith("Report it. ") and failure["hint"].endswith(where)


def test_what_ansible_refuses_has_no_report(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    refused = {"failed": True, "msg": "missing required arguments: api_url"}
    assert Services(LocalFiles(), lambda number, options: refused).sync_zones([{}], True) == [refused]
    assert list(tmp_path.iterdir()) == []


def test_a_relative_path_and_a_home_are_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    services = Services(LocalFiles())
    services.write_files("plain", ["1", "2", "3"])
    services.write_files("~/reports/it.json", ["1", "2", "3"])
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == {
        *("plain", "plain.md", "plain.html"),
        *("home/reports/it.json", "home/reports/it.md", "home/reports/it.html"),
    }


@pytest.mark.parametrize("step", ["check", "write"])
@pytest.mark.parametrize(("path", "reason"), [("taken/report.json", "taken is not a directory"), (".", "it is a directory")])
def test_a_report_that_cannot_be_written_is_a_bad_option(step: str, path: str, reason: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "taken").write_text("")
    services = Services(LocalFiles())
    with pytest.raises(SyncError) as caught:
        if step == "check":
            services.check_report(str(tmp_path / path))
        else:
            services.write_files(str(tmp_path / path), ["", "", ""])
    assert caught.value.code == "invalid_option"
    assert caught.value.message.startswith(f"option dns_reconciliation_report_path: '{tmp_path / path}' cannot be written: ")
    assert reason in caught.value.message.lower()
    assert "Name a file" in caught.value.hint


@pytest.mark.parametrize("text", ["nothing", "{", "\xff"])
def test_a_result_that_is_not_there_is_no_result(text: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SyncError, match=r"0\.json") as caught:
        Services(LocalFiles(), reporting(text)).sync_zones([{}], False)
    assert caught.value.code == "outcome_unknown"
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_results(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    services = Services(LocalFiles())
    with pytest.raises(SyncError, match="No such file or directory") as caught:
        services.sync_zones([{}], False)
    assert "TMPDIR" in caught.value.hint
    assert services.count == 0


def test_on_another_machine_modules_do_it() -> None:
    modules = Modules(path="/there/lockstep.x", content=base64.b64encode(b'{"syncs": [], "a": 1}').decode())
    services = Services(RemoteFiles(modules), lambda number, options: {"syncs": []})
    services.check_report("/var/log/a.json")
    services.check_report("a.json")
    assert services.sync_zones([{}], True) == [{"syncs": [], "a": 1, "diff": (), "warnings": ()}]
    services.write_files("a.json", ["1", "2", "3"])
    assert modules.calls == [
        ("ansible.builtin.stat", {"path": "/var/log/a.json"}),
        ("ansible.builtin.file", {"path": "/var/log", "state": "directory"}),
        ("ansible.builtin.tempfile", {"path": "/var/log", "prefix": ".lockstep."}),
        ("ansible.builtin.file", {"path": "/there/lockstep.x", "state": "absent"}),
        ("ansible.builtin.stat", {"path": "a.json"}),
        ("ansible.builtin.tempfile", {"path": ".", "prefix": ".lockstep."}),
        ("ansible.builtin.file", {"path": "/there/lockstep.x", "state": "absent"}),
        ("ansible.builtin.tempfile", {"state": "directory", "prefix": "lockstep."}),
        ("ansible.builtin.slurp", {"src": "/there/lockstep.x/0.json"}),
        ("ansible.builtin.file", {"path": "/there/lockstep.x", "state": "absent"}),
        ("ansible.builtin.copy", {"dest": "a.json", "content": "1", "mode": "0600"}),
        ("ansible.builtin.copy", {"dest": "a.md", "content": "2", "mode": "0600"}),
        ("ansible.builtin.copy", {"dest": "a.html", "content": "3", "mode": "0600"}),
    ]


def test_on_another_machine_a_directory_is_no_report() -> None:
    modules = Modules(stat={"isdir": True})
    with pytest.raises(SyncError, match="it is a directory"):
        Services(RemoteFiles(modules)).check_report("/var/log")
    assert [name for name, dummy in modules.calls] == ["ansible.builtin.stat"]


def test_the_message_of_a_module_is_the_reason() -> None:
    services = Services(RemoteFiles(Modules(failed=True, msg="disk full")))
    for step in (
        lambda: services.check_report("/there/a.json"),
        lambda: services.write_files("/there/a.json", ["", "", ""]),
        lambda: services.sync_zones([{}], False),
    ):
        with pytest.raises(SyncError, match="disk full"):
            step()


def test_a_directory_that_cannot_be_removed_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """What was found is of more interest."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    class Sticky(LocalFiles):
        def remove(self, folder: str) -> None:  # type: ignore[override]
            raise OSError(13, "Permission denied")

    (answer,) = Services(Sticky(), reporting()).sync_zones([{}], True)
    assert "cannot be removed: Permission denied" in answer["warnings"][-1]
