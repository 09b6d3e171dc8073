# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""How wide a table may be where it is shown."""

from __future__ import annotations

import os
import sys

from .table import MAX_WIDTH

#: what the default callback puts around a line, if results are JSON: indentation, quotes and a comma
AROUND = 11
#: terminals that are narrower show tables of this width
NARROWEST = 60


def terminal_columns(file: int) -> int | None:
    """The width of the terminal behind a file descriptor; ``None`` if it is none, or does not say it."""
    try:
        return os.get_terminal_size(file).columns or None
    except OSError:
        return None


def table_width(columns: int | None) -> int:
    """The columns of a terminal that a line of a table may have.

    :param columns: of the whole terminal; ``None`` if there is none, as in AWX.
    """
    return MAX_WIDTH if columns is None else min(MAX_WIDTH, max(NARROWEST, columns - AROUND))


#: of this console. Ansible imports action plugins before it starts the processes of tasks, which have no terminal
WIDTH = table_width(terminal_columns(sys.__stdout__.fileno()) if sys.__stdout__ is not None else None)
