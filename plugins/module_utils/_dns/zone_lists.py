# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Which zones a DNS server has: catalog zones (RFC 9432), and the list that BIND prints."""

from __future__ import annotations

import typing as t

from .._core.errors import SyncError, invalid_option
from . import rdata, wire
from .backend import Backend
from .transfer import transfer
from .wire import ResourceRecord

#: schemas with the same list of members; BIND still reads the first one, which is older than the RFC
VERSIONS = (b"1", b"2")
#: types of zones that named has the data of; ``in-view`` is one of another view
SERVED = ("primary", "master", "secondary", "slave", "in-view")

_PTR, _TXT = rdata.TYPE_NUMBERS["PTR"], rdata.TYPE_NUMBERS["TXT"]


def read_catalog(zone: str, backend: Backend, timeout: float) -> list[str]:
    """The members of a catalog zone, as names with a dot at the end.

    :param timeout: seconds for all of it.
    :raises SyncError: as :func:`transfer`; ``bad_response`` if it is no valid catalog zone (RFC 9432 section 4).
    """
    return catalog_members(zone, transfer(zone, backend, timeout))


def catalog_members(zone: str, records: t.Iterable[ResourceRecord]) -> list[str]:
    """The members of a catalog zone by its records.

    :raises SyncError: ``bad_response``.
    """
    apex = [label.lower() for label in wire.parse_name(zone)[0]]
    versions: list[list[bytes]] = []
    members: dict[bytes, bytes] = {}
    for record in records:
        below = [label.lower() for label in wire.split_name(record.owner)]
        if below[len(below) - len(apex) :] != apex:
            continue
        below = below[: len(below) - len(apex)]
        if below == [b"version"] and record.rdtype == _TXT:
            versions.append(rdata.split_strings(record.rdata))
        elif len(below) == 2 and below[1] == b"zones" and record.rdtype == _PTR:
            if below[0] in members:
                raise _broken(zone, f"its member {wire.label_to_text(below[0])} has more than one PTR record")
            members[below[0]] = record.rdata
    if len(versions) != 1 or versions[0] not in [[version] for version in VERSIONS]:
        problem = f"it must have one TXT record with version 2 at version.{zone}"
        raise _broken(zone, problem)
    return [wire.name_to_text(name) for name in members.values()]


def _broken(zone: str, problem: str) -> SyncError:
    remedy = "Name a catalog zone (RFC 9432), and correct what the DNS servers that use it complain about in their logs."
    return SyncError("bad_response", f"zone {zone} is no valid catalog zone: {problem}", remedy)


def listed_by_bind(text: str, view: str | None = None) -> list[str]:
    """The zones in what ``named-checkconf -l`` prints: lines of name, class, view and type.

    :param view: only those of this view.
    :raises SyncError: ``invalid_option`` if it is something else, or has no such view.
    """
    found = []
    views: set[str] = set()
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) < 4 or words[1].upper() not in ("IN", "CH", "CHAOS", "HS", "HESIOD"):
            remedy = "Give what named-checkconf -l prints: a line for each zone, such as: example.com IN _default primary"
            raise invalid_option("named_zones", line[:80], "is no line of such a list", remedy)
        name, zone_class, its_view, kind = words[:4]
        views.add(its_view)
        if zone_class.upper() == "IN" and kind in SERVED and view in (None, its_view):
            found.append(name)
    if view is not None and view not in views:
        raise invalid_option("view", view, "is no view of named_zones", f"There are: {', '.join(sorted(views)) or 'none'}.")
    return found
