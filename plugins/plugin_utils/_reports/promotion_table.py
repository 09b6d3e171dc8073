# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The result of a promotion as a table for the console. Pure functions."""

from __future__ import annotations

import typing as t

from .fields import Fields
from .formats import plural
from .promotion_view import VERDICTS
from .table import MAX_LINES, MAX_WIDTH, Column, fitting_table

_COLUMNS = (
    Column("target", narrowest=20),
    Column("provider"),
    Column("action"),
    Column("backup"),
    Column("guard", narrowest=12),
    Column("verify"),
    Column("verdict"),
)


def promotion_table(report: t.Mapping[str, object], max_width: int = MAX_WIDTH) -> list[str]:
    """The lines of the table: a row for each target in the order of the promotion, and the digest of the plan.

    Where there is no room for all of them, those that did not go well come first.

    :param report: as role ``staging_promotion`` writes it; any of its members may be missing.
    :param max_width: columns of a terminal that a line may have.
    """
    fields = Fields(report)
    targets = fields.children("targets")
    if not targets:
        return ["no targets were inspected"]
    if len(targets) > MAX_LINES - 2:
        targets = sorted(targets, key=_severity, reverse=True)
    summary = [_summary(fields, len(targets))]
    return fitting_table(_COLUMNS, [_row(target) for target in targets], summary, max_width)


def _severity(target: Fields) -> int:
    # a target that has not been started is of more interest than one that went well
    order = (*VERDICTS[:2], "not_started", *VERDICTS[2:-1])
    verdict = target.text("verdict")
    return order.index(verdict) if verdict in order else len(order)


def _row(target: Fields) -> list[object]:
    sync, verify = target.child("sync"), target.child("verify")
    broken = [check.text("name") for check in target.children("checks") if check.known_flag("ok") is False]
    return [
        target.text("name"),
        target.text("provider"),
        (sync or target.child("plan")).text("action") or None,
        target.child("backup").text("state") or None,
        ",".join(broken) or ("ok" if target.children("checks") else None),
        ("ok" if verify.flag("ok") else "failed") if verify else None,
        target.text("verdict"),
    ]


def _summary(report: Fields, count: int) -> str:
    parts = [plural(count, "target")]
    parts += [f"release {report.text('release')}"] if report.text("release") else []
    parts += [f"digest {report.text('digest')}"] if report.text("digest") else []
    return ", ".join(parts)
