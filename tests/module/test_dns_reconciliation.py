# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role dns_reconciliation by its playbook, as a process, against the VinylDNS emulator and a real BIND.

A playbook takes seconds. So each test has zones of its own, and goes as far with one run as it can.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.simulator.client import Simulator

PREFIX = "dns_reconciliation_"
HOSTS = [f"host{number:02d} 300 A 192.0.2.{number}" for number in range(20)]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


class Server:
    """The emulated server as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        info = simulator["vinyldns"]
        self.url: str = info["url"]
        self.secret: str = info["secret_key"]
        self.login = {"api_url": self.url, "access_key": info["access_key"], "secret_key": self.secret}
        self.backend = {key: value for key, value in info["dns"].items() if key != "kind"}

    def add(self, *names: str, **order: Any) -> None:
        zones = [{"name": name, "records": HOSTS, **order} for name in names]
        self.simulator.control.part("vinyldns", "POST", "/zones", {"zones": zones})

    def drift(self, zone: str) -> None:
        """One record set to create and one to delete."""
        changes = {"add": [["new", 300, "A", "198.51.100.1"]], "delete": [["host02", "A"]]}
        self.simulator.control.part("vinyldns", "POST", "/dns/update", {"zone": zone, **changes})

    def synced(self) -> list[str]:
        """Zones of the syncs that the server accepted."""
        return [str(sync["zone"]) for sync in self.simulator.control.part("vinyldns", "GET", "/syncs")["syncs"]]

    def sent(self) -> int:
        """Mutating requests that the server saw."""
        return len(self.simulator.requests(kind="mutate"))


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)


@dataclasses.dataclass(frozen=True)
class Played:
    """What became of a run of the playbook."""

    code: int
    output: str
    report: dict[str, Any]
    markdown: str
    page: str

    @property
    def changed(self) -> int:
        """From the recap."""
        match = re.search(r"^localhost +: .*\bchanged=(\d+)", self.output, re.MULTILINE)
        assert match, self.output
        return int(match[1])

    @property
    def verdict(self) -> str:
        return str(self.report["verdict"])

    @property
    def verdicts(self) -> dict[str, str]:
        return {zone["zone"]: zone["verdict"] for zone in self.report["zones"]}

    def zone(self, name: str) -> dict[str, Any]:
        (found,) = (zone for zone in self.report["zones"] if zone["zone"] == name)
        return dict(found)


class Running:
    """A playbook at work."""

    def __init__(self, process: subprocess.Popen[str], report: Path) -> None:
        self.process = process
        self.report = report

    def finish(self) -> Played:
        """Every run leaves all reports, however it ended."""
        output, _nothing = self.process.communicate(timeout=300)
        assert self.report.exists(), output
        files = [self.report.with_suffix(suffix) for suffix in (".json", ".md", ".html")]
        assert [path.stat().st_mode & 0o777 for path in files] == [0o600] * 3
        report, markdown, page = (path.read_text() for path in files)
        return Played(self.process.returncode, output, json.loads(report), markdown, page)


class Playbook:
    """Runs ``lockstep.sync.reconcile_dns``."""

    def __init__(self, server: Server, environment: dict[str, str], folder: Path) -> None:
        self.server = server
        self.environment = {
            **environment,
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        }
        self.folder = folder
        self.runs = 0
        self.inventory = folder / "inventory.json"
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        groups = {"team": {"hosts": {"inventory.example.": {}}}}
        self.inventory.write_text(json.dumps({"all": {"hosts": {"localhost": local}, "children": groups}}))

    def start(self, *arguments: str, playbook: str = "lockstep.sync.reconcile_dns", **variables: Any) -> Running:
        """:param variables: those of the role, without its prefix; None leaves one of the usual ones out."""
        self.runs += 1
        report = self.folder / f"run{self.runs}" / "report.json"
        usual = {**self.server.login, "backend": self.server.backend, "report_path": str(report)}
        given = {PREFIX + key: value for key, value in {**usual, **variables}.items() if value is not None}
        extra = self.folder / f"variables{self.runs}.json"
        extra.write_text(json.dumps(given))
        command = [Path(sys.executable).with_name("ansible-playbook"), "-i", self.inventory, "-e", f"@{extra}"]
        process = subprocess.Popen(
            [*command, *arguments, playbook],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return Running(process, report)

    def __call__(self, *arguments: str, **variables: Any) -> Played:
        return self.start(*arguments, **variables).finish()


@pytest.fixture
def playbook(server: Server, environment: dict[str, str], tmp_path: Path) -> Playbook:
    return Playbook(server, environment, tmp_path)


def test_check_mode_predicts_reports_and_sends_nothing(server: Server, playbook: Playbook) -> None:
    server.add("drift.example.", "same.example.")
    server.drift("drift.example.")
    zones = ["drift.example.", "same.example."]
    # as a person types it, the value is the text "false"
    looked = playbook.start("--check", "--diff", "-e", f"{PREFIX}fail_on_drift=false", zones=zones)
    alarmed = playbook.start("--check", zones=zones, fail_on_drift=True)

    seen = looked.finish()
    assert (seen.code, seen.verdict, seen.report["ok"]) == (0, "drift", True), seen.output
    assert seen.report["check_mode"] is True
    assert seen.verdicts == {"drift.example.": "drift", "same.example.": "in_sync"}
    zone = seen.zone("drift.example.")
    assert (zone["action"], zone["state"], zone["changed"]) == ("would_trigger", "not_started", True)
    assert {(item["name"], item["action"]) for item in zone["drift"]["records"] if item["type"] != "SOA"} == {
        ("new", "create"),
        ("host02", "delete"),
    }
    summary = seen.report["summary"]
    assert (summary["zones"], summary["drift"], summary["in_sync"], summary["creates"], summary["deletes"]) == (2, 1, 1, 1, 1)
    assert seen.report["started_at"] <= seen.report["finished_at"]
    assert zone["drift"]["digest"] in seen.markdown
    assert "| drift.example. | drift | 1 | 1 | 1 |" in seen.markdown
    # an XML parser takes the page: it is whole
    shown = "".join(ElementTree.fromstring(seen.page).itertext())
    assert all(fact in shown for fact in ("drift.example.", zone["drift"]["digest"], "host02", "198.51.100.1"))
    assert re.search(r"^-host02 300 IN A 192\.0\.2\.2$", seen.output, re.MULTILINE)
    assert re.search(r"^\+new 300 IN A 198\.51\.100\.1$", seen.output, re.MULTILINE)
    # the zone would be changed, and nothing else counts
    assert seen.changed == 1

    alarm = alarmed.finish()
    assert alarm.code != 0
    assert (alarm.verdict, alarm.report["ok"]) == ("drift", False)
    assert "drift: 2 zones, 1 in sync, 1 drift. drift.example." in alarm.output
    assert server.sent() == 0


def test_the_second_run_changes_nothing_and_no_secret_is_shown(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    server.add("a.pair.example.", "b.pair.example.", "other.example.")
    for zone in ("a.pair.example.", "other.example."):
        server.drift(zone)
    # the DNS server of all is wrong for each single one
    options = {
        "zones": " Other.example , a.pair.example.",
        "zone_filter": "*.pair.example.",
        "backend": {**server.backend, "port": 1, "tsig_secret": "Y2FuYXJ5LWNhbmFyeQ=="},
        "backends": {"A.pair.example": server.backend, "b.pair.example.": server.backend, "other.example": server.backend},
    }
    first = playbook("-vvvv", "--diff", **options)
    assert (first.code, first.verdict) == (0, "reconciled"), first.output
    # named ones first, each once
    assert list(first.verdicts.items()) == [
        ("other.example.", "reconciled"),
        ("a.pair.example.", "reconciled"),
        ("b.pair.example.", "in_sync"),
    ]
    zone = first.zone("a.pair.example.")
    assert (zone["action"], zone["state"], zone["changed"], zone["fidelity"]) == ("triggered", "succeeded", True, "exact")
    assert (zone["effect"]["creates"], zone["effect"]["deletes"], zone["residual"]) == (1, 1, [])
    assert first.report["error"] is first.report["batch_refusal"] is None
    assert first.changed == 1
    assert sorted(server.synced()) == ["a.pair.example.", "other.example."]

    second = playbook(**options)
    assert (second.code, second.changed, second.verdict) == (0, 0, "in_sync"), second.output
    assert second.report["ok"] is True
    assert server.sent() == 2

    left = (
        first.output
        + first.markdown
        + first.page
        + json.dumps(first.report)
        + (tmp_path / "state" / "ledger.sqlite3").read_text("latin-1")
    )
    assert "task path: " in first.output
    for secret in (server.secret, server.backend["tsig_secret"], "Y2FuYXJ5LWNhbmFyeQ=="):
        assert secret not in left


def test_zones_are_found_by_admin_group_and_inventory_group(server: Server, playbook: Playbook) -> None:
    server.add("inventory.example.")
    found = playbook("--check", admin_group="ok-group", inventory_group="team", backend=None)
    assert found.code == 0, found.output
    names = [zone["zone"] for zone in found.report["zones"]]
    # the host first, and once, though it is one of the group's zones too
    assert names[0] == "inventory.example."
    assert names[1:] == sorted(set(names) - {names[0]})
    assert {"0/27.2.0.192.in-addr.arpa.", "example.com.", "types.example.", "empty.example."} <= set(names)
    assert "dummy.example." not in names
    # without a DNS server drift cannot be computed
    assert set(found.verdicts.values()) == {"drift"}
    assert found.zone("example.com.")["drift"] == {}
    assert server.sent() == 0


def test_a_zone_in_trouble_does_not_stop_the_others(server: Server, playbook: Playbook) -> None:
    server.add("good.example.", "noserver.example.", "same.example.", "recent.example.")
    server.add("lost.example.", dns=HOSTS[:12])
    for zone in ("good.example.", "recent.example."):
        server.drift(zone)
    server.simulator.control.part("vinyldns", "POST", "/latest-sync", {"zone": "recent.example.", "age": 1})
    server.simulator.knob("vinyldns", sync_delay_ms=600_000)
    options = {
        "zones": ["nope.example.", "lost.example.", "noserver.example.", "good.example.", "same.example.", "recent.example."],
        "if_recently_synced": "ok",
        "backends": {"noserver.example.": {**server.backend, "port": 1}},
        "wait_timeout": 15,
    }
    first = playbook(**options)
    assert first.code != 0
    assert first.verdict == "failed"
    assert first.verdicts == {
        "nope.example.": "failed",
        "lost.example.": "refused",
        "good.example.": "reconciled",
        "same.example.": "in_sync",
        "recent.example.": "drift",
        "noserver.example.": "failed",
    }
    assert "recently synced" in first.zone("recent.example.")["reason"]
    assert first.zone("nope.example.")["failure"]["code"] == "not_found"
    assert first.zone("noserver.example.")["failure"]["code"] == "connection_failed"
    lost = first.zone("lost.example.")
    assert (lost["action"], lost["changed"]) == ("refused", False)
    assert [guard["rule"] for guard in lost["guards"]] == ["max_delete_percent"]
    assert "**guard_refused**" in first.markdown
    assert server.synced() == ["good.example."]

    approved = playbook(zones=["lost.example."], approve={"LOST.example": lost["drift"]["digest"]})
    assert (approved.code, approved.verdict) == (0, "reconciled"), approved.output
    assert approved.zone("lost.example.")["effect"]["deletes"] == 8
    assert server.synced() == ["good.example.", "lost.example."]


def test_a_batch_that_deletes_too_much_is_refused_as_a_whole(server: Server, playbook: Playbook) -> None:
    server.add("one.example.", "two.example.", dns=HOSTS[:12])
    options = {"zones": ["one.example.", "two.example."], "guard": {"max_delete_percent": 60}}
    refused = playbook(**options)
    assert refused.code != 0
    assert refused.verdict == "refused"
    assert refused.verdicts == {"one.example.": "refused", "two.example.": "refused"}
    assert "together delete 16 of" in refused.report["batch_refusal"]
    assert refused.report["batch_refusal"] in refused.markdown
    assert refused.changed == server.sent() == 0
    assert refused.report["summary"]["requests"] == len(server.simulator.requests(part="vinyldns"))
    # as a person types it
    allowed = playbook("-e", f"{PREFIX}batch_max_delete_percent=60", **options)
    assert (allowed.code, allowed.verdict) == (0, "reconciled"), allowed.output
    assert sorted(server.synced()) == ["one.example.", "two.example."]


def test_a_run_that_takes_too_long_is_neither_success_nor_failure(
    server: Server, simulator: Simulator, playbook: Playbook
) -> None:
    server.add("slow.example.")
    server.drift("slow.example.")
    simulator.knob("vinyldns", sync_duration=60.0)
    late = playbook(zones=["slow.example."], wait_timeout=4)
    assert late.code != 0
    assert (late.verdict, late.report["ok"]) == ("timed_out", False)
    zone = late.zone("slow.example.")
    assert (zone["state"], zone["failure"]["code"]) == ("running", "timed_out")
    assert zone["handle"]["change_id"]
    assert server.sent() == 1


AS_ANOTHER = {"ansible_become": True, "ansible_become_exe": "/usr/bin/env", "ansible_become_flags": "", "ansible_become_user": ""}


def test_as_another_user_modules_do_the_same(server: Server, playbook: Playbook, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("others", [(), ("-e", json.dumps(AS_ANOTHER))], ids=["here", "as another user"])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_done(
    server: Server, playbook: Playbook, tmp_path: Path, others: tuple[str, ...]
) -> None:
    server.add("a.example.")
    server.drift("a.example.")
    (tmp_path / "taken").write_text("")
    running = playbook.start(*others, zones=["a.example."], report_path=str(tmp_path / "taken" / "report.json"))
    output, dummy = running.process.communicate(timeout=300)
    assert running.process.returncode != 0
    assert "option dns_reconciliation_report_path: " in output
    assert "cannot be written: " in output
    assert "Name a file in a directory that this user may write to." in " ".join(output.split())
    assert "Traceback" not in output
    assert server.simulator.requests(part="vinyldns") == []


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
    ({"backends": '{"a.example.": {"sever": "x"}}'}, "option dns_reconciliation_backends.a.example..sever does not exist"),
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


ROLE = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/lockstep.sync.vinyldns:
      api_url: "{{ login.api_url }}"
      access_key: "{{ login.access_key }}"
      secret_key: "{{ login.secret_key }}"
  tasks:
    - ansible.builtin.include_role:
        name: lockstep.sync.dns_reconciliation
    - ansible.builtin.copy:
        dest: "{{ fact }}"
        content: "{{ dns_reconciliation_report | to_json }}"
      check_mode: false
"""


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


def test_a_run_that_is_killed_has_left_a_report(server: Server, simulator: Simulator, playbook: Playbook) -> None:
    server.add("killed.example.", "same.example.")
    server.drift("killed.example.")
    simulator.knob("vinyldns", sync_duration=3.0)
    running = playbook.start(zones=["killed.example.", "same.example."])
    deadline = time.monotonic() + 60
    while not server.synced():
        assert running.process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(running.process.pid, signal.SIGKILL)
    left = running.finish()
    assert (left.verdict, left.report["ok"]) == ("unknown", False)
    assert left.verdicts == {"killed.example.": "unknown", "same.example.": "in_sync"}
    assert "run the role again" in left.report["error"]
    # the next run joins it, or finds it done
    again = playbook(zones=["killed.example.", "same.example."])
    assert again.code == 0 and again.verdict in ("reconciled", "in_sync"), again.output
    assert server.sent() == 1


def test_errors_that_the_play_ignores_sync_nothing(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    server.add("a.example.")
    server.drift("a.example.")
    (tmp_path / "role.yml").write_text(ROLE.replace("  tasks:", "  ignore_errors: true\n  tasks:"))
    given = ("-e", json.dumps({"login": server.login, "fact": str(tmp_path / "fact.json")}))
    played = playbook(*given, playbook=str(tmp_path / "role.yml"), zones=["a.example."], zone_filter="*", secret_key="wrong")
    assert (played.verdict, played.report["ok"]) == ("failed", False), played.output
    assert "Authentication Failed" in played.report["error"]
    assert server.sent() == 0


BAD = [
    ({"zones": ["example.com."], "secret_key": "wrong"}, "auth_failed"),
    ({"zone_filter": "example", "secret_key": "wrong"}, "Authentication Failed"),
    ({"zones": ["example.com."], "secret_key": None}, "secret_key"),
    ({"zones": ["example.com."], "api_url": "http://127.0.0.1:1", "wait_timeout": 3}, "connection_failed"),
    ({"zone_filter": "no such zone"}, "No zones to reconcile"),
    ({"zones": ["example.com."], "guard": {"max_deletions": 1}}, "max_deletions"),
    ({"zones": ["example.com."], "wait_timeout": -1}, "option wait_timeout"),
    ({"zones": ["example.com."], "max_parallel": "many"}, "dns_reconciliation_max_parallel"),
]


def test_every_failure_is_reported(server: Server, playbook: Playbook) -> None:
    for number in range(0, len(BAD), 2):
        pair = BAD[number : number + 2]
        running = [playbook.start("--check", **variables) for variables, _word in pair]
        for (variables, word), run in zip(pair, running, strict=True):
            played = run.finish()
            assert played.code != 0, variables
            assert (played.verdict, played.report["ok"]) == ("failed", False), played.output
            assert word in json.dumps(played.report), played.output
            assert word in played.markdown and word in played.page, played.output
            assert " ".join(played.report["message"].split()) in " ".join(played.output.split()), played.output
    assert server.sent() == 0


def test_a_zone_that_is_updated_all_the_time_is_reconciled(server: Server, playbook: Playbook) -> None:
    server.add("busy.example.")
    server.drift("busy.example.")
    resting = threading.Event()

    def update() -> None:
        for index in itertools.count():
            change = {"replace": [[f"dyn{index % 40}", 300, "A", f"192.0.2.{index % 250}"]]}
            server.simulator.control.part("vinyldns", "POST", "/dns/update", {"zone": "busy.example.", **change})
            if resting.wait(0.02):
                return

    updates = threading.Thread(target=update)
    updates.start()
    try:
        # a small zone, of which the updates are a big part
        played = playbook(zones=["busy.example."], guard={"max_update_percent": 100})
    finally:
        resting.set()
        updates.join()
    zone = played.zone("busy.example.")
    assert (played.code, played.verdict, server.synced()) == (0, "reconciled", ["busy.example."]), played.output
    assert "the DNS server was updated since, from serial" in zone["reason"]
    assert zone["residual"]
