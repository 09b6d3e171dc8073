# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What role staging_promotion is asked to do: its variables, checked and made plain."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import difflib
import json
import re
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._core.errors import SyncError, invalid_option
from ...module_utils._core.options import MAX_REQUEST_TIMEOUT, MAX_WAIT_TIMEOUT
from ...module_utils._providers.registry import WORKFLOWS

Json = dict[str, t.Any]

PREFIX = "staging_promotion_"

#: options of sync modules that the role sets itself
REFUSED_OPTIONS = frozenset({"release", "wait", "on_timeout", "report_path", "ledger_path"})

#: phases in the order of a promotion, and the moments that task files can be hooked to
PHASES = ("preflight", "gate", "approval", "lock", "backup", "sync", "verify", "rollback", "report", "notify")
HOOKS = (*(f"{moment}_{phase}" for phase in PHASES for moment in ("before", "after")), "on_failure", "on_rollback")

_TARGET: Json = {
    "name": {"type": "str"},
    "provider": {"type": "str", "required": True, "choices": sorted(WORKFLOWS)},
    "options": {"type": "dict", "default": {}},
    "verify": {"type": "list", "elements": "dict", "default": []},
    "verify_staging": {"type": "list", "elements": "dict", "default": []},
    "backup": {"type": "dict", "default": {}},
}

#: the variables of the role without their prefix; the role's argument_specs.yml describes them
VARIABLES: Json = {
    "targets": {"type": "list", "elements": "dict", "required": True, "options": _TARGET},
    "release": {"type": "str", "default": ""},
    "serial": {"type": "list", "elements": "str", "default": [1]},
    "wave_pause": {"type": "float", "default": 0.0},
    "verify_timeout": {"type": "float", "default": 60.0},
    "verify_successes": {"type": "int", "default": 3},
    "verify_interval": {"type": "float", "default": 1.0},
    "soak": {"type": "float", "default": 0.0},
    "max_disk_percent": {"type": "float", "default": 95.0},
    "backup": {"type": "str", "choices": ["none", "if_possible", "required"], "default": "if_possible"},
    "rollback": {"type": "str", "choices": ["auto", "manual", "never"], "default": "auto"},
    "approval": {"type": "str", "choices": ["none", "prompt", "token"], "default": "none"},
    "approve": {"type": "str", "default": ""},
    "approval_timeout": {"type": "float", "default": 3600.0},
    "windows": {"type": "dict", "default": {}},
    "override_reason": {"type": "str", "default": ""},
    "lift_hold": {"type": "str", "default": ""},
    "lock_expiry": {"type": "float", "default": 7200.0},
    "hooks": {"type": "dict", "default": {}},
    "notify": {"type": "dict", "default": {}},
    "ledger_path": {"type": "path", "default": ""},
    "report_path": {"type": "path", "default": ""},
}

#: what a number may be; those of the probes are as http_probe takes them
_RANGES: t.Mapping[str, tuple[float, float]] = {
    "wave_pause": (0, MAX_WAIT_TIMEOUT),
    "verify_timeout": (0, MAX_WAIT_TIMEOUT),
    "verify_successes": (1, 1000),
    "verify_interval": (0.05, MAX_REQUEST_TIMEOUT),
    "soak": (0, MAX_WAIT_TIMEOUT),
    "max_disk_percent": (0, 100),
    "approval_timeout": (1, MAX_WAIT_TIMEOUT),
    "lock_expiry": (60, MAX_WAIT_TIMEOUT),
}

#: what is wrong with a value that is not of its type, and the remedy
_TYPES = {
    "dict": ("is not a mapping", "Give names and their values."),
    "float": ("is not a number", "Give a number, such as 1.5."),
    "int": ("is not a whole number", "Give a whole number, such as 3."),
    "list": ("is not a list", "Give a list."),
    "path": ("is not a path", "Give the path of a file."),
    "str": ("is not a text", "Give a text."),
}


@dataclasses.dataclass(frozen=True)
class PromotionTarget:
    """One promotion, as it was asked for.

    :param options: of the sync module. They may hold secrets.
    :param verify: probes of production.
    :param verify_staging: probes of staging.
    :param backup: options of the backup module.
    """

    index: int
    name: str
    provider: str
    options: Json
    verify: tuple[Json, ...]
    verify_staging: tuple[Json, ...]
    backup: Json


@dataclasses.dataclass(frozen=True)
class PromotionSettings:
    """The variables of the role.

    :param values: those that need no more than their type, by name without prefix.
    :param waves: indices of the targets, wave by wave.
    :param hooks: task files by moment.
    """

    targets: tuple[PromotionTarget, ...]
    waves: tuple[tuple[int, ...], ...]
    hooks: t.Mapping[str, tuple[str, ...]]
    values: Json

    def __getattr__(self, name: str) -> t.Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None


def read(variables: Json) -> PromotionSettings:
    """The settings in the variables of the role.

    :param variables: by name without prefix.
    :raises SyncError: ``invalid_option``.
    """
    values = _checked(variables, VARIABLES, PREFIX)
    values["release"] = values["release"].strip()
    for name, (low, high) in _RANGES.items():
        # the negated form refuses NaN too
        if not low <= values[name] <= high:
            remedy = f"Give a number from {low:g} to {high:g}."
            raise invalid_option(PREFIX + name, values[name], "is out of range", remedy)
    targets = tuple(_target(index, entry) for index, entry in enumerate(values.pop("targets")))
    _check_names(targets)
    waves = tuple(split(len(targets), values.pop("serial")))
    return PromotionSettings(targets, waves, _hooks(values.pop("hooks")), values)


def _checked(given: Json, specs: Json, prefix: str) -> Json:
    """The values that are described by ``specs``, each of its type. One that is null counts as not given.

    :param prefix: what their names begin with in messages.
    :raises SyncError: ``invalid_option``.
    """
    for name in given:
        if name not in specs:
            near = difflib.get_close_matches(str(name), specs, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(sorted(specs))}."
            raise SyncError("invalid_option", f"option {prefix}{name} does not exist", remedy)
    values: Json = {}
    for name, spec in specs.items():
        if given.get(name) is not None:
            values[name] = _value(given[name], spec, prefix + name)
        elif spec.get("required"):
            choices = f" Choose one of {', '.join(spec['choices'])}." if "choices" in spec else ""
            raise SyncError("invalid_option", f"option {prefix}{name} is missing", f"Give it a value.{choices}")
        else:
            values[name] = copy.deepcopy(spec.get("default"))
    return values


def _value(value: t.Any, spec: Json, where: str) -> t.Any:
    if spec["type"] in ("str", "path") and isinstance(value, (dict, list)):
        problem, remedy = _TYPES[spec["type"]]
        raise invalid_option(where, type(value).__name__, problem, remedy)
    if spec["type"] == "list":
        items = _listed(value, where)
        if "options" in spec:
            return [
                _checked(_value(item, _MAPPING, f"{where}[{i}]"), spec["options"], f"{where}[{i}].")
                for i, item in enumerate(items)
            ]
        return [_value(item, {"type": spec["elements"]}, f"{where}[{i}]") for i, item in enumerate(items)]
    outcome = ArgumentSpecValidator({"value": {"type": spec["type"]}}).validate({"value": value})
    if outcome.error_messages:
        # a mapping may hold secrets
        problem, remedy = _TYPES[spec["type"]]
        raise invalid_option(where, type(value).__name__ if spec["type"] == "dict" else value, problem, remedy)
    found = outcome.validated_parameters["value"]
    if "choices" in spec and found not in spec["choices"]:
        raise invalid_option(where, value, "is not possible", f"Choose one of {', '.join(spec['choices'])}.")
    return found


_MAPPING: Json = {"type": "dict"}


def _listed(value: t.Any, where: str) -> list[t.Any]:
    """A list, as such, as JSON or with commas in between, as on a command line."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    outcome = ArgumentSpecValidator({"value": {"type": "list"}}).validate({"value": value})
    if outcome.error_messages:
        raise invalid_option(where, type(value).__name__, *_TYPES["list"])
    return list(outcome.validated_parameters["value"])


def _target(index: int, entry: Json) -> PromotionTarget:
    where = f"{PREFIX}targets[{index}]"
    chain, options = WORKFLOWS[entry["provider"]], dict(entry["options"])
    for name in sorted(set(options) & REFUSED_OPTIONS):
        problem = "is decided by the role"
        raise invalid_option(
            f"{where}.options.{name}", options[name], problem, "Leave it out; the README tells what replaces it."
        )
    given = [name for name in chain.selects if options.get(name)]
    if len(given) > 1:
        where = f"{where}.options.{given[1]}"
        raise invalid_option(where, options[given[1]], f"is given beside {given[0]}", "Give one of them; they mean the same.")
    named = options[given[0]] if given else None
    names = [
        str(item) for item in (named.split(",") if isinstance(named, str) else named if isinstance(named, list) else [named])
    ]
    if chain.selects and (not given or len(names) != 1):
        remedy = f"Name exactly one in {where}.options.{chain.selects[-1]}; write an entry of its own for each."
        raise invalid_option(f"{where}.options.{given[0] if given else chain.selects[0]}", named, "is not one target", remedy)
    name = (entry["name"] or "").strip() or (names[0].strip() if chain.selects else chain.title)
    probes = tuple(tuple(_probe(f"{where}.{key}[{i}]", item) for i, item in enumerate(entry[key])) for key in _PROBES)
    return PromotionTarget(index, name, entry["provider"], options, probes[0], probes[1], dict(entry["backup"]))


_PROBES = ("verify", "verify_staging")


def _probe(where: str, probe: t.Any) -> Json:
    if not isinstance(probe.get("url"), str) or not probe["url"].strip():
        raise invalid_option(f"{where}.url", probe.get("url"), "is not an address", "Give the http(s) address to look at.")
    return dict(probe)


def _check_names(targets: t.Sequence[PromotionTarget]) -> None:
    if not targets:
        raise invalid_option(f"{PREFIX}targets", [], "names nothing to promote", "Add an entry for each target.")
    seen: set[str] = set()
    for target in targets:
        if target.name in seen:
            where = f"{PREFIX}targets[{target.index}].name"
            raise invalid_option(where, target.name, "is the name of another target, too", "Give each entry a name of its own.")
        seen.add(target.name)


def split(count: int, serial: t.Sequence[t.Any]) -> list[tuple[int, ...]]:
    """Waves of targets, as Ansible's ``serial`` does it: each size in turn, the last one until all are done.

    :param serial: numbers of targets, or percentages such as ``"50%"``.
    :raises SyncError: ``invalid_option``.
    """
    sizes = [_size(count, item) for item in serial]
    if not sizes:
        raise invalid_option(f"{PREFIX}serial", list(serial), "has no size", "Give at least one, such as 1.")
    waves: list[tuple[int, ...]] = []
    start = 0
    while start < count:
        size = sizes[min(len(waves), len(sizes) - 1)]
        waves.append(tuple(range(start, min(start + size, count))))
        start += size
    return waves


def _size(count: int, item: t.Any) -> int:
    text = str(item).strip()
    matched = re.fullmatch(r"(\d+)(%?)", text)
    size = int(matched[1]) if matched else 0
    if matched and matched[2] and 0 < size <= 100:
        return max(1, count * size // 100)
    if not matched or matched[2] or size < 1:
        remedy = 'Give numbers of targets such as 1, or percentages such as "50%".'
        raise invalid_option(f"{PREFIX}serial", item, "is not the size of a wave", remedy)
    return size


def _hooks(hooks: Json) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, files in hooks.items():
        if name not in HOOKS:
            raise invalid_option(f"{PREFIX}hooks", name, "is no moment of a promotion", f"There are: {', '.join(HOOKS)}.")
        listed = [files] if isinstance(files, str) else files
        if not isinstance(listed, list) or not all(isinstance(item, str) and item for item in listed):
            raise invalid_option(f"{PREFIX}hooks.{name}", files, "is not a list of task files", "Give the path of a task file.")
        found[str(name)] = tuple(listed)
    return found
