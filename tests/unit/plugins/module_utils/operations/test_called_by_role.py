# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module returns to a role of the collection: the traceback of a bug, and no hint about a report of its own."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import Options
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Services, Target
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import sync_operation
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import ROLE_VARIABLE
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, only, validated
from tests.unit.plugins.support.mirrors import TOKEN

REPORT_IT = "This is a bug of the collection and not of the server: please report it."


class Surprised(Fifth):
    def observe(self, target: Target, channel: Channel) -> Observation:
        raise KeyError(f"revision of {self.options['token']}")


class Broken(Fifth):
    def __init__(self, options: Options, services: Services) -> None:
        raise RuntimeError("no such luck")


def run(lab: Lab, provider: type[Fifth], environ: dict[str, str]) -> dict[str, t.Any]:
    given = lab.options()
    return sync_operation(provider).execute(validated(sync_spec(provider), given), lab.new_context(environ=environ))


@pytest.mark.parametrize(("provider", "function"), [(Surprised, "in observe"), (Broken, "in __init__")])
def test_the_traceback_of_a_bug_is_for_the_role(lab: Lab, provider: type[Fifth], function: str) -> None:
    result = run(lab, provider, {ROLE_VARIABLE: "a_role_"})
    failure = only(result)["failure"] if provider is Surprised else result["failure"]
    assert function in result["traceback"]
    assert (failure["code"], failure["hint"]) == ("internal_error", REPORT_IT)
    assert result["msg"].endswith(REPORT_IT)
    assert TOKEN not in str(result)


@pytest.mark.parametrize("provider", [Surprised, Broken])
def test_and_for_nothing_else(lab: Lab, provider: type[Fifth]) -> None:
    result = run(lab, provider, {})
    assert "traceback" not in result
    assert "Traceback" not in str(result)
    assert "set report_path" in result["msg"]


def test_without_a_bug_there_is_none(lab: Lab) -> None:
    result = run(lab, Fifth, {ROLE_VARIABLE: "a_role_"})
    assert (only(result)["state"], "traceback" in result) == ("succeeded", False)


@pytest.mark.parametrize(("environ", "option"), [({ROLE_VARIABLE: "a_role_"}, "a_role_ledger"), ({}, "ledger")])
def test_the_ledger_is_named_as_the_user_names_it(lab: Lab, environ: dict[str, str], option: str) -> None:
    lab.ledger_path.write_text("# my diary")
    result = run(lab, Fifth, environ)
    assert result["msg"].startswith(f"option {option}: {lab.location!r} cannot be used as the ledger: ")
    lab.location = "postgresql://ops:s3cret@127.0.0.1:1/ledger"
    result = run(lab, Fifth, environ)
    assert result["msg"].startswith(
        f"option {option}: the address 'postgresql://ops@127.0.0.1:1/ledger' was given with a password"
    )
    assert lab.web.log == []
