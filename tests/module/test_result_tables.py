# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last task of both roles on the console: a short table, in check mode, after a refusal and after a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.client import Simulator

from .dns_reconciliation import playbook as dns
from .staging_promotion import playbook as staging


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns", "serveravatar"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


@pytest.fixture
def reconcile(simulator: Simulator, environment: dict[str, str], tmp_path: Path) -> dns.Playbook:
    return dns.Playbook(dns.Server(simulator), {**environment, "COLUMNS": "120"}, tmp_path)


@pytest.fixture
def promote(environment: dict[str, str], tmp_path: Path) -> Iterator[staging.Playbook]:
    playbook = staging.Playbook({**environment, "COLUMNS": "120"}, tmp_path)
    yield playbook
    for running in playbook.started:
        running.kill()


def last_task(output: str) -> str:
    """What the last task shows, without the recap."""
    return output.rpartition("\nTASK [")[2].partition("\nPLAY RECAP")[0]


def json_table(output: str) -> list[str]:
    """The lines of the table as they stand on the console, one below the other, without what makes them JSON."""
    shown = last_task(output)
    lines = re.search(r'^    "table": \[\n((?:        ".*",?\n)+)    \]$', shown, re.MULTILINE)
    assert lines, output
    assert all(len(line) <= 120 for line in lines[1].splitlines())
    return [json.loads(line.strip().rstrip(",")) for line in lines[1].splitlines()]


def yaml_table(output: str) -> list[str]:
    lines = re.search(r"^    table:\n((?:    - .*\n)+)", last_task(output) + "\n", re.MULTILINE)
    assert lines, output
    assert all(len(line) <= 120 for line in lines[1].splitlines())
    return [line[6:].strip("'") for line in lines[1].splitlines()]


HEADER = r"zone +action +\+ +~ +- +guard +digest +verdict"


@pytest.mark.parametrize("form", ["json", pytest.param("yaml", marks=pytest.mark.long)])
def test_the_zones_of_a_reconciliation(form: str, reconcile: dns.Playbook) -> None:
    """A check, a refusal and a success; digests are those of the report, and are shown so far as an approval needs them."""
    reconcile.environment["ANSIBLE_CALLBACK_RESULT_FORMAT"] = form
    table = {"json": json_table, "yaml": yaml_table}[form]
    reconcile.server.add("drift.example.", "same.example.")
    reconcile.server.drift("drift.example.")
    zones = ["same.example.", "drift.example."]

    looked = reconcile("--check", zones=zones)
    digest = looked.report["digests"]["drift.example."]
    header, drift, same, total = table(looked.output)
    assert looked.code == 0
    assert "fatal:" not in looked.output
    assert re.fullmatch(HEADER, header)
    assert drift.split() == ["drift.example.", "would_trigger", "1", "1", "1", "ok", digest[:12], "drift"]
    assert same.split() == ["same.example.", "skipped", "0", "0", "0", "ok", "-", "in_sync"]
    assert total == "2 zones: 1 create, 1 update, 1 delete"
    # the task before this one passes all digits on
    assert last_task(looked.output).startswith("lockstep.sync.dns_reconciliation : Show the result]")

    refused = reconcile(zones=zones, guard={"max_deletes": 0})
    assert (refused.code, refused.verdict) == (2, "refused")
    assert "fatal: [localhost]: FAILED!" in last_task(refused.output)
    assert table(refused.output)[1].split() == ["drift.example.", "refused", "1", "1", "1", "max_deletes", digest[:12], "refused"]
    assert reconcile.server.sent() == 0

    # what is shown can be approved, and is enough to lift a limit
    approved = reconcile(zones=zones, guard={"max_deletes": 0}, approve={"drift.example.": table(refused.output)[1].split()[6]})
    assert (approved.code, approved.verdict) == (0, "reconciled"), approved.output
    assert table(approved.output)[1].split() == ["drift.example.", "triggered", "1", "1", "1", "ok", digest[:12], "reconciled"]
    assert reconcile.server.synced() == ["drift.example."]


@pytest.mark.long
def test_many_zones_take_sixty_lines(reconcile: dns.Playbook) -> None:
    reconcile.environment["ANSIBLE_CALLBACK_RESULT_FORMAT"] = "json"
    for number in range(70):
        reconcile.server.add(f"z{number:02d}.many.example.")
    reconcile.server.drift("z65.many.example.")
    played = reconcile("--check", zone_filter="*.many.example.")
    lines = json_table(played.output)
    assert len(lines) == 60
    assert lines[1].split()[0] == "z65.many.example."
    assert lines[-2:] == ["… and 13 more", "70 zones: 1 create, 1 update, 1 delete"]


def test_a_reconciliation_that_cannot_begin(reconcile: dns.Playbook) -> None:
    reconcile.environment["ANSIBLE_CALLBACK_RESULT_FORMAT"] = "json"
    played = reconcile(zones=["a.example."], wait_timeout="soon")
    assert (played.code, played.verdict) == (2, "failed")
    assert json_table(played.output) == ["no zones were compared"]
    assert "dns_reconciliation_wait_timeout" in last_task(played.output)


def test_the_targets_of_a_promotion(simulator: Simulator, promote: staging.Playbook) -> None:
    server = staging.Server(simulator)
    targets = [server.target(), {**server.target(staging.BLOG), "name": 'blog "\x1b[31mred\nnews'}]
    looked = promote("--check", targets=targets)
    assert (looked.code, looked.verdict) == (0, "planned"), looked.output
    header, first, second, summary = json_table(looked.output)
    assert header.split() == ["target", "provider", "action", "backup", "guard", "verify", "verdict"]
    assert first.split() == [str(staging.SHOP), "serveravatar", "would_trigger", "planned", "ok", "-", "planned"]
    assert second.startswith('blog "\ufffd[31mred news  serveravatar')
    assert summary == f"2 targets, release r2, digest {looked.report['digest']}"

    late = promote(targets=targets, windows={"deny": [{"start": "2020-01-01", "end": "2999-01-01"}]})
    assert (late.code, late.verdict) == (2, "refused")
    assert json_table(late.output)[1].split()[-1] == "refused"
    assert server.sent() == []

    done = promote(targets=targets[:1])
    assert (done.code, done.verdict) == (0, "succeeded"), done.output
    assert json_table(done.output)[1].split()[2:] == ["triggered", "made", "ok", "ok", "succeeded"]

    wrong = promote(targets="")
    assert (wrong.code, wrong.verdict) == (2, "failed")
    assert json_table(wrong.output) == ["no targets were inspected"]
