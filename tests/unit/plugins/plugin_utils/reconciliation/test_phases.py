# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phases of a reconciliation, with answers of the modules that the tests give."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import RoleVariables
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.compare import check_batch, compare
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.find_zones import begin, find_zones
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.report import ReconciliationReport, build_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import ReconciliationSettings, read
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import (
    ModuleAnswer,
    ReconciliationState,
    canonical,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.sync import sync, verify
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.zone_pass import ZoneGroup, zone_groups

Json = dict[str, Any]

START = ReconciliationState(False, "2026-11-20T10:00:00Z")


class World:
    """The surroundings of the phases. Zones have the actions in ``actions``, by their name; an id stands for the name in ``ids``.

    :param tasks: what the sync module was asked for: its options, and whether in check mode.
    """

    def __init__(self, actions: Mapping[str, str] | None = None, ids: Mapping[str, str] | None = None) -> None:
        self.actions = dict(actions or {})
        self.ids = dict(ids or {})
        self.groups: dict[str, list[str]] = {}
        self.listed: list[str] = []
        self.tasks: list[tuple[Json, bool]] = []
        self.failing: Json | None = None
        self.filters: list[Json] = []
        self.unwritable = False
        self.reports: list[tuple[int, ReconciliationReport]] = []

    def now(self) -> str:
        return "2026-11-20T10:00:00Z"

    def hosts(self, group: str) -> Sequence[str]:
        return self.groups.get(group, [])

    def check_report(self, path: str) -> None:
        if self.unwritable:
            raise SyncError("invalid_option", f"option report_path: {path} cannot be written", "Name another one.")

    def write_report(self, state: ReconciliationState) -> Any:
        self.reports.append((len(self.tasks), build_report(state, self.now())))
        return self.reports[-1][1]

    def list_zones(self, options: Mapping[str, object]) -> Sequence[str]:
        self.filters.append(dict(options))
        return self.listed

    def sync_zones(self, options: Sequence[Mapping[str, object]], check_mode: bool) -> Sequence[ModuleAnswer]:
        self.tasks += [(dict(task), check_mode) for task in options]
        return [self._answer(cast("Json", task), check_mode) for task in options]

    def _answer(self, options: Json, check_mode: bool) -> ModuleAnswer:
        if self.failing is not None:
            return cast(ModuleAnswer, self.failing)
        names = [self.ids.get(zone, canonical(zone)) for zone in options["zones"]]
        records = [self._record(name, self.actions.get(name, "would_trigger"), check_mode) for name in names]
        answer = {"syncs": records, "summary": {"requests": len(records)}, "warnings": ["once"], "diff": [{"before": "a"}]}
        return cast(ModuleAnswer, answer)

    @staticmethod
    def _record(name: str, action: str, check_mode: bool) -> Json:
        done = action == "would_trigger" and not check_mode
        return {
            "target": name,
            "action": "triggered" if done else action,
            "state": "succeeded" if done else "not_started",
            "changed": action == "would_trigger",
            "reason": f"{action} for a reason",
            "handle": None,
            "started_at": None,
            "finished_at": None,
            "elapsed": 0.5,
            "requests": 1,
            "failure": None,
            "detail": {},
        }

    @property
    def zones(self) -> list[list[str]]:
        return [task["zones"] for task, dummy in self.tasks]


def settings(**variables: Any) -> ReconciliationSettings:
    return read(variables)


def started(*zones: str, **more: Any) -> ReconciliationState:
    return ReconciliationState(**{"check_mode": False, "started_at": "", "zones": zones, **more})


# -- begin and find ----------------------------------------------------------------------------------------------------


def test_all_variables_are_checked_before_anything_else() -> None:
    good = begin(RoleVariables({"report_path": "r.json", "fail_on_drift": "true"}, None), True, World())
    assert good.proceed
    assert (good.state.check_mode, good.state.report_path, good.state.fail_on_drift, good.state.error) == (
        True,
        "r.json",
        True,
        "",
    )
    bad = begin(RoleVariables({"report_path": "r.json", "approve": {"a.": 1.5}}, None), False, World())
    assert not bad.proceed
    assert "dns_reconciliation_approve.a." in bad.state.error
    # the reason is in the report
    assert bad.state.report_path == "r.json"
    undefined = begin(RoleVariables({"report_path": "r.json"}, SyncError("invalid_option", "x is undefined")), False, World())
    assert (undefined.proceed, undefined.state.error) == (False, "invalid_option: x is undefined.")


def test_a_bug_is_reported_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(variables: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(f"{find_zones.__module__}.read", broken)
    outcome = begin(RoleVariables({"report_path": "r.json"}, None), False, World())
    assert "internal error in lockstep.sync (KeyError: 'oops'" in outcome.state.error
    assert outcome.state.error.endswith("The traceback is in r.json.")
    report = build_report(outcome.state, "")
    assert "Traceback" in str(report["traceback"]) and "Traceback" not in report["message"]


def test_a_report_that_cannot_be_written_ends_the_run() -> None:
    world = World()
    world.unwritable = True
    outcome = begin(RoleVariables({"report_path": "r.json", "max_parallel": "many"}, None), False, world)
    assert (outcome.proceed, outcome.state.report_path) == (False, "")
    assert "cannot be written" in outcome.state.error


def test_each_zone_is_found_once_and_named_ones_come_first() -> None:
    world = World()
    world.groups, world.listed = {"team": ["B.example", " c.example. "]}, ["a.example.", "d.example."]
    found = find_zones(
        START, settings(zones=["A.example", "b.example."], inventory_group="team", zone_filter="*", api_url="http://x"), world
    )
    assert found.state.zones == ("A.example", "b.example.", "c.example.", "d.example.")
    assert world.filters == [{"api_url": "http://x", "name_filter": "*"}]
    assert found.proceed


def test_the_server_lists_zones_only_if_it_is_asked_to() -> None:
    world = World()
    assert find_zones(START, settings(zones="a."), world).state.zones == ("a.",)
    assert world.filters == []
    with pytest.raises(SyncError, match="No zones to reconcile") as caught:
        find_zones(START, settings(admin_group="g", inventory_group="none"), world)
    assert "dns_reconciliation_zone_filter" in caught.value.hint
    assert world.filters == [{"admin_group": "g"}]


# -- groups ------------------------------------------------------------------------------------------------------------


def test_zones_of_one_server_share_a_task() -> None:
    other, server = {"server": "ns2"}, {"server": "ns1"}
    given_ = settings(backend=server, backends={"B.example": other, "d": other, "e.": server}, approve={"a.": "1", "d.": "2"})
    zones = ["a.", "b.example.", "c.", "d.", "e."]
    full = {"port": 53, "tsig_algorithm": "hmac-sha256", "max_records": 600_000, "max_bytes": 128 * 2**20}
    assert zone_groups(given_, zones) == [
        ZoneGroup(("a.",), {**server, **full}, ("1",), True),
        ZoneGroup(("b.example.",), {**other, **full}),
        # a server of its own that is that of all
        ZoneGroup(("c.", "e."), {**server, **full}),
        ZoneGroup(("d.",), {**other, **full}, ("2",), True),
    ]
    assert [group.zones for group in zone_groups(given_, zones, approval=False)] == [("a.", "c.", "e."), ("b.example.", "d.")]
    assert zone_groups(settings(), ["a.", "b."]) == [ZoneGroup(("a.", "b."), None)]
    assert zone_groups(given_, []) == []


NAMES = st.sampled_from(["a", "A.", " b. ", "b", "c.d.", "C.D"])


@given(
    st.lists(NAMES, unique=True),
    st.dictionaries(NAMES, st.sampled_from([{"server": "1"}, {"server": "2"}])),
    st.dictionaries(NAMES, st.sampled_from(["0a", "0b"])),
)
def test_no_zone_is_lost_or_doubled_by_grouping(zones: list[str], backends: Json, approve: dict[str, str]) -> None:
    asked = settings(backends=backends, approve=approve)
    groups = zone_groups(asked, zones)
    assert sorted(zone for group in groups for zone in group.zones) == sorted(zones)
    for group in groups:
        for zone in group.zones:
            assert group.backend == asked.backends.get(canonical(zone))
        digests = [asked.approve[canonical(zone)] for zone in group.zones if canonical(zone) in asked.approve]
        assert list(group.digests) == digests
        assert len(digests) in (0, len(group.zones))


def test_only_what_was_given_is_passed_on() -> None:
    """So that module_defaults count for the rest."""
    world = World()
    compare(started("a."), settings(), world)
    assert world.tasks == [({"zones": ["a."], "wait": True, "approve": [], "only_approved": False}, True)]
    more = {"wait_timeout": 5, "validate_certs": "no", "ledger": "/l", "guard": {"max_deletes": 1}, "approve": "b.=0f"}
    compare(started("b."), settings(**more), world)
    options = world.tasks[-1][0]
    assert (options["wait_timeout"], options["validate_certs"], options["ledger"]) == (5.0, False, "/l")
    assert (options["approve"], options["only_approved"], options["guard"]["max_deletes"]) == (["0f"], True, 1)


# -- the passes --------------------------------------------------------------------------------------------------------

ACTIONS = {"a.": "would_trigger", "b.": "skipped", "c.": "refused", "d.": "would_join"}


def test_only_the_sync_is_no_check_and_only_planned_zones_are_synced() -> None:
    world, asked = World(ACTIONS), settings(backends={"a.": {"server": "ns2"}}, approve="a.=0f")
    compared = compare(started(*"abcd"), asked, world)
    assert [record["target"] for record in compared.state.plans.records] == ["a.", "b.", "c.", "d."]
    assert (compared.changed, compared.diff, compared.proceed) == (False, (), True)
    checked = check_batch(compared.state, asked, world)
    assert checked.proceed
    synced = sync(checked.state, asked, world)
    assert synced.changed
    assert len(synced.diff) == 2
    assert synced.warnings == ("once",)
    verified = verify(synced.state, asked, world)
    assert (verified.changed, verified.diff, verified.proceed) == (False, (), False)
    assert world.zones == [["a"], ["b", "c", "d"], ["a"], ["d"], ["a"]]
    assert [check_mode for dummy, check_mode in world.tasks] == [True, True, False, False, True]
    # the plan that was approved is carried out
    assert [task["approve"] for task, dummy in world.tasks] == [["0f"], [], ["0f"], [], []]
    assert json.loads(json.dumps(verified.state.to_json())) == verified.state.to_json()
    assert ReconciliationState.from_json(verified.state.to_json()) == verified.state


def test_a_report_is_there_before_the_first_sync() -> None:
    world = World(ACTIONS)
    planned = compare(started(*"abc"), settings(), world).state
    done = sync(planned, settings(), world)
    ((tasks, report),) = world.reports
    assert tasks == 1
    assert (report["verdict"], report["ok"]) == ("unknown", False)
    assert "run the role again" in str(report["error"])
    assert [zone["verdict"] for zone in report["zones"]] == ["unknown", "in_sync", "drift"]
    assert not done.state.unfinished


def test_check_mode_shows_what_would_change_and_ends_before_the_sync() -> None:
    world = World(ACTIONS)
    compared = compare(started("a.", check_mode=True), settings(), world)
    assert compared.changed
    assert compared.diff == ({"before": "a"},)
    assert not check_batch(compared.state, settings(), world).proceed
    with pytest.raises(RuntimeError, match="nothing may be synced"):
        sync(compared.state, settings(), world)
    assert [check_mode for dummy, check_mode in world.tasks] == [True]


def test_nothing_to_sync_ends_the_run_before_the_sync() -> None:
    world = World({"a.": "skipped"})
    assert not check_batch(compare(started("a."), settings(), world).state, settings(), world).proceed


def test_a_zone_given_by_its_id_has_the_settings_of_its_name() -> None:
    world = World({"a.": "would_trigger", "b.": "would_trigger"}, ids={"1-2": "a.", "3-4": "b."})
    asked = settings(backend={"server": "ns1"}, backends={"a.": {"server": "ns2"}, "3-4": {"server": "ns3"}})
    compared = compare(started("1-2", "3-4"), asked, world)
    servers = [(task["zones"], task["backend"]["server"]) for task, dummy in world.tasks]
    assert servers == [(["1-2"], "ns1"), (["3-4"], "ns3"), (["a."], "ns2")]
    # its requests count, its first plan does not
    assert len(compared.state.plans.records) == 2
    assert compared.state.plans.requests == 3
    world.tasks.clear()
    sync(compared.state, asked, world)
    assert sorted((task["zones"], task["backend"]["server"]) for task, dummy in world.tasks) == [
        (["3-4"], "ns3"),
        (["a."], "ns2"),
    ]


def test_a_digest_for_a_name_holds_for_its_id() -> None:
    world = World(ids={"1-2": "a."})
    compare(started("1-2"), settings(approve="a.=0f"), world)
    assert [(task["zones"], task["approve"]) for task, dummy in world.tasks] == [(["1-2"], []), (["a."], ["0f"])]


def test_records_are_in_the_order_of_the_zones() -> None:
    world = World()
    asked = settings(backends={"b.": {"server": "ns2"}, "d.": {"server": "ns2"}})
    compared = compare(started(*"abcd"), asked, world)
    assert [record["target"] for record in compared.state.plans.records] == ["a.", "b.", "c.", "d."]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"failed": True, "msg": "missing required arguments: api_url"}, "missing required arguments: api_url"),
        (
            {
                "syncs": [],
                "failure": {"code": "invalid_option", "message": "option zones: no", "http_status": None, "hint": "Go."},
            },
            "invalid_option: option zones: no. Go.",
        ),
        ({}, "the module ended without a result"),
    ],
)
def test_a_task_that_failed_as_a_whole_ends_the_run(answer: Json, error: str) -> None:
    world = World()
    world.failing = answer
    outcome = compare(started("a."), settings(), world)
    assert (outcome.proceed, outcome.message, outcome.state.plans.error) == (False, error, error)


def test_the_batch_may_be_refused() -> None:
    detail = {"drift": {"deletes": 10, "record_sets": 20}}
    world = World()
    planned = compare(started("a.", "b."), settings(), world).state
    for record in planned.plans.records:
        record["detail"].update(cast("Any", detail))
    refused = check_batch(planned, settings(), world)
    assert not refused.proceed
    assert "together delete 20 of 40" in refused.state.batch_refusal
    with pytest.raises(RuntimeError, match="nothing may be synced"):
        sync(refused.state, settings(), world)
    # whatever name the digest is given for
    assert check_batch(planned, settings(approve="A=0f"), world).proceed
