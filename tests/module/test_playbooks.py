# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-playbook`` is forked for the tests, and does what it does from a plain start."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path

import pytest

from .playbooks import PlaybookProcess, start_from_scratch

FRESH = functools.partial(start_from_scratch, [])
#: what depends on settings, on variables of the environment and on the process
SHOWN = {
    "settings": "{{ [forks, home, callback] }}",
    "variables": "{{ [lookup('env', 'MINE'), lookup('env', 'PYTEST_CURRENT_TEST'), lookup('env', 'HOME')] }}",
    "place": "{{ lookup('pipe', 'pwd') }}",
    "module": "{{ probed.msg }}",
}
PLAY = [
    {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {
            "ansible_python_interpreter": sys.executable,
            "forks": "{{ lookup('config', 'DEFAULT_FORKS') }}",
            "home": "{{ lookup('config', 'ANSIBLE_HOME') }}",
            "callback": "{{ lookup('config', 'DEFAULT_STDOUT_CALLBACK') }}",
        },
        "tasks": [
            {"lockstep.sync.http_probe": {"sites": []}, "register": "probed", "ignore_errors": True},
            {"ansible.builtin.copy": {"content": "{{ shown | to_json }}", "dest": "{{ dest }}"}, "vars": {"shown": SHOWN}},
            {"ansible.builtin.fail": {"msg": "as it should"}},
        ],
    }
]


@pytest.mark.parametrize(("start", "numbers"), [(PlaybookProcess, (3, 4)), (FRESH, (3,))], ids=["forked", "from scratch"])
def test_a_playbook_finds_its_own_settings_and_nothing_of_the_tests(
    start: type[PlaybookProcess],
    numbers: tuple[int, ...],
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANSIBLE_FORKS", "99")
    (tmp_path / "play.json").write_text(json.dumps(PLAY))
    (tmp_path / "ansible.cfg").write_text("[defaults]\nstdout_callback = minimal\n")
    for number in numbers:
        result, temporary = tmp_path / f"result{number}.json", tmp_path / f"temporary{number}"
        own = {"ANSIBLE_FORKS": str(number), "MINE": f"{number}", "ANSIBLE_LOCAL_TEMP": str(temporary)}
        arguments = ["-i", "localhost,", "-e", f"dest={result}", "play.json"]
        process = start(arguments, {**environment, **own}, tmp_path, tmp_path / "output")
        assert process.wait(240) == 2, (tmp_path / "output").read_text()
        assert "as it should" in (tmp_path / "output").read_text()
        shown = json.loads(result.read_text())
        home = environment["HOME"]
        assert shown["settings"] == [number, f"{home}/.ansible", "minimal"]
        assert shown["variables"] == [str(number), "", home]
        assert shown["place"] == str(tmp_path)
        assert shown["module"]
        assert [*temporary.iterdir()] == []


def test_a_playbook_need_not_start_first(environment: dict[str, str], tmp_path: Path) -> None:
    """Libraries are there already, even if ansible-core is imported anew: it reads settings while it is imported."""
    (tmp_path / "play.json").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": []}]))
    traced = {**environment, "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local")}
    plugins = tmp_path / "callback_plugins"
    plugins.mkdir()
    (plugins / "imported.py").write_text(
        "import os, sys\n"
        "from ansible.plugins.callback import CallbackBase\n"
        "class CallbackModule(CallbackBase):\n"
        "    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, 'aggregate', 'imported'\n"
        "    def v2_playbook_on_start(self, playbook):\n"
        "        names = [name for name in ('psycopg', 'dns.zone', 'tests.module.process') if name in sys.modules]\n"
        "        open(os.environ['DEST'], 'w').write(' '.join(names))\n"
    )
    for start, expected in ((PlaybookProcess, "psycopg dns.zone"), (FRESH, "")):
        settings = {**traced, "ANSIBLE_CALLBACK_PLUGINS": str(plugins), "ANSIBLE_CALLBACKS_ENABLED": "imported", "DEST": "names"}
        process = start(["-i", "localhost,", "play.json"], settings, tmp_path, tmp_path / "output")
        assert process.wait(240) == 0, (tmp_path / "output").read_text()
        assert (tmp_path / "names").read_text() == expected
