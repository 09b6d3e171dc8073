# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role dns_reconciliation by its playbook, as a process, against the VinylDNS emulator and a real BIND."""

from __future__ import annotations

import itertools
import json
import re
import threading
from pathlib import Path
from xml.etree import ElementTree

from .playbook import HOSTS, PREFIX, Playbook, Server


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

    ledger = (tmp_path / "state" / "ledger.sqlite3").read_text("latin-1")
    left = first.output + first.markdown + first.page + json.dumps(first.report) + ledger
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
    assert "**[guard_refused](" in first.markdown
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
