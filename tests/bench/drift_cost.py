# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan of a large zone costs: processor time and memory of our plan and of octoDNS, for one zone and in one run.

``python -m tests.bench.drift_cost [RECORDS ...]``. BIND serves the zone, and the record sets of the API are pages in a file, so
that neither latency nor the processor time of an emulator counts. Each plan is made by a process of its own, in turns. octoDNS
runs in an environment of its own, ``.cache/bench``, which is made from ``requirements-bench.txt`` at the first run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.simulator.bind import BindServer
from tests.simulator.dns_server import TsigKey, ZoneSpec, zone_text

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".cache/bench"
REQUIREMENTS = ROOT / "requirements-bench.txt"
PLANS = Path(__file__).parent / "plans"
ZONE = "big.example."
RECORDS = (1_000, 10_000, 100_000)
TURNS = 3
PAGE = 100
KEY = TsigKey.make("bench.")

Json = dict[str, Any]


def record_sets(count: int) -> Iterator[tuple[str, str, str, Json]]:
    """Name, type, data in a zone file, and the record in VinylDNS's JSON."""
    for number in range(count):
        kind = number % 20
        host = f"host-{number}"
        if kind < 12:
            address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            yield host, "A", address, {"address": address}
        elif kind < 15:
            yield host, "AAAA", f"2001:db8::{number & 0xFFFF:x}", {"address": f"2001:db8:0:0:0:0:0:{number & 0xFFFF:x}"}
        elif kind < 17:
            yield host, "CNAME", "www.example.net.", {"cname": "www.example.net."}
        elif kind < 19:
            yield host, "TXT", f'"v=spf1 ip4:192.0.2.{number & 255} -all"', {"text": f"v=spf1 ip4:192.0.2.{number & 255} -all"}
        else:
            yield host, "MX", "10 mail.example.net.", {"preference": 10, "exchange": "mail.example.net."}


def rows(count: int) -> Iterator[Json]:
    """The record sets as VinylDNS lists them, those of the apex first."""
    names = {"mname": "ns1.example.net.", "rname": "hostmaster.example.net."}
    soa = {**names, "serial": 1, "refresh": 3600, "retry": 600, "expire": 86400, "minimum": 60}
    sets = [(ZONE, "NS", "", {"nsdname": "ns1.example.net."}), (ZONE, "SOA", "", soa), *record_sets(count)]
    for number, (name, rtype, _data, record) in enumerate(sets):
        yield {
            "type": rtype,
            "zoneId": "9cbdd3ac-9752-4d56-9ca0-6a1a14fc5562",
            "name": name,
            "ttl": 300,
            "status": "Active",
            "created": "2026-11-20T10:00:02Z",
            "records": [record],
            "id": f"00000000-0000-4000-8000-{number:012x}",
            "account": "system",
            "accessLevel": "Delete",
            "fqdn": name if name == ZONE else f"{name}.{ZONE}",
        }


def write_pages(count: int, path: Path) -> None:
    """One page in a line; ``nextId`` is where the next one begins in the file."""
    everything = list(rows(count))
    with path.open("wb") as file:
        for start in range(0, len(everything), PAGE):
            body: Json = {"recordSets": everything[start : start + PAGE], "maxItems": PAGE, "nameSort": "ASC"}
            line = json.dumps(body).encode()
            if start + PAGE < len(everything):
                # the text of the number changes the length of the line, so it has a fixed width
                after = file.tell() + len(line) + len(', "nextId": "0123456789"') + 1
                line = line[:-1] + f', "nextId": "{after:010d}"}}'.encode()
            file.write(line + b"\n")


def octodns_python() -> Path:
    """The Python of an environment with octoDNS."""
    python = ENVIRONMENT / "bin/python"
    stamp = ENVIRONMENT / ".requirements"
    wanted = REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", REQUIREMENTS], check=True)
        stamp.write_text(wanted)
    return python


def plan(python: str | Path, script: str, order: Json) -> Json:
    """What a process reports that makes one plan: ``cpu`` in seconds, ``rss`` in MiB, and the numbers of changes."""
    done = subprocess.run([python, PLANS / script, json.dumps(order)], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout))


def measure(count: int, turns: int = TURNS) -> Json:
    """The medians of both plans of a zone with ``count`` records, and their ratio."""
    lines = [f"{name} {rtype} {data}" for name, rtype, data, _record in record_sets(count)]
    with tempfile.TemporaryDirectory(prefix="lockstep-bench.") as scratch:
        pages = Path(scratch) / "pages"
        write_pages(count, pages)
        server = BindServer(Path(scratch), [KEY], {ZONE: ZoneSpec(zone_text(lines))})
        try:
            key = {"tsig_name": KEY.name, "tsig_secret": KEY.secret, "tsig_algorithm": KEY.algorithm}
            order = {"zone": ZONE, "server": server.server, "port": server.port, **key, "pages": str(pages)}
            taken: dict[str, list[Json]] = {"ours": [], "octodns": []}
            for _turn in range(turns):
                taken["ours"].append(plan(sys.executable, "ours.py", order))
                taken["octodns"].append(plan(octodns_python(), "with_octodns.py", order))
        finally:
            server.stop()
    result: Json = {"records": count}
    for name, runs in taken.items():
        result[name] = {figure: statistics.median(run[figure] for run in runs) for figure in ("cpu", "rss")}
        if any(run["changes"] for run in runs):
            raise AssertionError(f"{name} finds a difference where there is none: {runs}")
    return {**result, "ratio": result["octodns"]["cpu"] / result["ours"]["cpu"]}


def main() -> int:
    parser = argparse.ArgumentParser(description="Processor time and memory of plans of large zones.")
    parser.add_argument("records", nargs="*", type=int, default=RECORDS)
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args()
    for count in options.records:
        print(json.dumps(measure(count, options.turns)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
