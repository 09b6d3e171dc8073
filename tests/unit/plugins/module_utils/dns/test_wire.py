# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as octets and as text."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._dns import wire

WWW = b"\x03www\x07example\x03com\x00"

labels = st.lists(st.binary(min_size=1, max_size=20), max_size=6)


def test_a_name_ends_behind_its_root() -> None:
    assert wire.end_of_name(b"xx" + WWW + b"yy", 2) == 2 + len(WWW)
    assert wire.end_of_name(b"\x00yy", 0) == 1


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
