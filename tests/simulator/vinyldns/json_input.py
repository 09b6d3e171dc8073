# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading JSON bodies as the original does: every problem is collected, and all are answered at once.

The original distinguishes little: a field is missing (also when null), or does not have its type, or fails a check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Check = tuple[str, Callable[[Any], bool]]  # the message, and what must hold
_SCALA_TYPES: dict[type, tuple[str, str]] = {
    str: ("JString", "class java.lang.String"),
    int: ("JInt", "int"),
    bool: ("JBool", "boolean"),
    float: ("JDouble", "double"),
}


class InvalidInput(ValueError):
    """A body with problems."""

    def __init__(self, errors: Sequence[str]) -> None:
        self.errors = list(dict.fromkeys(errors))
        super().__init__(", ".join(self.errors))


class Fields:
    """The fields of one JSON object; ``finish`` raises what was found."""

    def __init__(self, data: Any) -> None:
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        self.errors: list[str] = []

    def has(self, name: str) -> bool:
        return self._data.get(name) is not None

    def raw(self, name: str) -> Any:
        return self._data.get(name)

    def text(self, name: str, missing: str, *checks: Check) -> str:
        """A required text, or "" with the problem noted."""
        value = self._data.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)  # the original's library turns numbers into text
        return str(self._checked(value, str, "", missing, checks))

    def number(self, name: str, missing: str, *checks: Check) -> int:
        return int(self._checked(self._data.get(name), int, 0, missing, checks))

    def _checked(self, value: Any, wanted: type, default: Any, missing: str, checks: Sequence[Check]) -> Any:
        if value is None:
            self.errors.append(missing)
            return default
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            self.errors.append(_conversion_error(value, wanted) or missing)
            return default
        failed = [message for message, holds in checks if not holds(value)]
        self.errors += failed
        return default if failed else value

    def optional(self, name: str) -> str | None:
        value = self._data.get(name)
        return None if value is None else self.text(name, "")

    def flag(self, name: str, default: bool) -> bool:
        value = self._data.get(name)
        return default if value is None else bool(self._checked(value, bool, default, "", ()))

    def choice(self, name: str, values: Sequence[str], missing: str, invalid: str) -> str | None:
        value = self._data.get(name)
        if value is None:
            self.errors.append(missing)
        elif value not in values:
            self.errors.append(invalid)
        else:
            return str(value)
        return None

    def texts(self, name: str) -> list[str]:
        value = self._data.get(name)
        return [str(item) for item in value] if isinstance(value, list) else []

    def add(self, problem: InvalidInput) -> None:
        self.errors += problem.errors

    def finish(self) -> None:
        if self.errors:
            raise InvalidInput(self.errors)


def _conversion_error(value: Any, wanted: type) -> str | None:
    known = _SCALA_TYPES.get(type(value))
    if known is None:
        return None  # objects and lists where a simple value belongs
    shown = str(value).lower() if isinstance(value, bool) else value
    return f"Do not know how to convert {known[0]}({shown}) into {_SCALA_TYPES[wanted][1]}"
