# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Reading the JSON of a report by type.

A report is written on every exit, so any member of it may be missing. What is missing, or has another type than expected, is
empty: a page must not be the next thing that fails.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import typing as t

from .links import docs_of_code


class Fields:
    """The members of a JSON object; of anything else, none."""

    def __init__(self, value: object) -> None:
        self._members: t.Mapping[object, object] = value if isinstance(value, collections.abc.Mapping) else {}

    def __bool__(self) -> bool:
        return bool(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def get(self, name: str) -> object:
        """The value as it is; None if it is missing."""
        return self._members.get(name)

    def text(self, name: str) -> str:
        """The value as text; empty for null."""
        value = self._members.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool:
        return bool(self._members.get(name))

    def known_flag(self, name: str) -> bool | None:
        """True or false; None for everything else."""
        value = self._members.get(name)
        return value if isinstance(value, bool) else None

    def number(self, name: str) -> float | None:
        value = self._members.get(name)
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def count(self, name: str) -> int:
        value = self._members.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    def child(self, name: str) -> Fields:
        return Fields(self._members.get(name))

    def children(self, name: str) -> list[Fields]:
        """The objects in an array."""
        return [Fields(item) for item in self._array(name)]

    def texts(self, name: str) -> tuple[str, ...]:
        """The values in an array, as texts."""
        return tuple(str(item) for item in self._array(name))

    def json(self, name: str) -> str:
        """The value as JSON on one line, which is YAML too; empty where there is none."""
        value = self._members.get(name)
        return json.dumps(value, ensure_ascii=False, default=str) if value else ""

    def entries(self) -> list[tuple[str, str]]:
        """Name and text of each member."""
        return [(str(name), "" if value is None else str(value)) for name, value in self._members.items()]

    def _array(self, name: str) -> t.Sequence[object]:
        value = self._members.get(name)
        return value if isinstance(value, (list, tuple)) else ()


@dataclasses.dataclass(frozen=True)
class ReportedFailure:
    """The failure of a target, a step or a zone."""

    code: str
    message: str
    http_status: str
    hint: str

    @classmethod
    def read(cls, fields: Fields) -> ReportedFailure | None:
        if not fields:
            return None
        return cls(fields.text("code"), fields.text("message"), fields.text("http_status"), fields.text("hint"))

    @property
    def docs(self) -> str:
        """The address of its documentation; empty if there is none."""
        return docs_of_code(self.code)

    @property
    def tone(self) -> str:
        return "unsure" if self.code in ("timed_out", "outcome_unknown") else "bad"
