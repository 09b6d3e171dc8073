# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordered log of every request that reached any part, which tests assert on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote_plus

from .framework import Call, Kind, Part


@dataclass
class Entry:
    """One request.  ``status`` is what the client got, None while unanswered or when the connection was cut."""

    seq: int
    part: str
    method: str
    path: str
    kind: Kind
    time: float
    authorization: bool
    connection: int
    body_bytes: int
    status: int | None = None
    executed: bool = False  # the handler ran (a fault may have kept it from running, or hidden its answer)
    fault: str | None = None
    error: str | None = None  # a bug in the simulator, or a hostile request: the handler raised


class RequestLog:
    """Entries in order of arrival, over all parts."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._next_seq = 1

    def add(self, part: Part, call: Call, kind: Kind, connection: int) -> Entry:
        entry = Entry(
            seq=self._next_seq,
            part=part.name,
            method=call.method,
            path=redact(call.target, part.secret_query),
            kind=kind,
            time=time.time(),
            authorization="Authorization" in call.headers,
            connection=connection,
            body_bytes=len(call.body),
        )
        self._next_seq += 1
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget the entries; ``seq`` goes on, so that entries of two phases cannot be confused."""
        self._entries.clear()

    def select(
        self, part: str | None = None, kind: str | None = None, method: str | None = None, path: str | None = None, since: int = 0
    ) -> Iterator[dict[str, Any]]:
        """Entries that match every given filter; ``path`` is a regular expression, ``since`` an exclusive seq."""
        pattern = re.compile(path) if path else None
        for entry in self._entries:
            if entry.seq <= since or (part and entry.part != part) or (kind and entry.kind != kind):
                continue
            if (method and entry.method != method) or (pattern and not pattern.search(entry.path)):
                continue
            yield asdict(entry)


def redact(target: str, secret_names: frozenset[str]) -> str:
    """Blank the values of secret query parameters and leave every other byte as it was sent."""
    path, mark, query = target.partition("?")
    if not mark or not secret_names:
        return target
    return path + mark + "&".join(_redact_pair(pair, secret_names) for pair in query.split("&"))


def _redact_pair(pair: str, secret_names: frozenset[str]) -> str:
    name, mark, _value = pair.partition("=")
    return f"{name}=***" if mark and unquote_plus(name) in secret_names else pair
