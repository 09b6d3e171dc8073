# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on the guards: zones that must not be synced as they are, each arranged with a real BIND where there is one.

What counts is what the server saw: no sync of the attacked zone. Where it can be shown, a control proves that the attack is one:
the same with the guard lifted, or without a signature, is synced.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import dns.rdatatype

from tests.simulator.client import Simulator
from tests.simulator.dns_server import HOST, TsigKey, zone_text

from .dns_proxy import Change, answering, edited, signature
from .faults import Exchange, Fault, Pieces
from .lab import HOSTS, NEW, OTHER, ZONE, BindWithViews, Json, Lab
from .proxy import Call, FaultyProxy, Plan

#: of so many records that a transfer has several messages
MANY = [f"host{number:04d} 300 A 10.0.{number >> 8}.{number & 255}" for number in range(2500)]


#: arranges an attack; returns the options of the module that differ from the usual ones
Arrange = Callable[[Lab], Json]


@dataclasses.dataclass(frozen=True)
class Attack:
    """Something because of which a zone must not be synced.

    :param kind: the section of the table.
    :param codes: failure codes that say so.
    :param control: options with which the same is synced, or no longer an attack; ``None`` if nothing lifts it.
    """

    kind: str
    name: str
    arrange: Arrange
    codes: tuple[str, ...] = ("guard_refused",)
    control: Callable[[Lab, Json], Json] | None = None

    def __str__(self) -> str:
        return f"{self.kind}, {self.name}"


def _lifted(**guard: Any) -> Callable[[Lab, Json], Json]:
    return lambda lab, options: {**options, "guard": guard}


def _zone(**order: Any) -> Arrange:
    def arrange(lab: Lab) -> Json:
        lab.add(**order)
        return {}

    return arrange


def _serial(stored: int, moved: int) -> Arrange:
    def arrange(lab: Lab) -> Json:
        lab.add(serial=stored, dns=[*HOSTS, NEW])
        lab.serial(moved)
        return {}

    return arrange


def _apex(lab: Lab) -> Json:
    lab.add()
    lab.update(replace=[["@", 300, "NS", "ns9.example.org."]])
    return {}


def view(inside: list[str]) -> Arrange:
    """The module sees a view of the zone that VinylDNS does not."""

    def arrange(lab: Lab) -> Json:
        lab.add(dns=[*HOSTS, NEW])
        folder = Path(tempfile.mkdtemp(dir=lab.folder))
        key = TsigKey.make("outside.")
        texts = (zone_text([*HOSTS, NEW], 2), zone_text(inside, 2))
        bind = lab.stack.enter_context(BindWithViews(folder, key, *texts))
        seen = bind.inside_key
        key_options = {"tsig_name": seen.name, "tsig_secret": seen.secret, "tsig_algorithm": seen.algorithm}
        return {"backend": {"server": HOST, "port": bind.port, **key_options}}

    return arrange


def _other_view(lab: Lab, options: Json) -> Json:
    key = TsigKey.make("outside.")
    names = {"tsig_name": key.name, "tsig_secret": key.secret, "tsig_algorithm": key.algorithm}
    return {**options, "backend": {**options["backend"], **names}}


MASS = _lifted(max_delete_percent=100, max_update_percent=100, allow_empty=True)
OWN = ("own", "192.0.2.250")
CONTENT = (
    Attack("content", "empty", _zone(dns=[]), control=MASS),
    Attack("content", "half of it gone", _zone(dns=HOSTS[:10]), control=MASS),
    Attack("content", "one record left", _zone(dns=HOSTS[:1]), control=MASS),
    Attack("content", "7 of 20 gone", _zone(dns=HOSTS[:13]), control=MASS),
    Attack("content", "7 of 20 changed", _zone(dns=[*HOSTS[:13], *(f"{line}9" for line in HOSTS[13:])]), control=MASS),
    Attack("content", "data of another zone", _zone(dns=[f"mx{number} 300 A 203.0.113.9" for number in range(20)]), control=MASS),
    Attack("content", "older serial", _serial(100, 50), control=_lifted(allow_serial_regression=True)),
    Attack("content", "serial of no order", _serial(100, 100 + 2**31), control=_lifted(allow_serial_regression=True)),
    Attack("content", "other name servers", _apex, control=_lifted(allow_apex_ns_change=True)),
    Attack("content", "another view, nearly empty", view(["inside A 10.0.0.1"]), control=_other_view),
    Attack("content", "another view, other hosts", view([f"in{each} A 10.0.0.1" for each in range(20)]), control=_other_view),
)


# -- a backend that changes in the middle ------------------------------------------------------------------------------


def _while_reading(path: str) -> Arrange:
    """It loses its records after the API has answered a request of the module."""

    def arrange(lab: Lab) -> Json:
        lab.add()
        lab.update(add=[["new", 300, "A", "198.51.100.1"]])

        def respond(exchange: Exchange) -> Pieces:
            lab.ruin()
            return iter((exchange.whole,))

        plan = Plan(Fault("ruin", respond), Call("before", "GET", path), lasting=False)
        proxy = FaultyProxy(lab.url, lambda method, target: method == "POST", 0, plan)
        return {"api_url": lab.stack.enter_context(proxy).url}

    return arrange


def _while_transferred(lab: Lab) -> Json:
    lab.add()
    lab.update(add=[["new", 300, "A", "198.51.100.1"]])
    proxy = lab.proxy()

    def change(query: bytes, answer: list[bytes]) -> list[bytes]:
        proxy.changes.pop("AXFR", None)
        lab.ruin()
        return answer

    proxy.changes["AXFR"] = change
    return {"backend": lab.by(proxy)}


def _before_the_last_look(lab: Lab) -> Json:
    lab.add()
    lab.update(add=[["new", 300, "A", "198.51.100.1"]])
    proxy = lab.proxy()

    def before() -> None:
        proxy.before.clear()
        lab.ruin()

    proxy.before["SOA"] = before
    return {"backend": lab.by(proxy)}


def _after_the_review(harm: Callable[[Lab], object], required: bool = False) -> Arrange:
    """The plan is refused, or would be; it is reviewed, and something happens before it is approved."""

    def arrange(lab: Lab) -> Json:
        lab.add(dns=[*HOSTS, NEW] if required else HOSTS[:10])
        digest = digest_of(lab.run(check=True))
        harm(lab)
        return {"approve": digest, "only_approved": required}

    return arrange


def digest_of(result: Json) -> str:
    return str(result["syncs"][0]["detail"]["drift"]["digest"])


def _approved_now(lab: Lab, options: Json) -> Json:
    return {**options, "approve": digest_of(lab.run(check=True))}


def _to_and_fro(lab: Lab) -> None:
    lab.update(add=[["late", 300, "A", "192.0.2.200"]])
    lab.update(delete=[["late", "A"]])


def _late(lab: Lab) -> None:
    lab.update(add=[["late", 300, "A", "192.0.2.200"]])


CHANGING = (
    Attack("in the middle of a run", "while the zone is looked for", _while_reading(f"/zones/name/{ZONE}")),
    Attack("in the middle of a run", "while its changes are read", _while_reading("/zones/ID/changes")),
    Attack("in the middle of a run", "while its record sets are read", _while_reading("/zones/ID/recordsets")),
    Attack("in the middle of a run", "right after the transfer", _while_transferred),
    Attack("in the middle of a run", "right before the last look", _before_the_last_look),
    Attack("between review and approval", "one more record", _after_the_review(_late), control=_approved_now),
    Attack("between review and approval", "records lost", _after_the_review(Lab.ruin), control=_approved_now),
    Attack("between review and approval", "to and fro, a later serial", _after_the_review(_to_and_fro), control=_approved_now),
    Attack(
        "between review and approval", "VinylDNS changed", _after_the_review(lambda lab: lab.put(*OWN)), control=_approved_now
    ),
    Attack("between review and approval", "a harmless plan", _after_the_review(_late, True), control=_approved_now),
)


# -- digests that are not for this plan --------------------------------------------------------------------------------


def _digest(make: Callable[[Lab, str], str]) -> Arrange:
    def arrange(lab: Lab) -> Json:
        lab.add(dns=HOSTS[:10])
        return {"approve": make(lab, digest_of(lab.run(check=True)))}

    return arrange


def _of_another_zone(lab: Lab, own: str) -> str:
    lab.add("twin.example.", dns=HOSTS[:10])
    return digest_of(lab.run(check=True, zones="twin.example."))


REPLAYED = (
    Attack("digest", "of a zone with the same records", _digest(_of_another_zone), control=_approved_now),
    Attack("digest", "too short", _digest(lambda lab, own: own[:11]), control=_approved_now),
    Attack("digest", "of nothing", _digest(lambda lab, own: "0" * 32), control=_approved_now),
    Attack("digest", "its end", _digest(lambda lab, own: own[8:]), control=_approved_now),
)


# -- messages that are not as the DNS server sent them ------------------------------------------------------------------


def _messages(change: Change, many: bool = False, rdtype: str = "AXFR") -> Arrange:
    def arrange(lab: Lab) -> Json:
        records = MANY if many else HOSTS
        # everyone may transfer it, so that the control needs no key
        lab.add(records=records, dns=[*records, NEW], transfer=["any"])
        proxy = lab.proxy()
        proxy.changes[rdtype] = change
        return {"backend": lab.by(proxy)}

    return arrange


def _unsigned(lab: Lab, options: Json) -> Json:
    backend = {name: value for name, value in options["backend"].items() if not name.startswith("tsig")}
    return {**options, "backend": backend}


def _each(change: Callable[[bytes], bytes]) -> Change:
    return lambda query, answer: [change(message) for message in answer]


def _other_address(message: bytes) -> bytes:
    return message.replace(socket.inet_aton("198.51.100.1"), socket.inet_aton("203.0.113.66"))


def _without_hosts(message: bytes) -> bytes:
    return edited(message, lambda answer: [each for each in answer if not each.name.to_text().startswith("host0")])


def _only_the_soa(message: bytes) -> bytes:
    return edited(message, lambda answer: [each for each in answer if each.rdtype in (dns.rdatatype.SOA, dns.rdatatype.NS)])


def _with_serial(message: bytes, serial: int) -> bytes:
    def edit(answer: list[Any]) -> list[Any]:
        return [_soa(each, serial) if each.rdtype == dns.rdatatype.SOA else each for each in answer]

    return edited(message, edit)


def _soa(rrset: Any, serial: int) -> Any:
    changed = rrset.copy()
    changed.clear()
    changed.add(rrset[0].replace(serial=serial), rrset.ttl)
    return changed


def _other_serial(message: bytes) -> bytes:
    return _with_serial(message, 4_000_000)


def _swapped(query: bytes, answer: list[bytes]) -> list[bytes]:
    return [answer[0], answer[2], answer[1], *answer[3:]]


def _replayed(lab: Lab) -> Json:
    """What the proxy answers was signed by the server when the zone was well; so the serial of that time is shown."""
    lab.add(dns=[*HOSTS, NEW], transfer=["any"])
    proxy = lab.proxy()
    backend = lab.by(proxy)
    lab.run(check=True, backend=backend)
    recorded = proxy.answers[ZONE, "AXFR"]
    lab.ruin()
    proxy.changes["AXFR"] = lambda query, answer: answering(query, recorded)
    proxy.changes["SOA"] = _each(lambda message: _with_serial(message, 2))
    return {"backend": backend}


def _of_the_other_zone(lab: Lab) -> Json:
    lab.add(dns=[*HOSTS, NEW], transfer=["any"])
    proxy = lab.proxy()
    backend = lab.by(proxy)
    lab.run(check=True, zones=OTHER, backend=backend)
    recorded = proxy.answers[OTHER, "AXFR"]
    proxy.changes["AXFR"] = lambda query, answer: answering(query, recorded)
    return {"backend": backend}


FORGED = ("auth_failed",)
BROKEN = ("auth_failed", "bad_response")
TAMPERED = (
    Attack("messages", "one address changed", _messages(_each(_other_address)), FORGED, _unsigned),
    Attack("messages", "hosts left out", _messages(_each(_without_hosts)), FORGED),
    Attack("messages", "nothing but SOA and NS", _messages(_each(_only_the_soa)), FORGED),
    Attack("messages", "another serial", _messages(_each(_other_serial)), FORGED, _unsigned),
    Attack("messages", "signatures removed", _messages(_each(lambda message: signature(message)[0])), FORGED, _unsigned),
    Attack("messages", "replayed", _replayed, FORGED, _unsigned),
    Attack("messages", "transfer of another zone", _of_the_other_zone, BROKEN),
    Attack("messages", "two swapped", _messages(_swapped, many=True), FORGED, _unsigned),
    Attack("messages", "one left out", _messages(lambda query, answer: [answer[0], *answer[2:]], many=True), FORGED),
    Attack("messages", "the last one left out", _messages(lambda query, answer: answer[:-1], many=True), BROKEN),
    Attack("messages", "one twice", _messages(lambda query, answer: [*answer[:2], *answer[1:]], many=True), FORGED),
    Attack(
        "messages",
        "the last signature removed",
        _messages(lambda query, answer: [*answer[:-1], signature(answer[-1])[0]], many=True),
        FORGED,
        _unsigned,
    ),
    Attack("last look", "another serial", _messages(_each(_other_serial), rdtype="SOA"), FORGED),
    Attack(
        "last look", "signature removed", _messages(_each(lambda message: signature(message)[0]), rdtype="SOA"), FORGED, _unsigned
    ),
)

ATTACKS = (*CONTENT, *CHANGING, *REPLAYED, *TAMPERED)


# -- what comes of them ------------------------------------------------------------------------------------------------

Mode = Literal["alone", "check", "force", "bulk"]
MODES: tuple[Mode, ...] = ("alone", "check", "force", "bulk")


@dataclasses.dataclass(frozen=True)
class Found:
    """What came of an attack.

    :param code: failure code of the attacked zone.
    :param syncs: those of the attacked zone that the server accepted.
    :param lost: record sets of it that VinylDNS has lost.
    :param others: syncs of the zone in the same task that is not attacked.
    """

    code: str
    syncs: int
    lost: int
    others: int


def modes(attack: Attack) -> tuple[Mode, ...]:
    """The ways in which an attack is tried: what happens in the middle of a run happens once, and in a run for one zone."""
    return ("alone", "force") if attack in CHANGING else MODES


def run(attack: Attack, mode: Mode, simulator: Simulator, folder: Path, control: bool = False) -> Found:
    """Arrange an attack, and run the module.

    :param control: what is no attack any more, see :attr:`Attack.control`.
    """
    with contextlib.ExitStack() as stack:
        lab = Lab(simulator, folder, stack)
        options = attack.arrange(lab)
        if control and attack.control is not None:
            options = attack.control(lab, options)
        before = lab.stored()
        zones = [OTHER, ZONE] if mode == "bulk" else [ZONE]
        result = lab.run(mode == "check", **{**options, "zones": zones, "force": mode == "force"})
        record = result["syncs"][-1]
        code = record["failure"]["code"] if record["failure"] else ""
        return Found(code, lab.syncs(), before - lab.stored(), lab.syncs(OTHER))
