# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The report of a promotion as Markdown."""

from __future__ import annotations

import typing as t

from . import rendering
from .links import FileLinks
from .promotion_view import promotion_view

_TEMPLATE = rendering.markdown_template("promotion.md.j2")


def promotion_markdown(report: t.Mapping[str, object], path: str = "") -> str:
    """The report of a promotion as Markdown.

    :param report: as role ``staging_promotion`` writes it.
    :param path: of its JSON, next to which this is going to be; empty if it is not.
    """
    return _TEMPLATE.render(view=promotion_view(report), files=FileLinks.of(path))
