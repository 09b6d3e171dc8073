# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Where the ledger is: the option that names it, its default, and the store for what it names."""

from __future__ import annotations

import os
import typing as t

from .._core.clock import Clock
from .._core.errors import SyncError
from .sqlite import SqliteStore
from .store import Store

#: the name of the modules' option
OPTION = "ledger"


def open_store(location: str, clock: Clock, read_only: bool, option: str) -> Store:
    """The store at a location.

    :param location: the path of an SQLite file.
    :param read_only: never create nor change it (check mode).
    :param option: name of the option that the location comes from.
    :raises SyncError: ``invalid_option`` naming ``option`` if it cannot be used.
    """
    return SqliteStore(_expand(location, option), clock, read_only, option)


def default_path(environ: t.Mapping[str, str]) -> str:
    """``lockstep/ledger.sqlite3`` below the XDG state directory.

    :raises SyncError: ``invalid_option`` if this user has no home directory.
    """
    state = environ.get("XDG_STATE_HOME", "")
    # the XDG base directory specification has relative paths ignored
    if not os.path.isabs(state):
        state = os.path.join(os.path.expanduser("~"), ".local", "state")
    if state.startswith("~"):
        raise SyncError(
            "invalid_option",
            f"option {OPTION}: the default {os.path.join(state, 'lockstep')} cannot be used: HOME is not set, and user id"
            f" {os.getuid()} has no home directory",
            "Name a file with ledger (ledger_path) or LOCKSTEP_LEDGER, or set HOME.",
        )
    return os.path.join(state, "lockstep", "ledger.sqlite3")


def ends_with_job(environ: t.Mapping[str, str]) -> bool:
    """Whether the default ledger is lost when this process ends: a job of AWX or Tower gets a home directory of its own."""
    return bool(environ.get("AWX_PRIVATE_DATA_DIR") or (environ.get("JOB_ID") and environ.get("AWX_HOST")))


def _expand(path: str, option: str) -> str:
    """An absolute path.

    :param option: name of the option that ``path`` comes from.
    :raises SyncError: ``invalid_option`` if a ``~`` stays: as a relative path, it would be a file of each working directory.
    """
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise SyncError(
            "invalid_option",
            f"option {option}: {path!r} cannot be used as the ledger: there is no such home directory",
            "Name a file by its absolute path, or set LOCKSTEP_LEDGER (or HOME).",
        )
    return os.path.abspath(expanded)
