# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What the ServerAvatar providers share: connecting, finding objects by name, and interpreting statuses."""

from __future__ import annotations

import dataclasses
import difflib
import re
import threading
import typing as t

from ..._core.errors import SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options, from_env
from ..._core.vocabulary import ReadingState
from ..._http.client import Channel, HttpClient
from ..._http.transport import TokenAuth
from ..._lifecycle.provider import Services, http_settings
from . import api
from .responses import interpret
from .rows import ApplicationPath, ApplicationRow, Server, StatusRow, StorageRow, is_id

#: fewer targets than that are looked for one by one: half a page of the list of applications
MANY = 5
DEFAULT_URL = "https://api.serveravatar.com"

#: Patterns for statuses, of which only one failure is documented. ``running`` prevents a row that still shows 100 percent of an
#: earlier run from counting as done.
DEFAULT_PATTERNS = {
    "failure": r"fail",
    "running": r"progress|running|pending|queue|processing",
    "success": r"(?<!in)complete(?!ing)|(?<!un)(success|finish(?!ing)|done)|(?<!be )(?<!being )restored",
}

CONNECTION_SPEC = ArgumentSpec(
    {
        "api_url": {"type": "str", "default": DEFAULT_URL, **from_env("SERVERAVATAR_API_URL")},
        "allow_http": {"type": "bool", "default": False, **from_env("SERVERAVATAR_ALLOW_HTTP")},
        "api_token": {"type": "str", "required": True, "no_log": True, **from_env("SERVERAVATAR_API_TOKEN")},
        "auth_scheme": {"type": "str", "choices": ["raw", "bearer"], "default": "raw"},
    }
)

PLACE_SPEC = ArgumentSpec(
    {"organization": {"type": "str", "required": True}, "server": {"type": "str", "required": True}},
    ids=("organization", "server"),
)

PATTERNS_SPEC = ArgumentSpec(
    {
        "status_patterns": {
            "type": "dict",
            "options": {name: {"type": "str", "default": pattern} for name, pattern in DEFAULT_PATTERNS.items()},
        }
    }
)


def new_client(options: Options, services: Services) -> HttpClient:
    """A client that sends the API token as the options specify.

    :raises SyncError: ``invalid_option``.
    """
    token = re.sub(r"^bearer(\s+|$)", "", options["api_token"].strip(), flags=re.IGNORECASE)
    services.redactor.add(token)
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SyncError("invalid_option", "option api_token is empty or not a token", "Pass the key from Account, API Access.")
    value = f"Bearer {token}" if options["auth_scheme"] == "bearer" else token
    settings = http_settings(options)
    # the documentation requires it on all requests, also those without a body
    headers = {"Content-Type": "application/json"}
    return HttpClient(settings, services.clock, services.redactor, TokenAuth(value), interpret, services.rng, headers)


class Patterns:
    """Interprets the statuses of the service."""

    def __init__(self, options: Options) -> None:
        given = options.get("status_patterns") or {}
        self._compiled = {name: _compiled(name, given.get(name), default) for name, default in DEFAULT_PATTERNS.items()}

    def state(self, status: str, text: str = "", percentage: float | None = None) -> ReadingState:
        """``failed``, ``running`` or ``succeeded``; an unknown status counts as running."""
        if self._matches("failure", status) or self._matches("failure", text):
            return "failed"
        if self._matches("running", status):
            return "running"
        done = self._matches("success", status) or (percentage is not None and percentage >= 100)
        return "succeeded" if done else "running"

    def of(self, row: StatusRow) -> ReadingState:
        """The state of a status row."""
        return self.state(row.status, row.text, row.percentage)

    def _matches(self, name: str, text: str) -> bool:
        return self._compiled[name].search(text) is not None


def _compiled(name: str, given: str | None, default: str) -> re.Pattern[str]:
    pattern = default if given is None else given
    option = f"status_patterns.{name}"
    if not pattern:
        raise invalid_option(
            option, pattern, "is empty and would match everything", "Leave it out, or give a regular expression."
        )
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as exc:
        raise invalid_option(option, pattern, f"is not a regular expression ({exc})", "Use the syntax of Python.") from None


@dataclasses.dataclass(frozen=True)
class Application:
    """An application and its path."""

    place: ApplicationPath
    name: str


Found = t.TypeVar("Found")


class Directory:
    """Finds the objects that the options name. Each request is made once for all threads and targets."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._known: dict[t.Hashable, t.Any] = {}
        #: applications that pages of their list have shown
        self._shown: list[ApplicationRow] = []
        self._lock = threading.RLock()
        for option in ("organization", "server"):
            if options.get(option) is not None and not options[option].strip():
                raise invalid_option(option, options[option], "is empty", "Give a name or an id.")

    def organization(self, channel: Channel) -> int:
        """The organization of the options.

        :raises SyncError: ``not_found``.
        """
        wanted = self._options["organization"].strip()
        if is_id(wanted):
            return int(wanted)
        rows = self._once("organizations", channel, lambda: api.list_organizations(channel))
        return pick(rows, wanted, "organization", "name").id

    def server(self, channel: Channel) -> Server:
        """The server of the options.

        :raises SyncError: ``not_found``.
        """
        wanted, organization = self._options["server"].strip(), self.organization(channel)
        if is_id(wanted):
            return self._once("server", channel, lambda: api.get_server(channel, organization, int(wanted)))
        rows = self._once("servers", channel, lambda: api.list_servers(channel, organization))
        return pick(rows, wanted, "server", "name", "ip")

    def survey(self, wanted: t.Sequence[str], channel: Channel) -> None:
        """Look for many applications at once, where that takes fewer requests than one by one.

        What it finds are names of applications. Which one is overwritten depends on the id alone, and whether that still exists
        is seen by what is read before a trigger.

        :raises SyncError: the list cannot be read.
        """
        ids = [int(name) for name in wanted if is_id(name)]
        if len(wanted) < MANY:
            return
        if len(ids) < len(wanted):
            # names need all of it
            self.applications(channel)
            return
        organization, server = self.organization(channel), self.server(channel).id
        self._shown = api.find_applications(channel, organization, server, ids)

    def application(self, wanted: str, channel: Channel) -> Application:
        """An application on that server.

        :raises SyncError: ``not_found``.
        """
        organization, server = self.organization(channel), self.server(channel)
        if is_id(wanted):
            place = ApplicationPath(organization, server.id, int(wanted))
            listed = self._listed(wanted)
            name = listed.name if listed else api.get_application_name(channel, place)
            return Application(place, name or wanted)
        row = pick(self.applications(channel), wanted, "applications", "name", "primary_domain")
        return Application(ApplicationPath(organization, server.id, row.id), row.name or wanted)

    def applications(self, channel: Channel) -> list[ApplicationRow]:
        """All applications on that server, staging copies included."""
        organization, server = self.organization(channel), self.server(channel).id
        return self._once("applications", channel, lambda: api.list_applications(channel, organization, server))

    def _listed(self, wanted: str) -> ApplicationRow | None:
        rows = self._known.get("applications")
        shown: t.Sequence[ApplicationRow] = rows if isinstance(rows, list) else self._shown
        return next((row for row in shown if row.id == int(wanted)), None)

    def storage(self, wanted: str, channel: Channel) -> StorageRow:
        """A storage provider of the organization.

        :raises SyncError: ``not_found``.
        """
        organization = self.organization(channel)
        rows = self._once("storages", channel, lambda: api.list_storages(channel, organization))
        return pick(rows, wanted, "storage", "id" if is_id(wanted) else "name")

    def database(self, wanted: str, channel: Channel) -> int:
        """A database on that server.

        :raises SyncError: ``not_found``.
        """
        if is_id(wanted):
            return int(wanted)
        organization, server = self.organization(channel), self.server(channel).id
        rows = self._once("databases", channel, lambda: api.list_databases(channel, organization, server, wanted))
        return pick(rows, wanted, "database", "name").id

    def _once(self, what: t.Hashable, channel: Channel, ask: t.Callable[[], Found]) -> Found:
        """The cached result of ``ask``. A failure is cached too, so that it does not repeat for each target."""
        with channel.deadline.holding(self._lock):
            if what not in self._known:
                try:
                    self._known[what] = ask()
                except SyncError as error:
                    if error.code == "timed_out":
                        # the time of this target is over, and not that of others
                        raise
                    self._known[what] = error
            found = self._known[what]
        if isinstance(found, SyncError):
            raise found
        return t.cast(Found, found)


class Identified(t.Protocol):
    """A row of a list."""

    @property
    def id(self) -> int:
        """By which the server knows it."""


IdentifiedRow = t.TypeVar("IdentifiedRow", bound=Identified)


def pick(rows: t.Sequence[IdentifiedRow], wanted: str, option: str, *keys: str) -> IdentifiedRow:
    """The one row with a name: exact matches first, then matches without regard to case; for each the keys in order.

    :param keys: the fields that a row can be named by.
    :raises SyncError: ``not_found``, or ``invalid_option`` if several rows have the name.
    """
    for same in (str, str.casefold):
        for key in keys:
            found = [row for row in rows if getattr(row, key) is not None and same(str(getattr(row, key))) == same(wanted)]
            if len(found) == 1:
                return found[0]
            if found:
                ids = ", ".join(str(row.id) for row in found)
                raise invalid_option(option, wanted, f"is the {key} of several (ids {ids})", "Give the id of the one you mean.")
    names = [str(getattr(row, key)) for row in rows for key in keys if getattr(row, key)]
    near = difflib.get_close_matches(wanted, names, 3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"It has to be a {' or '.join(keys)} or an id."
    raise SyncError("not_found", f"option {option}: nothing is called {wanted!r} among {len(rows)} that the API lists", hint)
