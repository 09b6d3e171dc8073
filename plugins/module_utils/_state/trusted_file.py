# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Whether a file of the ledger can be relied on: who may write to it decides what is triggered, and what is taken for done."""

from __future__ import annotations

import os
import stat

#: what SQLite has next to a file while it is used, see https://www.sqlite.org/tempfiles.html
_SUFFIXES = ("", "-wal", "-shm", "-journal")


class UntrustedFile(Exception):
    """Somebody else may write to a file, or decide which file it is."""


def check_trusted(path: str) -> None:
    """Check a file, and those next to it that belong to it. One that does not exist is fine.

    :raises UntrustedFile: it is a symbolic link or no regular file, belongs to another user, or its group or all may write to it.
    """
    for suffix in _SUFFIXES:
        try:
            found = os.lstat(path + suffix)
        except FileNotFoundError:
            continue
        problem = _problem(found)
        if problem:
            raise UntrustedFile(f"{path + suffix!r} {problem}")


def _problem(found: os.stat_result) -> str:
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link"
    if stat.S_ISDIR(found.st_mode):
        # SQLite says so itself
        return ""
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file"
    if found.st_uid != os.geteuid():
        return f"belongs to the user with the id {found.st_uid}, and this is {os.geteuid()}"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"has mode {stat.S_IMODE(found.st_mode):04o}, so that other users may write to it"
    return ""
