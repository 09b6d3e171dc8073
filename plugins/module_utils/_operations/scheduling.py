# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Bounded fan-out: many targets in one task, one result each, in input order."""

from __future__ import annotations

import concurrent.futures
import typing as t

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def fan_out(items: t.Sequence[Item], work: t.Callable[[Item], Result], limit: int) -> list[Result]:
    """``work`` on all items with at most ``limit`` at once.

    An exception of ``work``, or an interruption of the caller, ends the whole: what has not begun never will.
    """
    if len(items) <= 1 or limit <= 1:
        return [work(item) for item in items]
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=min(limit, len(items)), thread_name_prefix="lockstep")
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
