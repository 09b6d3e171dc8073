# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task shows while it works."""

from __future__ import annotations

import threading


class Watcher:
    """Collects the progress lines of a task."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._shown = threading.Event()

    def show(self, line: str) -> None:
        self.lines.append(line)
        self._shown.set()

    def await_line(self) -> None:
        """Wait until the next line is shown."""
        self._shown.clear()
        assert self._shown.wait(20)
