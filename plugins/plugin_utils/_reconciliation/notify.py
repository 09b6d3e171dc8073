# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Notify people of the result. What cannot be delivered is a warning, and changes no verdict."""

from __future__ import annotations

import typing as t

from .._notifications.notify import notify as send
from .._notifications.topic import RECONCILIATION
from .._reports.reconciliation_page import reconciliation_page
from .report import ReconciliationReport


class NotifyOutcome(t.NamedTuple):
    """What came of the notifications."""

    message: str
    warnings: tuple[str, ...]
    sent: bool


def notify(report: ReconciliationReport, settings: t.Mapping[str, object]) -> NotifyOutcome:
    """Send the notifications that are wanted for this result.

    :param settings: as :func:`.settings.notify_settings` returns them.
    """
    deliveries = send(report, settings, topic=RECONCILIATION, html=reconciliation_page(report))
    texts = {item["channel"]: item["text"] for item in deliveries}
    failed = tuple(f"{item['channel']}: {item['text']}" for item in deliveries if not item["ok"])
    message = "; ".join(f"{channel}: {text}" for channel, text in texts.items()) or "no notification is wanted for this result"
    return NotifyOutcome(message, failed, bool(deliveries))
