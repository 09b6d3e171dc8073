# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phases of a promotion and the moments between them, in their order."""

from __future__ import annotations

import typing as t

PhaseName = t.Literal["preflight", "gate", "approval", "lock", "backup", "sync", "verify", "rollback", "report", "notify"]
PhaseState = t.Literal["passed", "planned", "refused", "failed", "skipped"]

#: the names of the checks before a promotion. ``target`` to ``idle`` follow from the plan of the sync module, ``disk`` from its
#: record, ``plan`` is a failure that none of them is about
CheckName = t.Literal[
    "entry",
    "memory",
    "connection",
    "credentials",
    "target",
    "staging",
    "idle",
    "plan",
    "disk",
    "lock",
    "hold",
    "backup",
    "probes",
    "staging probes",
    "production probes",
]

PHASES: tuple[PhaseName, ...] = t.get_args(PhaseName)

#: phases in which a target may already have been overwritten
OVERWRITING: frozenset[str] = frozenset({"sync", "verify", "rollback"})

#: The moments at which task files of the user run, in the order of the role's tasks. Each moment has one name: up to the sync
#: that of the phase that follows, from the sync on that of the phase that has ended. Where a moment is not between two phases of
#: the same run or wave, it is named after the one phase that it borders on.
HOOKS = (
    "before_preflight",
    "before_gate",
    "before_approval",
    "before_lock",
    "after_lock",
    "before_backup",
    "before_sync",
    "after_sync",
    "after_verify",
    "before_rollback",
    "after_rollback",
    "before_report",
    "after_report",
    "after_notify",
    "on_failure",
)

#: names that one might expect for moments that have another one
OTHER_NAMES: t.Mapping[str, str] = {
    "after_preflight": "before_gate",
    "after_gate": "before_approval",
    "after_approval": "before_lock",
    "after_backup": "before_sync",
    "before_verify": "after_sync",
    "before_notify": "after_report",
    "on_rollback": "after_rollback",
}

#: variables of version 1 that are gone, and what to do
FORMER_VARIABLES: t.Mapping[str, str] = {
    "lock_expiry": "It was one until 2.0.0. Remove it: a lock expires by itself, a minute after its run has ended.",
}
