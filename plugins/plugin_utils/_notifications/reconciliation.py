# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What a notification says about a reconciliation."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import sentence
from ...module_utils._core.texts import one_line
from .._reports.fields import Fields
from .._reports.formats import safe_text
from .._reports.reconciliation_table import worst_first
from .announcement import Announcement, TargetResult, facts

_MEMBERS = ("verdict", "ok", "check_mode", "message", "started_at", "finished_at", "summary", "digests")


def reconciliation_announcement(report: t.Mapping[str, object]) -> Announcement:
    """What to say about the report of a reconciliation: all zones that are not in sync, the worst first.

    :param report: any of its members may be missing.
    """
    fields = Fields(report)
    changed = any(zone.flag("changed") for zone in fields.children("zones"))
    zones = worst_first(zone for zone in fields.children("zones") if zone.text("verdict") != "in_sync")
    listed = [{name: zone.get(name) for name in ("zone", "verdict", "reason")} for zone in zones]
    return Announcement(
        verdict=one_line(fields.text("verdict")),
        ok=fields.flag("ok"),
        changed=changed,
        check_mode=fields.flag("check_mode"),
        message=safe_text(fields.text("message")),
        targets=tuple(_zone(zone, fields.child("digests")) for zone in zones),
        facts=facts(fields, "started_at", "finished_at"),
        qualifier="check mode" if fields.flag("check_mode") else "",
        name=f"reconciliation-{fields.text('started_at') or 'report'}",
        brief={**{name: fields.get(name) for name in _MEMBERS}, "changed": changed, "zones": listed},
        report=report,
    )


def _zone(zone: Fields, digests: Fields) -> TargetResult:
    digest = digests.text(zone.text("zone"))
    reason = f"{sentence(zone.text('reason'))} Digest of the plan: {digest}" if digest else zone.text("reason")
    return TargetResult(one_line(zone.text("zone")), one_line(zone.text("verdict")), safe_text(reason))
