# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a sync against what the server then does, on hundreds of generated pairs of zones.

The emulator transfers each zone from BIND itself and compares it by code of its own, which shares nothing with the plugins.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.provider import VinylDNS
from tests.simulator.client import Simulator

PAIRS_AT_ONCE = 40
ROUNDS = 2  # 80 pairs
LONG_ROUNDS = 13  # 520 pairs

#: Record sets of a zone in VinylDNS, and in DNS.
Pair = tuple[list[str], list[str]]

LABELS = st.sampled_from(["a", "A", "www", "WWW", "srv", "srv-1", "_sip._tcp", "*", "x.y", "0", "long" * 12])
TTLS = st.sampled_from([60, 300, 3600])
TARGETS = st.sampled_from(["host.example.net.", "HOST.example.net.", "a", "mail.example.org."])


def numbered(pattern: str, low: int = 0, high: int = 3) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(pattern.format)


RDATA = {
    "A": numbered("192.0.2.{}", 1, 4),
    "AAAA": st.sampled_from(["2001:db8::1", "2001:DB8:0:0::1", "2001:db8::2"]),
    "MX": st.tuples(st.integers(0, 2), TARGETS).map(lambda pair: f"{pair[0]} {pair[1]}"),
    "TXT": st.sampled_from(
        [
            '"one"',
            '"two" "parts"',
            '"twoparts"',
            '"semi;colon"',
            r'"quo\"te"',
            r'"back\\slash"',
            f'"{"x" * 255}" "y"',
            r'"\195\164"',
        ]
    ),
    "SPF": st.sampled_from(['"v=spf1 -all"', '"v=spf1 " "-all"']),
    "SRV": st.tuples(st.integers(0, 1), TARGETS).map(lambda pair: f"{pair[0]} 5 5060 {pair[1]}"),
    "PTR": TARGETS,
    "NAPTR": st.sampled_from(
        [r'10 20 "U" "E2U+sip" "!^.*$!sip:a@example.net!" .', r'10 20 "u" "" "!^(.*)$!\\1!" host.example.net.']
    ),
    "SSHFP": st.sampled_from(["1 1 " + "ab" * 20, "1 1 " + "AB" * 20, "4 2 " + "cd" * 32]),
    # what VinylDNS does not know is left out on both sides
    "CAA": st.just('0 issue "ca.example.net"'),
    "TLSA": st.just("3 1 1 " + "ab" * 32),
}


@st.composite
def records(draw: st.DrawFn) -> list[str]:
    """Master file lines of one side: record sets of one TTL each, in addition to SOA and NS of the apex."""
    sets = draw(
        st.lists(st.tuples(LABELS, st.sampled_from(sorted(RDATA))), max_size=8, unique_by=lambda key: (key[0].lower(), key[1]))
    )
    lines = []
    for label, rtype in sets:
        ttl = draw(TTLS)
        for rdata in draw(st.lists(RDATA[rtype], min_size=1, max_size=3, unique_by=str.lower)):
            lines.append(f"{label} {ttl} {rtype} {rdata}")
    return draw(st.permutations(lines))


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["vinyldns"], dns="bind") as running:
        # with the usual collation, a record set that changes case is lost until the next sync (docs/reference/vinyldns.md#2.5)
        running.knob("vinyldns", collation="binary")
        yield running


def default_options() -> dict[str, Any]:
    return {name: spec.get("default") for name, spec in sync_spec(VinylDNS).arguments.items()}


def in_full(options: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """The records as the report file has them; the result of a task with so many zones is cut."""
    run_sync(VinylDNS, options, context)
    syncs: list[dict[str, Any]] = json.loads(Path(options["report_path"]).read_text())["syncs"]
    return syncs


names = (f"pair{number}.example." for number in itertools.count())


# each example is many zones on a real server: a failing pair is printed, and shrinking would take minutes
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate])
PAIRS = st.lists(st.tuples(records(), records()), min_size=PAIRS_AT_ONCE, max_size=PAIRS_AT_ONCE)


@settings(SETTINGS, max_examples=ROUNDS)
@given(pairs=PAIRS)
def test_plan_is_what_the_server_does(simulator: Simulator, tmp_path_factory: Any, pairs: list[Pair]) -> None:
    check_plans(simulator, tmp_path_factory, pairs)


@pytest.mark.long
@settings(SETTINGS, max_examples=LONG_ROUNDS)
@given(pairs=PAIRS)
def test_plans_of_many_zones_are_what_the_server_does(simulator: Simulator, tmp_path_factory: Any, pairs: list[Pair]) -> None:
    check_plans(simulator, tmp_path_factory, pairs)


def check_plans(simulator: Simulator, tmp_path_factory: Any, pairs: list[Pair]) -> None:
    """Predict, sync and look again: prediction, effect and the state afterwards agree for every pair."""
    info = simulator["vinyldns"]
    zones = dict(zip((next(names) for dummy in pairs), pairs, strict=True))
    orders = [{"name": name, "vinyldns": stored, "dns": wanted} for name, (stored, wanted) in zones.items()]
    simulator.control.part("vinyldns", "POST", "/zones", {"zones": orders})
    options = {
        **default_options(),
        "api_url": info["url"],
        "access_key": info["access_key"],
        "secret_key": info["secret_key"],
        "zones": list(zones),
        "backend": {key: value for key, value in info["dns"].items() if key != "kind"},
        "guard": {"max_delete_percent": 100, "max_update_percent": 100, "allow_empty": True},
        "poll_min_interval": 0.05,
        "ledger_path": str(tmp_path_factory.mktemp("ledger") / "ledger.sqlite3"),
        "report_path": str(tmp_path_factory.mktemp("report") / "report.json"),
    }
    predicted = in_full(options, Context(check_mode=True))
    done = in_full({**options, "force": True}, Context())
    for plan, record in zip(predicted, done, strict=True):
        context = f"{zones[record['target']]} {record}"
        assert record["state"] == "succeeded", context
        assert record["detail"]["fidelity"] == "exact", context
        planned = {key: plan["detail"]["drift"][key] for key in ("creates", "updates", "deletes")}
        assert record["detail"]["effect"] == {**planned, "complete": True}, context
    residual = in_full(options, Context(check_mode=True))
    assert {record["action"] for record in residual} == {"skipped"}
    simulator.control.part("vinyldns", "DELETE", "/zones", {"zones": list(zones)})
