# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-playbook`` that is forked from a process with ansible-core has the settings that it has from a plain start."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .playbooks import PlaybookProcess, start_from_scratch

#: a filter of the play's own, which returns what a process has of settings, as text, and whether it had to import the collection
FILTER = """
import locale, sys
from ansible import constants
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins import loader
from ansible.utils import color, display
from ansible.utils.collection_loader import AnsibleCollectionConfig

def all_settings(value):
    loaders = {name: found for name, found in vars(loader).items() if isinstance(found, loader.PluginLoader)}
    found = {
        "settings": {name: str(getattr(constants, name)) for name in constants.config.get_configuration_definitions()},
        "folders": {name: [str(path) for path in found.config] for name, found in loaders.items()},
        "defaults": {name: str(field.default) for name, field in {**Play.fattributes, **Task.fattributes}.items()},
        "collections": AnsibleCollectionConfig.collection_paths,
        "screen": [color.ANSIBLE_COLOR, display.Display().columns],
        "locale": locale.setlocale(locale.LC_ALL),
    }
    return {"found": found, "preloaded": "ansible_collections.lockstep.sync.plugins.action.promotion" in sys.modules}

class FilterModule:
    def filters(self):
        return {"all_settings": all_settings}
"""
PLAY = [
    {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable},
        "tasks": [{"ansible.builtin.copy": {"content": "{{ '' | all_settings | to_json }}", "dest": "{{ dest }}"}}],
    }
]
Shown = Callable[..., dict[str, Any]]


@pytest.fixture
def shown(environment: dict[str, str], tmp_path: Path) -> Shown:
    """What a process finds, without what differs between any two processes."""
    (tmp_path / "filter_plugins").mkdir()
    (tmp_path / "filter_plugins" / "all_settings.py").write_text(FILTER)
    (tmp_path / "play.json").write_text(json.dumps(PLAY))

    def run(start: Any, **settings: str) -> dict[str, Any]:
        result, output = tmp_path / "result.json", tmp_path / "output"
        arguments = ["-i", "localhost,", "-e", f"dest={result}", "play.json"]
        process = start(arguments, {**environment, **settings}, tmp_path, output)
        assert process.wait(240) == 0, output.read_text()
        text = re.sub(r"ansible-local-\w+", "ansible-local", result.read_text())
        # objects of Python
        found: dict[str, Any] = json.loads(re.sub(r" at 0x\w+", "", text))
        return found

    return run


def test_settings_of_the_environment_are_those_of_a_plain_start(shown: Shown, environment: dict[str, str]) -> None:
    own = {"ANSIBLE_FORKS": "3", "ANSIBLE_LOCALHOST_WARNING": "no", "ANSIBLE_SHOW_CUSTOM_STATS": "1"}
    forked, plain = shown(PlaybookProcess, **own), shown(lambda *given: start_from_scratch([], *given), **own)
    assert (forked["preloaded"], plain["preloaded"]) == (True, False)
    # the one that differs on purpose
    assert [each["found"]["settings"].pop("DEFAULT_INTERNAL_POLL_INTERVAL") for each in (forked, plain)] == ["0.005", "0.001"]
    assert forked["found"] == plain["found"]
    assert forked["found"]["settings"]["DEFAULT_FORKS"] == "3"
    assert forked["found"]["settings"]["DEFAULT_LOCAL_TMP"].startswith(f"{environment['HOME']}/.ansible/tmp/")
    assert "lockstep-home-" not in json.dumps(forked)


def test_a_setting_that_is_read_during_the_import_has_everything_imported_anew(shown: Shown) -> None:
    found = shown(PlaybookProcess, ANSIBLE_TASK_TIMEOUT="77")
    assert not found["preloaded"]
    assert found["found"]["settings"]["TASK_TIMEOUT"] == found["found"]["defaults"]["timeout"] == "77"
