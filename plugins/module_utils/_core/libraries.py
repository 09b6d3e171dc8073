# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Python libraries that are not installed."""

from __future__ import annotations

import sys

from ansible.module_utils.basic import missing_required_lib

from .errors import sentences


def missing_library(name: str, reason: str | None = None) -> str:
    """A message that names the library, the Python that lacks it, and the command that installs it there.

    :param name: as pip knows it.
    :param reason: what it is for.
    """
    python = sys.executable or "python3"
    return sentences(missing_required_lib(name, reason), f"To install it there: {python} -m pip install {name}")
