# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replies of a server, one after the other."""

from __future__ import annotations

from tests.unit.plugins.support.web import Reply, Responder

GOOD = Reply(body={"ok": True})


def replies(*items: Reply) -> Responder:
    """The replies one after the other, the last one for ever."""
    left = list(items)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]
