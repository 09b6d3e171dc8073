# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and checking posted fields, with the texts that Laravel generates from their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from ..framework import Call

TRUE = (True, 1, "1")
FALSE = (False, 0, "0")

Errors = dict[str, list[str]]


def fields(call: Call) -> dict[str, Any]:
    """The posted fields and those of the query, without blanks around texts; empty texts are null.

    A body is read as what its content type says, as Laravel does it; anything else than an object has no fields.
    """
    return {name: _trimmed(value) for name, value in {**call.query, **_posted(call)}.items()}


def _posted(call: Call) -> dict[str, Any]:
    content_type = call.headers.get("Content-Type", "")
    if content_type.partition(";")[0].strip() == "application/x-www-form-urlencoded":
        return dict(parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True))
    if "/json" not in content_type and "+json" not in content_type:
        return {}
    try:
        body = call.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _trimmed(value: Any) -> Any:
    if isinstance(value, list):
        return [_trimmed(item) for item in value]
    return value.strip() or None if isinstance(value, str) else value


def missing(body: dict[str, Any], names: Iterable[str]) -> Errors:
    return {name: [f"The {spoken(name)} field is required."] for name in names if body.get(name) is None}


def spoken(field: str) -> str:
    """``wordpressUrlType`` is called "wordpress url type"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", field).replace("_", " ").lower()
