# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The code behind every info module: look at many targets at once, change nothing."""

from __future__ import annotations

import typing as t

from .._core.deadline import Deadline
from .._core.errors import SyncError, sentences, wrap_unexpected
from .._core.options import ArgumentSpec, Options, check_connection, check_identities, check_secrets, check_waiting, secrets_in
from .._core.redact import Redactor
from .._core.stop import Interrupted, Stopped
from .._http.client import Channel, HttpClient, RequestCount
from .._lifecycle.provider import Services
from .progress import Progress, ticking
from .result import scrub_failure
from .scheduling import fan_out
from .task import Context, traceback_for_role

#: seconds for all requests about one target, transfers of large zones included, and for listing the targets
INFO_TIMEOUT = 900.0


class OverviewReader(t.Protocol):
    """What reads one thing as a whole."""

    client: HttpClient

    def read(self, channel: Channel) -> dict[str, object]:
        """What the result of the task has."""


class InfoReader(t.Protocol):
    """What a provider offers to its info module."""

    client: HttpClient

    def names(self, channel: Channel) -> t.Sequence[str]:
        """The targets to look at, in order."""

    def inspect(self, name: str, channel: Channel) -> dict[str, object]:
        """All there is to know about one target; an unknown one is an entry too."""


#: Adds what it reads to the result of a task.
Reading = t.Callable[[Services, "dict[str, t.Any]"], None]


def run_info(
    key: str,
    spec: ArgumentSpec,
    reader_class: t.Callable[[Options, Services], InfoReader],
    options: Options,
    context: Context,
    words: t.Iterable[str] = (),
) -> dict[str, t.Any]:
    """Look at all targets.

    :param key: where the result has the list of entries.
    :param words: of the provider's own, and none of a server, that fields of the entries may hold.
    :returns: the result of the task; ``failed`` in it says whether it failed, and what was seen before is kept.
    """

    def read(services: Services, result: dict[str, t.Any]) -> None:
        reader = reader_class(options, services)
        try:
            _read_all(reader, options["max_parallel"], services, context, result[key])
        finally:
            reader.client.close()

    return run_reading({key: []}, spec, read, options, context, words)


def run_reading(
    empty: t.Mapping[str, t.Any],
    spec: ArgumentSpec,
    read: Reading,
    options: Options,
    context: Context,
    words: t.Iterable[str] = (),
) -> dict[str, t.Any]:
    """Do what only reads.

    :param empty: the result if nothing can be read.
    :returns: the result of the task, see :func:`run_info`.
    """
    redactor = Redactor(secrets_in(options, spec.arguments), words)
    result: dict[str, t.Any] = {"changed": False, **empty}
    try:
        with wrap_unexpected():
            check_identities(spec, context.given)
            check_secrets(spec.arguments, options)
            check_connection(options)
            check_waiting(options)
            read(Services(context.clock, redactor, context.rng, context.warn), result)
    except SyncError as error:
        _fail(result, error, context)
    except (Interrupted, Stopped, KeyboardInterrupt):
        _fail(result, SyncError("outcome_unknown", "the task was interrupted", "Run the task again."), context)
    # a secret that happens to be a part of "failed" must not turn a failure into a success
    scrubbed: dict[str, t.Any] = redactor.scrub({**result, "warnings": context.warnings})
    return {**scrubbed, "failure": scrub_failure(result["failure"], redactor)} if "failure" in result else scrubbed


def run_overview(
    spec: ArgumentSpec, reader_class: t.Callable[[Options, Services], OverviewReader], options: Options, context: Context
) -> dict[str, t.Any]:
    """Read one thing as a whole.

    :returns: the result of the task, see :func:`run_info`.
    """

    def read(services: Services, result: dict[str, t.Any]) -> None:
        reader = reader_class(options, services)

        def work(_all: None) -> dict[str, object]:
            channel = reader.client.channel(Deadline(services.clock, INFO_TIMEOUT), RequestCount(), context.stop)
            with wrap_unexpected():
                return reader.read(channel)

        try:
            # in a thread of its own, since the main one waits for signals
            (found,) = fan_out([None], work, 1, context.stop)
        finally:
            reader.client.close()
        result.update(found)

    return run_reading({}, spec, read, options, context)


def _fail(result: dict[str, t.Any], error: SyncError, context: Context) -> None:
    result.update(failed=True, msg=sentences(error.message, error.hint), failure=error.as_failure())
    if context.is_for_role:
        result.update(traceback_for_role([error]))


def _read_all(
    reader: InfoReader, max_parallel: int, services: Services, context: Context, entries: list[dict[str, object]]
) -> None:
    """Append what is seen of all targets to ``entries``; the deadline of each begins when it is looked at."""
    count = RequestCount()

    def channel() -> Channel:
        return reader.client.channel(Deadline(services.clock, INFO_TIMEOUT), count, context.stop)

    (names,) = fan_out([None], lambda _all: reader.names(channel()), 1, context.stop)
    progress = Progress(len(names), "looked at", context.clock.now)

    def inspect(name: str) -> dict[str, object] | SyncError:
        try:
            with progress.of(lambda: name), wrap_unexpected():
                return reader.inspect(name, channel())
        except SyncError as error:
            return error

    with ticking(lambda elapsed: services.redactor.text(progress.line(elapsed)), context.show, progress.parts):
        seen = fan_out(names, inspect, max_parallel, context.stop)
    entries.extend(item for item in seen if not isinstance(item, SyncError))
    for item in seen:
        if isinstance(item, SyncError):
            raise item
