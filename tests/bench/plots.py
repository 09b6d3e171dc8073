# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots of the figures of the benchmark, as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygal
from pygal.style import CleanStyle

_LOOK: dict[str, Any] = {
    "style": CleanStyle,
    "print_values": True,
    "show_legend": False,
    "js": [],
    "height": 320,
    "include_x_axis": True,
}


def write(figures: dict[str, Any], place: Path) -> None:
    """Write a plot for each section that has one."""
    if "ways" in figures:
        _ways(figures["ways"]).render_to_file(str(place / "ways.svg"))
    if "growth" in figures:
        _growth(figures["growth"]).render_to_file(str(place / "growth.svg"))
    if "slices" in figures:
        _slices(figures["slices"]).render_to_file(str(place / "slices.svg"))


def _ways(found: dict[str, Any]) -> Any:
    chart = pygal.HorizontalBar(title="Milliseconds for each zone", **_LOOK)
    # the first one is drawn at the bottom
    chart.x_labels = list(found)[::-1]
    chart.add("", [round(1000 * each["seconds"] / each["zones"], 1) for each in found.values()][::-1])
    return chart


def _growth(found: dict[str, Any]) -> Any:
    chart = pygal.Bar(title="Seconds of one task, by its zones", **_LOOK)
    chart.x_labels = list(found)
    chart.add("", [round(each["seconds"], 1) for each in found.values()])
    return chart


def _slices(found: dict[str, Any]) -> Any:
    chart = pygal.Bar(title="Seconds of processor time of the largest slice, by the number of slices", **_LOOK)
    chart.x_labels = list(found)
    chart.add("", [round(max(each["cpu"]), 1) for each in found.values()])
    return chart
