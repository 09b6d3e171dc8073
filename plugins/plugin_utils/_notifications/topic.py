# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What there are notifications of: the results of the roles."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._core.vocabulary import RECONCILIATION_VERDICTS
from .._reports.promotion_view import VERDICTS as TARGET_VERDICTS
from .announcement import Announcement, announcement
from .reconciliation import reconciliation_announcement


@dataclasses.dataclass(frozen=True)
class Topic:
    """The results of a role.

    :param option: the variable with the settings.
    :param title: what subjects of mails begin with, unless the settings say so.
    :param verdicts: those that the settings may name.
    :param announce: what to say about a report.
    """

    option: str
    title: str
    verdicts: tuple[str, ...]
    announce: t.Callable[[t.Mapping[str, object]], Announcement]


#: a run that has not been started has no report
_PROMOTION_VERDICTS = tuple(verdict for verdict in TARGET_VERDICTS if verdict != "not_started")
#: an unknown one is in reports of runs that have not ended
_RECONCILIATION_VERDICTS = tuple(verdict for verdict in RECONCILIATION_VERDICTS if verdict != "unknown")

PROMOTION = Topic("staging_promotion_notify", "Promotion", _PROMOTION_VERDICTS, announcement)
RECONCILIATION = Topic("dns_reconciliation_notify", "DNS reconciliation", _RECONCILIATION_VERDICTS, reconciliation_announcement)
