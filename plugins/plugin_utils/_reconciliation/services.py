# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the phases of a reconciliation need from outside: the modules, the inventory, the clock and the files of the report."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._core.errors import SyncError
from .report import ReconciliationReport
from .settings import PREFIX, Options, ReconciliationSettings
from .state import ModuleAnswer, ReconciliationState


class ReconciliationServices(t.Protocol):
    """Implemented by the action plugin."""

    def now(self) -> str:
        """The time in UTC as ISO 8601."""

    def check_report(self, path: str) -> None:
        """See that the report can be written.

        :raises SyncError: ``invalid_option``.
        """

    def hosts(self, group: str) -> t.Sequence[str]:
        """The hosts of an inventory group; none if there is no such group."""

    def write_report(self, state: ReconciliationState) -> ReconciliationReport:
        """Write the report of a run as it is known now, if it is to be in files; returns it.

        :raises SyncError: ``invalid_option`` if it cannot be written.
        """

    def list_zones(self, options: Options) -> t.Sequence[str]:
        """The names of the zones that the info module finds.

        :raises SyncError: it failed.
        """

    def sync_zones(self, options: t.Sequence[Options], check_mode: bool) -> t.Sequence[ModuleAnswer]:
        """The full results of one task of the sync module for each of ``options``.

        :raises SyncError: a result cannot be read.
        """


@dataclasses.dataclass(frozen=True)
class PhaseOutcome:
    """The result of a phase.

    :param proceed: whether the next phase has anything to do.
    :param diff: as Ansible shows it in diff mode.
    """

    state: ReconciliationState
    message: str
    proceed: bool
    changed: bool = False
    diff: tuple[t.Mapping[str, object], ...] = ()
    warnings: tuple[str, ...] = ()


def with_failure(state: ReconciliationState, error: SyncError) -> ReconciliationState:
    """The state of a run that a failure has ended. The traceback of an error of the collection goes to the report."""
    error.point_to_report(state.report_path, f"{PREFIX}report_path")
    return state.with_error(error.coded_text, error.code, error.traceback_text)


#: A phase: it returns what is known afterwards, and changes nothing that it was given.
ReconciliationPhase = t.Callable[[ReconciliationState, ReconciliationSettings, ReconciliationServices], PhaseOutcome]
