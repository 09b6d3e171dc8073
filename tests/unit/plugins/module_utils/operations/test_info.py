# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at many targets at once, for info modules."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import CONNECTION, PARALLEL, Options
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Services
from ansible_collections.lockstep.sync.plugins.module_utils._operations.info import run_info
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Interrupted
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, Result, validated
from tests.unit.plugins.support.mirrors import TOKEN, dumps

SPEC = CONNECTION + Fifth.connection_spec + Fifth.sync_spec + PARALLEL


class Reader:
    """What the fifth provider would offer to an info module."""

    def __init__(self, options: Options, services: Services) -> None:
        self.provider = Fifth(options, services)
        self.client = self.provider.client

    def names(self, channel: Channel) -> t.Sequence[str]:
        return self.provider.names()

    def inspect(self, name: str, channel: Channel) -> dict[str, t.Any]:
        return {"mirror": name, **channel.observe(f"/mirrors/{name}").json()}


def inspect(lab: Lab, reader: type[Reader] = Reader, **options: t.Any) -> Result:
    given = {"api_url": lab.web.url, "token": TOKEN, "mirrors": ["9", "7", "8"], **options}
    return run_info("mirrors", SPEC, reader, validated(SPEC, given), lab.new_context(given=given))


def test_entries_are_in_the_order_of_the_list_and_nothing_changes(lab: Lab) -> None:
    result = inspect(lab)
    assert [entry["mirror"] for entry in result["mirrors"]] == ["9", "7", "8"]
    assert (result["changed"], "failed" not in result, lab.posts) == (False, True, 0)


@pytest.mark.parametrize("error", [SyncError("not_found", "no such mirror"), KeyError("x"), RuntimeError("x")])
def test_what_was_seen_is_kept_when_one_inspection_fails(lab: Lab, error: Exception) -> None:
    class Blind(Reader):
        def inspect(self, name: str, channel: Channel) -> dict[str, t.Any]:
            if name == "7":
                raise error
            return super().inspect(name, channel)

    result = inspect(lab, Blind)
    assert (result["failed"], [entry["mirror"] for entry in result["mirrors"]]) == (True, ["9", "8"])
    assert result["failure"]["code"] == getattr(error, "code", "internal_error")


def test_an_interruption_is_a_failure_and_no_traceback(lab: Lab) -> None:
    class Stopping(Reader):
        def inspect(self, name: str, channel: Channel) -> dict[str, t.Any]:
            raise Interrupted

    assert inspect(lab, Stopping, max_parallel=1)["msg"].startswith("the task was interrupted")


@pytest.mark.parametrize(
    "options",
    [{"request_timeout": 0}, {"max_parallel": 0}, {"mirrors": []}, {"api_url": "x"}, {"mirrors": 4.1}, {"mirrors": ["7", 4.1]}],
)
def test_invalid_options_are_named(lab: Lab, options: dict[str, t.Any]) -> None:
    result = inspect(lab, **options)
    assert (result["failed"], result["failure"]["code"], result["mirrors"]) == (True, "invalid_option", [])
    assert f"option {next(iter(options))}" in result["msg"]


def test_secrets_are_not_shown(lab: Lab) -> None:
    lab.service.mirrors["7"].note = f"the token is {TOKEN}"
    assert TOKEN not in dumps(inspect(lab))
    assert inspect(lab, token="failed")["failed"] is True
