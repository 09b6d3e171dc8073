# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the values of variables come from, and what is wrong with them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .playbook import AS_ANOTHER, HOSTS, ROLE, Playbook, Server


@pytest.mark.long
def test_as_another_user_modules_do_the_same(server: Server, playbook: Playbook) -> None:
    """Ansible packs every module for every run, which takes ten times as long as the run."""
    server.add("a.example.")
    server.drift("a.example.")
    others = ("-e", json.dumps(AS_ANOTHER))
    looked = playbook("--check", *others, zones=["a.example."])
    assert (looked.code, looked.verdict) == (0, "drift"), looked.output
    assert server.sent() == 0
    done = playbook(*others, zones=["a.example."])
    assert (done.code, done.verdict, done.changed) == (0, "reconciled", 1), done.output
    assert done.zone("a.example.")["residual"] == []
    assert server.synced() == ["a.example."]


def tasks_of(output: str) -> list[tuple[str, str]]:
    """Each task of the role in the output of a run, and what became of it."""
    found = re.findall(
        r"^TASK \[lockstep.sync.dns_reconciliation : (.*?)\] \*+\n(?:.*\n)*?(\w+): \[localhost\]", output, re.MULTILINE
    )
    return list(found)


def test_what_a_survey_passes_is_text(server: Server, playbook: Playbook) -> None:
    """Check, have the plans approved, and run exactly these plans: three jobs of AWX, which passes text."""
    server.add("a.survey.example.", "b.survey.example.", "c.survey.example.", dns=HOSTS[:12])
    server.add("other.survey.example.")
    server.drift("other.survey.example.")
    zones = [f"{letter}.survey.example." for letter in "abc"]
    # an answer that was not given is an empty text
    empty = dict.fromkeys(("approve", "guard", "max_parallel", "fail_on_drift", "zone_filter", "batch_max_delete_percent"), "")
    text = {"zones": "\n".join(zones), "backend": json.dumps(server.backend), **empty}
    looked = playbook("--check", **text)
    assert looked.verdicts == dict.fromkeys(zones, "refused"), looked.output
    digests = looked.report["digests"]
    assert digests == {zone: looked.zone(zone)["drift"]["digest"] for zone in zones}

    # a zone that changes within its guards after its plan was approved
    server.drift(zones[2])
    approve = "\n".join(f"{zone.upper()}={digest}" for zone, digest in list(digests.items())[:2])
    forms = [approve, json.dumps({zones[2]: digests[zones[2]], "other.survey.example.": "0" * 32})]
    approved = playbook(
        **{**text, "zones": ", ".join(zones[:2]), "approve": forms[0], "backends": json.dumps({"x.": {"server": "x"}})}
    )
    assert (approved.code, approved.verdict) == (0, "reconciled"), approved.output
    assert approved.report["digests"] == {}
    void = playbook(**{**text, "zones": json.dumps([zones[2], "other.survey.example."]), "approve": forms[1]})
    assert void.verdicts == {zones[2]: "refused", "other.survey.example.": "refused"}, void.output
    assert void.zone("other.survey.example.")["drift"]["digest"] in void.zone("other.survey.example.")["reason"]
    # with what has to be approved instead
    assert void.report["digests"].keys() == void.verdicts.keys()
    assert sorted(server.synced()) == zones[:2]


WRONG = [
    ({"approve": {"a.example.": 12e45}}, "option dns_reconciliation_approve.a.example.: 1.2e+46 is a number and not text"),
    ({"zones": [2026.10]}, "option dns_reconciliation_zones[0]: 2026.1 is a number and not text"),
    ({"backends": '{"a.example.": {"sever": "x"}}'}, "option dns_reconciliation_backends[a.example.].sever does not exist"),
    ({"guard": "{{ no_such_variable }}"}, "option dns_reconciliation_guard cannot be evaluated"),
]


def test_wrong_variables_are_named_before_anything_is_done(server: Server, playbook: Playbook) -> None:
    running = [playbook.start(**{"zones": ["a.example."], **variables}) for variables, _message in WRONG]
    for (variables, message), run in zip(WRONG, running, strict=True):
        played = run.finish()
        assert played.code != 0, variables
        assert (played.verdict, played.report["zones"]) == ("failed", []), played.output
        assert message in played.report["error"], played.report
        # what it does not do, it skips
        assert {state for name, state in tasks_of(played.output)[1:6]} == {"skipping"}, played.output
    assert server.simulator.requests(part="vinyldns") == []


@pytest.mark.long
def test_the_role_takes_module_defaults_and_is_short(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    names = [f"z{number:03d}.many.example." for number in range(100)]
    for name in names:
        server.add(name)
    server.drift(names[0])
    (tmp_path / "role.yml").write_text(ROLE)
    login = dict.fromkeys(server.login)
    fact = tmp_path / "fact.json"
    given = ("-e", json.dumps({"login": server.login, "fact": str(fact)}), "--check", "--diff")
    played = playbook(
        *given, playbook=str(tmp_path / "role.yml"), zone_filter="*.many.example.", ledger=str(tmp_path / "l"), **login
    )
    assert (played.code, played.verdict) == (0, "drift"), played.output
    summary = played.report["summary"]
    assert (summary["zones"], summary["drift"], summary["in_sync"]) == (100, 1, 99)
    tasks = tasks_of(played.output)
    assert len(tasks) <= 12
    states = dict(tasks)
    assert states["Compare with DNS"] == "changed"
    assert states["Sync what differs"] == states["Verify that no drift is left"] == "skipping"
    shown = json.loads(fact.read_text())
    assert (shown["verdict"], shown["digests"]) == ("drift", played.report["digests"])
    assert len(fact.read_text()) < 100_000
    assert server.sent() == 0
