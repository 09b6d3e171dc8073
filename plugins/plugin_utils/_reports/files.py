# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The files of a report on this machine: JSON for programs, with Markdown and a page for people next to it."""

from __future__ import annotations

import os
import tempfile

from ...module_utils._core.files import kind_of_other, replace_files


def prepare(path: str) -> str:
    """Have the directory of a report, and see that files can be made in it.

    :returns: the absolute path of the report.
    :raises OSError: they cannot.
    """
    path = os.path.abspath(os.path.expanduser(os.path.expandvars(path)))
    for name in sibling_paths(path):
        kind = kind_of_other(name)
        if kind:
            raise FileExistsError(0, f"it is {kind}" if name == path else f"{name} is {kind}")
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(0, f"{folder} is not a directory") from error
    with tempfile.TemporaryFile(dir=folder):
        return path


def syncs_folder(path: str) -> str:
    """The directory next to a report for the reports of the syncs that are at work."""
    return f"{_stem(path)}.syncs"


def _stem(path: str) -> str:
    return path[: -len(".json")] if path.endswith(".json") else path


def sibling_paths(path: str) -> tuple[str, str, str]:
    """Paths of the JSON, the Markdown and the HTML file, by that of the first."""
    return path, f"{_stem(path)}.md", f"{_stem(path)}.html"


replace = replace_files
