# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source dns_notify: many messages, whose senders may be forged, and the same change at several servers."""

from __future__ import annotations

import base64
import logging
import tracemalloc

import dns.flags
import dns.message
import dns.opcode
import dns.rrset
import dns.tsig
import pytest

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source import dns_notify
from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source.dns_notify import Change, Listener, Settings, Throttle

ONE, OTHER = "192.0.2.1", "192.0.2.2"
SECRET = base64.b64encode(b"another secret of 32 characters.").decode()


def notify(zone: str, serial: int = 1, key: dns.tsig.Key | None = None) -> bytes:
    message = dns.message.make_query(zone, "SOA", flags=dns.flags.AA)
    message.set_opcode(dns.opcode.NOTIFY)
    message.answer.append(dns.rrset.from_text(zone, 0, "IN", "SOA", f"ns1. hostmaster. {serial} 1 1 1 1"))
    if key:
        message.use_tsig(key)
    return message.to_wire()


def test_a_change_at_another_server_is_one_event_more() -> None:
    """What is compared with may be the second one, which did not have the change when the first event was acted on."""
    throttle = Throttle(0.5, 30)
    throttle.add(Change("a.", 7, ONE), 0)
    assert throttle.take(0.5, 10) == [Change("a.", 7, ONE)]
    throttle.add(Change("a.", 7, ONE), 1)
    assert throttle.seconds_until_due(1) is None
    throttle.add(Change("a.", 7, OTHER), 2)
    throttle.add(Change("a.", 7, OTHER), 3)
    assert throttle.take(30.4, 10) == []
    assert throttle.take(30.5, 10) == [Change("a.", 7, OTHER, 2)]


def test_without_room_for_another_zone_nothing_is_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dns_notify, "MAX_WAITING", 3)
    listener = Listener(Settings.from_args({"allowed_senders": [ONE]}))
    answered = [listener.receive(notify(f"z{number}.example."), ONE) is not None for number in range(6)]
    assert answered == [True] * 3 + [False] * 3
    # those that wait already may change again
    assert listener.receive(notify("z1.example.", 2), ONE) is not None
    assert len([each for each in caplog.records if each.levelno == logging.WARNING]) == 1


def test_zones_that_were_taken_are_forgotten_in_time_and_if_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_notify, "MAX_WAITING", 1000)
    throttle = Throttle(0, 600)
    tracemalloc.start()
    try:
        for number in range(20_000):
            assert throttle.add(Change(f"zone{number}.example.com.", 1, ONE), number / 100)
            assert len(throttle.take(number / 100, 10)) == 1
        used, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # a thousand names with what is known of each; all of them would take some 8 MB
    assert used < 2_000_000
    # the youngest ones are known still
    throttle.add(Change("zone19999.example.com.", 1, ONE), 200)
    assert throttle.seconds_until_due(200) is None


def test_wrong_signatures_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    options = {"allowed_senders": ["192.0.2.0/24"], "tsig_name": "notify.", "tsig_secret": base64.b64encode(b"x" * 32).decode()}
    listener = Listener(Settings.from_args(options))
    wire = notify("example.com.", key=dns.tsig.Key("notify.", SECRET, "hmac-sha256"))
    for _number in range(50):
        for sender in (ONE, OTHER):
            assert listener.receive(wire, sender) is not None
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert warnings == [f"a message of {sender} is refused: NOTAUTH" for sender in (ONE, OTHER)]
