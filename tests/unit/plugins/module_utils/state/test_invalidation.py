# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A provider whose runs invalidate what those of another one brought, and when they count as having done so."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Run, Target
from ansible_collections.lockstep.sync.plugins.module_utils._operations.wait import run_wait, wait_spec
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only, validated
from tests.unit.plugins.support.mirrors import TOKEN
from tests.unit.plugins.support.web import Reply


class Invalidator(Fifth):
    """Takes mirrors back to where they were."""

    name = "sixth"

    def invalidates(self, target: Target) -> t.Sequence[Key]:
        return [Key("fifth", self.address, target.id)]


def counts(lab: Lab) -> bool:
    """Whether the first release still counts, by its name and by its age, in check mode and in earnest."""
    actions = {only(lab.run(check=True, **options))["action"] for options in ({"release": "1"}, {"max_age": 1e6})}
    assert len(actions) == 1
    return actions == {"skipped"}


@pytest.fixture
def released(lab: Lab) -> Lab:
    """A mirror to which a release was brought, at a service that does not know by itself how fresh it is."""
    lab.run(release="1")
    assert counts(lab)
    return lab


def test_a_run_invalidates_and_the_next_one_triggers_again(released: Lab) -> None:
    assert only(released.run(Invalidator))["state"] == "succeeded"
    assert not counts(released)
    assert only(released.run(release="1"))["action"] == "triggered"
    assert counts(released)


def test_looking_invalidates_nothing(released: Lab) -> None:
    released.run(Invalidator, check=True)
    assert counts(released)


def test_another_target_is_not_invalidated(released: Lab) -> None:
    released.run(Invalidator, mirrors=["eight"])
    assert counts(released)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(409, {"error": "busy"}),
        Reply(403, {"error": "refreshed too recently"}),
        Reply(400, {"error": "no"}),
        Reply(429, {"error": "slow down"}, headers={"Retry-After": "86400"}),
    ],
)
def test_a_definite_refusal_invalidates_nothing(released: Lab, reply: Reply) -> None:
    released.service.fates = [reply]
    assert only(released.run(Invalidator, if_running="fail"))["action"] == "refused"
    assert counts(released)


@pytest.mark.parametrize("fate", ["lose", "hide", "drop", ("executed", Reply(502, {"error": "?"}))])
def test_what_may_have_been_accepted_invalidates(released: Lab, fate: t.Any) -> None:
    released.service.fates = [fate]
    result = released.run(Invalidator)
    assert (code(result) == "outcome_unknown") == (fate in ("hide", "drop"))
    assert not counts(released)


@pytest.mark.parametrize("options", [{"wait": False}, {"wait_timeout": 5}])
def test_a_run_that_is_not_waited_for_invalidates(released: Lab, options: dict[str, t.Any]) -> None:
    released.run(Invalidator, **options)
    assert not counts(released)


def test_a_failed_run_invalidates(released: Lab) -> None:
    released.service.ending = "broken"
    assert code(released.run(Invalidator)) == "run_failed"
    assert not counts(released)


def test_a_process_that_dies_while_it_triggers_has_invalidated(released: Lab) -> None:
    class Killed(BaseException):
        pass

    class Dying(Invalidator):
        def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
            raise Killed

    with pytest.raises(Killed):
        released.run(Dying)
    assert not counts(released)


def test_joining_what_somebody_else_started_invalidates(released: Lab) -> None:
    released.service.start("7")
    assert only(released.run(Invalidator))["action"] == "joined"
    assert not counts(released)


def test_waiting_for_it_invalidates_once(released: Lab) -> None:
    handle = {**only(released.run(Invalidator, wait=False, ledger_path=str(released.directory / "elsewhere.sqlite3")))["handle"]}
    given = {
        "handles": [handle],
        "ledger_path": str(released.ledger_path),
        "connections": {"sixth": {"api_url": released.web.url, "token": TOKEN}},
    }
    providers = {"sixth": Invalidator}

    def wait(check: bool = False) -> str:
        context = released.new_context(check_mode=check)
        return str(only(run_wait(providers, validated(wait_spec(providers), given), context))["state"])

    assert wait(check=True) == "running"
    assert released.ledger.release_done(released.key, "1") is not None
    assert wait() == "succeeded"
    assert not counts(released)
    released.run(release="1")
    assert wait() == "succeeded"
    assert counts(released)


def test_a_run_that_ends_after_it_was_invalidated_is_run_again(lab: Lab) -> None:
    lab.run(release="1", wait=False)
    lab.clock.sleep(11)
    lab.run(Invalidator)
    assert not counts(lab)
    assert only(lab.run(release="1"))["action"] == "triggered"
    assert counts(lab)
