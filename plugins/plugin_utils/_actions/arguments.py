# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The variables of a role: read as they were given, checked, and converted to their types.

Surveys and command lines pass text. So a list may be one item a line, separated by commas, or JSON; a mapping may be JSON, or one
pair of name and value a line; and an empty text means that nothing was given.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import json
import re
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._core.errors import SyncError, invalid_option
from ...module_utils._core.options import text_of
from .controller import plain


class ArgumentType(t.TypedDict, total=False):
    """What a variable may be, as in ``meta/argument_specs.yml``.

    ``identity`` marks the name of a thing, such as of a release, see :func:`.._core.options.text_of`; ``whole_numbers`` accepts
    these as well.
    """

    type: t.Required[str]
    elements: str
    required: bool
    default: object
    choices: t.Sequence[str]
    aliases: t.Sequence[str]
    options: t.Mapping[str, ArgumentType]
    identity: bool
    whole_numbers: bool


ArgumentTypes = t.Mapping[str, ArgumentType]

#: a pair whose parts need no quotes
_PAIR = re.compile(r"\s*(?P<name>[^\s\"'{}\[\]=]+?)\s*(?:=|:\s)\s*(?P<value>[^\s\"'{}\[\]=]+)\s*")

#: what is wrong with a value that is not of its type, and the remedy
_TYPES: t.Mapping[str, tuple[str, str]] = {
    "bool": ("is not a truth value", "Give true or false."),
    "dict": ("is not a mapping", "Give names and their values, or the same as text: JSON, or one 'name: value' a line."),
    "float": ("is not a number", "Give a number, such as 1.5."),
    "int": ("is not a whole number", "Give a whole number, such as 3."),
    "list": ("is not a list", "Give a list, or text with one item a line, commas in between, or JSON."),
    "path": ("is not a path", "Give the path of a file."),
    "str": ("is not a text", "Give a text."),
}


@dataclasses.dataclass(frozen=True)
class RoleArguments:
    """Checked values by name, each of the type that it was declared with.

    :param values: all declared names; those not given have their default.
    :param where: what the names begin with in messages.
    """

    values: t.Mapping[str, object]
    where: str

    def text(self, name: str) -> str:
        value = self.values[name]
        return "" if value is None else str(value)

    def number(self, name: str) -> float:
        return float(t.cast(float, self.values[name]))

    def integer(self, name: str) -> int:
        return int(t.cast(int, self.values[name]))

    def flag(self, name: str) -> bool:
        return bool(self.values[name])

    def mapping(self, name: str) -> dict[str, object]:
        return dict(t.cast(t.Mapping[str, object], self.values[name]))

    def items(self, name: str) -> tuple[object, ...]:
        return tuple(t.cast(t.Sequence[object], self.values[name]))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(str(item) for item in self.items(name))

    def mappings(self, name: str) -> tuple[dict[str, object], ...]:
        return tuple(dict(t.cast(t.Mapping[str, object], item)) for item in self.items(name))

    def entries(self, name: str) -> tuple[RoleArguments, ...]:
        """The items of a list whose elements have declared options."""
        return t.cast("tuple[RoleArguments, ...]", self.items(name))


def read_arguments(given: t.Mapping[str, object], types: ArgumentTypes, where: str) -> RoleArguments:
    """The variables of a role, or the entries of a mapping in one of them.

    :param given: by name; null and empty text count as not given.
    :param where: what the names begin with in messages, such as the prefix of the role.
    :raises SyncError: ``invalid_option``, naming the variable, its value and the remedy.
    """
    known = {alias: name for name, spec in types.items() for alias in (name, *spec.get("aliases", ()))}
    found: dict[str, object] = {}
    for alias, value in given.items():
        if alias not in known:
            near = difflib.get_close_matches(str(alias), known, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(types))}."
            raise SyncError("invalid_option", f"option {where}{alias} does not exist", remedy)
        # the name itself goes before an alias
        if not is_missing(value) and (alias == known[alias] or known[alias] not in found):
            found[known[alias]] = _value(value, types[known[alias]], where + alias)
    values = {name: found[name] if name in found else _default(spec, where + name) for name, spec in types.items()}
    return RoleArguments(values, where)


def is_missing(value: object) -> bool:
    """Whether a variable counts as not given: null, or the empty answer of a survey."""
    return value is None or (isinstance(value, str) and not value.strip())


def _default(spec: ArgumentType, where: str) -> object:
    if spec.get("required"):
        choices = f" Choose one of {', '.join(spec['choices'])}." if "choices" in spec else ""
        raise SyncError("invalid_option", f"option {where} is missing", f"Give it a value.{choices}")
    value = copy.deepcopy(spec.get("default"))
    return () if value is None and spec["type"] == "list" else value


def _value(value: object, spec: ArgumentType, where: str) -> object:
    kind = spec["type"]
    if kind in ("str", "path") and isinstance(value, (dict, list, tuple)):
        raise _wrong(value, kind, where)
    if kind == "str" and spec.get("identity"):
        return text_of(where, _unquoted(value), spec.get("whole_numbers", False))
    if kind == "list":
        return tuple(_item(item, spec, f"{where}[{index}]") for index, item in enumerate(list_of(value, where)))
    if kind == "dict":
        return {name: plain(item) for name, item in _parsed(value, where).items()}
    found = plain(_converted(value, kind, where))
    if "choices" in spec and found not in spec["choices"]:
        raise invalid_option(where, value, "is not possible", f"Choose one of {', '.join(spec['choices'])}.")
    return found


def _unquoted(value: object) -> object:
    """A text without quotes around all of it.

    AWX marks the answers of surveys as unsafe, and ansible-core 2.19 and later read a text that is marked so and looks like a
    number as one. Quotes are what keeps it a text, and no part of a name.
    """
    if isinstance(value, str) and len(value.strip()) > 2 and value.strip()[0] == value.strip()[-1] and value.strip()[0] in "\"'":
        return value.strip()[1:-1]
    return value


def _item(item: object, spec: ArgumentType, where: str) -> object:
    if "options" not in spec:
        return _value(item, _element(spec), where)
    return read_arguments(_parsed(item, where), spec["options"], f"{where}.")


def _element(spec: ArgumentType) -> ArgumentType:
    return {
        "type": spec["elements"],
        "identity": spec.get("identity", False),
        "whole_numbers": spec.get("whole_numbers", False),
    }


def _parsed(value: object, where: str) -> dict[str, object]:
    """A mapping whose values are still as they were given."""
    if isinstance(value, str):
        pairs = _pairs_in(value)
        # pairs of a name and its value may stand on lines of their own, too
        value = pairs or (_from_json(value, "{") if value.lstrip().startswith("{") else ",".join(value.splitlines()))
    return dict(t.cast(t.Mapping[str, object], _converted(value, "dict", where)))


def _pairs_in(text: str) -> dict[str, object]:
    """The pairs in a text as YAML and people write them: ``name: value`` or ``name = value``, on lines or with commas.

    :returns: values are text; empty if the text is JSON, or anything else.
    """
    within = text.strip().removeprefix("{").removesuffix("}")
    pairs = [_PAIR.fullmatch(item) for item in re.split("[\n,]", within) if item.strip()]
    if not all(pairs):
        return {}
    return {pair["name"]: pair["value"] for pair in pairs if pair}


def _converted(value: object, kind: str, where: str) -> object:
    outcome = ArgumentSpecValidator({"value": {"type": kind}}).validate({"value": value})
    if outcome.error_messages:
        raise _wrong(value, kind, where)
    return outcome.validated_parameters["value"]


def _wrong(value: object, kind: str, where: str) -> SyncError:
    # a value of several parts may hold secrets
    shown = type(value).__name__ if kind in ("dict", "list") or isinstance(value, (dict, list, tuple)) else value
    return invalid_option(where, shown, *_TYPES[kind])


def list_of(value: object, where: str) -> list[object]:
    """A list that was given as such, or as text: JSON, one item a line, or with commas in between.

    :param where: name of the variable in messages.
    :raises SyncError: ``invalid_option``.
    """
    found = _from_json(value, "[{")
    if isinstance(found, str) and "\n" in found.strip():
        return [item for line in found.splitlines() for item in _items_of(line.strip().rstrip(","))]
    if isinstance(found, t.Mapping):
        if not isinstance(value, str):
            raise _wrong(value, "list", where)
        return [found]
    items = t.cast("list[object]", _converted(list(found) if isinstance(found, tuple) else found, "list", where))
    return [item.strip() for item in items if isinstance(item, str) and item.strip()] if isinstance(found, str) else list(items)


def _items_of(line: str) -> list[object]:
    """The items in one line of a text: a mapping as JSON, or texts with commas in between."""
    found = _from_json(line, "{")
    return [item.strip() for item in found.split(",") if item.strip()] if isinstance(found, str) else [found]


def _from_json(value: object, opening: str) -> object:
    """The value of a text that is JSON and begins with one of the brackets ``opening``, otherwise the value itself."""
    if not isinstance(value, str) or not value.strip().startswith(tuple(opening)):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
