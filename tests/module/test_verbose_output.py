# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a playbook shows at its highest verbosity, in the process of the task, in one of a module, and asynchronously."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins.support.web import Reply, Web

from .conftest import RunModule
from .playbooks import PlaybookProcess

Json = dict[str, Any]
PASSWORD = "s3cret-canary"
ADDRESS = f"http://joe:{PASSWORD}@127.0.0.1:9/x"
#: a module with options that no run gets beyond, since an address has a password
REFUSED: list[tuple[str, Json]] = [
    ("plm_storage_sync", {"api_url": ADDRESS}),
    ("plm_storage_sync", {"api_url": "http://127.0.0.1:9", "notifications_url": ADDRESS.replace("http", "ws")}),
    ("plm_storage_sync_info", {"api_url": f"http://127.0.0.1:9/?token={PASSWORD}"}),
    ("plm_storage_sync_info", {"api_url": f"http://127.0.0.1:9/#{PASSWORD}"}),
    ("vinyldns_zone_sync", {"api_url": ADDRESS, "access_key": "a", "secret_key": "b", "zones": ["x."]}),
    ("vinyldns_zone_info", {"api_url": ADDRESS, "access_key": "a", "secret_key": "b"}),
    ("crafter_staging_sync", {"api_url": ADDRESS, "api_token": "a", "sites": ["x"]}),
    ("crafter_publishing_info", {"api_url": "http://127.0.0.1:9", "api_token": "a", "sites": ["x"], "published_repo": ADDRESS}),
    ("serveravatar_staging_info", {"api_url": ADDRESS, "api_token": "a", "organization": "5"}),
    ("sync_wait", {"handles": [{"provider": "plm"}], "connections": {"plm": {"api_url": ADDRESS}}}),
    ("http_probe", {"probes": [{"url": f"http://joe:{PASSWORD}@127.0.0.1:9/", "request_timeout": 0.5}], "timeout": 0}),
]
HARM = "\x1b[31m\x9b2J\x00\ud800"


@pytest.mark.parametrize("wrong", [False, True], ids=["as it is", "with an unknown option"])
@pytest.mark.parametrize(
    ("name", "options"), REFUSED, ids=[f"{name}-{number}" for number, (name, _options) in enumerate(REFUSED)]
)
def test_a_module_shows_no_password_of_an_address(run_module: RunModule, name: str, options: Json, wrong: bool) -> None:
    ran = run_module(name, {**options, **({"unknown_option": 1} if wrong else {})})
    assert ran.failed and ran.result["invocation"]["module_args"]
    assert PASSWORD not in ran.output


class Playbook:
    """Runs tasks on localhost with ``-vvvv``."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = {**environment, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(folder / "local")}
        self.environment["ANSIBLE_ASYNC_DIR"] = str(folder / "async")

    def run(self, tasks: list[Json]) -> tuple[str, Json]:
        """All output, and the results by their names."""
        shown = {str(task["register"]): f"{{{{ {task['register']} }}}}" for task in tasks}
        copy = {"ansible.builtin.copy": {"content": "{{ shown | to_json }}", "dest": "{{ dest }}"}, "vars": {"shown": shown}}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [*tasks, copy]}
        play["vars"] = {"ansible_python_interpreter": sys.executable}
        (self.folder / "play.json").write_text(json.dumps([play]))
        result, output = self.folder / "result.json", self.folder / "output"
        arguments = ["-vvvv", "-i", "localhost,", "-e", f"dest={result}", "play.json"]
        process = PlaybookProcess(arguments, self.environment, self.folder, output)
        try:
            process.wait(240)
        finally:
            process.kill()
        text = output.read_text()
        assert process.returncode == 0, text
        return text, json.loads(result.read_text())


@pytest.fixture
def playbook(tmp_path: Path, environment: dict[str, str]) -> Playbook:
    return Playbook(tmp_path, environment)


def here_and_later(name: str, options: Json) -> list[Json]:
    """A task in the process of its worker, and an asynchronous one, which is a module process."""
    ways: dict[str, Json] = {"here": {}, "later": {"async": 120, "poll": 1}}
    return [{f"lockstep.sync.{name}": options, "register": way, "ignore_errors": True, **more} for way, more in ways.items()]


def test_a_playbook_shows_no_password_of_an_address(playbook: Playbook) -> None:
    output, results = playbook.run(here_and_later("plm_storage_sync", {"api_url": ADDRESS}))
    assert [results[way]["failed"] for way in ("here", "later")] == [True, True]
    assert "the address carries credentials" in results["later"]["msg"]
    assert PASSWORD not in output and PASSWORD not in json.dumps(results)


def test_no_text_of_a_server_gets_to_the_console_as_it_is(playbook: Playbook) -> None:
    web = Web(lambda request: Reply(body={"state": f"up{HARM}"}))
    try:
        probe = {"url": web.url + "/", "json": [{"path": "state", "equals": "up"}]}
        output, results = playbook.run(here_and_later("http_probe", {"probes": [probe], "timeout": 0}))
    finally:
        web.stop()
    assert web.lines == ["GET /"] * 2
    for way in ("here", "later"):
        # the whole result is there
        assert "up\\u001b[31m\ufffd2J\\u0000\ufffd" in results[way]["probes"][0]["problems"][0]
    assert not [each for each in output if unicodedata.category(each) in ("Cc", "Cs") and each not in "\n\t\r"]
