# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""A secret as other systems write it: each character as it is, or as URLs, HTML, JSON or Python may have it instead."""

from __future__ import annotations

import html.entities
import re

from .texts import REPLACEMENT, harmless

#: JSON may have ``&`` as ``\u0026``, HTML within HTML ``&amp;``, a URL within another one ``%25``
_AMPERSAND = r"(?:&(?:amp;){0,2}|\\u0026)"
_PERCENT = "%(?:25){0,2}"
#: JSON within JSON within Python
_BACKSLASHES = r"\\{1,4}"
_NAMES: dict[int, list[str]] = {}
for _name, _code in html.entities.name2codepoint.items():
    _NAMES.setdefault(_code, []).append(_name)
# that of XML and HTML 5 only
_NAMES.setdefault(ord("'"), []).append("apos")
_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\0": "0"}


def secret_pattern(secret: str) -> re.Pattern[str]:
    """What finds a secret in a text, in whichever mixture of these ways it is written."""
    return re.compile("".join(_run(run) for run in re.findall(r"\\+|\s+|[^\\\s]", secret)))


def _run(run: str) -> str:
    """A pattern for one character, or for a run of backslashes or blanks: one for each would match in too many ways."""
    character = run[0]
    # which no usual way of writing encodes
    if character.isascii() and character.isalnum():
        return character
    # before the character itself, with which some of them begin
    encoded = "|".join(form for each in dict.fromkeys(run) for form in (*_percent(each), *_entities(each), *_backslashes(each)))
    if character == "\\":
        return rf"(?:(?:{encoded}){{{len(run)}}}|\\{{{len(run)},{4 * len(run)}}})"
    if character.isspace():
        # a text on one line has a blank for any of them, and a form a plus
        return rf"(?:{encoded}|\s|\+|{REPLACEMENT}){{1,{len(run)}}}"
    replaced = "" if harmless(character) == character else f"|{REPLACEMENT}"
    return f"(?:{encoded}|{re.escape(character)}{replaced})"


def _percent(character: str) -> list[str]:
    """RFC 3986 section 2.1, with digits of either case."""
    forms = ["".join(_PERCENT + _hex(byte, 2) for byte in _bytes(character))]
    # not of UTF-8, but of ISO 8859-1
    return [*forms, _PERCENT + _hex(ord(character), 2)] if ord(character) < 0x100 else forms


def _entities(character: str) -> list[str]:
    code = ord(character)
    names = "".join(f"|{name}" for name in _NAMES.get(code, ()))
    # in JSON, a quotation mark may have had a backslash before it became an entity
    return [rf"\\{{0,4}}{_AMPERSAND}(?:#0{{0,6}}{code}|#[xX]0{{0,6}}{_hex(code)}{names});"]


def _backslashes(character: str) -> list[str]:
    """As in JSON and in literals of Python, of texts as well as of bytes; each of them may be escaped once more."""
    code = ord(character)
    raw = character.encode("utf-16-be", "surrogatepass")
    units = [raw[start] << 8 | raw[start + 1] for start in range(0, len(raw), 2)]
    forms = ["".join(rf"{_BACKSLASHES}u{_hex(unit, 4)}" for unit in units)]
    forms.append("".join(rf"{_BACKSLASHES}x{_hex(byte, 2)}" for byte in _bytes(character)))
    if code < 0x100:
        forms.append(rf"{_BACKSLASHES}x{_hex(code, 2)}")
    elif code > 0xFFFF:
        forms.append(rf"{_BACKSLASHES}U{_hex(code, 8)}")
    if character in _ESCAPES:
        forms.append(rf"{_BACKSLASHES}{_ESCAPES[character]}")
    elif character.isascii() and character != "\\":
        forms.append(rf"{_BACKSLASHES}{re.escape(character)}")
    return forms


def octets(text: str) -> bytes:
    """A text in UTF-8; what Python made of octets that are none (PEP 383) is these octets again."""
    return b"".join(_bytes(character) for character in text)


def _bytes(character: str) -> bytes:
    return character.encode("utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass")


def _hex(number: int, digits: int = 1) -> str:
    """The number in hexadecimal, with digits of either case."""
    return "".join(digit if digit.isdigit() else f"[{digit}{digit.upper()}]" for digit in f"{number:0{digits}x}")
