# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How durations, latencies, sizes and moments are written."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._reports import formats
from tests.unit.plugins.plugin_utils.reports.values import at


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(
            (0, "0.0 s"),
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min 00 s"),
            (61, "1 min 01 s"),
        ),
        *((3599.7, "1 h 00 min"), (7260, "2 h 01 min"), (None, ""), (-1, ""), (True, ""), ("x", ""), (float("inf"), "")),
        (float("nan"), ""),
    ],
)
def test_durations(value: Any, text: str) -> None:
    assert formats.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1424, "142 ms"), (1.834, "1.83 s"), (None, ""), (-1, ""), (float("nan"), ""), (float("inf"), ""), ("x", "")],
)
def test_latencies(value: Any, text: str) -> None:
    assert formats.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (734003200, "700.0 MiB"), ("12 MB", "12 MB"), (None, "")]
)
def test_sizes(value: Any, text: str) -> None:
    assert formats.size(value) == text


def test_moments_with_and_without_milliseconds() -> None:
    assert formats.date_time("2026-11-20T21:45:12.345Z") == formats.date_time(at(0)) == "2026-11-20 21:45:12"
    assert formats.clock_time(at(0)) == "21:45:12"
    assert formats.date_time("soon") == "soon"
    assert formats.date_time(None) == ""
    assert formats.duration(at(0), at(7)) == 7
    assert formats.duration(at(0), "") is None
