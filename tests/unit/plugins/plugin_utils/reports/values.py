# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts, moments and colours of reports."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

Json = dict[str, Any]
BEGIN = dt.datetime(2026, 11, 20, 21, 45, 12, tzinfo=dt.timezone.utc)
PROMOTION_VERDICTS = ("succeeded", "planned", "refused", "failed", "rolled_back", "rollback_failed", "unknown")
RECONCILIATION_VERDICTS = ("in_sync", "reconciled", "drift", "refused", "timed_out", "failed")


def at(seconds: float) -> str:
    """A moment of the run as reports write it."""
    return (BEGIN + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def themes(style: str) -> dict[str, dict[str, str]]:
    """The colours in CSS, by theme and name."""
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    return {name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text)) for name, text in (("light", light), ("dark", dark))}


def failure(code: str, message: str, hint: str = "", http_status: int | None = None) -> Json:
    return {"code": code, "message": message, "http_status": http_status, "hint": hint}
