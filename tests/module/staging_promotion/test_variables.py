# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of the role, and defaults of the play."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from .playbook import BLOG, SHOP, Playbook, Server


def test_wrong_variables_are_listed_in_one_message_and_reported(server: Server, playbook: Playbook) -> None:
    target = server.target()
    odd = {**target, "options": {**target["options"], "aplication": "shop"}}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"targets": [target], "verify_timeuot": 5}, "Did you mean staging_promotion_verify_timeout?"),
        ({"targets": [{**target, "provider": "serveravater"}]}, "serveravater"),
        ({"targets": [odd]}, "aplication"),
        ({"targets": [target], "windows": {"deny": [{"days": "mon-funday"}]}}, "staging_promotion_windows.deny[0].days"),
    ]
    for pair in (cases[:2], cases[2:]):
        started = [playbook.start(**variables) for variables, dummy in pair]
        for run, (dummy, word) in zip(started, pair, strict=True):
            played = run.finish()
            assert played.code == 2, played.output
            assert played.verdict in ("failed", "refused"), played.output
            assert word in played.report["message"], played.report
            assert " ".join(played.report["message"].split()) in played.one_line
            assert played.output.count("fatal: [localhost]") == 1, played.output
    assert server.sent() == []


def test_variables_as_a_survey_passes_them(server: Server, playbook: Playbook) -> None:
    given = {
        "targets": json.dumps([server.target(), server.target(BLOG)]),
        "serial": "1\n100%\n",
        "backup": "",
        "verify_timeout": "",
        "release": "2026.10",
        "windows": json.dumps({"allow": [{"days": "mon-sun"}]}),
    }
    native = playbook.start("--check", environment={"ANSIBLE_JINJA2_NATIVE": "1"}, **given)
    number = playbook.start(**{**given, "release": 2026.10})
    planned, refused = native.finish(), number.finish()
    assert (planned.code, planned.verdict, planned.report["release"]) == (0, "planned", "2026.10"), planned.output
    assert [target["wave"] for target in planned.report["targets"]] == [1, 2]
    assert (refused.code, refused.verdict) == (2, "failed"), refused.output
    assert "staging_promotion_release: 2026.1 is a number and not text. Put the value in quotes" in refused.report["message"]
    assert server.sent() == []


def test_defaults_of_the_play_reach_the_modules(server: Server, playbook: Playbook, tmp_path: Path, ledger: Path) -> None:
    target = server.target()
    connection = {name: target["options"].pop(name) for name in ("api_url", "api_token", "organization")}
    sites = tmp_path / "site.yml"
    role: dict[str, Any] = {"role": "lockstep.sync.staging_promotion"}
    defaults = {
        "group/lockstep.sync.serveravatar": connection,
        "lockstep.sync.serveravatar_staging_sync": {"api_url": "{{ address }}", "if_running": "fail"},
    }
    play = {"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "vars": {"address": server.url}}
    sites.write_text(json.dumps([{**play, "roles": [role]}]))
    played = playbook(str(sites), targets=[target])
    assert (played.code, played.verdict) == (0, "succeeded"), played.output
    assert (server.syncs(SHOP), server.truth(SHOP)["production"]) == (1, "release-2")
    assert server.token not in played.output + played.files
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        (address,) = {row[0] for row in db.execute("SELECT address FROM promotions")}
    assert address.rstrip("/") == server.url.rstrip("/")
