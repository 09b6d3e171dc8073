# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The code behind ``sync_wait``: wait for runs of any provider, found again by their handles."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._core.deadline import Deadline
from .._core.errors import SyncError, invalid_option
from .._core.options import (
    CONNECTION,
    WAITING,
    ArgumentSpec,
    Options,
    check_connection,
    check_secrets,
    check_waiting,
    explain_missing,
    secrets_in,
)
from .._core.redact import Redactor
from .._http.client import Channel, RequestCount, parse_api_url
from .._lifecycle.aftermath import AftermathRecorder
from .._lifecycle.provider import Provider, Run, Services
from .._lifecycle.record import Record
from .._lifecycle.settings import LifecycleSettings
from .._lifecycle.settle import conclude, known_outcome, settle
from .._lifecycle.steps import Steps
from .._state.run_ledger import Key, RunLedger
from .sync import own_words, settings_of
from .task import Batch, Context, Work, guarded, open_ledger

Providers = t.Mapping[str, type[Provider]]


def wait_spec(providers: Providers) -> ArgumentSpec:
    """All options of ``sync_wait``."""
    connections = {name: {"type": "dict", **_as_suboptions(provider_class)} for name, provider_class in providers.items()}
    own = ArgumentSpec(
        {
            "handles": {"type": "list", "elements": "dict", "required": True},
            "connections": {"type": "dict", "options": connections},
        }
    )
    return own + WAITING


def _as_suboptions(provider_class: type[Provider]) -> dict[str, t.Any]:
    kwargs = (CONNECTION + provider_class.connection_spec + provider_class.handle_spec).as_kwargs()
    arguments = kwargs.pop("argument_spec")
    # what is required is checked for the handles at hand, when the environment has had its say
    options = {name: {key: value for key, value in spec.items() if key != "required"} for name, spec in arguments.items()}
    return {"options": options, **kwargs}


def run_wait(providers: Providers, options: Options, context: Context) -> dict[str, t.Any]:
    """Wait for all runs behind ``handles``.

    :param providers: the provider classes by name.
    :param options: options of ``sync_wait``, validated by its argument spec.
    :returns: the result of the task; ``failed`` in it says whether it failed.
    """
    redactor = Redactor(words=frozenset().union(*map(own_words, providers.values())))
    batch = Batch(options, context, redactor)
    connected: dict[tuple[str, str], Provider] = {}
    with guarded(batch):
        check_waiting(options)
        handles = [_checked(handle, providers) for handle in options["handles"]]
        if not handles:
            remedy = "Pass handle entries from the syncs of earlier tasks."
            raise invalid_option("handles", [], "names nothing to wait for", remedy)
        services = Services(batch.clock, redactor, context.rng, context.warn)
        try:
            for handle in handles:
                place = (handle["provider"], handle["address"])
                if place not in connected:
                    connected[place] = _connect(providers[handle["provider"]], handle["address"], options, services)
            with contextlib.closing(open_ledger(options, context, redactor)) as ledger:
                _wait_all(handles, connected, ledger, services, batch)
        finally:
            for provider in connected.values():
                provider.close()
    return batch.result()


def _checked(handle: t.Mapping[str, t.Any], providers: Providers) -> t.Mapping[str, t.Any]:
    provider, address = handle.get("provider"), handle.get("address")
    if not isinstance(provider, str) or provider not in providers or not isinstance(address, str):
        raise invalid_option(
            "handles", dict(handle), "is not a handle of this collection", "Pass the handle of a record in syncs, unchanged."
        )
    return handle


def _connect(provider_class: type[Provider], address: str, options: Options, services: Services) -> Provider:
    """A provider for the runs at ``address``, with the connection options of its provider or the environment."""
    provider = provider_class.name
    connections = (options.get("connections") or {}).get(provider) or {}
    given = {name: value for name, value in connections.items() if value is not None}
    spec = CONNECTION + provider_class.connection_spec + provider_class.handle_spec
    connection = _validated(spec, given, f"connections.{provider}", address)
    services.redactor.add(*secrets_in(connection, spec.arguments))
    check_secrets(spec.arguments, connection, f"connections.{provider}.")
    check_connection(connection)
    own = parse_api_url(connection["api_url"], f"connections.{provider}.api_url")
    if own != parse_api_url(address, "handles"):
        # credentials never leave their origin, and a handle is mere data
        raise SyncError(
            "invalid_option",
            f"option handles: a handle of {provider} belongs to {address}, but the connection is to {own}",
            f"Set connections.{provider} (or the environment) for that address.",
        )
    limits = {name: options.get(name) for name in ("max_parallel", "rate_limit")}
    return provider_class({**connection, **limits}, services)


def _validated(spec: ArgumentSpec, given: dict[str, t.Any], where: str, address: str) -> dict[str, t.Any]:
    kwargs = spec.as_kwargs()
    argument_spec = kwargs.pop("argument_spec")
    secret = any(item.get("no_log") for item in argument_spec.values())
    if not secret and "api_url" not in given:
        # nothing could leak, so the handle may say where to look
        given["api_url"] = address
    result = ArgumentSpecValidator(argument_spec, **kwargs).validate(given)
    if result.error_messages:
        raise SyncError(
            "invalid_option",
            f"option {where}: {'; '.join(explain_missing(message, argument_spec) for message in result.error_messages)}",
            "Give the connection options of the provider's sync module there, or set its environment variables.",
        )
    return t.cast("dict[str, t.Any]", result.validated_parameters)


def _wait_all(
    handles: t.Sequence[t.Mapping[str, t.Any]],
    connected: t.Mapping[tuple[str, str], Provider],
    ledger: RunLedger,
    services: Services,
    batch: Batch,
) -> None:
    def job(handle: t.Mapping[str, t.Any]) -> tuple[Record, Work]:
        provider = connected[handle["provider"], handle["address"]]
        target = provider.from_handle(handle)
        services.redactor.publish(provider.name, provider.address, target.id, target.name)
        record = Record(target.name, provider.name, action="joined", state="running", handle=dict(handle))
        record.changed_basis = "assumed"
        settings = settings_of(batch.options, provider, batch.context)

        def wait(record: Record, count: RequestCount) -> Steps[None]:
            channel = provider.client.channel(Deadline(services.clock, settings.wait_timeout), count, batch.context.stop)
            yield from _wait(provider, ledger.within(channel.deadline), settings, services, Run(dict(handle)), record, channel)

        return record, wait

    jobs = [job(handle) for handle in handles]
    batch.records = [record for record, dummy in jobs]
    batch.process(jobs)


def _wait(
    provider: Provider,
    ledger: RunLedger,
    settings: LifecycleSettings,
    services: Services,
    run: Run,
    record: Record,
    channel: Channel,
) -> Steps[None]:
    target = provider.from_handle(run.handle)
    if settings.check_mode:
        _look_once(provider, run, record, channel)
        return
    record.changed = True
    key = Key(provider.name, provider.address, target.id)
    invalidates = provider.invalidates(target)
    if invalidates:
        ledger.invalidate(key, run.handle, invalidates)
    settled = yield from settle(provider, run, settings.poll, channel, services, record, at_once=True, is_known=False)
    try:
        conclude(provider, target, None, run, settled, record, channel)
    finally:
        if settled.outcome in ("succeeded", "failed") and record.state != "running":
            was_over = record.polls == 1
            AftermathRecorder(ledger, key, record).ended(None, known_outcome(record, settled), settled.reading, was_over)


def _look_once(provider: Provider, run: Run, record: Record, channel: t.Any) -> None:
    reading = provider.read(run.handle, channel)
    record.polls += 1
    record.action, record.changed_basis = "would_join", "predicted"
    record.reason = f"the run is {reading.raw or reading.state}"
    believed = reading.state == "succeeded" or (reading.state == "failed" and provider.capabilities.failed_reads == 1)
    if reading.state in ("absent", "unknown"):
        record.state = "unknown"
    elif believed:
        record.state = "succeeded" if reading.state == "succeeded" else "failed"
    if believed and reading.state == "failed":
        raise SyncError("run_failed", f"the run failed: {reading.message or 'the server gives no reason'}")
    record.changed = True
