# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""JSON of a server, checked where it comes in: what has another form than the API documents is a failure that names the field.

Code behind a reader can rely on the fields it asked for: a ``KeyError`` or ``TypeError`` there is a bug, and not an odd response.
"""

from __future__ import annotations

import typing as t

from .._core.errors import SyncError
from .._core.vocabulary import Json
from .response import Response

#: Form of a field. Some servers write whole numbers as text, so ``number`` is either: ``int()`` takes both. The others
#: may be absent or null.
Form = t.Literal["text", "number", "object", "list", "text_or_null", "number_or_null", "object_or_null", "list_or_null"]

#: numbers beyond it do not fit into 64 bits, as all those do that servers count or identify something with
LIMIT = 2**63
MAX_DIGITS = len(str(LIMIT))

#: what values of a form have as a rule; ``type(True)`` is not ``int``
_TYPES: dict[Form, type] = {
    "text": str,
    "number": int,
    "object": dict,
    "list": list,
    "text_or_null": str,
    "number_or_null": int,
    "object_or_null": dict,
    "list_or_null": list,
}


class JsonReader:
    """Reads the body of a response.

    :param hint: what to do about a response of another form.
    :param clean: drops what must not be kept, such as secrets that the server sends along.
    :raises SyncError: ``bad_response`` if the body is not JSON.
    """

    def __init__(self, response: Response, hint: str, clean: t.Callable[[t.Any], t.Any] | None = None) -> None:
        self._response = response
        self._hint = hint
        body = response.json()
        self.body: t.Any = body if clean is None else clean(body)

    def object_at(self, *path: str, **fields: Form) -> Json:
        """The object under ``path`` (the body itself without one), which has these fields.

        :raises SyncError: ``bad_response``.
        """
        found = self._at(path)
        if not isinstance(found, dict):
            raise self._unexpected("object", ".".join(path))
        return self.check(found, ".".join(path), **fields)

    def rows_at(self, *path: str, **fields: Form) -> list[Json]:
        """The list of objects under ``path``, each of which has these fields.

        :raises SyncError: ``bad_response``.
        """
        return self.check_rows(self._at(path), ".".join(path), **fields)

    def number_at(self, *path: str) -> int:
        """The whole number under ``path``.

        :raises SyncError: ``bad_response``.
        """
        found = self._at(path)
        if not _has_form(found, "number"):
            raise self._unexpected("number", ".".join(path))
        return int(t.cast("int | str", found))

    def check_rows(self, rows: object, where: str, /, **fields: Form) -> list[Json]:
        """``rows``, if they are a list of objects that have these fields.

        :param where: their place in the body, for the message.
        :raises SyncError: ``bad_response``.
        """
        if not isinstance(rows, list):
            raise self._unexpected("list", where)
        forms = [(name, form, _TYPES[form]) for name, form in fields.items()]
        for index, row in enumerate(rows):
            if not isinstance(row, dict):
                raise self._unexpected("object", f"{where}[{index}]")
            for name, form, common in forms:
                value = row.get(name)
                # as a rule it is just that; there may be tens of thousands of rows
                is_other = not isinstance(value, common) or isinstance(value, bool)
                if is_other or (isinstance(value, int) and not -LIMIT < value < LIMIT):
                    self.check(row, f"{where}[{index}]", **{name: form})
        return t.cast("list[Json]", rows)

    def check(self, found: Json, where: str, /, **fields: Form) -> Json:
        """``found``, if it has these fields.

        :param where: its place in the body, for the message.
        :raises SyncError: ``bad_response``.
        """
        for name, form in fields.items():
            if not _has_form(found.get(name), form):
                raise self._unexpected(form.partition("_")[0], f"{where}.{name}" if where else name)
        return found

    def _at(self, path: t.Sequence[str]) -> object:
        found = self.body
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def _unexpected(self, form: str, where: str) -> SyncError:
        problem = f"has no {form} in {where}" if where else f"is not {'an' if form == 'object' else 'a'} {form}"
        return SyncError("bad_response", f"{self._response.describe()} {problem}", self._hint, self._response.status)


def _has_form(value: object, form: str) -> bool:
    kind, dummy, null = form.partition("_")
    if value is None and null:
        return True
    if kind == "number":
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
            value = int(value)
        return isinstance(value, int) and not isinstance(value, bool) and -LIMIT < value < LIMIT
    return isinstance(value, {"text": str, "object": dict, "list": list}[kind])
