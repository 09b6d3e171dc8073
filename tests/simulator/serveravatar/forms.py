# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and checking posted fields, with the texts that Laravel generates from their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..framework import Call

TRUE = (True, 1, "1")
FALSE = (False, 0, "0")

Errors = dict[str, list[str]]


def fields(call: Call) -> dict[str, Any]:
    """The posted fields; a body that is no JSON object has none, as PHP sees it."""
    try:
        body = call.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def missing(body: dict[str, Any], names: Iterable[str]) -> Errors:
    return {name: [f"The {spoken(name)} field is required."] for name in names if body.get(name) in (None, "")}


def spoken(field: str) -> str:
    """``wordpressUrlType`` is called "wordpress url type"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", field).replace("_", " ").lower()
