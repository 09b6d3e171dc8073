# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes one plan with octoDNS: its AXFR source, and a provider that reads the pages of VinylDNS from a file; prints what it cost.

There is no provider of octoDNS for VinylDNS, so this one does only what every provider has to do: one record object for each
record set.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from octodns.provider.base import BaseProvider
from octodns.record import Record
from octodns.zone import Zone
from octodns_bind import AxfrSource

#: octoDNS gives up after 15 seconds otherwise
PATIENCE = 900

_FIELDS = {"A": "address", "AAAA": "address", "CNAME": "cname", "NS": "nsdname", "TXT": "text"}


class VinylPages(BaseProvider):
    """The stored record sets."""

    SUPPORTS = frozenset((*_FIELDS, "MX"))
    SUPPORTS_GEO = False
    SUPPORTS_DYNAMIC = False
    SUPPORTS_ROOT_NS = True

    def __init__(self, pages: str) -> None:
        self.log = logging.getLogger("VinylPages")
        super().__init__("vinyldns")
        self._pages = pages

    def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> bool:
        with open(self._pages, "rb") as file:
            for line in file:
                for row in json.loads(line)["recordSets"]:
                    if row["type"] in self.SUPPORTS:
                        name = "" if row["name"] == zone.name else row["name"]
                        zone.add_record(Record.new(zone, name, _data(row), source=self, lenient=lenient), lenient=lenient)
        return True


def _data(row: dict[str, Any]) -> dict[str, Any]:
    records = row["records"]
    if row["type"] == "MX":
        values: list[Any] = [{"preference": record["preference"], "exchange": record["exchange"]} for record in records]
    else:
        values = [record[_FIELDS[row["type"]]] for record in records]
    one = {"value": values[0]} if row["type"] == "CNAME" else {"values": values}
    return {"type": row["type"], "ttl": row["ttl"], **one}


def main() -> None:
    order = json.loads(sys.argv[1])
    begun = time.process_time()
    source = AxfrSource(
        "backend",
        order["server"],
        port=order["port"],
        timeout=PATIENCE,
        key_name=order["tsig_name"],
        key_secret=order["tsig_secret"],
        key_algorithm=order["tsig_algorithm"],
    )
    desired = Zone(order["zone"], [])
    source.populate(desired, lenient=True)
    plan = VinylPages(order["pages"]).plan(desired)
    spent = time.process_time() - begun
    status = Path("/proc/self/status").read_text().splitlines()
    rss = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    changes = [] if plan is None else plan.changes
    print(json.dumps({"cpu": spent, "rss": rss, "changes": len(changes), "record_sets": len(desired.records)}))


if __name__ == "__main__":
    main()
