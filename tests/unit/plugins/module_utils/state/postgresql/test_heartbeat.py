# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps the locks of a promotion alive, while its database is out of reach for a moment or for good."""

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._state import lease
from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import heartbeat, journal
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.heartbeat import Beats, main
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.journal import PromotionStore
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.owner import Owner
from tests.unit.plugins.support.lossy_proxy import LossyProxy
from tests.unit.plugins.support.promotion_users import KEY

RUN = "p-1"


def wait_for_beats(proxy: LossyProxy, number: int) -> None:
    """Until that many more beats have arrived at the proxy."""

    def beats() -> int:
        return sum(b"UPDATE promotions SET expires_at" in message for message in proxy.messages)

    wanted, until = beats() + number, time.monotonic() + 30
    while beats() < wanted:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_it_goes_on_after_an_outage_and_ends_when_that_lasts(
    through_proxy: str, proxy: LossyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(journal, "HEARTBEAT_SECONDS", 0.3)
    store = PromotionStore(through_proxy, SystemClock())
    store.begin(RUN, {KEY: "shop"}, "1", Owner.current())
    beats = Beats(through_proxy, RUN, ProcessIdentity.current())
    thread = threading.Thread(target=main, args=(beats.to_json(),), daemon=True)
    thread.start()
    wait_for_beats(proxy, 2)
    for _outage in range(2):
        proxy.down = True
        proxy.lose_all()
        time.sleep(1)
        assert thread.is_alive()
        proxy.down = False
        wait_for_beats(proxy, 2)
    monkeypatch.setattr(heartbeat, "LEASE_SECONDS", 0.5)
    assert lease.LEASE_SECONDS > 1
    proxy.down = True
    proxy.lose_all()
    thread.join(30)
    assert not thread.is_alive()
