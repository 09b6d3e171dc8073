# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another provider takes a folder, a module with its action plugin, and a documentation fragment. Nothing else is edited.

The files are in ``fifth_provider``, the service is ``tests/unit/plugins/support/mirrors.py`` on a real HTTP server.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from tests.unit.plugins.support.mirrors import TOKEN, Mirrors
from tests.unit.plugins.support.web import Web

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).with_name("fifth_provider")
MODULE = "lockstep.sync.fifth_mirror_sync"


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for ``ANSIBLE_COLLECTIONS_PATH``, with the collection and the files of the provider."""
    directory = tmp_path_factory.mktemp("collections")
    root = directory / "ansible_collections" / "lockstep" / "sync"
    for name in ("plugins", "roles", "playbooks", "meta"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", root)
    before = {path for path in root.rglob("*") if path.is_file()}
    shutil.copytree(FILES, root / "plugins", dirs_exist_ok=True)
    added = root / "plugins" / "module_utils" / "_providers" / "fifth" / "provider.py"
    shutil.copy(ROOT / "tests" / "unit" / "plugins" / "support" / "fifth.py", added)
    assert len(list(FILES.rglob("*.py"))) + 1 == len({path for path in root.rglob("*") if path.is_file()} - before)
    return directory


class Lab:
    """The service, and programs of Ansible that use the copied collection."""

    def __init__(self, environment: dict[str, str], collections: Path, folder: Path) -> None:
        self.service = Mirrors(SystemClock())
        self.service.duration = 0.3
        self.web = Web(self.service.respond)
        self.folder = folder
        self.environment = {
            **environment,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_NOCOLOR": "1",
            "FIFTH_URL": self.web.url,
            "FIFTH_TOKEN": TOKEN,
        }

    def ansible(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name(program)), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def play(self, *tasks: Json) -> list[Json]:
        """Run tasks on localhost; returns their results."""
        names = [f"result{number}" for number in range(len(tasks))]
        kept = "[" + ", ".join(names) + "]"
        keep = {"ansible.builtin.copy": {"content": f"{{{{ {kept} | to_json }}}}", "dest": str(self.folder / "results.json")}}
        registered = [{**task, "register": name} for task, name in zip(tasks, names, strict=True)]
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [*registered, keep]}
        (self.folder / "play.json").write_text(json.dumps([play]))
        done = self.ansible("ansible-playbook", "-vvv", "play.json")
        assert done.returncode == 0, done.stdout + done.stderr
        self.output = done.stdout
        results: list[Json] = json.loads((self.folder / "results.json").read_text())
        return results

    @property
    def posts(self) -> list[str]:
        return [request.path for request in self.web.log if request.method == "POST"]


@pytest.fixture
def lab(environment: dict[str, str], collections: Path, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(environment, collections, tmp_path)
    yield lab
    lab.web.stop()


#: The same Python by a name that the action plugin cannot know to be the same, so that the module gets a process of its own.
ANOTHER_NAME = str(Path(sys.executable).with_name(f"python{sys.version_info.major}.{sys.version_info.minor}"))


def test_its_module_syncs_and_sync_wait_takes_its_handle(lab: Lab) -> None:
    synced, remote, started, waited = lab.play(
        {MODULE: {"mirror": "seven"}},
        {MODULE: {"mirror": "eight"}, "vars": {"ansible_python_interpreter": ANOTHER_NAME}},
        {MODULE: {"mirror": "nine", "wait": False}},
        {"lockstep.sync.sync_wait": {"handles": "{{ result2.syncs | map(attribute='handle') | list }}"}},
    )

    assert lab.posts == ["/mirrors/7/refresh", "/mirrors/8/refresh", "/mirrors/9/refresh"]
    assert "AnsiballZ_fifth_mirror_sync" in lab.output
    for result in (synced, remote):
        (record,) = result["syncs"]
        assert (record["provider"], record["action"], record["state"]) == ("fifth", "triggered", "succeeded")
        assert record["detail"]["files"] == ["a", "b"]
    assert started["syncs"][0]["state"] == "running"
    (record,) = waited["syncs"]
    assert (record["provider"], record["action"], record["state"]) == ("fifth", "joined", "succeeded")


@pytest.mark.long
def test_it_can_be_promoted(lab: Lab, tmp_path: Path) -> None:
    targets = [{"provider": "fifth", "options": {"mirror": "seven"}}]
    report = tmp_path / "report.json"
    variables = {"targets": targets, "release": "r1", "report_path": str(report)}
    # not the playbook of the collection, which does not have Ansible check the variables by the documentation of the role
    role = {
        "role": "lockstep.sync.staging_promotion",
        **{f"staging_promotion_{name}": value for name, value in variables.items()},
    }
    (tmp_path / "promote.json").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "roles": [role]}]))
    command = ("ansible-playbook", "promote.json")

    first = lab.ansible(*command)
    assert first.returncode == 0, first.stdout + first.stderr
    found = json.loads(report.read_text())
    assert (found["verdict"], found["targets"][0]["provider"], found["changed"]) == ("succeeded", "fifth", True)
    assert lab.posts == ["/mirrors/7/refresh"]

    second = lab.ansible(*command)
    assert second.returncode == 0, second.stdout + second.stderr
    assert json.loads(report.read_text())["changed"] is False
    assert lab.posts == ["/mirrors/7/refresh"]


def test_its_documentation_is_read(lab: Lab, collections: Path) -> None:
    done = lab.ansible("ansible-doc", "--json", MODULE)
    documentation = json.loads(done.stdout)[MODULE]["doc"]

    assert documentation["filename"].startswith(str(collections))
    assert {"mirrors", "token", "release", "wait_timeout", "validate_certs"} <= set(documentation["options"])
