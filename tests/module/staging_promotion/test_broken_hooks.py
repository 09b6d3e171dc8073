# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task files of hooks that Ansible cannot load: it would end the play with them, after production was overwritten or before."""

from __future__ import annotations

from pathlib import Path

from .playbook import Playbook, Server

BROKEN = {
    "misspelt": ("- name: Purge\n  no_such_module_at_all:\n", "no_such_module_at_all"),
    "cut": ("- name: Purge\n  ansible.builtin.debug: {msg: [\n", "YAML"),
    "mapping": ("name: Purge\n", "it is not a list of tasks"),
}


def test_task_files_that_cannot_be_loaded_are_refused_before_anything_is_done(
    server: Server, playbook: Playbook, tmp_path: Path
) -> None:
    started = []
    for name, (text, dummy) in BROKEN.items():
        (tmp_path / f"{name}.yml").write_text(text)
        hooks = {"after_sync": [str(tmp_path / f"{name}.yml")]}
        started.append(playbook.start(targets=[server.target()], release=name, hooks=hooks))
    for run, (dummy, reason) in zip(started, BROKEN.values(), strict=True):
        played = run.finish()
        assert (played.code, played.verdict) == (2, "failed"), played.output
        assert "option staging_promotion_hooks.after_sync: " in played.report["message"], played.report
        assert "cannot be loaded: " in played.report["message"] and reason in played.report["message"]
    assert server.sent() == []


def test_task_files_with_blocks_includes_and_nothing_are_loaded(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    (tmp_path / "empty.yml").write_text("---\n")
    (tmp_path / "imported.yml").write_text("- name: Say so\n  debug: {msg: imported}\n")
    text = (
        "- block:\n    - import_tasks: imported.yml\n    - include_tasks: '{{ known_later }}'\n      when: false\n"
        "  always:\n    - lockstep.sync.http_probe: {url: '{{ known_later }}'}\n      when: false\n"
    )
    (tmp_path / "odd.yml").write_text(text)
    hooks = {"before_gate": [str(tmp_path / "empty.yml"), str(tmp_path / "odd.yml")]}
    played = playbook.start("--check", targets=[server.target()], hooks=hooks).finish()
    assert (played.code, played.verdict) == (0, "planned"), played.output
    assert '"msg": "imported"' in played.output
    assert server.sent() == []
