# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Files that are there as a whole or not at all, whenever the process or the machine stops."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import typing as t

_KINDS: tuple[tuple[t.Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)


def kind_of_other(path: str) -> str:
    """What a path names that is no file, ``""`` if it is a file or nothing. A link is what it leads to.

    A file must not take the place of these: many programs rely on the null device, for one.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return ""
    return next((kind for test, kind in _KINDS if test(mode)), "")


def replace_file(path: str, text: str | t.Iterable[str]) -> None:
    """Write a text file for its owner alone (mode 0600), in the place of one that is there.

    The content is on the disk before it gets the name (fsync(2), rename(2)), so that a crash leaves the old file or the new one.

    :param text: its content, or the pieces of it.
    :raises OSError: it cannot be written, or is no file; what was there still is.
    """
    replace_files(((path, text),))


def replace_files(files: t.Iterable[tuple[str, str | t.Iterable[str]]]) -> None:
    """Write text files, each like :func:`replace_file`, in their order.

    :param files: path and text, or the pieces of it, of each.
    :raises OSError: one cannot be written. Those before it are, and what was there of the others still is.
    """
    folders = set()
    try:
        for path, text in files:
            folder = os.path.dirname(os.path.abspath(path))
            _replace(folder, path, text)
            folders.add(folder)
    finally:
        # once for all of them: it takes as long as to write one
        for folder in folders:
            _sync_folder(folder)


def _replace(folder: str, path: str, text: str | t.Iterable[str]) -> None:
    """
    :raises OSError: as :func:`replace_file`.
    """
    kind = kind_of_other(path)
    if kind:
        raise OSError(errno.EINVAL, f"it is {kind}", path)
    # mkstemp creates the file with mode 0600
    descriptor, scratch = tempfile.mkstemp(prefix=".lockstep.", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        os.unlink(scratch)
        raise


def _sync_folder(folder: str) -> None:
    # some file systems cannot do that; there the name is as durable as they make it
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
