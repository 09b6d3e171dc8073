# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source dns_notify: which messages are answered how, and which changes become events when."""

from __future__ import annotations

import base64
import time
from typing import Any

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import dns.tsig
import dns.update
import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source.dns_notify import (
    Change,
    Settings,
    Throttle,
    event_of,
    newer_serial,
    respond,
)

SENDER = "192.0.2.1"
SECRET = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
KEY = dns.tsig.Key("notify.", SECRET, "hmac-sha256")
OTHER_KEY = dns.tsig.Key("notify.", base64.b64encode(b"another secret of 32 characters.").decode(), "hmac-sha256")
SIGNED = {"tsig_name": "notify", "tsig_secret": SECRET}


def settings(**options: Any) -> Settings:
    return Settings.from_args({"allowed_senders": [SENDER], **options})


def notify(zone: str = "example.com.", serial: int | None = 7, key: dns.tsig.Key | None = None) -> dns.message.Message:
    message = dns.message.make_query(zone, "SOA", flags=dns.flags.AA)
    message.set_opcode(dns.opcode.NOTIFY)
    if serial is not None:
        message.answer.append(dns.rrset.from_text(zone, 0, "IN", "SOA", f"ns1. hostmaster. {serial} 1 1 1 1"))
    if key:
        message.use_tsig(key)
    return message


def answer(message: dns.message.Message | bytes, **options: Any) -> tuple[dns.message.Message | None, Change | None]:
    wire = message if isinstance(message, bytes) else message.to_wire()
    response, change = respond(wire, SENDER, settings(**options))
    if response is None:
        return None, change
    assert len(response) <= len(wire), "an answer that is longer than the message amplifies"
    # an answer to a wrong signature has none itself
    keyring = False if response[3] & 0x0F == dns.rcode.NOTAUTH else KEY
    return dns.message.from_wire(response, keyring=keyring, request_mac=getattr(message, "mac", b"")), change


def test_a_notify_is_answered_and_announces_zone_and_serial() -> None:
    message = notify("Example.COM.")
    response, change = answer(message)

    assert change == Change("example.com.", 7, SENDER)
    assert response is not None
    assert response.id == message.id
    assert response.opcode() == dns.opcode.NOTIFY
    assert response.rcode() == dns.rcode.NOERROR
    assert response.flags & (dns.flags.QR | dns.flags.AA) == dns.flags.QR | dns.flags.AA
    assert response.question == message.question
    assert not response.answer


def test_a_notify_need_not_have_a_serial() -> None:
    assert answer(notify(serial=None))[1] == Change("example.com.", None, SENDER)


@pytest.mark.parametrize(
    ("message", "options", "rcode"),
    [
        (dns.message.make_query("example.com.", "SOA"), {}, "REFUSED"),
        (dns.message.make_query("example.com.", "ANY", use_edns=0, payload=4096, want_dnssec=True), {}, "REFUSED"),
        (dns.update.UpdateMessage("example.com."), {}, "REFUSED"),
        (notify("example.org."), {"zones": ["example.com", "*.net"]}, "REFUSED"),
        (notify("a{{b}}.example.com."), {}, "REFUSED"),
        (notify(), SIGNED, "REFUSED"),
        (notify(key=OTHER_KEY), SIGNED, "NOTAUTH"),
        (notify(key=KEY), {"tsig_name": "another", "tsig_secret": SECRET}, "NOTAUTH"),
        (notify(key=KEY), {}, "NOTAUTH"),
        (notify().to_wire()[:20], {}, "FORMERR"),
    ],
    ids=["query", "any", "update", "zone", "template", "unsigned", "wrong key", "other key", "no key", "cut off"],
)
def test_anything_else_is_refused(message: Any, options: dict[str, Any], rcode: str) -> None:
    response, change = answer(message, **options)

    assert change is None
    assert response is not None
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert not response.flags & dns.flags.AA


def test_a_signed_notify_has_a_signed_answer() -> None:
    response, change = answer(notify(key=KEY), **SIGNED)

    assert change == Change("example.com.", 7, SENDER)
    assert response is not None
    assert response.had_tsig


@pytest.mark.parametrize(
    ("key", "options", "error"),
    [
        # BADSIG and BADKEY of RFC 8945
        (OTHER_KEY, SIGNED, 16),
        (KEY, {"tsig_name": "another", "tsig_secret": SECRET}, 17),
        (KEY, {**SIGNED, "tsig_algorithm": "hmac-sha512"}, 17),
        (KEY, {}, 17),
    ],
    ids=["secret", "name", "algorithm", "no key"],
)
def test_the_answer_says_what_is_wrong_with_a_signature(key: dns.tsig.Key, options: dict[str, Any], error: int) -> None:
    message = notify(key=key)
    response, _change = answer(message, **options)
    assert response is not None
    assert response.question == message.question
    assert response.tsig is not None
    assert response.tsig[0].error == error
    # there is no key to sign it with
    assert response.tsig[0].mac == b""


def test_an_old_signature_is_refused_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    message = notify(key=KEY)
    wire = message.to_wire()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1000)
    response, change = respond(wire, SENDER, settings(**SIGNED))

    assert change is None
    assert response is not None
    assert len(response) <= len(wire)
    with pytest.raises(dns.tsig.PeerBadTime):
        dns.message.from_wire(response, keyring=KEY, request_mac=message.mac)
    unchecked = dns.message.from_wire(response, keyring=False)
    assert unchecked.rcode() == dns.rcode.NOTAUTH
    assert unchecked.tsig is not None
    assert int.from_bytes(unchecked.tsig[0].other, "big") == int(now + 1000)
    assert len(unchecked.tsig[0].mac) == 32


@pytest.mark.parametrize("options", [{}, SIGNED])
def test_a_wrong_signature_before_something_else_that_is_wrong(options: dict[str, Any]) -> None:
    response, change = answer(notify(key=OTHER_KEY).to_wire() + b"junk", **options)
    assert change is None
    assert response is not None
    assert response.rcode() == dns.rcode.FORMERR


def test_a_response_is_never_answered() -> None:
    response, _change = respond(notify().to_wire(), SENDER, settings())
    assert response is not None
    assert respond(response, SENDER, settings()) == (None, None)


def test_a_notify_with_two_questions_is_malformed() -> None:
    message = notify(serial=None)
    message.question.append(dns.rrset.from_text("example.net.", 0, "IN", "SOA"))
    response, change = answer(message)

    assert change is None
    assert response is not None
    assert response.rcode() == dns.rcode.FORMERR


@hypothesis_settings(deadline=None)
@given(st.binary(max_size=80))
def test_whatever_arrives_no_answer_is_longer(wire: bytes) -> None:
    response, change = respond(wire, SENDER, settings())
    assert response is None or len(response) <= len(wire)
    assert change is None or response is not None


@hypothesis_settings(deadline=None)
@given(st.binary(max_size=40), st.integers(min_value=0, max_value=40))
def test_whatever_happens_to_a_notify_no_answer_is_longer(noise: bytes, place: int) -> None:
    wire = bytearray(notify(key=KEY).to_wire())
    wire[place : place + len(noise)] = noise
    for options in ({}, SIGNED):
        response, _change = respond(bytes(wire), SENDER, settings(**options))
        assert response is None or len(response) <= len(wire)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.0.2.1", True),
        ("::ffff:192.0.2.1", True),
        ("192.0.2.2", False),
        ("2001:db8::7", True),
        ("fe80::1%eth0", False),
        ("198.51.100.200", True),
    ],
)
def test_senders_are_addresses_and_networks(address: str, allowed: bool) -> None:
    assert settings(allowed_senders=["192.0.2.1", "2001:db8::/64", "198.51.100.128/25"]).allows(address) is allowed


@pytest.mark.parametrize(
    ("zone", "wanted"),
    [
        ("example.com.", True),
        ("www.example.com.", False),
        ("a.example.net.", True),
        ("0/27.2.0.192.in-addr.arpa.", True),
        ("_tcp.example.net.", True),
        ("a b.example.net.", False),
    ],
)
def test_zones_are_chosen_by_name(zone: str, wanted: bool) -> None:
    assert settings(zones=["Example.COM", "*.example.net", "*.in-addr.arpa."]).wants(zone) is wanted


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"allowed_senders": None}, "allowed_senders: is missing"),
        ({"allowed_senders": ["ns1.example.com"]}, "allowed_senders: 'ns1.example.com' does not"),
        ({"allowed_senders": ["192.0.2.1/24"]}, "allowed_senders: .* has host bits set"),
        ({"port": "dns"}, "port: 'dns' is not a number"),
        ({"port": 70000}, "port: 70000 is not between"),
        ({"interval": -1}, "interval: -1 is not between"),
        ({"debounce": float("nan")}, "debounce: nan is not between"),
        ({"zones": [1.5]}, r"zones: \[1.5\] is not a list of texts"),
        ({"tsig_name": "notify."}, "a key needs both"),
        ({"tsig_name": "notify.", "tsig_secret": "?"}, "are not a key"),
        ({**SIGNED, "tsig_algorithm": "rot13"}, "tsig_algorithm: rot13 is not known"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        settings(**options)


def test_a_secret_is_in_no_message() -> None:
    with pytest.raises(ValueError, match="tsig_name") as caught:
        settings(tsig_secret="hunter2")
    assert "hunter2" not in str(caught.value)
    assert SECRET not in repr(settings(**SIGNED))


@pytest.mark.parametrize("algorithm", ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "HMAC-SHA512."])
def test_algorithms_of_the_collection_are_known(algorithm: str) -> None:
    assert settings(**SIGNED, tsig_algorithm=algorithm).key is not None


# -- events --------------------------------------------------------------------------------------------------------------


def change(zone: str = "example.com.", serial: int | None = 1, notifications: int = 1) -> Change:
    return Change(zone, serial, SENDER, notifications)


def test_the_first_change_waits_for_the_debounce_only() -> None:
    throttle = Throttle(0.5, 30)
    assert throttle.seconds_until_due(0) is None
    throttle.add(change(serial=1), 100)
    throttle.add(change(serial=2), 100.4)

    assert throttle.seconds_until_due(100.1) == pytest.approx(0.4)
    assert throttle.take(100.4, 10) == []
    assert throttle.take(100.5, 10) == [change(serial=2, notifications=2)]
    assert throttle.seconds_until_due(101) is None


def test_later_changes_are_one_event_at_the_end_of_the_interval() -> None:
    throttle = Throttle(0.5, 30)
    throttle.add(change(serial=1), 0)
    throttle.take(0.5, 10)
    for number in range(100):
        throttle.add(change(serial=2 + number), 1 + number / 100)

    assert throttle.take(30.4, 10) == []
    assert throttle.take(30.5, 10) == [change(serial=101, notifications=100)]
    throttle.add(change(serial=102), 100)
    assert throttle.seconds_until_due(100) == 0.5


def test_a_change_at_the_end_of_the_interval_is_debounced() -> None:
    throttle = Throttle(0.5, 30)
    throttle.add(change(serial=1), 0)
    throttle.take(0, 10)
    throttle.take(0.5, 10)
    throttle.add(change(serial=2), 30.4)
    assert throttle.seconds_until_due(30.4) == pytest.approx(0.5)


def test_a_serial_that_was_announced_adds_nothing_within_the_interval() -> None:
    """A server repeats itself."""
    throttle = Throttle(0.5, 30)
    throttle.add(change(serial=1), 0)
    throttle.take(0.5, 10)
    throttle.add(change(serial=1), 1)
    assert throttle.seconds_until_due(1) is None
    # an operator who sends NOTIFY by hand wants an event
    throttle.add(change(serial=1), 60)
    assert throttle.take(60.5, 10) == [change(serial=1)]


def test_without_a_serial_each_notify_may_be_a_change() -> None:
    throttle = Throttle(0.5, 30)
    throttle.add(change(serial=None), 0)
    throttle.take(0.5, 10)
    throttle.add(change(serial=None), 1)
    assert throttle.take(30.5, 10) == [change(serial=None)]


def test_zones_do_not_wait_for_each_other() -> None:
    throttle = Throttle(0.5, 30)
    throttle.add(change("a."), 0)
    throttle.take(0.5, 10)
    throttle.add(change("a.", serial=2), 1)
    throttle.add(change("b."), 1.1)

    assert throttle.take(1.6, 10) == [change("b.")]
    assert throttle.take(30.5, 10) == [change("a.", serial=2)]


def test_many_zones_are_few_events() -> None:
    """A server that starts sends NOTIFY for all of its zones."""
    throttle = Throttle(0.5, 30)
    for number in range(1000):
        throttle.add(change(f"z{number}."), number / 10_000)
    sizes = []
    while throttle.seconds_until_due(1) is not None:
        sizes.append(len(throttle.take(1, 400)))
    assert sizes == [400, 400, 200]


@hypothesis_settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 20)), min_size=1, max_size=60), st.floats(0, 3), st.floats(0, 10))
def test_no_change_is_lost_and_no_zone_comes_too_often(
    arrivals: list[tuple[str, float]], debounce: float, interval: float
) -> None:
    throttle = Throttle(debounce, interval)
    waiting = sorted((when, zone, serial) for serial, (zone, when) in enumerate(arrivals, 1))
    last = {zone: serial for _when, zone, serial in waiting}
    taken: dict[str, list[tuple[float, int | None]]] = {}
    now = 0.0
    while waiting or throttle.seconds_until_due(now) is not None:
        delay = throttle.seconds_until_due(now)
        if waiting and (delay is None or waiting[0][0] <= now + delay):
            now, zone, serial = waiting.pop(0)
            # in the order of arrival, serials rise
            throttle.add(change(zone, serial=1000 - len(waiting) if serial != last[zone] else 2000 + serial), now)
        else:
            # floating point: the sum may fall short of the time that was meant
            now = now + (delay or 0) + 1e-9
            for found in throttle.take(now, 10):
                taken.setdefault(found.zone, []).append((now, found.serial))
    for zone, events in taken.items():
        assert events[-1][1] == 2000 + last[zone]
        times = [when for when, _serial in events]
        assert all(later - earlier >= interval - 1e-6 for earlier, later in zip(times, times[1:], strict=False))
    assert set(taken) == set(last)


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [(1, 2, 2), (2, 1, 2), (2**32 - 1, 0, 0), (0, 2**32 - 1, 0), (None, 3, 3), (3, None, 3), (5, 5, 5), (None, None, None)],
)
def test_serials_are_compared_as_dns_does(one: int | None, other: int | None, newer: int | None) -> None:
    assert newer_serial(one, other) == newer


def test_an_event_about_one_zone_names_it() -> None:
    one = {"zone": "a.", "serial": 3, "sender": SENDER, "notifications": 2}
    assert event_of([Change("a.", 3, SENDER, 2)]) == {"zones": ["a."], "changes": [one], "zone": "a.", "serial": 3}
    both = event_of([Change("a.", 3, SENDER), Change("b.", None, SENDER)])
    assert both["zones"] == ["a.", "b."]
    assert "zone" not in both
