# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What texts of servers must not bring along: characters that control a terminal, and those that UTF-8 cannot encode."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"

#: Control characters (C0 but for tab and line feed, DEL, C1), lone surrogates, what reverses the direction of the text after it,
#: and what Unicode reserves (section 23.7), which XML does not allow. A carriage return is part of a line break or unsafe.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + 0xFFFE) + chr(plane * 0x10000 + 0xFFFF) for plane in range(17))
    + "]|\r(?!\n)"
)


def harmless(text: str) -> str:
    """``text`` with U+FFFD in place of each character that is not safe on a terminal, in JSON, in a report or in a mail."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(REPLACEMENT, text)


def has_surrogates(text: str) -> bool:
    """Whether a text has lone surrogates, so that UTF-8 cannot encode it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def one_line(text: str) -> str:
    """The same on one line, without blanks around it."""
    return " ".join(harmless(text).split())


def is_like(text: str, pattern: str) -> bool:
    """Whether a text is that of a pattern in which ``*`` stands for anything, without regard to case."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.IGNORECASE | re.DOTALL) is not None
