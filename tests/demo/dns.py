# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Act one: a zone drifts, the drift is predicted, guarded, reconciled and verified."""

from __future__ import annotations

import json
from typing import Any

from .stage import Stage

PLAYBOOK = "lockstep.sync.reconcile_dns"


class Reconciliation:
    """Runs the playbook for the one zone, and shows its verdict."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        info = stage.simulator["vinyldns"]
        self.zone: str = info["zone"]
        self.backend = {key: value for key, value in info["dns"].items() if key != "kind"}
        stage.environment.update(
            VINYLDNS_API_URL=info["url"],
            VINYLDNS_ACCESS_KEY_ID=info["access_key"],
            VINYLDNS_SECRET_ACCESS_KEY=info["secret_key"],
        )

    def __call__(self, name: str, *flags: str, fails: bool = False) -> dict[str, Any]:
        """The report, which is written to a file of this name."""
        report = (self.stage.output / name).resolve()
        variables = {
            "dns_reconciliation_zones": [self.zone],
            "dns_reconciliation_backend": self.backend,
            "dns_reconciliation_report_path": str(report),
        }
        (self.stage.scratch / "dns.json").write_text(json.dumps(variables))
        self.stage.playbook(PLAYBOOK, "-e", "@dns.json", *flags, fails=fails)
        result: dict[str, Any] = json.loads(report.read_text())
        self.stage.say(f"    verdict: {result['message'].partition(' Report:')[0]}")
        return result


def play(stage: Stage) -> None:
    reconcile = Reconciliation(stage)
    _let_drift(stage, reconcile.zone)

    stage.title("1. Predict: --check --diff")
    report = reconcile("1-check.json", "--check", "--diff")
    stage.expect(report["verdict"] == "drift", "the drift is predicted record by record")
    stage.expect(stage.mutations("vinyldns") == 0, "VinylDNS saw 0 mutating calls")

    stage.title("2. Reconcile")
    report = reconcile("2-reconcile.json")
    stage.expect(report["verdict"] == "reconciled", "no drift is left")
    stage.expect(report["zones"][0]["fidelity"] == "exact", "the server did exactly what was predicted")
    stage.expect(stage.mutations("vinyldns") == 1, "VinylDNS saw 1 mutating call")

    stage.title("3. Again")
    report = reconcile("3-again.json")
    stage.expect(report["verdict"] == "in_sync", "nothing is left to do, changed=0")
    stage.expect(stage.mutations("vinyldns") == 1, "VinylDNS saw no further mutating call")

    stage.title("4. A DNS server that lost its records")
    _lose_records(stage, reconcile.zone)
    report = reconcile("4-refused.json", fails=True)
    stage.expect(report["verdict"] == "refused", "the sync is refused, with the reason")
    stage.expect(stage.mutations("vinyldns") == 1, "VinylDNS saw no further mutating call")


def _let_drift(stage: Stage, zone: str) -> None:
    stage.title(f"DNS reconciliation: {zone} in VinylDNS and in the DNS server behind it")
    stage.say("A dynamic update (RFC 2136) adds one record to the DNS server, changes one and deletes one:")
    changes = {
        "add": [["new", 300, "A", "192.0.2.77"]],
        "replace": [["mail", 60, "A", "192.0.2.25"]],
        "delete": [["www", "A"]],
    }
    for action, records in changes.items():
        for record in records:
            stage.say(f"    {action} {' '.join(map(str, record))}")
    stage.simulator.control.part("vinyldns", "POST", "/dns/update", {"zone": zone, **changes})


def _lose_records(stage: Stage, zone: str) -> None:
    state = stage.simulator.control.part("vinyldns", "GET", "/zone", name=zone)
    names = sorted({item["name"] for item in state["record_sets"] if item["name"] != zone})
    stage.say("A dynamic update deletes everything but the apex, as a rebuilt DNS server would:")
    stage.simulator.control.part("vinyldns", "POST", "/dns/update", {"zone": zone, "delete": [[name] for name in names]})
