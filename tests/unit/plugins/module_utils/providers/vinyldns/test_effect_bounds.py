# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests it takes to read the effect of a large sync, and when reading ends (docs/reference/vinyldns.md#1.6)."""

from __future__ import annotations

import json
import random
import urllib.parse

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import StopSignal
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import Drift
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel, HttpClient, HttpSettings, RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Effect, Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.effect import EffectReader, effect_of
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.rows import ZoneChange
from tests.conftest import Repeats
from tests.unit.plugins.module_utils.dns.zones import Json, plan, rr, soa, stored_soa, synced
from tests.unit.plugins.support.clocks import FakeClock

#: record sets that a sync creates, if a test names no other number
COUNT = 3_999
#: about as long as a page takes a real server, in seconds
SLOW = 0.75
STAMP = "2026-11-28T10:00:00Z"
CHANGE = ZoneChange("change-1", "Synced", "Sync", STAMP, zone_updated=STAMP)


@pytest.fixture(scope="module")
def rows(repeats: Repeats) -> int:
    """Record sets that the sync changes: it creates all but the SOA, which it updates."""
    return repeats(4_000, 20_000)


@pytest.fixture(scope="module")
def drift(rows: int) -> Drift:
    created = [rr(f"h{number}", "A", "192.0.2.1") for number in range(rows - 1)]
    return plan([soa(2), *created], [stored_soa(1)])


class Server:
    """Lists the changes of one sync in pages, some of which begin with the last rows of the page before and not with their own.

    :param lossy: every how many pages of 100 one loses rows; 0 for none. Pages of other sizes all do.
    :param lost: how many.
    :param seconds: that each request takes.
    :param count: of the record sets that the sync creates.
    """

    def __init__(self, lossy: int = 0, lost: int = 1, seconds: float = 0.0, deadline: float = 900.0, count: int = COUNT) -> None:
        address = synced("h0", "A", "192.0.2.1")
        changes = [("Create", {**address, "name": f"h{number}"}, None) for number in range(count)]
        self.rows = [
            self._row(number, *change) for number, change in enumerate([*changes, ("Update", stored_soa(2), stored_soa(1))])
        ]
        self.by_fqdn = {f"{row['recordSet']['name']}.example.com.": row for row in self.rows}
        self.lossy, self.lost, self.seconds = lossy, lost, seconds
        self.clock = FakeClock()
        self.sizes: list[int] = []
        self.looked_up: list[str] = []
        client = HttpClient(HttpSettings("https://vinyldns.example.com"), self.clock, Redactor(), rng=random.Random(1))
        client.send = self.send  # type: ignore[method-assign]
        self.channel = Channel(client, Deadline(self.clock, deadline), RequestCount(), StopSignal())

    @staticmethod
    def _row(number: int, kind: str, record_set: Json, updates: Json | None) -> Json:
        more = {"recordSet": record_set} if updates is None else {"recordSet": record_set, "updates": updates}
        message = "Change applied via zone sync"
        return {
            "id": str(number),
            "created": STAMP,
            "changeType": kind,
            "systemMessage": message,
            "zone": {"updated": STAMP},
            **more,
        }

    def send(self, session: object, method: str, url: str, timeout: object, **kwargs: object) -> Response:
        self.clock.sleep(self.seconds)
        parts = urllib.parse.urlsplit(url)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if parts.path == "/recordsetchange/history":
            self.looked_up.append(query["fqdn"])
            body: Json = {"recordSetChanges": [self.by_fqdn[query["fqdn"]]]}
        else:
            body = self._page(int(query["startFrom"]), int(query["maxItems"]))
        return Response(method, url, 200, {}, json.dumps(body).encode())

    def _page(self, start: int, size: int) -> Json:
        self.sizes.append(size)
        page = self.rows[start : start + size]
        loses = self.lossy and (size != 100 or start // size % self.lossy == 0)
        if page and start and loses:
            page = [*self.rows[start - self.lost : start], *page[self.lost :]]
        more = {"nextId": start + size} if start + size < len(self.rows) else {}
        return {"recordSetChanges": page, **more}

    def effect(self, drift: Drift | None, width: int = 1) -> Effect:
        """The effect as the provider reports it."""
        rows = EffectReader(self.channel, "zone-1", CHANGE, width).read(drift)
        return effect_of(Target("zone-1", "example.com."), drift, rows)


@pytest.mark.parametrize("width", [1, 4])
def test_reading_stops_where_the_plan_is_confirmed(drift: Drift, rows: int, width: int) -> None:
    """Of 20 000 changes a listing lacks 39, as a real server's lacked 40: 200 pages, and one request for each of these."""
    server, pages = Server(lossy=5, count=rows - 1), rows // 100
    effect = server.effect(drift, width)
    assert effect.detail["effect"] == {"creates": rows - 1, "updates": 1, "deletes": 0, "complete": True}
    assert effect.detail["fidelity"] == "exact" and not effect.warnings
    # pages behind the last one are read along with it
    assert set(server.sizes) == {100} and pages <= len(server.sizes) < pages + width
    assert len(server.looked_up) == len(set(server.looked_up)) == pages // 5 - 1


def test_a_listing_without_a_loss_is_read_once(drift: Drift, rows: int) -> None:
    server = Server(count=rows - 1)
    assert server.effect(drift).detail["effect"]["complete"]
    assert server.sizes == [100] * (rows // 100) and server.looked_up == []


def test_without_a_plan_each_size_is_tried_once(drift: Drift, rows: int) -> None:
    server = Server(lossy=5, count=rows - 1)
    effect = server.effect(None)
    # what pages of one size omit, those of another may show
    assert effect.detail["effect"]["complete"]
    assert [server.sizes.count(size) for size in (100, 99)] == [rows // 100, rows // 99 + 1]
    assert len(server.sizes) == sum(server.sizes.count(size) for size in (100, 99)) and server.looked_up == []


@pytest.mark.parametrize(("share", "where"), [(0.4, "the first listing"), (1.1, "single changes"), (1.35, "the second listing")])
def test_reading_ends_with_the_deadline(drift: Drift, rows: int, share: float, where: str) -> None:
    """The deadline comes after a share of the time that the first listing takes."""
    # between two requests
    deadline = int(share * rows / 100) * SLOW + SLOW / 3
    server = Server(5, 9 if where == "the second listing" else 1, SLOW, deadline, rows - 1)
    effect = server.effect(drift)
    # the request that was under way is the last one
    assert deadline <= server.clock.elapsed < deadline + SLOW
    assert len(server.sizes) + len(server.looked_up) == server.clock.elapsed / SLOW
    assert bool(server.looked_up) == (where == "single changes") and (99 in server.sizes) == (where == "the second listing")
    assert effect.changed and not effect.detail["effect"]["complete"]
    assert effect.detail["fidelity"] == "incomplete" and "differences" not in effect.detail
    (warning,) = effect.warnings
    assert "known in part only" in warning
