# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not get out of a text of a server."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._core.texts import harmless, one_line

ODD = {
    "\x1b[31mred": "\ufffd[31mred",
    "\x1b]0;title\x07": "\ufffd]0;title\ufffd",
    "\x9b31m": "\ufffd31m",
    "a\x00b\x7f": "a\ufffdb\ufffd",
    "\ud800 \udfff": "\ufffd \ufffd",
    "abc\u202edcba": "abc\ufffddcba",
    "ok\rforged": "ok\ufffdforged",
    "a\r\nb\tc\nd": "a\r\nb\tc\nd",
    "Größe 漢字 😀 e\u0301": "Größe 漢字 😀 e\u0301",
}


@pytest.mark.parametrize(("text", "shown"), ODD.items(), ids=ascii)
def test_it_is_replaced(text: str, shown: str) -> None:
    assert harmless(text) == shown
    assert Redactor(["x"]).text(text) == shown
    assert Redactor(["x"]).scrub({"a": [text], text: 1}) == {"a": [shown], shown: 1}
    assert Redactor(["x"]).scrub_identity({"a": text}) == {"a": shown}


def test_one_line() -> None:
    assert one_line(" a\n\tb\r\n\x1bc ") == "a b \ufffdc"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters()))
def test_no_text_controls_a_terminal(text: str) -> None:
    found = harmless(text)
    found.encode("utf-8")
    assert {c for c in found if unicodedata.category(c) in ("Cc", "Cs")} <= {"\n", "\t", "\r"}
    assert "\r" not in found.replace("\r\n", "")
    assert harmless(found) == found
