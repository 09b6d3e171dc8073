# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source dns_serials: which answers of a pass become events."""

from __future__ import annotations

import logging
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source.dns_serials import (
    Change,
    Serials,
    Settings,
    events_of,
    serial_in,
)


def settings(**options: Any) -> Settings:
    return Settings.from_args({"server": "192.0.2.1", "zones": ["example.com"], **options})


def test_the_first_pass_yields_all_zones() -> None:
    """What has changed while nothing looked is not known."""
    assert Serials(0).compare({"a.": 1, "b.": 2}, 0) == ("start", [Change("a.", 1, None), Change("b.", 2, None)])


def test_later_passes_yield_what_has_changed() -> None:
    serials = Serials(0)
    serials.compare({"a.": 1, "b.": 2}, 0)

    assert serials.compare({"a.": 1, "b.": 2}, 60) == ("change", [])
    assert serials.compare({"a.": 1, "b.": 3}, 120) == ("change", [Change("b.", 3, 2)])
    # a serial that goes back is a change, too
    assert serials.compare({"a.": 1, "b.": 2}, 180) == ("change", [Change("b.", 2, 3)])


def test_full_passes_come_again() -> None:
    serials = Serials(100)
    serials.compare({"a.": 1}, 0)

    assert serials.compare({"a.": 1}, 99) == ("change", [])
    assert serials.compare({"a.": 1}, 101) == ("full_pass", [Change("a.", 1, 1)])
    assert serials.compare({"a.": 1}, 150) == ("change", [])
    assert serials.compare({"a.": 1}, 202)[0] == "full_pass"


def test_a_zone_without_an_answer_is_no_change_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    serials = Serials(0)
    with caplog.at_level(logging.WARNING):
        assert serials.compare({"a.": "silent", "b.": 1}, 0) == ("start", [Change("b.", 1, None)])
        serials.compare({"a.": "silent", "b.": 1}, 60)
    assert [record.getMessage() for record in caplog.records] == ["no serial of a.: silent"]

    # the first answer is an event, as the first pass had none
    assert serials.compare({"a.": 5, "b.": 1}, 120) == ("change", [Change("a.", 5, None)])
    serials.compare({"a.": "silent", "b.": 1}, 180)
    assert serials.compare({"a.": 5, "b.": 1}, 240) == ("change", [])
    assert len(caplog.records) == 2


def test_events_have_a_limit() -> None:
    changes = [Change(f"z{number}.", number, None) for number in range(5)]
    events = events_of("start", changes, 2)

    assert [event["zones"] for event in events] == [["z0.", "z1."], ["z2.", "z3."], ["z4."]]
    assert ["zone" in event for event in events] == [False, False, True]
    assert events[2] == {
        "reason": "start",
        "zones": ["z4."],
        "changes": [{"zone": "z4.", "serial": 4, "previous_serial": None}],
        "zone": "z4.",
        "serial": 4,
    }
    assert events_of("change", [], 2) == []


def response(rcode: dns.rcode.Rcode = dns.rcode.NOERROR, owner: str = "example.com.") -> dns.message.Message:
    message = dns.message.make_response(dns.message.make_query("example.com.", "SOA"))
    message.set_rcode(rcode)
    message.answer.append(dns.rrset.from_text(owner, 0, "IN", "SOA", "ns1. hostmaster. 4294967295 1 1 1 1"))
    return message


def test_a_serial_is_that_of_the_zone_itself() -> None:
    assert serial_in(response(), "example.com.") == 2**32 - 1
    assert serial_in(response(), "EXAMPLE.com.") == 2**32 - 1
    assert serial_in(response(owner="com."), "example.com.") == "the answer has no SOA record of the zone"
    assert serial_in(response(dns.rcode.REFUSED), "example.com.") == "the server answers REFUSED"


def test_names_are_absolute_and_lower_case_and_each_once() -> None:
    zones = settings(zones=["Example.COM", "example.com.", "0/27.2.0.192.in-addr.arpa"]).zones
    assert zones == ("example.com.", "0/27.2.0.192.in-addr.arpa.")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"server": None}, "server: is missing"),
        ({"zones": []}, "zones: is missing"),
        ({"zones": ["*.example.com"]}, r"zones: '\*.example.com' is not the name of a zone"),
        ({"zones": ["{{ x }}.com"]}, "is not the name of a zone"),
        ({"zones": [10.2]}, "zones: 10.2 is not the name of a zone"),
        ({"interval": 0}, "interval: 0 is not between"),
        ({"max_parallel": "many"}, "max_parallel: 'many' is not a number"),
        ({"tsig_secret": "c2VjcmV0"}, "a key needs both"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        settings(**options)
