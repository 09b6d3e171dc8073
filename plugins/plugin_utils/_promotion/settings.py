# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The variables of role staging_promotion, checked and typed."""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing as t

from ...module_utils._core.errors import SyncError, invalid_option
from ...module_utils._core.options import MAX_REQUEST_TIMEOUT, MAX_WAIT_TIMEOUT
from ...module_utils._core.redact import MASK
from ...module_utils._providers.registry import WORKFLOWS
from ...module_utils._state.location import named_location
from .._actions.arguments import ArgumentType, RoleArguments, list_of, read_arguments
from .vocabulary import HOOKS, OTHER_NAMES

PREFIX = "staging_promotion_"

BackupPolicy = t.Literal["none", "if_possible", "required"]
RollbackPolicy = t.Literal["auto", "manual", "never"]
ApprovalPolicy = t.Literal["none", "prompt", "token"]

#: options of a module or of a probe, by name
ModuleOptions = dict[str, object]

#: completes the options of a module by the ``module_defaults`` of the play
Complete = t.Callable[[str, ModuleOptions], ModuleOptions]

#: reads the variables of the role of these names, without their prefix
Variables = t.Callable[[t.Iterable[str]], t.Mapping[str, object]]

#: options of sync modules that the role sets itself
REFUSED_OPTIONS = frozenset({"release", "wait", "on_timeout", "report_path", "ledger", "ledger_path"})

_TARGET: dict[str, ArgumentType] = {
    "name": {"type": "str", "identity": True, "whole_numbers": True},
    "provider": {"type": "str", "required": True, "choices": sorted(WORKFLOWS)},
    "options": {"type": "dict", "default": {}},
    "verify": {"type": "list", "elements": "dict", "default": []},
    "verify_staging": {"type": "list", "elements": "dict", "default": []},
    "backup": {"type": "dict", "default": {}},
}

#: the variables of the role without their prefix; the role's argument_specs.yml describes them
VARIABLES: dict[str, ArgumentType] = {
    "targets": {"type": "list", "elements": "dict", "required": True, "options": _TARGET},
    "release": {"type": "str", "default": "", "identity": True},
    "serial": {"type": "list", "elements": "str", "default": [1]},
    "wave_pause": {"type": "float", "default": 0.0},
    "verify_timeout": {"type": "float", "default": 60.0},
    "verify_successes": {"type": "int", "default": 3},
    "verify_interval": {"type": "float", "default": 1.0},
    "soak": {"type": "float", "default": 0.0},
    "max_disk_percent": {"type": "float", "default": 95.0},
    "backup": {"type": "str", "choices": t.get_args(BackupPolicy), "default": "if_possible"},
    "rollback": {"type": "str", "choices": t.get_args(RollbackPolicy), "default": "auto"},
    "approval": {"type": "str", "choices": t.get_args(ApprovalPolicy), "default": "none"},
    "approve": {"type": "str", "default": ""},
    "approval_timeout": {"type": "float", "default": 3600.0},
    "windows": {"type": "dict", "default": {}},
    "override_reason": {"type": "str", "default": ""},
    "lift_hold": {"type": "str", "default": ""},
    "lock_wait": {"type": "float", "default": 900.0},
    "allow_ephemeral_ledger": {"type": "bool", "default": False},
    "hooks": {"type": "dict", "default": {}},
    "notify": {"type": "dict", "default": {}},
    "ledger": {"type": "str", "default": "", "aliases": ["ledger_path"]},
    "report_path": {"type": "path", "default": ""},
}

#: all names that the variables may have, without their prefix
VARIABLE_NAMES = (*VARIABLES, *(alias for spec in VARIABLES.values() for alias in spec.get("aliases", ())))

#: what a number may be; those of the probes are as http_probe takes them
_RANGES: t.Mapping[str, tuple[float, float]] = {
    "wave_pause": (0, MAX_WAIT_TIMEOUT),
    "verify_timeout": (0, MAX_WAIT_TIMEOUT),
    "verify_successes": (1, 1000),
    "verify_interval": (0.05, MAX_REQUEST_TIMEOUT),
    "soak": (0, MAX_WAIT_TIMEOUT),
    "max_disk_percent": (0, 100),
    "approval_timeout": (1, MAX_WAIT_TIMEOUT),
    "lock_wait": (0, MAX_WAIT_TIMEOUT),
}


@dataclasses.dataclass(frozen=True)
class PromotionTarget:
    """One target, as it is to be promoted.

    :param options: of the sync module. They may hold secrets.
    :param verify: probes of production.
    :param verify_staging: probes of staging.
    :param backup: options of the backup module.
    """

    index: int
    name: str
    provider: str
    options: ModuleOptions
    verify: tuple[ModuleOptions, ...] = ()
    verify_staging: tuple[ModuleOptions, ...] = ()
    backup: ModuleOptions = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class PromotionSettings:
    """The variables of the role, see its ``argument_specs.yml``; times are seconds.

    :param waves: indices of the targets, wave by wave.
    :param hooks: task files by moment.
    """

    targets: tuple[PromotionTarget, ...] = ()
    waves: tuple[tuple[int, ...], ...] = ()
    hooks: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    release: str = ""
    wave_pause: float = 0.0
    verify_timeout: float = 60.0
    verify_successes: int = 3
    verify_interval: float = 1.0
    soak: float = 0.0
    max_disk_percent: float = 95.0
    backup: BackupPolicy = "if_possible"
    rollback: RollbackPolicy = "auto"
    approval: ApprovalPolicy = "none"
    approve: str = ""
    approval_timeout: float = 3600.0
    windows: t.Mapping[str, object] = dataclasses.field(default_factory=dict)
    override_reason: str = ""
    lift_hold: str = ""
    lock_wait: float = 900.0
    allow_ephemeral_ledger: bool = False
    notify: t.Mapping[str, object] = dataclasses.field(default_factory=dict)
    ledger: str = ""
    report_path: str = ""


def read(variables: t.Mapping[str, object], complete: Complete = lambda dummy, options: options) -> PromotionSettings:
    """The settings in the variables of the role.

    :param variables: by name without prefix.
    :param complete: adds the ``module_defaults`` of the play to the options of a module.
    :raises SyncError: ``invalid_option``.
    """
    values = read_arguments(variables, VARIABLES, PREFIX)
    _check_ranges(values)
    targets = tuple(_target(index, entry, complete) for index, entry in enumerate(values.entries("targets")))
    _check_names(targets)
    return PromotionSettings(
        targets=targets,
        waves=tuple(split(len(targets), values.texts("serial"))),
        hooks=_hooks(values.mapping("hooks")),
        release=values.text("release").strip(),
        wave_pause=values.number("wave_pause"),
        verify_timeout=values.number("verify_timeout"),
        verify_successes=values.integer("verify_successes"),
        verify_interval=values.number("verify_interval"),
        soak=values.number("soak"),
        max_disk_percent=values.number("max_disk_percent"),
        backup=t.cast(BackupPolicy, values.text("backup")),
        rollback=t.cast(RollbackPolicy, values.text("rollback")),
        approval=t.cast(ApprovalPolicy, values.text("approval")),
        approve=values.text("approve").strip(),
        approval_timeout=values.number("approval_timeout"),
        windows=values.mapping("windows"),
        override_reason=values.text("override_reason").strip(),
        lift_hold=values.text("lift_hold").strip(),
        lock_wait=values.number("lock_wait"),
        allow_ephemeral_ledger=values.flag("allow_ephemeral_ledger"),
        notify=values.mapping("notify"),
        ledger=named_location(values.text("ledger") or _default_ledger(targets, complete), {}, f"{PREFIX}ledger"),
        report_path=values.text("report_path"),
    )


def _check_ranges(values: RoleArguments) -> None:
    for name, (low, high) in _RANGES.items():
        # the negated form refuses NaN too
        if not low <= values.number(name) <= high:
            remedy = f"Give a number from {low:g} to {high:g}."
            raise invalid_option(PREFIX + name, values.values[name], "is out of range", remedy)


def _target(index: int, entry: RoleArguments, complete: Complete) -> PromotionTarget:
    where, provider = f"{PREFIX}targets[{index}]", entry.text("provider")
    workflow, given = WORKFLOWS[provider], entry.mapping("options")
    for name in sorted(set(given) & REFUSED_OPTIONS):
        remedy = "Leave it out; the README of the role says what replaces it."
        # it may be the address of a database with a password
        shown = MASK if "://" in str(given[name]) else given[name]
        raise invalid_option(f"{where}.options.{name}", shown, "is decided by the role", remedy)
    completed = complete(workflow.sync.module, given)
    options = {name: value for name, value in completed.items() if name not in REFUSED_OPTIONS}
    selected = _selected(f"{where}.options", options, workflow.selects)
    return PromotionTarget(
        index,
        entry.text("name").strip() or selected or workflow.title,
        provider,
        options,
        _probes(f"{where}.verify", entry.mappings("verify")),
        _probes(f"{where}.verify_staging", entry.mappings("verify_staging")),
        entry.mapping("backup"),
    )


def _selected(where: str, options: ModuleOptions, selects: t.Sequence[str]) -> str:
    """The one target that the options name; empty where the provider has no targets within a server.

    :param selects: the option that names targets, and its aliases.
    """
    if not selects:
        return ""
    given = [name for name in selects if options.get(name)]
    if len(given) > 1:
        problem = f"is given together with {given[0]}"
        raise invalid_option(f"{where}.{given[1]}", options[given[1]], problem, "Give one of them; they mean the same.")
    named = options[given[0]] if given else None
    names = list_of(named, f"{where}.{given[0]}") if isinstance(named, (str, list, tuple)) else [named]
    for name in () if given else reversed(selects):
        alike = difflib.get_close_matches(name, [str(key) for key in options], 1)
        if alike:
            raise SyncError("invalid_option", f"option {where}.{alike[0]} does not exist", f"Did you mean {name}?")
    if not given or len(names) != 1:
        remedy = f"Name exactly one in {where}.{selects[-1]}; write an entry of its own for each."
        raise invalid_option(f"{where}.{given[0] if given else selects[0]}", named, "is not one target", remedy)
    return str(names[0]).strip()


def _default_ledger(targets: t.Sequence[PromotionTarget], complete: Complete) -> str:
    """The ledger that ``module_defaults`` name for the modules, so that the role uses the same one."""
    for target in targets:
        completed = complete(WORKFLOWS[target.provider].sync.module, {})
        found = completed.get("ledger") or completed.get("ledger_path")
        if found:
            return str(found)
    return ""


def _probes(where: str, probes: t.Sequence[ModuleOptions]) -> tuple[ModuleOptions, ...]:
    for number, probe in enumerate(probes):
        url = probe.get("url")
        if not isinstance(url, str) or not url.strip():
            # an address in a list may have a password
            shown = type(url).__name__ if isinstance(url, (dict, list, tuple)) else url
            raise invalid_option(f"{where}[{number}].url", shown, "is not an address", "Give the http(s) address to request.")
    return tuple(probes)


def _check_names(targets: t.Sequence[PromotionTarget]) -> None:
    if not targets:
        raise invalid_option(f"{PREFIX}targets", [], "names nothing to promote", "Add an entry for each target.")
    seen: set[str] = set()
    for target in targets:
        if target.name in seen:
            where = f"{PREFIX}targets[{target.index}].name"
            raise invalid_option(where, target.name, "is the name of another target, too", "Give each entry a name of its own.")
        seen.add(target.name)


def split(count: int, serial: t.Sequence[str | int]) -> list[tuple[int, ...]]:
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


def _size(count: int, item: str | int) -> int:
    text = str(item).strip()
    matched = re.fullmatch(r"(\d+)(%?)", text)
    size = int(matched[1]) if matched else 0
    if matched and matched[2] and 0 < size <= 100:
        return max(1, count * size // 100)
    if not matched or matched[2] or size < 1:
        remedy = 'Give numbers of targets such as 1, or percentages such as "50%".'
        raise invalid_option(f"{PREFIX}serial", item, "is not the size of a wave", remedy)
    return size


def _hooks(hooks: t.Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, files in hooks.items():
        if name not in HOOKS:
            raise _unknown_moment(str(name))
        listed = list_of(files, f"{PREFIX}hooks.{name}") if isinstance(files, (str, list, tuple)) else []
        if not listed or not all(isinstance(item, str) and item for item in listed):
            raise invalid_option(f"{PREFIX}hooks.{name}", files, "is not a list of task files", "Give the path of a task file.")
        found[str(name)] = tuple(map(str, listed))
    return found


def _unknown_moment(name: str) -> SyncError:
    if name in OTHER_NAMES:
        remedy = f"Did you mean {OTHER_NAMES[name]}? It is the same moment."
        return invalid_option(f"{PREFIX}hooks", name, "is not the name of a moment of a promotion", remedy)
    near = difflib.get_close_matches(name, HOOKS, 1)
    remedy = f"{f'Did you mean {near[0]}? ' if near else ''}There are: {', '.join(HOOKS)}."
    return invalid_option(f"{PREFIX}hooks", name, "is not the name of a moment of a promotion", remedy)
