# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short forms of change windows, their verdicts and their errors."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows.decision import Verdict, check, judge

Json = dict[str, Any]
UTC = dt.timezone.utc
MINUTE = dt.timedelta(minutes=1)
BERLIN = "Europe/Berlin"


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def allow(now: str, **window: Any) -> Verdict:
    """With one allow window; ``from_`` stands for ``from``."""
    return judge({"allow": [{key.rstrip("_"): value for key, value in window.items()}]}, utc(now))


def states(window: Json, start: str, hours: int, step: int = 30) -> str:
    """``#`` for each step of so many minutes at whose beginning it is open, ``.`` for the others."""
    moments = (utc(start) + index * step * MINUTE for index in range(hours * 60 // step))
    return "".join(".#"[judge({"allow": [window]}, moment).open] for moment in moments)


def refused(windows: Any) -> SyncError:
    with pytest.raises(SyncError) as caught:
        check(windows)
    with pytest.raises(SyncError) as again:
        judge(windows, utc("2026-11-20"))
    assert caught.value.code == "invalid_option"
    assert caught.value.hint
    assert str(again.value) == str(caught.value)
    return caught.value


def refused_entry(**window: Any) -> SyncError:
    return refused({"deny": [{"days": "mon"}, {key.rstrip("_"): value for key, value in window.items()}]})


OFFICE: Json = {"name": "office", "days": "mon-fri", "from": "08:00", "to": "18:00", "timezone": BERLIN}
