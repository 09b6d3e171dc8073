# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Where the ledger is: the option that names it, its default, and the store for what it names.

A location is the path of an SQLite file, or the address of a PostgreSQL database without a password.
"""

from __future__ import annotations

import os
import typing as t

from .._core.clock import Clock
from .._core.errors import SyncError
from . import database_address
from .database_address import DatabaseAddress, is_address
from .sqlite import SqliteStore
from .store import Store

#: the name of the modules' option
OPTION = "ledger"
#: the environment variable that is used without it
VARIABLE = "LOCKSTEP_LEDGER"
#: the one with the password of a database
PASSWORD_VARIABLE = "LOCKSTEP_LEDGER_PASSWORD"  # nosec B105
#: what several jobs can use, for messages
SHARED = "a file on a volume that all jobs share, or to postgresql://user@host:port/database"


def open_store(location: str, clock: Clock, read_only: bool, option: str) -> Store:
    """The store at a location.

    :param read_only: never create nor change it (check mode).
    :param option: name of the option that the location comes from.
    :raises SyncError: naming ``option`` if it cannot be used.
    """
    if not is_address(location, option):
        return SqliteStore(_expand(location, option), clock, read_only, option)
    # only here, since it takes a tenth of a second to load
    from .postgresql import PostgresqlStore

    return PostgresqlStore(_checked(location, option), _secrets_for(location, os.environ), clock, read_only, option)


def named_location(given: str | None, environ: t.Mapping[str, str], option: str = OPTION) -> str:
    """The location that an option names or, without it, the environment; ``""`` where neither does.

    :param given: the value of the option.
    :raises SyncError: ``invalid_option`` naming ``option``. A password in the option is one reason, since options are shown.
    """
    if given:
        return _checked(given, option)
    named = environ.get(VARIABLE, "")
    # what is in the environment is not shown, so a password may be there
    return DatabaseAddress.parse(named, VARIABLE).text if is_address(named, VARIABLE) else os.path.expandvars(named)


def secrets_of(given: str | None, environ: t.Mapping[str, str]) -> list[str]:
    """Secrets of the ledger that must not be shown: those in the environment, and one in the option, where none should be."""
    named = given or environ.get(VARIABLE)
    if not named or "://" not in named:
        return []
    found = [*database_address.secrets_in(given), *database_address.secrets_in(environ.get(VARIABLE))]
    return [*found, *(environ[name] for name in (PASSWORD_VARIABLE, "PGPASSWORD") if environ.get(name))]


def _checked(location: str, option: str) -> str:
    """A location that came from an option.

    :raises SyncError: ``invalid_option``: it has a password.
    """
    if not is_address(location, option):
        return os.path.expandvars(location)
    address = DatabaseAddress.parse(location, option)
    if address.secrets:
        raise SyncError(
            "invalid_option",
            f"option {option}: the address {address.text!r} was given with a password, which would be shown in many places",
            f"Leave it out, and set the environment variable {PASSWORD_VARIABLE} (or PGPASSWORD, or PGPASSFILE).",
        )
    return address.text


def _secrets_for(location: str, environ: t.Mapping[str, str]) -> dict[str, str]:
    """What libpq is to be given for an address, beyond what it finds by itself."""
    named = environ.get(VARIABLE, "")
    secrets: dict[str, str] = {}
    if is_address(named, VARIABLE):
        address = DatabaseAddress.parse(named, VARIABLE)
        # never to another database
        secrets.update(address.secrets if address.text == location else {})
    if environ.get(PASSWORD_VARIABLE):
        secrets["password"] = environ[PASSWORD_VARIABLE]
    return secrets


def default_path(environ: t.Mapping[str, str]) -> str:
    """``lockstep/ledger.sqlite3`` below the XDG state directory.

    :raises SyncError: ``invalid_option`` if this user has no home directory: in a relative one, there would be a ledger for each
        working directory.
    """
    state = environ.get("XDG_STATE_HOME", "")
    # the XDG base directory specification has relative paths ignored
    if not os.path.isabs(state):
        state = os.path.join(os.path.expanduser("~"), ".local", "state")
    if not os.path.isabs(state):
        raise SyncError(
            "invalid_option",
            f"option {OPTION}: the default {os.path.join(state, 'lockstep')} cannot be used: {_why_homeless()}",
            "Name a file with ledger (ledger_path) or LOCKSTEP_LEDGER, or set HOME.",
        )
    return os.path.join(state, "lockstep", "ledger.sqlite3")


def _why_homeless() -> str:
    home = os.environ.get("HOME")
    if home is None:
        return f"HOME is not set, and user id {os.getuid()} has no home directory"
    return f"HOME is {home!r}, which is not an absolute path"


def ends_with_job(environ: t.Mapping[str, str]) -> bool:
    """Whether the default ledger is lost when this process ends: a job of AWX or Tower gets a home directory of its own."""
    return bool(environ.get("AWX_PRIVATE_DATA_DIR") or (environ.get("JOB_ID") and environ.get("AWX_HOST")))


def _expand(path: str, option: str) -> str:
    """An absolute path.

    :param option: name of the option that ``path`` comes from.
    :raises SyncError: ``invalid_option`` if a ``~`` or a variable stays at its beginning: as a relative path, it would be a file
        of each working directory.
    """
    expanded = os.path.expanduser(path)
    if expanded.startswith(("~", "$")):
        missing = "there is no such home directory" if expanded.startswith("~") else "the variable that it begins with is not set"
        raise SyncError(
            "invalid_option",
            f"option {option}: {path!r} cannot be used as the ledger: {missing}",
            "Name a file by its absolute path, or set LOCKSTEP_LEDGER (or HOME).",
        )
    return os.path.abspath(expanded)
