# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look at the statements of a Python file alone."""

from __future__ import annotations

import ast
import collections.abc

#: where a statement has others in it
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def statements(tree: ast.Module) -> collections.abc.Iterator[ast.stmt]:
    """All statements of a file, those in functions and classes included.

    ``ast.walk`` takes several times as long, as it goes through the expressions as well.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        for block in BLOCKS:
            waiting += getattr(node, block, ())
