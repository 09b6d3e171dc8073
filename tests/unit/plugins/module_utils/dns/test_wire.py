# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and messages as octets."""

from __future__ import annotations

import dns.message
import dns.name
import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._dns import wire

WWW = b"\x03www\x07example\x03com\x00"

labels = st.lists(st.binary(min_size=1, max_size=20), max_size=6)


def test_a_plain_name_is_read_up_to_its_end() -> None:
    assert wire.read_name(b"xx" + WWW + b"yy", 2, {}) == (WWW, 2 + len(WWW))


def test_a_compressed_name_is_expanded_and_ends_behind_the_pointer() -> None:
    message = b"\x07example\x03com\x00\x03www\xc0\x00rest"
    assert wire.read_name(message, 13, {}) == (WWW, 19)


def test_a_pointer_to_a_pointer_is_followed() -> None:
    message = b"\x03com\x00\x07example\xc0\x00\x03www\xc0\x05"
    assert wire.read_name(message, 15, {}) == (WWW, 21)


def test_names_found_before_are_reused() -> None:
    known: wire.Known = {}
    message = b"\x07example\x03com\x00\x03www\xc0\x00"
    wire.read_name(message, 13, known)
    assert known == {13: WWW, 0: WWW[4:]}


@pytest.mark.parametrize(
    ("message", "offset", "reason"),
    [
        (b"\xc0\x00", 0, "backwards"),  # points to itself
        (b"\x01a\xc0\x06\x01b\xc0\x00", 4, "backwards"),  # two names that point to each other
        (b"\xc0\x04xx\x00", 0, "backwards"),  # points ahead
        (b"\x03ww", 0, "too long"),
        (b"\x01a", 0, "past the end"),
        (b"\xc0", 0, "past the end"),
        (b"\x40" + b"a" * 64, 0, "unknown kind"),
        ((b"\x3f" + b"a" * 63) * 4 + b"\x00", 0, "too long"),
        (b"\x01a" * 200, 0, "too long"),  # found out before the end is missed
    ],
)
def test_a_broken_name_is_refused(message: bytes, offset: int, reason: str) -> None:
    with pytest.raises(wire.Malformed, match=reason):
        wire.read_name(message, offset, {})


def test_a_name_may_have_255_octets_and_no_more() -> None:
    longest = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"b" * 61 + b"\x00"
    assert len(longest) == 255
    assert wire.read_name(longest, 0, {}) == (longest, 255)
    with pytest.raises(wire.Malformed, match="too long"):
        wire.read_name(b"\x01c" + longest, 0, {})
    # also if a pointer makes it too long
    with pytest.raises(wire.Malformed, match="too long"):
        wire.read_name(longest + b"\x01c\xc0\x00", 255, {0: longest})


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (b"www", "www"),
        (b"_sip", "_sip"),
        (b"*", "*"),
        (b"0/27", "0/27"),
        (b"a.b", r"a\.b"),
        (b"a@b", r"a\@b"),
        (b'"();\\$', r"\"\(\)\;\\\$"),
        (b"a b", r"a\032b"),
        (b"\x00\x7f\xff", r"\000\127\255"),
    ],
)
def test_labels_are_escaped_as_dnsjava_does(label: bytes, text: str) -> None:
    assert wire.label_to_text(label) == text
    assert wire.parse_name(text) == ([label], False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".", ([], True)),
        ("com", ([b"com"], False)),
        ("example.com.", ([b"example", b"com"], True)),
        (r"a\.", ([b"a."], False)),
        (r"a\..", ([b"a."], True)),
        (r"\097", ([b"a"], False)),
        ("é", ([b"\xe9"], False)),
        ("Āa", ([b"\x00a"], False)),  # U+0100: only the low octet is left
    ],
)
def test_names_are_parsed_as_dnsjava_does(text: str, expected: tuple[list[bytes], bool]) -> None:
    assert wire.parse_name(text) == expected


@pytest.mark.parametrize("text", ["", "..", "a..b", ".a", "a" * 64, r"\25", r"\256", r"\1a2", "a\\", r"x\9"])
def test_names_that_dnsjava_refuses_are_refused(text: str) -> None:
    with pytest.raises(wire.Malformed):
        wire.parse_name(text)


def test_an_absolute_name_needs_its_dot_and_a_sane_length() -> None:
    assert wire.absolute_name("www.example.com.") == WWW
    with pytest.raises(wire.Malformed, match="trailing dot"):
        wire.absolute_name("www.example.com")
    with pytest.raises(wire.Malformed, match="too long"):
        wire.absolute_name("a." * 128)


@given(labels)
def test_names_survive_text_and_back(parts: list[bytes]) -> None:
    name = wire.join_labels(parts)
    text = wire.name_to_text(name)
    assert wire.absolute_name(text) == name
    assert wire.split_name(name) == parts
    assert text == dns.name.Name([*parts, b""]).to_text()


@given(st.binary(max_size=300))
def test_strings_survive_escaping(raw: bytes) -> None:
    escaped = b"".join(b"\\%03d" % octet if octet in b'\\"' or octet > 126 else bytes((octet,)) for octet in raw)
    assert wire.unescape(escaped) == raw


@pytest.mark.parametrize(("raw", "plain"), [(rb"a\\b\"c", b'a\\b"c'), (rb"\a", b"a"), (rb"\0651", b"A1"), (b"", b"")])
def test_escapes_are_resolved(raw: bytes, plain: bytes) -> None:
    assert wire.unescape(raw) == plain


@pytest.mark.parametrize("raw", [b"\\", rb"a\1", rb"\12", rb"\256", rb"\1x3"])
def test_bad_escapes_are_refused(raw: bytes) -> None:
    with pytest.raises(wire.Malformed):
        wire.unescape(raw)


def test_a_message_of_another_library_is_read() -> None:
    message = dns.message.from_text(
        "id 4711\nopcode QUERY\nrcode NXDOMAIN\nflags QR AA TC\n;QUESTION\nexample.com. IN A\n;ANSWER\n"
        "www.example.com. 300 IN A 192.0.2.1\n;AUTHORITY\nexample.com. 60 IN NS ns.example.com.\n"
        ";ADDITIONAL\nns.example.com. 30 CH TXT x\n"
    )
    octets = message.to_wire()
    known: wire.Known = {}
    header, questions, records = wire.read_message(octets, known)
    assert (header.id, header.questions, header.answers, header.authorities, header.additionals) == (4711, 1, 1, 1, 1)
    assert (header.is_response, header.authoritative, header.truncated, header.rcode) == (True, True, True, 3)
    assert questions == [(WWW[4:], 1, 1)]
    assert [(item.owner, item.rdtype, item.rdclass, item.ttl) for item in records] == [
        (WWW, 1, 1, 300),
        (WWW[4:], 2, 1, 60),
        (b"\x02ns" + WWW[4:], 16, 3, 30),
    ]
    assert octets[records[0].start : records[0].end] == bytes((192, 0, 2, 1))
    assert records[-1].end == len(octets)


def test_a_message_may_be_cut_nowhere() -> None:
    message = dns.message.make_response(dns.message.make_query("example.com.", "MX"))
    message.answer = [dns.rrset.from_text("example.com.", 300, "IN", "MX", "10 mx.example.com.")]
    octets = message.to_wire()
    wire.read_message(octets, {})
    for size in range(len(octets)):
        with pytest.raises(wire.Malformed):
            wire.read_message(octets[:size], {})


@given(st.binary(max_size=200), st.integers(0, 6), st.integers(0, 6))
def test_any_octets_are_either_read_or_malformed(body: bytes, questions: int, answers: int) -> None:
    message = wire.HEADER.pack(1, 0x8000, questions, answers, 0, 0) + body
    try:
        _header, asked, records = wire.read_message(message, {})
    except wire.Malformed:
        return
    assert (len(asked), len(records)) == (questions, answers)
    assert all(len(item.owner) <= 255 and item.end <= len(message) for item in records)
