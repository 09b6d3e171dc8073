# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that uses the fifth provider, with everything around it under control."""

from __future__ import annotations

import json
import pathlib
import random
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import ArgumentSpec
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Provider
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from ansible_collections.lockstep.sync.plugins.module_utils._operations.wait import run_wait, wait_spec
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Entry, Key, RunLedger

from .clocks import FakeClock
from .fifth import Fifth
from .mirrors import TOKEN, Mirrors
from .web import Responder, Web

Result = dict[str, t.Any]

#: of each record of a result
FIELDS = set(Record("t", "p").as_dict())

#: names of the mirrors that the service has from its start
ALL = ["seven", "eight", "nine"]


def column(result: Result, field: str) -> list[t.Any]:
    """A field of each record of a result."""
    return [record[field] for record in result["syncs"]]


def validated(spec: ArgumentSpec, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Options as AnsibleModule would pass them."""
    kwargs = spec.as_kwargs()
    result = ArgumentSpecValidator(kwargs.pop("argument_spec"), **kwargs).validate(dict(options))
    assert not result.error_messages
    return t.cast("dict[str, t.Any]", result.validated_parameters)


class Lab:
    """The service on its server, and tasks that deal with it."""

    def __init__(self, serve: t.Callable[..., Web], clock: FakeClock, directory: pathlib.Path) -> None:
        self.clock = clock
        self.directory = directory
        self.service = Mirrors(clock)
        self.web = serve(self.service.respond, clock=clock)
        self.serve: t.Callable[[Responder], Web] = serve
        self.ledger_path = directory / "ledger.sqlite3"
        #: of the ledger, which may be another one
        self.location = str(self.ledger_path)
        self.report_path = directory / "report.json"
        self.key = Key("fifth", self.web.url, "7")
        self.context = self.new_context()

    def new_context(self, **settings: t.Any) -> Context:
        return Context(**{"clock": self.clock, "rng": random.Random(1), **settings})

    def options(self, **options: t.Any) -> dict[str, t.Any]:
        """Options of a task; targets one after the other, since the pause of one would pass time for all."""
        common = {"api_url": self.web.url, "token": TOKEN, "ledger": self.location, "request_timeout": 5}
        return {**common, "mirrors": ["seven"], "max_parallel": 1, **options}

    def run(self, provider: type[Provider] = Fifth, check: bool = False, diff: bool = False, **options: t.Any) -> Result:
        """Run a sync task."""
        given = self.options(**options)
        self.context = self.new_context(check_mode=check, diff=diff, given=given)
        return run_sync(provider, validated(sync_spec(provider), given), self.context)

    def wait(
        self, handles: t.Sequence[t.Mapping[str, t.Any]], provider: type[Provider] = Fifth, check: bool = False, **options: t.Any
    ) -> Result:
        """Run a ``sync_wait`` task with the credentials of the lab."""
        given = {
            "handles": handles,
            "ledger_path": self.location,
            "connections": {"fifth": {"api_url": self.web.url, "token": TOKEN}},
            **options,
        }
        providers = {provider.name: provider}
        self.context = self.new_context(check_mode=check)
        return run_wait(providers, validated(wait_spec(providers), given), self.context)

    @property
    def posts(self) -> int:
        """How many mutating calls the server saw."""
        return sum(1 for request in self.web.log if request.method != "GET")

    @property
    def accepted(self) -> int:
        """How many of them it executed."""
        return len(self.service.runs)

    @property
    def ledger(self) -> RunLedger:
        return RunLedger(self.location, self.clock)

    def open_entry(self) -> Entry | None:
        return self.ledger.open_entry(self.key)

    @property
    def report(self) -> Result:
        return t.cast(Result, json.loads(self.report_path.read_text()))


def only(result: Result) -> Result:
    """The record of the one target there is."""
    assert len(result["syncs"]) == 1
    return t.cast(Result, result["syncs"][0])


def code(result: Result) -> str | None:
    """The failure code of the one target there is."""
    failure = only(result)["failure"]
    return t.cast(str, failure["code"]) if failure else None
