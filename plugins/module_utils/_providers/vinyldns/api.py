# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The calls to VinylDNS but those for record sets, and what its responses mean (docs/reference/vinyldns.md#1, #2 and #4)."""

from __future__ import annotations

import datetime as dt
import re
import typing as t
import uuid

from ..._core.errors import SyncError
from ..._core.redact import without_keys
from ..._core.texts import is_like
from ..._http.client import Channel
from ..._http.json_reader import JsonReader
from ..._http.response import Response
from . import rows
from .rows import Accepted, RecordSetChange, Zone, ZoneChange
from .signing import encode_segment

PAGE = 100


def interpret(response: Response) -> SyncError | None:
    """The failure behind an error response, by the texts of docs/reference/vinyldns.md#1.2."""
    text = _text(response)
    lower = text.lower()
    if response.status == 401:
        return SyncError("auth_failed", text, "Check access_key and secret_key; proxies must not change the Host header.", 401)
    if response.status == 403:
        return _forbidden(text, lower)
    if response.status == 404 and "does not exist" in lower:
        if lower.startswith("the requested path"):
            return SyncError(
                "endpoint_missing", text, "Check that api_url is the address of the VinylDNS API, not of its portal.", 404
            )
        return SyncError("not_found", text, "Check the name or id of the zone, and that it is connected to VinylDNS.", 404)
    if response.status == 409:
        return SyncError("busy", text, "Run the task again when the pending change of the zone has ended.", 409)
    if response.status == 400:
        return _bad_request(text, lower)
    return None


def _forbidden(text: str, lower: str) -> SyncError:
    if "recently synced" in lower:
        return SyncError("recently_synced", text, "Set if_recently_synced to say what to do then.", 403)
    if "is locked" in lower:
        return SyncError("auth_failed", text, "Have the account behind the access key unlocked.", 403)
    return SyncError(
        "permission_denied",
        text,
        "The account must be a member of the zone's admin group, or a super user, to sync the zone.",
        403,
    )


def _bad_request(text: str, lower: str) -> SyncError | None:
    # documented is 400, released servers send 403 (docs/reference/vinyldns.md#1.2)
    if "recently" in lower:
        return SyncError("recently_synced", text, "Set if_recently_synced to say what to do then.", 400)
    if "sync" in lower or "active" in lower:
        return SyncError("busy", text, "Run the task again when the zone is active.", 400)
    return None


def _text(response: Response) -> str:
    """The body of an error, which may be a JSON string or plain text."""
    body = response.try_json()
    return " ".join(body.split()) if isinstance(body, str) else response.excerpt()


def _read(response: Response) -> JsonReader:
    # zones contain the TSIG keys of their connections, also when nested in changes (docs/reference/vinyldns.md#1.1)
    return JsonReader(response, "Check api_url.", lambda body: without_keys(body, ("key",)))


def absolute(name: str) -> str:
    """A zone name as VinylDNS has it: in ASCII, and with its trailing dot."""
    return in_ascii(name) if name.endswith(".") else in_ascii(name) + "."


def in_ascii(name: str) -> str:
    """A name, or a pattern for names, with its international labels as A-labels (IDNA 2008, RFC 5891).

    Capital letters and the like are mapped before as UTS 46 says. A label that IDNA does not allow stays as it is.
    """
    return name if name.isascii() else ".".join(map(_a_label, re.split("[.\u3002\uff0e\uff61]", name)))


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return _encoded(label).decode("ascii")
    except UnicodeError:
        return label


def _encoded(label: str) -> bytes:
    try:
        # requests depends on it
        import idna
    except ImportError:
        # Python itself has the older IDNA 2003
        return label.encode("idna")
    return bytes(idna.encode(label, uts46=True))


def is_id(text: str) -> bool:
    """Whether a text is the id of a zone rather than its name: ids are UUIDs."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def get_zone(channel: Channel, zone_id: str) -> tuple[Zone, dt.datetime | None]:
    """A zone by its id, and the server's clock.

    :raises SyncError: ``not_found``, ``permission_denied`` and those of :meth:`Channel.observe`.
    """
    response = channel.observe(f"/zones/{encode_segment(zone_id)}")
    return rows.zone_in(_read(response)), response.server_now


def find_zone(channel: Channel, name_or_id: str) -> tuple[Zone, dt.datetime | None]:
    """A zone by its name or id, and the server's clock. By name the server does not check access; ``access_level`` shows it.

    :raises SyncError: as :func:`get_zone`.
    """
    if is_id(name_or_id):
        return get_zone(channel, name_or_id)
    response = channel.observe(f"/zones/name/{encode_segment(absolute(name_or_id))}")
    return rows.zone_in(_read(response)), response.server_now


class ZonePage(t.NamedTuple):
    """A page of zones, sorted by name as the server does it.

    :param next_start: for the next page; nothing if there is none.
    """

    zones: list[Zone]
    next_start: object
    server_now: dt.datetime | None


def zone_pages(channel: Channel, name_filter: str | None = None, admin_group: str | None = None) -> t.Iterator[ZonePage]:
    """All zones that the account has access to, sorted by name, a page at a time.

    What the server lists is filtered again, since its filters are SQL patterns in which ``_`` and ``%`` match other characters,
    too (docs/reference/vinyldns.md#4.1).

    :param name_filter: a name pattern with ``*``.
    :param admin_group: name of the admin group, or a pattern with ``*``; the server filters by one of the two only.
    """
    name_filter = None if name_filter is None else in_ascii(name_filter)
    params = {
        "nameFilter": admin_group if admin_group is not None else name_filter,
        "searchByAdminGroup": "true" if admin_group is not None else None,
    }
    for page in _zone_pages(channel, params):
        zones = [zone for zone in page.zones if name_filter is None or matches(zone.name, name_filter)]
        yield page._replace(zones=[zone for zone in zones if _has_group(zone, admin_group)])


def every_zone_page(channel: Channel) -> t.Iterator[ZonePage]:
    """All zones of the server, whatever access the account has to them, a page at a time."""
    yield from _zone_pages(channel, {"ignoreAccess": "true"})


def _zone_pages(channel: Channel, params: t.Mapping[str, str | None]) -> t.Iterator[ZonePage]:
    start: object = None
    while True:
        page = _zone_page(channel, start, params)
        yield page
        start = page.next_start
        if not start:
            return


def zones_after(channel: Channel, name: str) -> ZonePage:
    """The zones that come after a name, which need not be one of a zone, whatever access the account has to them."""
    return _zone_page(channel, name, {"ignoreAccess": "true"})


def _zone_page(channel: Channel, start: object, params: t.Mapping[str, str | None]) -> ZonePage:
    response = channel.observe("/zones", {**params, "startFrom": start, "maxItems": PAGE})
    body = _read(response)
    return ZonePage(rows.zones_in(body), rows.next_start_in(body), response.server_now)


def matches(name: str, name_filter: str) -> bool:
    """Whether the server's name filter would list a zone: a prefix, unless it has a ``*`` or the final dot."""
    exact = name_filter.endswith(".") or "*" in name_filter
    return is_like(name, absolute(name_filter) if exact else name_filter + "*")


def _has_group(zone: Zone, admin_group: str | None) -> bool:
    name = zone.admin_group_name
    return admin_group is None or name is None or is_like(name, admin_group)


def list_changes(channel: Channel, zone_id: str, until: dt.datetime | None = None) -> list[ZoneChange]:
    """The newest changes of a zone, newest first (one page).

    :param until: only changes not newer than this second.
    """
    start = None if until is None else str((int(until.timestamp()) + 1) * 1000)
    response = channel.observe(f"/zones/{encode_segment(zone_id)}/changes", {"startFrom": start, "maxItems": PAGE})
    return rows.zone_changes_in(_read(response))


def sync_zone(channel: Channel, zone_id: str) -> Accepted:
    """Start a sync: the one mutating call (docs/reference/vinyldns.md#1.1)."""
    # servers send 202, documented is 200 (docs/reference/vinyldns.md#1.1)
    response = channel.trigger("POST", f"/zones/{encode_segment(zone_id)}/sync", expect=(200, 202))
    return rows.accepted_in(_read(response))


class ChangePage(t.NamedTuple):
    """A page of record set changes.

    :param is_last: whether the server names no next one.
    """

    rows: list[RecordSetChange]
    is_last: bool


def record_set_changes(channel: Channel, zone_id: str, offset: int, size: int = PAGE) -> ChangePage:
    """Record set changes of a zone, newest first. Pages overlap (docs/reference/vinyldns.md#1.6).

    :param offset: number of newer rows to leave out.
    """
    params = {"startFrom": offset, "maxItems": size}
    body = _read(channel.observe(f"/zones/{encode_segment(zone_id)}/recordsetchanges", params))
    return ChangePage(rows.record_set_changes_in(body), rows.next_start_in(body) is None)


def record_set_history(channel: Channel, zone_id: str, fqdn: str, record_type: str) -> list[RecordSetChange]:
    """The newest changes of the record sets with one absolute name and type, newest first."""
    params = {"zoneId": zone_id, "fqdn": fqdn, "recordType": record_type, "maxItems": PAGE}
    return rows.record_set_changes_in(_read(channel.observe("/recordsetchange/history", params)))


def processing_disabled(channel: Channel) -> bool:
    """Whether the server queues messages without processing them (blue/green deployments)."""
    return rows.processing_disabled_in(_read(channel.observe("/status")))
