# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes to list the record sets of a large zone, one request after the other and several at a time.

``python -m tests.bench.listing_cost [RECORD SETS]``. Each response comes 20 ms after its request, as over a network. It is
that of an emulator the first time, and remembered from then on, so that the time of the emulator does not count. Both ways take
turns in one process. On a busy machine the longest row of requests that wait for each other says more.
"""

from __future__ import annotations

import collections
import json
import random
import statistics
import sys
import threading
import time
from typing import Any

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import StopSignal
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import DriftBuilder
from ansible_collections.lockstep.sync.plugins.module_utils._dns.rdata import TYPE_NUMBERS
from ansible_collections.lockstep.sync.plugins.module_utils._dns.wire import ResourceRecord, absolute_name
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel, HttpClient, RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Services
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.api import find_zone
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.provider import new_client
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.record_sets import (
    RecordSetReader,
    count_record_sets,
)
from tests.simulator.client import Simulator

ZONE = "large.bench.example."
RECORD_SETS = 20_000
LATENCY = 0.02
WIDTH = 8
TURNS = 3


class CountingChannel(Channel):
    """Counts the requests of each thread: those of one thread come one after the other."""

    def observe(self, *args: Any, **more: Any) -> Response:
        self.by_thread[threading.get_ident()] += 1
        return super().observe(*args, **more)

    def begin(self) -> None:
        self.by_thread: collections.Counter[int] = collections.Counter()


def remember(client: HttpClient) -> None:
    """Have each response come again after :data:`LATENCY`, without the emulator."""
    ask, known = client.send, {}

    def send(session: Any, method: str, url: str, *args: Any, **more: Any) -> Response:
        time.sleep(LATENCY)
        if url not in known:
            known[url] = ask(session, method, url, *args, **more)
        found = known[url]
        return Response(method, url, found.status, found.headers, found.body)

    client.send = send  # type: ignore[method-assign]


def listing(channel: CountingChannel, zone_id: str, names: list[str], width: int) -> tuple[float, int]:
    """Seconds, and requests in the longest row of them."""
    builder = DriftBuilder(ZONE)
    builder.add_backend(ResourceRecord(absolute_name(f"{name}.{ZONE}"), 300, TYPE_NUMBERS["A"], bytes(4)) for name in names)
    channel.begin()
    begun = time.monotonic()
    reader = RecordSetReader(channel, zone_id)
    found = builder.feed_all(reader.first())
    for page in reader.rest(builder, count_record_sets(channel, zone_id), width):
        found += builder.feed_all(page)
    assert found >= len(names)
    own = channel.by_thread.pop(threading.get_ident())
    return time.monotonic() - begun, own + max(channel.by_thread.values(), default=0)


def main() -> int:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else RECORD_SETS
    names = [f"host{number:05d}" for number in range(size)]
    with Simulator.start(["vinyldns"]) as simulator:
        records = [f"{name} A 192.0.2.{number % 250}" for number, name in enumerate(names)]
        simulator.control.part("vinyldns", "POST", "/zones", {"zones": [{"name": ZONE, "records": records}]})
        info, clock = simulator["vinyldns"], SystemClock()
        login = {name: info[name] for name in ("access_key", "secret_key")}
        options = {"api_url": info["url"], **login, "validate_certs": True, "request_timeout": 30.0, "max_parallel": WIDTH}
        client = new_client(options, Services(clock, Redactor(), random.Random(1), print))
        count = RequestCount()
        channel = CountingChannel(client, Deadline(clock, 3600.0), count, StopSignal())
        channel.begin()
        zone_id = find_zone(channel, ZONE)[0].id
        remember(client)
        for width in (1, WIDTH):
            listing(channel, zone_id, names, width)
        taken: dict[int, list[float]] = {1: [], WIDTH: []}
        requests: dict[int, int] = {}
        in_a_row: dict[int, int] = {}
        for _turn in range(TURNS):
            for width, seconds in taken.items():
                before = count.value
                spent, in_a_row[width] = listing(channel, zone_id, names, width)
                seconds.append(spent)
                requests[width] = count.value - before
        client.close()
    medians = {width: statistics.median(seconds) for width, seconds in taken.items()}
    result: dict[str, Any] = {"record_sets": size, "latency": LATENCY, "seconds": medians, "requests": requests}
    ratios = {"ratio": medians[1] / medians[WIDTH], "ratio_in_a_row": in_a_row[1] / in_a_row[WIDTH]}
    print(json.dumps({**result, "in_a_row": in_a_row, **ratios}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
