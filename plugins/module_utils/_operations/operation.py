# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What a module does, as a value: its own process runs it, or an action plugin on the controller."""

from __future__ import annotations

import dataclasses
import typing as t

from .._core.errors import SyncError, sentences, wrap_unexpected
from .._core.options import CONNECTION, PARALLEL, ArgumentSpec, Options, secrets_in
from .._core.redact import Redactor, harmless_json
from .._http.transport import REQUESTS_IMPORT_ERROR
from .._lifecycle.provider import Provider, Services
from .info import InfoReader, OverviewReader, run_info, run_overview
from .result import scrub_failure
from .sync import run_sync, sync_spec
from .task import Context, traceback_for_role
from .wait import Providers, run_wait, wait_spec

#: Names of libraries, each with the traceback of its failed import, or ``None`` if it is there.
Requirements = t.Sequence[tuple[str, t.Optional[str]]]


def no_extra_requirements(options: Options) -> Requirements:
    """What needs nothing but requests."""
    return ()


@dataclasses.dataclass(frozen=True)
class Operation:
    """A module without its process.

    :param spec: its options.
    :param run: does it, given validated options, and returns the result; ``failed`` in it says whether it failed.
    :param needs: libraries beyond requests for these options.
    """

    spec: ArgumentSpec
    run: t.Callable[[Options, Context], dict[str, t.Any]]
    needs: t.Callable[[Options], Requirements] = no_extra_requirements

    def execute(self, options: Options, context: Context) -> dict[str, t.Any]:
        """The result for these options; a bug that got past everything else is a failure without a traceback, too."""
        try:
            with wrap_unexpected():
                return harmless_json(self.run(options, context))
        except SyncError as error:
            redactor = Redactor(secrets_in(options, self.spec.arguments))
            failed = {
                "failed": True,
                "changed": False,
                "msg": sentences(error.message, error.hint),
                "failure": error.as_failure(),
                **(traceback_for_role([error]) if context.is_for_role else {}),
            }
            return {**redactor.scrub(failed), "failure": scrub_failure(error.as_failure(), redactor), "warnings": []}

    def requirements(self, options: Options) -> Requirements:
        """All libraries for these options."""
        return [("requests", REQUESTS_IMPORT_ERROR), *self.needs(options)]


def sync_operation(provider_class: type[Provider]) -> Operation:
    """The sync module of a provider."""

    def run(options: Options, context: Context) -> dict[str, t.Any]:
        return run_sync(provider_class, options, context)

    return Operation(sync_spec(provider_class), run, provider_class.requirements)


def wait_operation(providers: Providers) -> Operation:
    """``sync_wait`` for these providers."""

    def run(options: Options, context: Context) -> dict[str, t.Any]:
        return run_wait(providers, options, context)

    return Operation(wait_spec(providers), run)


def info_operation(
    key: str,
    spec: ArgumentSpec,
    reader_class: t.Callable[[Options, Services], InfoReader],
    needs: t.Callable[[Options], Requirements] = no_extra_requirements,
    words: t.Iterable[str] = (),
) -> Operation:
    """An info module.

    :param key: where the result has the list of entries.
    :param spec: the options of the provider; those for connecting are added.
    :param words: of the provider's own, and none of a server, that fields of the entries may hold.
    """
    whole = CONNECTION + spec + PARALLEL

    def run(options: Options, context: Context) -> dict[str, t.Any]:
        return run_info(key, whole, reader_class, options, context, words)

    return Operation(whole, run, needs)


def overview_operation(
    spec: ArgumentSpec,
    reader_class: t.Callable[[Options, Services], OverviewReader],
    needs: t.Callable[[Options], Requirements] = no_extra_requirements,
) -> Operation:
    """A module that reads one thing as a whole; see :func:`info_operation`."""
    whole = CONNECTION + spec

    def run(options: Options, context: Context) -> dict[str, t.Any]:
        return run_overview(whole, reader_class, options, context)

    return Operation(whole, run, needs)
