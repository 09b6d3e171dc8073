# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that was stopped for longer than its lease lasts, and goes on at the very moment at which another one takes over."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Capabilities, Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Knowledge, RunLedger
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only


def test_an_intent_is_not_void_once_it_is_being_sent(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = lab.ledger
    entry_id = stopped.intend(lab.key, "1.2", {"last": 0})
    lab.clock.sleep(70)
    look = RunLedger.knowledge

    def look_before_it_goes_on(ledger: RunLedger, *args: t.Any) -> Knowledge:
        known = look(ledger, *args)
        assert not known.is_held
        monkeypatch.undo()
        assert stopped.sending(entry_id)
        return known

    monkeypatch.setattr(RunLedger, "knowledge", look_before_it_goes_on)
    result = lab.run(release="1.2", wait_timeout=20)
    assert (code(result), lab.posts) == ("timed_out", 0)
    entry = lab.open_entry()
    assert entry is not None
    assert (entry.id, entry.state) == (entry_id, "sending")


@pytest.mark.parametrize("proves", [True, False])
@pytest.mark.parametrize("stops", ["process", "machine"])
def test_nothing_is_sent_once_another_process_has_taken_over(lab: Lab, proves: bool, stops: str) -> None:
    def take_over() -> None:
        if stops == "process":
            lab.clock.sleep(70)
        else:
            # the monotonic clock of a virtual machine may be paused with it
            lab.clock._start += dt.timedelta(seconds=70)
        entry = lab.open_entry()
        assert entry is not None and lab.ledger.adopt(entry.id)
        lab.ledger.finish(entry.id, "void")
        lab.service.start("7")

    class Stopped(Fifth):
        capabilities = Capabilities(True, absence_proves=proves)

        def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
            take_over()
            return super().trigger(target, observation, channel)

    record = only(lab.run(Stopped, wait=False))
    assert (record["action"], lab.posts, lab.accepted) == ("joined", 0, 1)
