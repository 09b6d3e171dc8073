# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The code behind every sync module: one function of validated options and a context.

It knows neither AnsibleModule nor action plugins, so that both can call it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t

from .._core.deadline import Deadline
from .._core.errors import InternalError, SyncError, wrap_unexpected
from .._core.options import (
    BULK,
    CONNECTION,
    SYNCING,
    WAITING,
    ArgumentSpec,
    Options,
    check_connection,
    check_identities,
    check_secrets,
    check_waiting,
    secrets_in,
    words_in,
)
from .._core.redact import Redactor
from .._http.client import RequestCount
from .._lifecycle.lifecycle import Lifecycle
from .._lifecycle.plan import Policy
from .._lifecycle.poll import PollPolicy
from .._lifecycle.provider import Provider, Services, Target
from .._lifecycle.record import Record
from .._lifecycle.settings import LifecycleSettings
from .._lifecycle.steps import Steps
from .._state.run_ledger import RunLedger
from .admission import FixedLimit, PacedLimit, RunLimit
from .scheduling import fan_out
from .task import Batch, Context, guarded, open_ledger


def sync_spec(provider_class: type[Provider]) -> ArgumentSpec:
    """All options of the sync module of a provider."""
    return CONNECTION + provider_class.connection_spec + provider_class.sync_spec + WAITING + SYNCING + BULK


def own_words(provider_class: type[Provider]) -> frozenset[str]:
    """What fields of records of a provider may hold, beyond the words that all have in common."""
    return provider_class.words.union(words_in(sync_spec(provider_class).arguments))


def run_sync(provider_class: type[Provider], options: Options, context: Context) -> dict[str, t.Any]:
    """Sync all targets that the options name.

    :param options: options of the sync module, validated by its argument spec.
    :returns: the result of the task; ``failed`` in it says whether it failed.
    """
    redactor = Redactor(secrets_in(options, sync_spec(provider_class).arguments), own_words(provider_class))
    batch = Batch(options, context, redactor)
    with guarded(batch):
        check_identities(sync_spec(provider_class), context.given)
        check_secrets(sync_spec(provider_class).arguments, options)
        check_connection(options)
        check_waiting(options)
        shows_plans = context.check_mode or context.diff
        services = Services(batch.clock, redactor, context.rng, context.warn, batch, shows_plans, batch.lent)
        provider = provider_class(options, services)
        try:
            redactor.publish(provider.name, provider.address, *provider.names())
            with contextlib.closing(open_ledger(options, context, redactor)) as ledger, ledger.heartbeat():
                _sync_all(provider, ledger, settings_of(options, provider, context), services, batch)
        finally:
            provider.close()
    return batch.result()


def settings_of(options: Options, provider: Provider, context: Context) -> LifecycleSettings:
    """The lifecycle settings in the options of a sync module (or of ``sync_wait``, which has fewer)."""
    policy = Policy(
        if_running=options.get("if_running", "join"),
        max_age=options.get("max_age"),
        release=options.get("release"),
        force=options.get("force", False),
    )
    poll = PollPolicy(
        min_interval=options["poll_min_interval"],
        max_interval=options["poll_max_interval"],
        absent_grace=options["settle_grace"],
        outage_grace=options["outage_grace"],
        failed_reads=provider.capabilities.failed_reads,
        failed_for=provider.capabilities.failed_for,
    )
    return LifecycleSettings(
        policy=policy,
        poll=poll,
        wait=options.get("wait", True),
        wait_timeout=options["wait_timeout"],
        settle_grace=options["settle_grace"],
        check_mode=context.check_mode,
    )


def run_limit(provider: Provider, options: Options) -> RunLimit:
    """How many targets may be under way at once."""
    given = options.get("max_running")
    if given is None and provider.capabilities.queues_runs:
        return PacedLimit(options["wait_timeout"])
    return FixedLimit(options["max_parallel"] if given is None else given)


def in_fair_order(provider: Provider, records: t.Sequence[Record]) -> list[Record]:
    """Those that were never synced, as far as that is known, then those whose last sync is longest ago; else as they are."""
    never = dt.datetime.min.replace(tzinfo=dt.timezone.utc)
    return sorted(records, key=lambda record: provider.synced_at(record.target) or never)


def _sync_all(provider: Provider, ledger: RunLedger, settings: LifecycleSettings, services: Services, batch: Batch) -> None:
    """Sync each target as one piece of work: it is looked for when a slot is free, and then its deadline begins.

    So a target that waits for a slot loses no time, and one that is slow to be found keeps no other from being synced.
    """
    batch.records = [Record(name, provider.name) for name in provider.names()]
    duplicates = _Duplicates(batch.records)

    def sync(record: Record, count: RequestCount) -> Steps[None]:
        batch.check_failures()
        channel = provider.client.channel(Deadline(services.clock, settings.wait_timeout), count, batch.context.stop)
        target = provider.resolve(record.target, channel)
        record.target = target.name
        if duplicates.claim(target, record):
            yield from Lifecycle(provider, ledger, settings, services, target, record, channel).steps()

    def survey(names: t.Sequence[str]) -> None:
        channel = provider.client.channel(Deadline(services.clock, settings.wait_timeout), batch.count, batch.context.stop)
        try:
            with wrap_unexpected():
                provider.survey(names, channel)
        except InternalError:
            raise
        except SyncError:
            # each target is looked at by itself then, and says what is wrong
            return

    try:
        fan_out([[record.target for record in batch.records]], survey, 1, batch.context.stop)
        jobs = [(record, sync) for record in in_fair_order(provider, batch.records)]
        batch.process(jobs, run_limit(provider, batch.options))
    finally:
        batch.records = duplicates.in_order()


class _Duplicates:
    """Targets that the list names more than once, as a name and its id may: each is synced once, by what is found first."""

    def __init__(self, records: t.Sequence[Record]) -> None:
        self._records = list(records)
        self._claims: dict[str, Record] = {}
        self._pairs: list[tuple[Record, Record]] = []

    def claim(self, target: Target, record: Record) -> bool:
        """Whether ``record`` is the one to work on for ``target``; if not, it is skipped."""
        first = self._claims.setdefault(target.id, record)
        if first is record:
            return True
        record.action, record.reason = "skipped", "the same target is named earlier in the list"
        self._pairs.append((first, record))
        return False

    def in_order(self) -> list[Record]:
        """The records, those that were skipped behind the ones for the same target, whichever of them was found first."""
        records = list(self._records)
        for first, other in self._pairs:
            here, there = (next(n for n, each in enumerate(records) if each is record) for record in (first, other))
            if there < here:
                records[here], records[there] = other, first
        return records
