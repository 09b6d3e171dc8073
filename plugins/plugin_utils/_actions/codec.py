# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""State that one task of a role hands to the next one: dataclasses to JSON and back."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import types
import typing as t

Decoded = t.TypeVar("Decoded")


class JsonState:
    """A frozen dataclass whose fields are JSON values, tuples, mappings or such dataclasses."""

    def to_json(self) -> dict[str, object]:
        fields = dataclasses.fields(t.cast("t.Any", self))
        return {field.name: encode(getattr(self, field.name)) for field in fields}

    @classmethod
    def from_json(cls, value: t.Mapping[str, object]) -> t.Self:
        """Names that are no fields are ignored; missing ones have their default."""
        return cls(
            **{name: decode(kind, value[name]) for name, kind in _hints(t.cast("t.Hashable", cls)).items() if name in value}
        )


def encode(value: object) -> object:
    """A value as JSON has it."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, JsonState):
        return value.to_json()
    if isinstance(value, collections.abc.Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(kind: object, value: object) -> object:
    """A value of the type ``kind`` from its JSON form. Scalars are taken as they are."""
    origin, arguments = t.get_origin(kind), t.get_args(kind)
    if origin in (t.Union, types.UnionType):
        return None if value is None else decode(next(item for item in arguments if item is not types.NoneType), value)
    if origin is tuple:
        return tuple(decode(arguments[0], item) for item in t.cast("t.Sequence[object]", value))
    if origin is not None and isinstance(origin, type) and issubclass(origin, t.Mapping):
        return {str(key): decode(arguments[1], item) for key, item in t.cast("t.Mapping[str, object]", value).items()}
    if isinstance(kind, type) and issubclass(kind, JsonState):
        return kind.from_json(t.cast("t.Mapping[str, object]", value))
    return float(t.cast(float, value)) if kind is float else value


@functools.cache
def _hints(kind: t.Hashable) -> dict[str, object]:
    names = {field.name for field in dataclasses.fields(t.cast("t.Any", kind))}
    return {name: hint for name, hint in t.get_type_hints(t.cast("type[JsonState]", kind)).items() if name in names}
