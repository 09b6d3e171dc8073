# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What a provider has to offer: one provider class, with a description of what its API lets us see.

Everything else (deadlines, retries, ledger, fan-out, check mode, results) is done by the core for all of them alike.
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import datetime as dt
import random
import typing as t

from .._core.clock import Clock
from .._core.errors import SyncError, Violation
from .._core.options import ArgumentSpec, Options
from .._core.redact import Redactor
from .._core.vocabulary import Basis
from .._http import plain_http
from .._http.client import Channel, HttpClient, HttpSettings, parse_api_url
from .._state.run_ledger import Key
from .durations import Durations
from .poll import Reading
from .watcher import NoWatcher, Watcher


@dataclasses.dataclass(frozen=True)
class Capabilities:
    """What the API of a provider can do.

    :param run_id: the answer to a trigger names the run.
    :param absence_proves: a run that was accepted always becomes visible within the settle grace, so that one which
        does not was never accepted.
    :param failed_reads: consecutive failed readings it takes to believe a failure.
    :param failed_for: seconds for which those readings must have stood.
    :param queues_runs: the server takes any number of runs at once and queues them.
    """

    run_id: bool
    absence_proves: bool = False
    failed_reads: int = 1
    failed_for: float = 0.0
    queues_runs: bool = False


@dataclasses.dataclass(frozen=True)
class Target:
    """One thing that can be synced.

    :param id: canonical id at the address of the provider, whatever name the user gave.
    :param name: how results call it.
    :param data: for the provider alone.
    """

    id: str
    name: str
    data: t.Any = None


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that was started or found.

    :param handle: small, serialisable and free of secrets; enough to find the run again.
    :param started_at: by the server's clock where known.
    :param reading: its state, where finding it already showed it.
    :param found_after: the snapshot that it is newer than, where that is all that is known: it may be somebody else's.
    """

    handle: dict[str, t.Any]
    started_at: dt.datetime | None = None
    reading: Reading | None = None
    found_after: t.Mapping[str, t.Any] | None = None


@dataclasses.dataclass
class Observation:
    """Evidence about one target, gathered without side effects.

    :param in_sync: whether the target already is what a sync would make it; ``None`` if that cannot be known.
    :param reason: that evidence in words.
    :param running: a run in flight.
    :param abandoned: handles of runs that look as if they were in flight, but will never end.
    :param age: seconds since the last successful run by the server's clock, if the API shows it.
    :param obstacle: why a trigger would certainly be refused.
    :param violations: broken guards.
    :param snapshot: JSON facts that distinguish a newer run from the existing ones.
    :param detail: facts for the record of the target.
    :param brief: what a bulk result keeps of ``detail`` when it has to be cut.
    :param diff: an Ansible diff of what a sync would do.
    :param warnings: what the user should know of the plan.
    :param data: for the provider alone.
    """

    in_sync: bool | None = None
    reason: str = ""
    running: Run | None = None
    abandoned: t.Sequence[t.Mapping[str, t.Any]] = ()
    age: float | None = None
    obstacle: SyncError | None = None
    violations: t.Sequence[Violation] = ()
    snapshot: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    detail: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    compact_detail: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    diff: dict[str, t.Any] | None = None
    warnings: t.Sequence[str] = ()
    data: t.Any = None


@dataclasses.dataclass(frozen=True)
class Effect:
    """What a finished run did to its target.

    :param changed: whether it changed anything.
    :param basis: ``observed`` or ``assumed``.
    :param failure: the reason of a failed run, or why the effect of a succeeded one is not what it must be.
    """

    changed: bool
    basis: Basis
    reason: str = ""
    detail: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    compact_detail: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    failure: SyncError | None = None
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Remedy:
    """What to do about a definite refusal: ``fail``, ``skip`` as up to date, or ``wait`` and trigger again."""

    then: t.Literal["fail", "skip", "wait"]
    seconds: float = 0.0
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Services:
    """What the outside world injects into a provider.

    :param lent: lends the slot of the calling thread to others that work on targets, for as long as it waits for something.
    :param shows_plans: whether plans are to be shown in full, as in check mode and diff mode.
    """

    clock: Clock
    redactor: Redactor
    rng: random.Random
    warn: t.Callable[[str], None]
    watcher: Watcher = dataclasses.field(default_factory=NoWatcher)
    shows_plans: bool = True
    lent: t.Callable[[], t.ContextManager[t.Any]] = contextlib.nullcontext
    durations: Durations = dataclasses.field(default_factory=Durations)


class Provider(abc.ABC):
    """One upstream system. Subclasses are created once per task and used by several threads."""

    #: how handles, the ledger and results call the provider
    name: t.ClassVar[str]
    capabilities: t.ClassVar[Capabilities]
    #: options that say where and how to connect; ``sync_wait`` takes them in ``connections``
    connection_spec: t.ClassVar[ArgumentSpec]
    #: further options of the sync module
    sync_spec: t.ClassVar[ArgumentSpec]
    #: what else ``sync_wait`` has to know in order to look at a run
    handle_spec: t.ClassVar[ArgumentSpec] = ArgumentSpec()
    #: words of its own, and none of a server, that fields of its handles and details may hold
    words: t.ClassVar[frozenset[str]] = frozenset()

    client: HttpClient
    address: str

    def __init__(self, options: Options, services: Services) -> None:
        """Validate the provider's own options and prepare the client, without any I/O.

        :raises SyncError: ``invalid_option``.
        """
        self.options = options
        self.services = services

    @classmethod
    def requirements(cls, options: Options) -> t.Sequence[tuple[str, str | None]]:
        """Libraries needed beyond requests for these options, each with the traceback of its failed import or ``None``."""
        return ()

    @abc.abstractmethod
    def names(self) -> list[str]:
        """The targets that the options name, in order."""

    def survey(self, names: t.Sequence[str], channel: Channel) -> None:
        """Look at many targets at once, where that takes fewer requests than one by one; called before any of them is resolved.

        What it finds is for :meth:`resolve`, :meth:`glance`, :meth:`observe` and :meth:`synced_at` to use.

        :raises SyncError: it cannot; each target is then looked at by itself.
        """
        return

    def synced_at(self, name: str) -> dt.datetime | None:
        """When a target was last synced successfully, as far as :meth:`survey` has shown it."""
        return None

    @abc.abstractmethod
    def resolve(self, name: str, channel: Channel) -> Target:
        """Find one target.

        :raises SyncError: ``not_found`` and the like.
        """

    def glance(self, target: Target, channel: Channel) -> Observation | None:
        """The evidence that costs least; asked where nothing but a skip may follow from it. Never has side effects.

        :returns: ``None`` if there is none, or a run may be in flight.
        """
        return None

    @abc.abstractmethod
    def observe(self, target: Target, channel: Channel) -> Observation:
        """Gather the evidence for a plan. Never has side effects."""

    @abc.abstractmethod
    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        """Make the one mutating call; see :meth:`Channel.trigger` for what it raises."""

    @abc.abstractmethod
    def read(self, handle: t.Mapping[str, t.Any], channel: Channel) -> Reading:
        """Look at a run."""

    def read_many(self, handles: t.Sequence[t.Mapping[str, t.Any]], channel: Channel) -> list[Reading | None]:
        """Look at many runs at once, where that takes fewer requests than one by one.

        :returns: for each handle what was seen, or ``None`` if that run has to be read by itself.
        """
        return [None] * len(handles)

    @abc.abstractmethod
    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        """The target of a handle, without any request.

        :raises SyncError: ``invalid_option`` if the handle is not one of this provider.
        """

    def can_find(self) -> bool:
        """Whether :meth:`find` can ever find anything with these options; if not, it is not waited for."""
        return type(self).find is not Provider.find

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        """A run of ``target`` that is newer than ``snapshot``, if there is one; of several, one that has not failed."""
        return None

    def invalidates(self, target: Target) -> t.Sequence[Key]:
        """Targets, of whatever provider, on which a run of this one undoes what earlier runs brought there.

        As soon as such a run may have been accepted, the ledger no longer knows them (nor any target whose id begins with
        theirs and a slash) as having a release, or as being fresh.
        """
        return ()

    def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
        """Whether the evidence still holds; asked right before the trigger."""
        return True

    def accept_moving(self, target: Target, observation: Observation) -> t.Mapping[str, t.Any]:
        """Whether a target that changed after each of several plans may be synced by the newest of them.

        :returns: what ``detail`` says about that; empty if it may not.
        """
        return {}

    def refresh(self, target: Target, observation: Observation, channel: Channel) -> Observation | None:
        """The observation brought up to date after a pause, if nothing that it rests on has changed.

        :returns: ``None`` where that is not so, or cannot be seen for less than a new observation.
        """
        return None

    def watch(self, handle: t.Mapping[str, t.Any], wake: t.Callable[[], None]) -> None:
        """Have ``wake`` called, once and from any thread, when a notification says that a run may have ended.

        It ends the pause before the next reading of that run. A provider without notifications never calls it.
        """
        return

    def refused(self, target: Target, observation: Observation, error: SyncError) -> Remedy:
        """What the options say about a definite refusal of the trigger."""
        return Remedy("fail")

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        """What a terminal run did.

        :param observation: the evidence the plan was made from; ``None`` for a run found by its handle only.
        """
        return Effect(True, "assumed")

    def lost(self, target: Target, run: Run) -> Effect:
        """What to make of a run that stayed ``absent`` for the whole grace. Its outcome stays unknown in any case."""
        failure = SyncError(
            "outcome_unknown",
            "the run did not show up, or vanished, and stayed away for the whole settle_grace",
            "Look at the target. Raise settle_grace if the server is known to take longer.",
        )
        return Effect(True, "assumed", failure=failure)

    def explain_timeout(self, target: Target, reading: Reading | None, channel: Channel) -> str:
        """What may be holding a run up, for the message of a time-out."""
        return ""

    def close(self) -> None:
        self.client.close()


def http_settings(options: Options, option: str = "api_url") -> HttpSettings:
    """The connection settings in a module's options.

    :raises SyncError: ``invalid_option``.
    """
    verify: bool | str = options["validate_certs"]
    if verify and options.get("ca_path"):
        verify = options["ca_path"]
    cert = options.get("client_cert")
    if cert and options.get("client_key"):
        cert = (cert, options["client_key"])
    base_url = parse_api_url(options[option], option)
    if plain_http.OPTION in options:
        # a provider without credentials has no such option
        plain_http.check_encrypted(base_url, option, bool(options[plain_http.OPTION]))
    return HttpSettings(
        base_url=base_url,
        request_timeout=options["request_timeout"],
        verify=verify,
        cert=cert,
        pool_size=max(1, options.get("max_parallel") or 1),
        rate_limit=options.get("rate_limit"),
    )
