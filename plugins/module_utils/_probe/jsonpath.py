# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Small paths into JSON: ``status``, ``checks[0].state``, ``data["a.b"][2]``. Pure."""

from __future__ import annotations

import re
import typing as t

Path = tuple[t.Union[str, int], ...]

#: of a position; Python refuses to read numbers of some thousands, and no list is that long
MAX_DIGITS = 18
_STEP = re.compile(r"""\.?(?P<key>[^.\[\]"'\s$*]+)|\[(?P<index>[0-9]+)\]|\[(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')\]""")


def parse_path(text: str) -> Path:
    """The keys (``str``) and positions (``int``) of a path.

    :raises ValueError: with what is wrong with it, as the end of a sentence that begins with the path.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        # a key begins the path or follows a dot, and no dot begins a path
        if match is None or (match["key"] is not None and (match[0][0] == ".") != bool(steps)):
            raise ValueError(f"cannot be read as a path from {text[at:]!r} on")
        if match["index"] is not None and len(match["index"]) > MAX_DIGITS:
            raise ValueError(f"has a position of more than {MAX_DIGITS} digits")
        quoted = match["double"] if match["double"] is not None else match["single"]
        steps.append(int(match["index"]) if match["index"] is not None else match["key"] if quoted is None else quoted)
        at = match.end()
    if not steps:
        raise ValueError("is empty")
    return tuple(steps)


def find(document: t.Any, path: Path) -> tuple[bool, t.Any]:
    """Whether there is something at ``path`` in a decoded document, and what."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(document, list) or step >= len(document):
                return False, None
        elif not isinstance(document, dict) or step not in document:
            return False, None
        document = document[step]
    return True, document
