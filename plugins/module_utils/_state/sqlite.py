# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The SQLite file in which this controller remembers: how it is created, opened, read without a trace, and written."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
import typing as t

from .._core.errors import SyncError

BUSY_TIMEOUT = 30.0


def create(path: str) -> None:
    """Have the file, and the directories above it, for its owner alone.

    :raises OSError: it cannot be there, or not be written.
    """
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    try:
        # created by us first, since SQLite would use the umask. An existing file is left closed: closing it would take
        # the locks of every connection that another thread has open
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path) from None


@contextlib.contextmanager
def connect(path: str, read_only: bool, timeout: float) -> t.Iterator[sqlite3.Connection]:
    """A connection, closed in the end.

    :param read_only: never create nor change a file; the one at ``path`` exists.
    :param timeout: seconds to wait for others that write.
    """
    if read_only:
        # without a writer at work, reading must not leave the files behind that WAL mode needs
        mode = "mode=ro" if os.path.exists(path + "-wal") else "immutable=1"
        db = sqlite3.connect(f"file:{_uri_path(path)}?{mode}", uri=True, timeout=timeout)
    else:
        db = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    try:
        yield db
    finally:
        db.close()


def use_wal(db: sqlite3.Connection, timeout: float) -> None:
    """Have readers not wait for writers.

    :param timeout: seconds to wait for others.
    """
    until = time.monotonic() + timeout
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            # of several that switch a new file at once, SQLite refuses some right away, whatever its own timeout
            if "locked" not in str(exc) or time.monotonic() >= until:
                raise
        time.sleep(0.005)


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> t.Iterator[sqlite3.Connection]:
    """All that is written within, or nothing; nobody else writes meanwhile."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        # a full disk, for one, has ended it already
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextlib.contextmanager
def usable(path: str, option: str) -> t.Iterator[None]:
    """Have every failure of the file be one of the option that names it.

    :raises SyncError: ``invalid_option``.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as exc:
        raise SyncError(
            "invalid_option",
            f"option {option}: {path!r} cannot be used as the ledger: {exc}",
            "Name a file in a directory that this user may write to, or set LOCKSTEP_LEDGER.",
        ) from None


def _uri_path(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
