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

from ansible_collections.lockstep.sync.plugins.action import reconciliation_files
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.files import sibling_paths
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.task_files import Files, LocalFiles, RemoteFiles

Json = dict[str, t.Any]


def take(step: str, files: Files, **options: t.Any) -> Json:
    return reconciliation_files.STEPS[step](files, options)


class Modules:
    """Stands in for the modules of Ansible: notes what is asked of them."""

    def __init__(self, **result: t.Any) -> None:
        self.result = result
        self.calls: list[tuple[str, Json]] = []

    def __call__(self, name: str, options: Json) -> Json:
        self.calls.append((name, options))
        return self.result


def test_here_they_are_files(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "made" / "on the way" / "report.json"
    take("prepare", LocalFiles(), path=str(path))
    take("write", LocalFiles(), path=str(path), contents=["{}\n", "# é\n", "<p>"])
    assert [(tmp_path / name).read_text() for name in map(str, sibling_paths(str(path)))] == ["{}\n", "# é\n", "<p>"]
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["report.html", "report.json", "report.md"]
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()} == {0o600}


def test_here_results_are_read_in_order_and_go_away(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = take("scratch", LocalFiles())["path"]
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    for number in range(11):
        pathlib.Path(folder, f"{number}.json").write_text(json.dumps({"number": number}))
    read = take("read", LocalFiles(), path=folder, count=11)
    assert [result["number"] for result in read["contents"]] == list(range(11))
    for _again in range(2):
        assert take("remove", LocalFiles(), path=folder) == {}
        assert not os.path.exists(folder)


def test_a_relative_path_and_a_home_are_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    take("write", LocalFiles(), path="plain", contents=["1", "2", "3"])
    take("write", LocalFiles(), path="~/reports/it.json", contents=["1", "2", "3"])
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == {
        *("plain", "plain.md", "plain.html"),
        *("home/reports/it.json", "home/reports/it.md", "home/reports/it.html"),
    }


@pytest.mark.parametrize("step", ["prepare", "write"])
@pytest.mark.parametrize(("path", "reason"), [("taken/report.json", "taken is not a directory"), (".", "it is a directory")])
def test_a_report_that_cannot_be_written_is_a_bad_option(step: str, path: str, reason: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SyncError) as caught:
        take(step, LocalFiles(), path=str(tmp_path / path), contents=["", "", ""])
    assert caught.value.code == "invalid_option"
    assert caught.value.message.startswith(f"option dns_reconciliation_report_path: '{tmp_path / path}' cannot be written: ")
    assert reason in caught.value.message.lower()
    assert "Name a file" in caught.value.hint


@pytest.mark.parametrize("text", [None, "{", "\xff"])
def test_a_result_that_is_not_there_is_no_result(text: str | None, tmp_path: pathlib.Path) -> None:
    if text is not None:
        (tmp_path / "0.json").write_text(text, "latin-1")
    with pytest.raises(SyncError, match=r"0\.json") as caught:
        take("read", LocalFiles(), path=str(tmp_path), count=1)
    assert caught.value.code == "outcome_unknown"


def test_no_room_for_results(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(SyncError, match="No such file or directory") as caught:
        take("scratch", LocalFiles())
    assert "TMPDIR" in caught.value.hint


def test_there_modules_do_it() -> None:
    modules = Modules(path="/there/lockstep.x", content=base64.b64encode(b'{"a": 1}').decode())
    files = RemoteFiles(modules)
    take("prepare", files, path="/var/log/a.json")
    take("prepare", files, path="a.json")
    assert take("scratch", files) == {"path": "/there/lockstep.x"}
    assert take("read", files, path="/there/lockstep.x", count=1) == {"contents": [{"a": 1}]}
    assert take("remove", files, path="/there/lockstep.x") == {}
    take("write", files, path="a.json", contents=["1", "2", "3"])
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


def test_there_a_directory_is_no_report() -> None:
    modules = Modules(stat={"isdir": True})
    with pytest.raises(SyncError, match="it is a directory"):
        take("prepare", RemoteFiles(modules), path="/var/log")
    assert [name for name, dummy in modules.calls] == ["ansible.builtin.stat"]


def test_what_a_module_says_is_the_reason() -> None:
    files = RemoteFiles(Modules(failed=True, msg="disk full"))
    for step in ("prepare", "write", "scratch", "read"):
        with pytest.raises(SyncError, match="disk full"):
            take(step, files, path="/there/a.json", contents=["", "", ""], count=1)
    assert "disk full" in take("remove", files, path="/there")["warnings"][0]
