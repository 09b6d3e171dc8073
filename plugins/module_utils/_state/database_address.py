# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The address of a database, and the secrets that may be in it.

It is a connection URI of libpq, see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS. What libpq
says about one that it cannot read repeats parts of it, so anything that may be a part of a password is refused here first.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
import urllib.parse

from .._core.errors import SyncError

SCHEMES = ("postgresql", "postgres")
#: parameters of libpq that are secrets
_SECRET_PARAMETERS = frozenset({"password", "sslpassword"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]*)?")


@dataclasses.dataclass(frozen=True)
class DatabaseAddress:
    """A connection URI.

    :param text: without its secrets.
    :param secrets: what was removed, by the names that libpq has for it.
    :param written: the secrets as they were written, percent-encoded.
    """

    text: str
    secrets: t.Mapping[str, str]
    written: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, option: str) -> DatabaseAddress:
        """
        :param option: name of the option that ``text`` comes from.
        :raises SyncError: ``invalid_option``, without any part of what cannot be read.
        """
        try:
            parts = urllib.parse.urlsplit(text)
            parameters = urllib.parse.parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise _unreadable(option) from None
        user, at, hosts = parts.netloc.rpartition("@")
        readable = all(_HOST.fullmatch(host) for host in hosts.split(","))
        if not readable or parts.fragment or "@" in user or "@" in parts.path or "@" in parts.query:
            raise _unreadable(option)
        name, dummy, password = user.partition(":")
        secrets = {"password": urllib.parse.unquote(password)} if password else {}
        secrets.update((key, value) for key, value in parameters if key in _SECRET_PARAMETERS and value)
        items = parts.query.split("&") if parts.query else []
        kept = [item for item in items if urllib.parse.unquote(item.partition("=")[0]) not in _SECRET_PARAMETERS]
        removed = [item.partition("=")[2] for item in items if item not in kept]
        clean = parts._replace(netloc=f"{name}{at}{hosts}", query="&".join(kept))
        # urlunsplit would drop the empty host of postgresql:///database
        query = f"?{clean.query}" if clean.query else ""
        return cls(f"{clean.scheme}://{clean.netloc}{clean.path}{query}", secrets, tuple(filter(None, [password, *removed])))


def is_address(location: str, option: str) -> bool:
    """Whether a ledger is a database, and not a file.

    :raises SyncError: ``invalid_option``: it is an address of something else.
    """
    found = _SCHEME.match(location)
    if found is None:
        return False
    if found[1] not in SCHEMES:
        raise SyncError(
            "invalid_option",
            f"option {option}: {found[1]}:// is not a kind of ledger",
            "Give the path of an SQLite file, or postgresql://user@host:port/database.",
        )
    return True


def secrets_in(location: str | None) -> list[str]:
    """All secrets in what may be an address, in each form that they have there; all of it where it cannot be read."""
    if not location or not _SCHEME.match(location):
        return []
    try:
        address = DatabaseAddress.parse(location, "")
    except SyncError:
        return [location]
    return [*address.secrets.values(), *address.written]


def _unreadable(option: str) -> SyncError:
    # it is not shown, since no one knows which part of it is a password
    return SyncError(
        "invalid_option",
        f"option {option}: the address of the database cannot be read",
        "Write postgresql://user@host:port/database?sslmode=verify-full, special characters percent-encoded (RFC 3986).",
    )
