# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The files of a report: JSON for programs, Markdown and a page for people."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t

from ._promotion_markdown import promotion_markdown
from ._promotion_page import promotion_page

Json = dict[str, t.Any]


def prepare(path: str) -> str:
    """Have the directory of a report, and see that files can be made in it.

    :returns: the absolute path of the report.
    :raises OSError: they cannot.
    """
    path = os.path.abspath(os.path.expanduser(os.path.expandvars(path)))
    if os.path.isdir(path):
        raise IsADirectoryError(0, "it is a directory")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.TemporaryFile(dir=os.path.dirname(path)):
        return path


def write(path: str, report: Json) -> None:
    """Write a report, each file at once and for its owner alone.

    :param path: of the JSON file; the others lie beside it.
    :raises OSError: it cannot be written.
    """
    stem = path[: -len(".json")] if path.endswith(".json") else path
    _replace(path, json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    _replace(f"{stem}.md", promotion_markdown(report))
    _replace(f"{stem}.html", promotion_page(report))


def _replace(path: str, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".lockstep.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
