# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laravel's length-aware paginator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..framework import Call
from .gate import number


def paginate(call: Call, url: str, rows: Sequence[object], per_page: int) -> dict[str, Any]:
    """One page of ``rows``.  As in Laravel the links carry nothing but the page, not even ``pagination=1``."""
    page = max(1, number(call.query.get("page", "1")))
    last = max(1, -(-len(rows) // per_page))
    first = (page - 1) * per_page
    data = list(rows[first : first + per_page])
    path = url + call.raw_path

    def link(target: int) -> str | None:
        return f"{path}?page={target}" if 1 <= target <= last else None

    return {
        "current_page": page,
        "data": data,
        "first_page_url": link(1),
        "from": first + 1 if data else None,
        "last_page": last,
        "last_page_url": link(last),
        "links": [
            {"url": link(page - 1), "label": "&laquo; Previous", "active": False},
            *({"url": link(each), "label": str(each), "active": each == page} for each in range(1, last + 1)),
            {"url": link(page + 1), "label": "Next &raquo;", "active": False},
        ],
        "next_page_url": link(page + 1),
        "path": path,
        "per_page": per_page,
        "prev_page_url": link(page - 1),
        "to": first + len(data) if data else None,
        "total": len(rows),
    }


def paginated_on_request(call: Call, url: str, rows: Sequence[object], per_page: int) -> object:
    """A paginator with ``?pagination=1``, else the bare list in its place."""
    return paginate(call, url, rows, per_page) if call.query.get("pagination") == "1" else list(rows)
