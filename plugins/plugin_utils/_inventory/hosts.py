# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The targets of a system as hosts of an inventory: their names and variables. Pure functions."""

from __future__ import annotations

import collections.abc
import dataclasses
import re
import typing as t

from ansible.utils.unsafe_proxy import wrap_var

#: fields of a target as JSON has them
TargetFields = t.Mapping[str, object]

#: A text may be a template. The second one names other delimiters in a first line of its own.
_TEMPLATE = re.compile("[{}]|^#jinja2:")


@dataclasses.dataclass(frozen=True)
class Listing:
    """Targets as they were read.

    :param read_at: seconds since the epoch.
    """

    read_at: float
    targets: tuple[TargetFields, ...]

    @classmethod
    def from_cache(cls, value: object) -> Listing | None:
        """A listing as :meth:`for_cache` made it, whatever plugin it was kept by; ``None`` for anything else."""
        if not isinstance(value, collections.abc.Mapping):
            return None
        read_at, targets = value.get("read_at"), value.get("targets")
        if not isinstance(read_at, (int, float)) or not isinstance(targets, (list, tuple)):
            return None
        if not all(isinstance(target, collections.abc.Mapping) for target in targets):
            return None
        return cls(read_at, tuple(targets))

    def for_cache(self) -> dict[str, object]:
        return {"read_at": self.read_at, "targets": [dict(target) for target in self.targets]}

    def at(self, now: float) -> tuple[TargetFields, ...]:
        """The targets at another time: those that have an age have grown older, and nothing else is known."""
        return tuple(_older(target, max(0.0, now - self.read_at)) for target in self.targets)


def _older(target: TargetFields, seconds: float) -> TargetFields:
    age = target.get("age")
    return {**target, "age": age + seconds} if isinstance(age, (int, float)) else target


def host_name(target: TargetFields, field: str) -> str:
    """The name of the host that a target is."""
    return t.cast(str, harmless_variable(str(target[field])))


def host_variables(target: TargetFields, prefix: str) -> dict[str, object]:
    """The variables of that host: the fields of the target, each behind a prefix."""
    return {f"{prefix}_{name}": harmless_variable(value) for name, value in target.items()}


def harmless_variable(value: object) -> object:
    """A value from a server that Ansible never takes for a template, in ansible-core 2.18 neither."""
    if isinstance(value, str):
        return wrap_var(value) if _TEMPLATE.search(value) else value
    if isinstance(value, collections.abc.Mapping):
        return {harmless_variable(name): harmless_variable(item) for name, item in value.items()}
    return [harmless_variable(item) for item in value] if isinstance(value, (list, tuple)) else value
