# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret is hidden however an ordinary encoder writes it, and hiding it takes no long time."""

from __future__ import annotations

import base64
import html
import json
import time
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import MASK, Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._core.texts import harmless
from tests.properties import thorough

Encoder = Callable[[str], str]


def as_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def as_php_json(text: str) -> str:
    """As ``json_encode`` of PHP may write it (JSON_HEX_TAG, JSON_HEX_AMP, JSON_HEX_APOS), and Laravel does for pages."""
    hidden = {"&": "\\u0026", "<": "\\u003C", ">": "\\u003E", "/": "\\/", "'": "\\u0027"}
    return "".join(hidden.get(character, character) for character in as_json(text))


def as_numbers(form: str) -> Encoder:
    return lambda text: "".join(c if c.isalnum() else form.format(ord(c)) for c in text)


def percent(text: str) -> str:
    return urllib.parse.quote(text.encode("utf-8", "surrogatepass"), safe="")


ENCODERS: dict[str, Encoder] = {
    "as it is": str,
    "HTML": html.escape,
    "HTML, decimal": as_numbers("&#{:03d};"),
    "HTML, hexadecimal": as_numbers("&#x{:X};"),
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "URL": percent,
    "URL, lower case": lambda text: "".join(part if part.isalnum() else percent(part).lower() for part in text),
    "URL twice": lambda text: urllib.parse.quote(percent(text)),
    "form": lambda text: urllib.parse.quote_plus(text.encode("utf-8", "surrogatepass")),
    "JSON": as_json,
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON within JSON": lambda text: as_json(as_json(text)),
    "JSON of PHP": as_php_json,
    "HTML within JSON": lambda text: as_json(html.escape(text)),
    "JSON within HTML": lambda text: html.escape(as_json(text)),
    "Python": lambda text: repr(text)[1:-1],
    "bytes of Python": lambda text: repr(text.encode("utf-8", "surrogatepass"))[2:-1],
    "on one line": lambda text: " ".join(text.split()),
    "harmless": harmless,
}
AWKWARD = "ab&%\"'\\ \n\r\t<>+/=é😀\x00\x1b"
SECRETS = (st.text(min_size=1, max_size=10) | st.text(alphabet=AWKWARD, min_size=1, max_size=10)).filter(str.strip)


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
@thorough(60)
@given(secret=SECRETS)
def test_no_part_of_it_is_left(encoder: Encoder, secret: str) -> None:
    found = Redactor([secret]).text(f"«{encoder(secret)}»")
    # blanks around it may be left, and one secret may look like several
    assert found[0] + found[-1] == "«»" and set(found[1:-1]) <= {"*", " ", "+", "\n"} and MASK in found


@pytest.mark.parametrize(
    "echo",
    [
        "p&amp;ss%22word&#x27;",
        "p%26ss&quot;word%27",
        "p\\u0026ss\\\"word'",
        "p&amp;amp;ss&quot;word&#39;",
        "p%2526ss%2522word%2527",
    ],
)
def test_mixtures(echo: str) -> None:
    assert Redactor(["p&ss\"word'"]).text(f"<{echo}>") == f"<{MASK}>"


@pytest.mark.parametrize("user", ["joe", "jürgen", ""])
def test_what_basic_authentication_sends(user: str) -> None:
    sent = base64.b64encode(f"{user}:pa:ss".encode()).decode()
    assert Redactor([f"{user}:pa:ss"]).text(f"Basic {sent}") == f"Basic {MASK}"


@pytest.mark.parametrize(
    "secret", ["\\" * 8 + "x", "&" * 8, " " * 8 + "x" + " " * 8 + "y", "%25" * 6, '"' * 8, "\n" * 8 + "a", "a" * 300]
)
@pytest.mark.parametrize("text", ["\\", "&amp;", " ", "%25", '\\"', "\\n", "a", "&#0000000"])
def test_no_text_takes_long(secret: str, text: str) -> None:
    redactor = Redactor([secret + "!"])
    began = time.process_time()
    redactor.text(text * 20_000)
    # as a rule a few milliseconds; with one repetition within another it would be minutes
    assert time.process_time() - began < 10


@pytest.mark.parametrize("secret", ["\ud800", "a\udfffb", "caf\udce9"])
def test_one_that_utf_8_cannot_encode(secret: str) -> None:
    found = Redactor([secret]).scrub({"x": f"<{secret}>", "y": as_json(secret), "z": harmless(f"<{secret}>")})
    assert set(found.values()) <= {f"<{MASK}>", MASK}
