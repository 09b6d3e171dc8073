# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Studio release is emulated, and what differs between releases.

A profile is a name for a release; everything follows from the version number, so that a test may pick any version in
between.  Only the profile ``documented`` is special: it offers the published contract, which no release ever shipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PROFILES = {
    "documented": "3.0.13",
    "3.0": "3.0.27",
    "3.1": "3.1.31",
    "4.0": "4.0.7",
    "4.1": "4.1.8",
    "4.2": "4.2.0",
    "5.0": "5.0.0",
}

# Publisher states are kept under their newest name; these releases did not know it yet, and said something else.
OLDER_WORDS = (
    ("ready", "3.1.4", "idle"),
    ("readyWithErrors", "3.1.4", "idle"),
    ("readyWithErrors", "4.0.0", "ready"),
    ("processing", "3.1.4", "busy"),
    ("processing", "4.0.0", "publishing"),
    ("error", "3.1.14", "stopped"),
)


def parse_version(text: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    if found is None:
        raise ValueError(f"{text!r} does not begin with three numbers")
    return tuple(int(number) for number in found.groups())


@dataclass(frozen=True)
class Release:
    text: str
    documented: bool = False

    def since(self, version: str) -> bool:
        return parse_version(self.text) >= parse_version(version)

    def within(self, first: str, before: str | None) -> bool:
        """``first`` is the first release of something, ``before`` the first one without it (None: still there)."""
        return self.since(first) and (before is None or not self.since(before))

    @property
    def stateless(self) -> bool:
        """4.0 and later authenticate every request by its header; before, a login makes a session."""
        return self.since("4.0.0")

    @property
    def is_4_0(self) -> bool:
        """The releases of which real servers were seen."""
        return self.within("4.0.0", "4.1.0")

    @property
    def site_branch_names(self) -> bool:
        """3.0.14 read the branch names from the global configuration only."""
        return self.since("3.0.15")

    @property
    def reset_needs_permission(self) -> bool:
        return self.since("3.1.15")

    def status_word(self, status: str | None) -> str | None:
        for word, known_since, older in OLDER_WORDS:
            if status == word and not self.since(known_since):
                return older
        return status
