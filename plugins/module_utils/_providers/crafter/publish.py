# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Crafter Studio, the other direction: publish items or everything to a target (docs/reference/crafter.md#6).

Up to 4.x the response does not name the package of a request, so a unique marker in the comment identifies it. Studio does not
check the target either, and queues a request for an unknown one for ever; so it is checked here first.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ..._core.clock import isoformat
from ..._core.errors import SyncError, Violation, invalid_option
from ..._core.options import ArgumentSpec, Options, list_of_names
from ..._core.vocabulary import ReadingState
from ..._http.client import Channel
from ..._http.response import Response
from ..._lifecycle.poll import Reading
from ..._lifecycle.provider import Capabilities, Effect, Observation, Provider, Run, Services, Target
from .api import FIRST_PACKAGES, LIVE, STAGING, V5, Publisher, Site, check_site, error_text_and_code, package_id
from .auth import CONNECTION_SPEC
from .provider import never_published, publish_failed
from .publish_calls import ItemsBefore, PublishHandle, PublishRequest, PublishSnapshot, choose_call
from .studio import Studio

PUBLISH_SPEC = ArgumentSpec(
    {
        "sites": {"type": "list", "elements": "str", "required": True, "aliases": ["site", "site_id"]},
        "target": {"type": "str", "default": "live"},
        "items": {"type": "list", "elements": "str"},
        "everything": {"type": "bool", "default": False},
        "comment": {"type": "str", "default": ""},
        "allow_initial_publish": {"type": "bool", "default": False},
    },
    texts=("sites", "target", "items"),
)

OPEN_STATES = ("READY_FOR_LIVE", "PROCESSING", "BLOCKED", "CANCELLED")
COMPLETED = "COMPLETED"
#: states of packages in 5.0, as bits
FAILED_BITS, COMPLETED_BIT, CANCELLED_BIT = 16 | 128, 256, 512
PARTLY_BITS = 8 | 64
#: how many pages of packages are searched; they come newest first
SEARCHED = 3

PARTLY = "completed with errors"
#: how many missing items a message names
SHOWN = 5


def state_of(states: t.Sequence[str]) -> tuple[ReadingState, str]:
    """State of a reading and its text, from the states of all packages of a request."""
    for word in ("BLOCKED", "CANCELLED"):
        if word in states:
            return "failed", word
    if not states:
        return "absent", "no package yet"
    if all(state == COMPLETED for state in states):
        return "succeeded", COMPLETED
    busy = next(state for state in states if state != COMPLETED)
    return ("running" if busy in OPEN_STATES else "unknown"), busy


def state_of_bits(bits: int) -> tuple[ReadingState, str]:
    """State of a reading and its text, for a package of 5.0."""
    if bits & CANCELLED_BIT:
        return "failed", "CANCELLED"
    if bits & FAILED_BITS:
        return "failed", "failed"
    if bits & COMPLETED_BIT:
        return ("failed", PARTLY) if bits & PARTLY_BITS else ("succeeded", COMPLETED)
    return "running", "PROCESSING" if bits & 2 else "READY"


class CrafterPublish(Provider):
    """Publishing on the sites of one Studio."""

    name = "crafter_publish"
    capabilities = Capabilities(run_id=False)
    connection_spec = CONNECTION_SPEC
    sync_spec = PUBLISH_SPEC

    def __init__(self, options: Options, services: Services) -> None:
        super().__init__(options, services)
        self.items = _items(options)
        self.target = (options.get("target") or "live").strip()
        self.studio = Studio(options, services)
        self.client = self.studio.client
        self.address = self.client.settings.base_url

    def names(self) -> list[str]:
        return [check_site(name) for name in list_of_names(self.options, "sites")]

    def resolve(self, name: str, channel: Channel) -> Target:
        request = PublishRequest(name, self.target, self.items)
        choose_call(self.studio.version(channel), request, "")
        self.studio.check_exists(channel, name)
        return Target(request.id, name, request)

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        publish = PublishHandle.from_json(handle)
        return Target(publish.order, publish.site, PublishRequest(publish.site, publish.target, ()))

    # -- evidence ----------------------------------------------------------------------------------------------------

    def observe(self, target: Target, channel: Channel) -> Observation:
        request = t.cast(PublishRequest, target.data)
        site = self.studio.site(channel, request.site)
        if site.targets is not None and request.target not in site.targets:
            remedy = f"Use one of: {', '.join(site.targets)}. A staging target appears when it is enabled for the site."
            raise invalid_option("target", request.target, f"is not a publishing target of site {request.site}", remedy)
        publisher = self.studio.publisher(channel, request.site)
        snapshot = PublishSnapshot(f"lockstep-{self.services.rng.getrandbits(64):016x}")
        published, missing = self._published(request, site, channel)
        if published is not None and self.studio.queue(channel, request.site, site.targets) is None:
            # this account may not see packages, so that the items show the end
            snapshot = dataclasses.replace(snapshot, before=ItemsBefore(_branch(request, site), published))
        return Observation(
            reason=_reason(request, site),
            obstacle=_no_such_items(request, missing) or self._obstacle(request, site, publisher),
            violations=self._violations(request, site),
            snapshot=snapshot.to_json(),
            detail={"target": request.target, "paths": list(request.items) or None, "publisher": publisher.as_detail()},
            compact_detail={"target": request.target},
        )

    def _published(self, request: PublishRequest, site: Site, channel: Channel) -> tuple[dict[str, str] | None, list[str]]:
        """When each item was published to the target last, and the items that do not exist; ``None`` where that is not shown."""
        branch = _branch(request, site)
        published, missing = {}, []
        for path in request.items:
            try:
                found = self.studio.publications(channel, request.site, path)
            except SyncError as error:
                if error.code not in ("endpoint_missing", "permission_denied", "not_found"):
                    raise
                return None, []
            if found is None:
                missing.append(path)
            else:
                published[path] = found[branch]
        return published or None, missing

    def _obstacle(self, request: PublishRequest, site: Site, publisher: Publisher) -> SyncError | None:
        if site.published is False and request.items:
            failure = never_published(request.site)
            failure.hint = (
                "The first publish of a site publishes everything to live, whatever was requested: set everything to true."
            )
            return failure
        if publisher.state == "error":
            return publish_failed(request.site)
        # what is published inside the request needs no publisher (docs/reference/crafter.md#6.2)
        synchronous = choose_call(self.studio.known_version, request, "").synchronous
        return _stopped(request.site) if publisher.state == "stopped" and not synchronous else None

    def _violations(self, request: PublishRequest, site: Site) -> t.Sequence[Violation]:
        """The first publish of a site goes live, whatever its target is (docs/reference/crafter.md#6.3)."""
        if site.published is not False or request.items or request.target == site.live or self.options["allow_initial_publish"]:
            return ()
        message = (
            f"site {request.site} was never published, so that publishing to {request.target} puts the whole site live."
            " Set allow_initial_publish to true if that is wanted"
        )
        return (Violation("allow_initial_publish", message),)

    # -- the run -----------------------------------------------------------------------------------------------------

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        request, snapshot = t.cast(PublishRequest, target.data), PublishSnapshot.from_json(observation.snapshot)
        comment = f"{self.options['comment'].strip()} [{snapshot.mark}]".strip()
        call = choose_call(self.studio.version(channel), request, comment)
        response = self.studio.post(channel, call.path, call.body, _definite, params=call.params, expect=(200, 201))
        package = package_id(response)
        # code 3 means that some paths could not be published (docs/reference/crafter.md#5)
        ended = (PARTLY if error_text_and_code(response)[1] == 3 else COMPLETED) if call.synchronous else None
        handle = dataclasses.replace(self._handle(request, snapshot), package=package, ended=ended)
        started_at = response.server_now
        reading = _ended(handle)
        if reading is not None and reading.state == "succeeded":
            return self._run(handle, started_at, dataclasses.replace(reading, finished_at=started_at))
        return self._run(handle, started_at)

    def _handle(self, request: PublishRequest, snapshot: PublishSnapshot) -> PublishHandle:
        return PublishHandle(request.site, request.target, request.id, snapshot, isoformat(self.services.clock.now()))

    def _run(self, handle: PublishHandle, started_at: dt.datetime | None = None, reading: Reading | None = None) -> Run:
        return Run(handle.to_json(self.name, self.address), started_at, reading)

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        handle = self._handle(t.cast(PublishRequest, target.data), PublishSnapshot.from_json(snapshot))
        version = self.studio.version(channel)
        if handle.snapshot.before is not None:
            return self._run(handle) if self._moved_items(handle.site, handle.snapshot.before, channel) else None
        if version is not None and not FIRST_PACKAGES <= version < V5:
            return None
        return self._run(handle) if self._package_states(handle, channel) else None

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        publish = PublishHandle.from_json(handle)
        ended = _ended(publish)
        if ended is not None:
            return ended
        version = self.studio.version(channel)
        if version is not None and version < FIRST_PACKAGES:
            return self._read_by_publisher(publish.site, channel)
        state, word = self._state_and_word(publish, channel)
        if state in ("running", "absent"):
            publisher = self.studio.publisher(channel, publish.site)
            if publisher.state in ("stopped", "error"):
                message = f"the publisher of the site is {publisher.state} while the package is {word}"
                return Reading("failed", f"{word}, publisher {publisher.state}", message)
        message = f"its package is {word}" if state == "failed" else ""
        return Reading(state, word, message, word, data=word)

    def _state_and_word(self, handle: PublishHandle, channel: Channel) -> tuple[ReadingState, str]:
        before = handle.snapshot.before
        if before is not None:
            moved, wanted = len(self._moved_items(handle.site, before, channel)), len(before.items)
            return ("succeeded", COMPLETED) if moved == wanted else ("running", f"{moved} of {wanted} items published")
        version = self.studio.version(channel)
        if version is None or version < V5:
            return state_of(self._package_states(handle, channel))
        if handle.package is None:
            return "absent", "no package"
        package = self.studio.package(channel, handle.site, handle.package)
        return ("failed", "REJECTED") if package.rejected else state_of_bits(package.bits)

    def _moved_items(self, site: str, before: ItemsBefore, channel: Channel) -> list[str]:
        """The items that were published since, for accounts that may not see packages."""
        return [
            path
            for path, published in before.items.items()
            if (self.studio.publications(channel, site, path) or {}).get(before.branch, published) != published
        ]

    def _read_by_publisher(self, site: str, channel: Channel) -> Reading:
        """The state by that of the publisher, as packages cannot be seen before 3.1.4."""
        publisher = self.studio.publisher(channel, site)
        if publisher.state in ("stopped", "error"):
            return Reading("failed", publisher.status, f"the publisher of the site is {publisher.state}")
        return Reading("running" if publisher.state == "busy" else "absent", publisher.status)

    def _package_states(self, handle: PublishHandle, channel: Channel) -> list[str]:
        """The states of the packages with the marker. Unfinished ones are searched first, since there may be very many others."""
        for states in (OPEN_STATES, (COMPLETED,)):
            packages = self.studio.packages(channel, handle.site, handle.target, states, SEARCHED)
            found = [package.state for package in packages if f"[{handle.snapshot.mark}]" in package.comment]
            if found:
                return found
        return []

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        request = t.cast(PublishRequest, target.data)
        detail = {"mark": PublishHandle.from_json(run.handle).snapshot.mark, "package": {"state": reading.raw}}
        if reading.state == "succeeded":
            return Effect(True, "observed", f"published to {request.target}", detail, detail)
        failure = SyncError(
            "run_failed",
            f"publishing to {request.target} of site {request.site} failed: {reading.message or reading.raw}",
            "Look at the publishing queue and the log of Studio. What is still queued is published once the publisher runs.",
        )
        nothing = reading.raw == "CANCELLED"
        return Effect(not nothing, "observed" if nothing else "assumed", detail=detail, compact_detail=detail, failure=failure)

    def lost(self, target: Target, run: Run) -> Effect:
        version = self.studio.known_version
        if version is not None and version < FIRST_PACKAGES:
            what = "accepted; completion not observable: this version shows no packages, and its publisher is idle"
            return Effect(True, "assumed", what, warnings=(f"{target.name}: {what}",))
        return super().lost(target, run)

    def explain_timeout(self, target: Target, reading: Reading | None, channel: Channel) -> str:
        publisher = self.studio.publisher(channel, t.cast(PublishRequest, target.data).site)
        return f"The publisher is {publisher.status or 'in no known state'}."


def _ended(handle: PublishHandle) -> Reading | None:
    """The reading of a publish that ended within its request; ``None`` for an asynchronous one."""
    word = handle.ended
    if word is None:
        return None
    return Reading("succeeded", word) if word == COMPLETED else Reading("failed", word, "some paths could not be published")


def _no_such_items(request: PublishRequest, missing: t.Sequence[str]) -> SyncError | None:
    if not missing:
        return None
    shown = ", ".join(missing[:SHOWN]) + (f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else "")
    message = f"option items: site {request.site} has no {shown}"
    return SyncError("not_found", message, "Check items: paths in the sandbox, such as /site/website/index.xml.")


def _branch(request: PublishRequest, site: Site) -> str:
    """The part of an item that shows when it was published to the target."""
    return LIVE if request.target == site.live else STAGING


def _reason(request: PublishRequest, site: Site) -> str:
    what = f"{len(request.items)} item{'s' if len(request.items) != 1 else ''}" if request.items else "everything"
    if site.published is False:
        return f"{what} to be published to {request.target}: the first publish of the site, which puts all of it live"
    return f"{what} to be published to {request.target}; Studio does not show whether it is there already"


def _items(options: Options) -> tuple[str, ...]:
    """The paths to publish, none for everything.

    :raises SyncError: ``invalid_option``.
    """
    items = [item.strip() for item in options.get("items") or ()]
    if bool(items) == bool(options.get("everything")) and "items" in options:
        problem = "and everything exclude each other" if items else "is empty, and everything is false"
        raise SyncError("invalid_option", f"option items: it {problem}", "Name items, or set everything to true.")
    for item in items:
        if not item.startswith("/") or ".." in item.split("/") or not item.isprintable():
            raise invalid_option("items", item, "is not the path of an item", "Use paths such as /site/website/index.xml.")
    return tuple(dict.fromkeys(items))


def _definite(response: Response) -> SyncError | None:
    """No 5xx proves that nothing was queued."""
    return None


def _stopped(site: str) -> SyncError:
    message = f"the publisher of site {site} is stopped, so nothing would be published"
    return SyncError("busy", message, "Start the publisher in Studio, then run the task again.")
