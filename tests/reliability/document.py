# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated parts of ``docs/reliability.md``: where they are, and what they all say of the machine."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path

PLACE = Path(__file__).parents[2] / "docs" / "reliability.md"
FOLDER = PLACE.with_suffix("")


def machine() -> str:
    """When and on what something was measured."""
    today = dt.datetime.now(dt.timezone.utc).date().isoformat()
    return f"{today}, {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"


def replaced(text: str, section: str, content: str) -> str:
    """A page with another content between the marks of a section, which are comments.

    :raises ValueError: it has no such marks.
    """
    begin, end = (f"<!-- {word} {section} -->\n" for word in ("begin", "end"))
    before, mark, rest = text.partition(begin)
    _old, other_mark, after = rest.partition(end)
    if not mark or not other_mark:
        raise ValueError(f"there is no section {section!r}")
    return f"{before}{begin}{content}{end}{after}"


def write(section: str, content: str) -> None:
    PLACE.write_text(replaced(PLACE.read_text(), section, content))
