# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the pages of all reports have in common: the style, and the frame with the verdict at the top.

A page is one file without scripts that loads nothing. It is well-formed XML, so that a test finds any mistake in a template.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib

import jinja2
import markupsafe

from . import formats, rendering
from .links import NO_FILES, FileLinks

#: characters of the message that are shown
MAX_MESSAGE = 4000

STYLE = rendering.style()
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
#: Allows nothing but the style of the page itself, identified by its hash.
POLICY = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{_STYLE_HASH}'"


@dataclasses.dataclass(frozen=True)
class PageFrame:
    """The top of a page.

    :param kind: what the report is about.
    :param tone: of the verdict, one of :data:`formats.MARKS`.
    :param facts: label and value of what stands below the message; those without a value are left out.
    :param files: of the same report.
    """

    kind: str
    title: str
    verdict: str
    tone: str
    message: str
    check_mode: bool
    facts: tuple[tuple[str, str], ...]
    files: FileLinks = NO_FILES


def render(template: jinja2.Template, frame: PageFrame, view: object) -> str:
    """A whole page.

    :param template: made by :func:`rendering.page_template`.
    :param view: the view model that the template shows.
    """
    message = formats.clip(frame.message, MAX_MESSAGE)
    return template.render(
        policy=markupsafe.Markup(POLICY),  # nosec B704
        style=markupsafe.Markup(STYLE),  # nosec B704
        frame=frame,
        message=message,
        view=view,
    )
