# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The list of backups, read once for many targets (docs/reference/serveravatar.md#7.2).

It has ten rows on a page, and the backups of a whole organization. What never changes in a row need not be read again for each
target; what does is read anew.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._core.clock import Clock
from ..._core.vocabulary import ReadingState
from .rows import BackupRow, ListedRow

#: seconds for which the list counts
LISTED_FOR = 60.0


@dataclasses.dataclass(frozen=True)
class SeenBackups:
    """The newest backups of an organization, as they were listed.

    :param rows: newest first.
    :param seen_at: before the first page was asked for (monotonic seconds).
    """

    rows: t.Sequence[ListedRow]
    seen_at: float

    def is_new(self, clock: Clock) -> bool:
        """Whether it counts."""
        return clock.monotonic() - self.seen_at <= LISTED_FOR

    def of(self, backup: int) -> ListedRow | None:
        """The row of a backup."""
        return next((row for row in self.rows if row.backup.id == backup), None)

    def brought_up_to_date(
        self, pages: t.Iterable[t.Sequence[ListedRow]], state: t.Callable[[BackupRow], ReadingState]
    ) -> t.Iterator[BackupRow]:
        """The newest backups as they are now, newest first.

        What is newer than all that was seen is read, and what had not ended then is read anew; the state of a backup that has
        ended stays as it is.

        :param pages: reads the list anew, newest first.
        :param state: interprets a row.
        """
        newest = self.rows[0].backup.id if self.rows else 0
        ended_from = min([newest, *(row.backup.id for row in self.rows if state(row.backup) == "running")])
        for rows in pages:
            yield from (row.backup for row in rows)
            if rows and rows[-1].backup.id <= ended_from:
                yield from (row.backup for row in self.rows if row.backup.id < rows[-1].backup.id)
                return
