# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The result of a reconciliation as a table for the console. Pure functions."""

from __future__ import annotations

import typing as t

from ...module_utils._core.vocabulary import RECONCILIATION_VERDICTS
from ...module_utils._dns.guard import SHORT_DIGEST
from .fields import Fields
from .formats import plural
from .table import MAX_WIDTH, Column, fitting_table

_COUNTS = ("creates", "updates", "deletes")
_COLUMNS = (
    Column("zone", narrowest=20),
    Column("action"),
    *(Column(sign, numeric=True) for sign in "+~-"),
    Column("guard", narrowest=8),
    Column("digest"),
    Column("verdict"),
)


def reconciliation_table(report: t.Mapping[str, object], max_width: int = MAX_WIDTH) -> list[str]:
    """The lines of the table: a row for each zone, the worst first, and what a sync of all of them changes.

    The signs stand for record sets that a sync creates, updates and deletes, as in the page.

    Digests are shortened; they can be used for an approval as they are shown.

    :param report: as role ``dns_reconciliation`` writes it; any of its members may be missing.
    :param max_width: columns of a terminal that a line may have.
    """
    fields = Fields(report)
    zones = worst_first(fields.children("zones"))
    if not zones:
        return ["no zones were compared"]
    summary = fields.child("summary")
    changes = ", ".join(plural(summary.count(name), name[:-1]) for name in _COUNTS)
    total = f"{plural(len(zones), 'zone')}: {changes}"
    return fitting_table(_COLUMNS, [_row(zone) for zone in zones], [total], max_width)


def worst_first(zones: t.Iterable[Fields]) -> list[Fields]:
    """Zones of a report by their verdicts; those with the same one stay in their order."""
    return sorted(zones, key=_severity, reverse=True)


def _severity(zone: Fields) -> int:
    verdict = zone.text("verdict")
    return RECONCILIATION_VERDICTS.index(verdict) if verdict in RECONCILIATION_VERDICTS else len(RECONCILIATION_VERDICTS)


def _row(zone: Fields) -> list[object]:
    drift = zone.child("drift")
    known = "creates" in drift
    counts = [drift.count(name) if known else None for name in _COUNTS]
    digest = drift.text("digest")[:SHORT_DIGEST] if drift.known_flag("in_sync") is False else None
    return [zone.text("zone"), zone.text("action"), *counts, _guard(zone, known), digest, zone.text("verdict")]


def _guard(zone: Fields, known: bool) -> str | None:
    """The broken rules; ``ok`` if there are none."""
    broken = [rule.text("rule") for rule in zone.children("guards")]
    if broken:
        return ",".join(broken)
    if zone.text("verdict") == "refused":
        return "batch"
    return "ok" if known else None
