# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Where reports lead to: the other files of the same report, and the documentation of failure codes. Pure functions."""

from __future__ import annotations

import os
import re
import typing as t
import urllib.parse

from .files import sibling_paths

#: has a section for each failure code, whose anchor is the code
ERRORS = "https://github.com/lockstep-ansible/lockstep.sync/blob/main/docs/errors.md"

_CODE = re.compile(r"[a-z]+(?:_[a-z]+)*")


def docs_of_code(code: str) -> str:
    """The address of the documentation of a failure code; empty if the text is none."""
    return f"{ERRORS}#{code}" if _CODE.fullmatch(code) else ""


def with_documentation(shown: t.Mapping[str, object], codes: t.Iterable[str | None]) -> dict[str, object]:
    """What the last task of a role shows, with ``see``: for each failure code that occurred, where it is documented.

    :param codes: in the order of their importance; they may be repeated or absent.
    """
    found = [address for address in map(docs_of_code, dict.fromkeys(code for code in codes if code)) if address]
    return {**shown, "see": found} if found else dict(shown)


class FileLinks(t.NamedTuple):
    """Addresses of the files of a report, each relative to the others; empty if it is in no file, as in a mail."""

    json: str = ""
    markdown: str = ""
    html: str = ""

    @classmethod
    def of(cls, path: str) -> FileLinks:
        """Those of the report whose JSON is at a path; none if the path is empty."""
        if not path:
            return cls()
        # behind ./ a colon in a name is no scheme
        return cls(*(f"./{urllib.parse.quote(os.path.basename(name))}" for name in sibling_paths(path)))


#: of a report that is in no file
NO_FILES = FileLinks()
