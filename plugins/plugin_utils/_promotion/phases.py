# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The steps of a promotion by the names that the tasks of the role have for them.

Each calls what it needs, has :mod:`.state` judge that, and says how to go on. A step that has nothing to do, since the run
was stopped or an earlier run did it, does nothing. So the tasks of the role need no conditions of their own.
"""

from __future__ import annotations

import typing as t

from .finish import Notify, Report
from .phase import Phase
from .preflight import Approve, Gate, Inspect, Lock, PreflightSummary
from .wave import Backup, Hooks, Recovery, Rollback, Sync, Verify, Wave

STEPS: t.Mapping[str, type[Phase]] = {
    "look": Inspect,
    "judge": PreflightSummary,
    "gate": Gate,
    "approve": Approve,
    "lock": Lock,
    "wave": Wave,
    "backup": Backup,
    "sync": Sync,
    "verify": Verify,
    "rollback": Rollback,
    "hooks": Hooks,
    "trouble": Recovery,
    "report": Report,
    "notify": Notify,
}
