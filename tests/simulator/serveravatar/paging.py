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
    """One page of ``rows``.  As in Laravel the links carry nothing but the page, not even ``pagination=1``.

    A page beyond the last one is empty, and has one before it.
    """
    page = max(1, number(call.query.get("page", "1")))
    last = max(1, -(-len(rows) // per_page))
    first = (page - 1) * per_page
    data = list(rows[first : first + per_page])
    path = url + call.raw_path

    def link(target: int) -> str:
        return f"{path}?page={target}"

    previous, following = link(page - 1) if page > 1 else None, link(page + 1) if page < last else None
    return {
        "current_page": page,
        "data": data,
        "first_page_url": link(1),
        "from": first + 1 if data else None,
        "last_page": last,
        "last_page_url": link(last),
        "links": [
            {"url": previous, "label": "&laquo; Previous", "active": False},
            *(
                {"url": None, "label": "...", "active": False}
                if each is None
                else {"url": link(each), "label": str(each), "active": each == page}
                for each in shown_pages(page, last)
            ),
            {"url": following, "label": "Next &raquo;", "active": False},
        ],
        "next_page_url": following,
        "path": path,
        "per_page": per_page,
        "prev_page_url": previous,
        "to": first + len(data) if data else None,
        "total": len(rows),
    }


def shown_pages(page: int, last: int) -> list[int | None]:
    """The pages that have a link, with ``None`` for each gap: Laravel's window of three pages on each side."""
    if last < 14:
        return list(range(1, last + 1))
    if page <= 7:
        return [*range(1, 11), None, last - 1, last]
    if page > last - 7:
        return [1, 2, None, *range(last - 9, last + 1)]
    return [1, 2, None, *range(page - 3, page + 4), None, last - 1, last]


def paginated_on_request(call: Call, url: str, rows: Sequence[object], per_page: int) -> object:
    """A paginator with ``?pagination=1``, else the bare list in its place."""
    return paginate(call, url, rows, per_page) if call.query.get("pagination") == "1" else list(rows)
