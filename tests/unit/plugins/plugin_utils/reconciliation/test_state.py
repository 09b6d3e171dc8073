# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch limit, the verdicts and the report of a reconciliation, by what its passes found."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import FAILURE_CODES, RECONCILIATION_VERDICTS
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.batch import MIN_RECORDS, batch_refusal
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.compare import zones_to_sync
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.report import build_report
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import (
    ModuleAnswer,
    ReconciliationState,
    ZonePass,
    canonical,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.sync import zones_to_verify

Json = dict[str, Any]

ZONE = "a.example."
GUARD = {"rule": "max_deletes", "message": "would delete 3 record sets, more than max_deletes 2"}
COUNTS = {"creates": 1, "updates": 2, "deletes": 3}


def drift(in_sync: bool = False, **more: Any) -> Json:
    """What the module says of a comparison with DNS."""
    counts = dict.fromkeys(COUNTS, 0) if in_sync else COUNTS
    records = [] if in_sync else [{"name": "new", "type": "A", "action": "create"}]
    return {**counts, "records": records, "in_sync": in_sync, "record_sets": 100, **more}


def record(action: str, target: str = ZONE, **more: Any) -> Json:
    """A record of the module, with every field."""
    state = {"triggered": "succeeded", "joined": "succeeded"}.get(action, "not_started")
    filled: Json = {
        "target": target,
        "provider": "vinyldns",
        "action": action,
        "state": state,
        "changed": action in ("triggered", "joined", "would_trigger", "would_join"),
        "changed_basis": "observed",
        "reason": f"{action} for a reason",
        "handle": None,
        "started_at": None,
        "finished_at": None,
        "elapsed": 0.5,
        "polls": 0,
        "requests": 2,
        "timed_out": False,
        "failure": None,
        "detail": {"drift": drift(in_sync=action == "skipped")},
    }
    return {**filled, **more}


def failed(code: str, action: str = "refused", **more: Any) -> Json:
    return record(action, failure={"code": code, "message": f"it is {code}", "http_status": None, "hint": "Do."}, **more)


def result(*records: Json, requests: int | None = None, **more: Any) -> Json:
    count = sum(item["requests"] for item in records) if requests is None else requests
    return {"syncs": list(records), "summary": {"requests": count}, **more}


def done(*results: Json) -> ZonePass:
    """The pass that consists of these results."""
    return sum((ZonePass.of(cast(ModuleAnswer, item)) for item in results), ZonePass())


def run(
    plans: Sequence[Json] = (), syncs: Sequence[Json] = (), residuals: Sequence[Json] = (), batch: str = "", error: str = ""
) -> ReconciliationState:
    """What is known at the end, with the records of each pass in one result."""
    passes = {"plans": plans, "syncs": syncs, "residuals": residuals}
    results = {key: done(result(*records)) if records else ZonePass() for key, records in passes.items()}
    return ReconciliationState(False, "2026-11-20T10:00:00Z", **results, batch_refusal=batch, error=error)


def report(state: ReconciliationState, check_mode: bool = False, fail_on_drift: bool = False, path: str = "") -> Json:
    state = dataclasses.replace(state, check_mode=check_mode, fail_on_drift=fail_on_drift, report_path=path)
    # what goes from one task to the next one is JSON
    restored = ReconciliationState.from_json(json.loads(json.dumps(state.to_json())))
    return cast(Json, build_report(restored, "2026-11-20T10:01:00Z"))


# -- what is to be done ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given_name", "name"), [("A.Example", "a.example."), (" a. ", "a."), ("a.b.", "a.b.")])
def test_names_are_compared_without_case_and_with_their_dot(given_name: str, name: str) -> None:
    assert canonical(given_name) == name


ACTIONS = ("triggered", "joined", "skipped", "refused", "would_trigger", "would_join")


def test_only_planned_zones_are_synced_and_only_synced_ones_verified() -> None:
    everything = done(
        result(*(record(action, f"{action}.") for action in ACTIONS[:3])),
        result(*map(record, ACTIONS[3:], ACTIONS[3:])),
    )
    assert zones_to_sync(everything) == ["would_trigger", "would_join"]
    assert zones_to_verify(everything) == ["triggered.", "joined."]
    running = record("triggered", state="running")
    assert zones_to_verify(done(result(running))) == zones_to_sync(ZonePass()) == zones_to_verify(done({"failed": True})) == []


# -- the batch -------------------------------------------------------------------------------------------------------


def planned(zone: str, deletes: int, record_sets: int) -> Json:
    return record("would_trigger", zone, detail={"drift": drift(deletes=deletes, record_sets=record_sets)})


def test_a_zone_that_its_own_guards_refuse_does_not_count() -> None:
    emptied = {**planned("emptied.", 50, 50), "action": "refused"}
    assert batch_refusal(done(result(emptied, planned("a.", 1, 50), planned("b.", 1, 50))), 30, []) == ""


def test_the_limit_itself_is_allowed_and_anything_above_is_not() -> None:
    assert batch_refusal(done(result(planned("a.", 20, 50), planned("b.", 10, 50))), 30, []) == ""
    text = batch_refusal(done(result(planned("a.", 21, 50)), result(planned("b.", 10, 50))), 30, [])
    assert "2 zones together delete 31 of 100 record sets (31.0 %)" in text
    assert "dns_reconciliation_batch_max_delete_percent 30." in text
    assert batch_refusal(done(result(planned("a.", 21, 50), planned("b.", 10, 50))), 31, []) == ""
    assert batch_refusal(done(result(planned("a.", 1, 50), planned("b.", 0, 50))), 0, [])
    assert batch_refusal(done(result(planned("a.", 50, 50), planned("b.", 50, 50))), 100, []) == ""


def test_a_single_zone_and_small_batches_are_left_to_their_own_guards() -> None:
    assert batch_refusal(done(result(planned("a.", 50, 50))), 30, []) == ""
    half = MIN_RECORDS // 2
    assert batch_refusal(done(result(planned("a.", half, half), planned("b.", half - 1, half - 1))), 30, []) == ""
    assert batch_refusal(done(result(planned("a.", half, half), planned("b.", half, half))), 30, []) != ""
    assert batch_refusal(done(), 30, []) == ""


def test_approved_zones_and_those_of_unknown_drift_do_not_count() -> None:
    plans = done(result(planned("a.example.", 50, 50), planned("b.", 0, 50), planned("c.", 0, 50)))
    assert "3 zones" in batch_refusal(plans, 30, [])
    assert batch_refusal(plans, 30, ["A.Example"]) == ""
    unknown = [failed("connection_failed", target="d.", detail={}), record("would_trigger", "e.", detail={"drift": {}})]
    assert batch_refusal(done(result(planned("a.", 50, 50), *unknown)), 30, []) == ""


# -- verdicts --------------------------------------------------------------------------------------------------------

PLANNED = record("would_trigger")
SYNCED = record("triggered")
CLEAN = record("skipped")
LEFT = record("would_trigger", reason="1 to create")

NEW, OTHER = {"name": "new", "after": 1}, {"name": "other", "after": 2}


def synced_at(serial: int, fidelity: str = "exact") -> Json:
    return record("triggered", detail={"drift": {"serial": serial, "records": [NEW]}, "fidelity": fidelity})


def left_at(stored: int | None, serial: int, change: Json | None = None) -> Json:
    detail = {"drift": {"serial": serial, "stored_serial": stored, "records": [change or OTHER]}}
    return record("would_trigger", reason="1 to create", detail=detail)


UPDATED_SINCE = [
    (synced_at(7), left_at(7, 8)),
    # the sync saw later updates than the plan
    (synced_at(7, "differs"), left_at(8, 9)),
    (synced_at(2**32 - 1), left_at(2**32 - 1, 3)),
]
NOT_UPDATED_SINCE = [
    (synced_at(7), left_at(7, 7)),
    (synced_at(7, "differs"), left_at(7, 8)),
    (synced_at(7), left_at(6, 8)),
    (synced_at(7), left_at(None, 8)),
    (synced_at(7), left_at(8, 7)),
    # this one does not get over
    (synced_at(7), left_at(8, 9, NEW)),
    (SYNCED, left_at(7, 8)),
]

VERDICTS = [
    # plan, sync, residual, batch, verdict, a part of the reason
    (CLEAN, None, None, "", "in_sync", "skipped for"),
    (PLANNED, None, None, "", "drift", "would_trigger for"),
    (record("would_join"), None, None, "", "drift", "would_join for"),
    (PLANNED, None, None, "too much", "refused", "not synced: too much"),
    (CLEAN, None, None, "too much", "in_sync", "skipped for"),
    (failed("guard_refused"), None, None, "", "refused", "it is guard_refused"),
    (failed("guard_refused"), None, None, "too much", "refused", "it is guard_refused"),
    (failed("timed_out"), None, None, "", "timed_out", "it is timed_out"),
    (failed("not_found", detail={}), None, None, "", "failed", "it is not_found"),
    (PLANNED, SYNCED, CLEAN, "", "reconciled", "triggered for"),
    (record("would_join"), record("joined"), CLEAN, "", "reconciled", "joined for"),
    # no DNS server: there is nothing to verify with
    (
        record("would_trigger", detail={}),
        record("triggered", detail={}),
        record("would_trigger", detail={}),
        "",
        "reconciled",
        "triggered for",
    ),
    # somebody else was quicker
    (PLANNED, CLEAN, None, "", "in_sync", "skipped for"),
    # the server said that this was done a moment ago, and yet there is drift
    (PLANNED, record("skipped", detail={"drift": drift()}), None, "", "drift", "not synced: skipped for"),
    (PLANNED, SYNCED, LEFT, "", "drift", "synced, and yet: 1 to create"),
    *((PLANNED, synced, left, "", "reconciled", "updated since, from serial") for synced, left in UPDATED_SINCE),
    *((PLANNED, synced, left, "", "drift", "synced, and yet: 1 to create") for synced, left in NOT_UPDATED_SINCE),
    (PLANNED, SYNCED, failed("connection_failed"), "", "failed", "synced, but then: it is connection_failed"),
    (PLANNED, SYNCED, failed("guard_refused"), "", "failed", "synced, but then: it is guard_refused"),
    (PLANNED, SYNCED, None, "", "failed", "was not looked at"),
    (PLANNED, record("triggered", state="unknown"), None, "", "failed", "was not looked at"),
    (PLANNED, failed("guard_refused"), None, "", "refused", "it is guard_refused"),
    (PLANNED, failed("run_failed", "triggered", state="failed"), None, "", "failed", "it is run_failed"),
    (PLANNED, failed("outcome_unknown", "triggered", state="unknown"), None, "", "failed", "it is outcome_unknown"),
    (PLANNED, failed("timed_out", "triggered", state="running", timed_out=True), None, "", "timed_out", "it is timed_out"),
    (PLANNED, failed("recently_synced"), None, "", "failed", "it is recently_synced"),
]


@pytest.mark.parametrize(("plan", "sync", "residual", "batch", "verdict", "reason"), VERDICTS)
def test_verdict_of_a_zone(plan: Json, sync: Json | None, residual: Json | None, batch: str, verdict: str, reason: str) -> None:
    built = report(run([plan], [sync] if sync else [], [residual] if residual else [], batch))
    (zone,) = built["zones"]
    assert zone["verdict"] == built["verdict"] == verdict
    assert reason in zone["reason"]
    assert built["ok"] == (verdict in ("in_sync", "reconciled"))
    assert built["summary"][verdict] == 1


def test_every_failure_code_has_a_verdict_and_is_no_success() -> None:
    special = {"guard_refused": "refused", "timed_out": "timed_out"}
    for code in FAILURE_CODES:
        built = report(run([PLANNED], [failed(code)]))
        assert (built["verdict"], built["ok"]) == (special.get(code, "failed"), False)
        assert built["zones"][0]["failure"]["code"] == code


OF_SEVERITY = {
    "in_sync": (CLEAN, None, None),
    "reconciled": (PLANNED, SYNCED, CLEAN),
    "drift": (PLANNED, SYNCED, LEFT),
    "refused": (failed("guard_refused"), None, None),
    "timed_out": (failed("timed_out"), None, None),
    "failed": (failed("not_found"), None, None),
}


@pytest.mark.parametrize("worst", OF_SEVERITY)
def test_the_worst_verdict_is_that_of_the_whole(worst: str) -> None:
    # unknown is worse than all of them, and that of a run that has not ended
    assert tuple(OF_SEVERITY) == RECONCILIATION_VERDICTS[:-1]
    names = RECONCILIATION_VERDICTS[: RECONCILIATION_VERDICTS.index(worst) + 1]
    passes: tuple[list[Json], list[Json], list[Json]] = ([], [], [])
    for name in reversed(names):
        for records, item in zip(passes, OF_SEVERITY[name], strict=True):
            records.extend([{**item, "target": f"{name}."}] if item else [])
    built = report(run(*passes))
    assert built["verdict"] == worst
    assert {zone["zone"]: zone["verdict"] for zone in built["zones"]} == {f"{name}.": name for name in names}
    assert [built["summary"][name] for name in RECONCILIATION_VERDICTS] == [
        int(name in names) for name in RECONCILIATION_VERDICTS
    ]


@pytest.mark.parametrize(("check_mode", "fail_on_drift", "ok"), [(True, False, True), (True, True, False), (False, False, False)])
def test_drift_is_fine_only_where_somebody_just_looks(check_mode: bool, fail_on_drift: bool, ok: bool) -> None:
    built = report(run([PLANNED]), check_mode, fail_on_drift)
    assert (built["verdict"], built["ok"], built["check_mode"]) == ("drift", ok, check_mode)
    assert report(run([CLEAN]), check_mode, fail_on_drift)["ok"] is True


# -- the rest of the report ------------------------------------------------------------------------------------------


def test_a_zone_has_what_all_passes_found() -> None:
    found = {"creates": 1, "updates": 2, "deletes": 3}
    sync = record(
        "triggered", detail={"effect": found, "fidelity": "exact"}, handle={"change_id": "7"}, started_at="then", requests=5
    )
    plan = record("would_trigger", detail={"drift": drift(digest="d"), "guards": []})
    (zone,) = report(run([plan], [sync], [CLEAN]))["zones"]
    assert zone["drift"]["digest"] == "d"
    assert (zone["effect"], zone["fidelity"], zone["residual"]) == (found, "exact", [])
    assert (zone["handle"], zone["started_at"], zone["action"], zone["state"]) == (
        {"change_id": "7"},
        "then",
        "triggered",
        "succeeded",
    )
    assert (zone["elapsed"], zone["requests"]) == (1.5, 9)
    refused = failed("guard_refused", detail={"drift": drift(), "guards": [GUARD]})
    assert report(run([refused]))["zones"][0]["guards"] == [GUARD]


def test_a_zone_that_is_named_twice_is_reported_once() -> None:
    again = record("skipped", reason="the same target is named earlier in the list", detail={})
    built = report(run([PLANNED, again]), check_mode=True)
    assert [zone["verdict"] for zone in built["zones"]] == ["drift"]
    assert built["summary"]["zones"] == 1
    # two servers for one zone are two things to tell
    assert len(report(run([PLANNED, failed("auth_failed")]))["zones"]) == 2


def test_a_zone_that_two_tasks_worked_on_is_judged_by_the_one_that_synced_it() -> None:
    """By its name with a DNS server of its own, and by its id with that of all."""
    plans, syncs = [PLANNED, PLANNED], [SYNCED, CLEAN]
    assert [zone["verdict"] for zone in report(run(plans, syncs, [CLEAN]))["zones"]] == ["reconciled"] * 2
    built = report(run(plans, syncs, [failed("connection_failed")]))
    assert [(zone["verdict"], zone["action"]) for zone in built["zones"]] == [("failed", "triggered")] * 2
    # whatever became of the sync, nothing that failed afterwards is in sync
    for residual, verdict in ((failed("connection_failed"), "failed"), (LEFT, "drift")):
        assert report(run([PLANNED], [CLEAN], [residual]))["verdict"] == verdict


def test_the_summary_adds_up_over_all_groups_and_passes() -> None:
    noted = run([PLANNED], [SYNCED], [CLEAN])
    more = done(result(record("would_trigger", "b.", detail={}), requests=7))
    summary = report(dataclasses.replace(noted, plans=noted.plans + more))["summary"]
    assert (summary["zones"], summary["reconciled"], summary["drift"]) == (2, 1, 1)
    assert {key: summary[key] for key in COUNTS} == COUNTS
    assert summary["requests"] == 2 + 7 + 2 + 2


def test_an_error_is_the_verdict_whatever_was_done_before() -> None:
    built = report(run([PLANNED], [SYNCED], [CLEAN], error="the disk is full"), path="reports/r.json")
    assert (built["verdict"], built["ok"], built["error"]) == ("failed", False, "the disk is full")
    assert built["message"] == "failed: the disk is full. Report: reports/r.json"
    assert built["zones"][0]["verdict"] == "reconciled"
    nothing = report(run())
    assert (nothing["verdict"], nothing["ok"], nothing["error"], nothing["zones"]) == ("failed", False, None, [])


@pytest.mark.parametrize("key", ["plans", "syncs", "residuals"])
def test_a_task_that_failed_as_a_whole_is_an_error(key: str) -> None:
    noted = run([CLEAN])
    broken = result(failure={"code": "invalid_option", "message": "option zones: no", "http_status": None, "hint": "Say yes."})
    built = report(dataclasses.replace(noted, **{key: getattr(noted, key) + done(broken)}))
    assert (built["verdict"], built["error"]) == ("failed", "invalid_option: option zones: no. Say yes.")


@pytest.mark.parametrize(
    ("noted", "message"),
    [
        (run([CLEAN]), "in_sync: 1 zone."),
        (run([CLEAN, record("skipped", "b.")]), "in_sync: 2 zones, 2 in sync."),
        (run([PLANNED]), "drift: 1 zone. a.example.: would_trigger for a reason."),
        (
            run([CLEAN, failed("timed_out", target="b.")]),
            "timed_out: 2 zones, 1 in sync, 1 timed out. b.: timed_out: it is timed_out. Do.",
        ),
        (run([PLANNED], batch="that is too much. Look."), "refused: 1 zone. a.example.: not synced: that is too much. Look."),
    ],
)
def test_message(noted: ReconciliationState, message: str) -> None:
    assert report(noted)["message"] == message
    assert report(noted, path="/r.json")["message"] == f"{message} Report: /r.json"


# -- whatever the module returns -------------------------------------------------------------------------------------

STATES = ("succeeded", "failed", "running", "unknown", "not_started")
FAILURES = st.none() | st.fixed_dictionaries(
    {
        "code": st.sampled_from(sorted(FAILURE_CODES)),
        "message": st.text(max_size=5),
        "http_status": st.none(),
        "hint": st.text(max_size=5),
    }
)
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "drift": st.just({}) | st.booleans().map(drift) | st.just({"serial": {"stored": 1, "dns": 2}}),
        "effect": st.just(COUNTS),
        "fidelity": st.sampled_from(["exact", "differs"]),
        "guards": st.lists(st.just(GUARD), max_size=1),
        "cut": st.just(True),
    },
)
RECORDS = st.builds(
    lambda action, state, target, failure, detail, reason: record(
        action, target, state=state, failure=failure, detail=detail, reason=reason
    ),
    st.sampled_from(ACTIONS),
    st.sampled_from(STATES),
    st.sampled_from([ZONE, "b.", "c."]),
    FAILURES,
    DETAILS,
    st.text(max_size=5),
)
PASSES = st.lists(RECORDS, max_size=4)


@settings(deadline=None)
@given(PASSES, PASSES, PASSES, st.sampled_from(["", "too much"]), st.sampled_from(["", "broken"]), st.booleans(), st.booleans())
def test_any_records_give_a_consistent_report(
    plans: list[Json], syncs: list[Json], residuals: list[Json], batch: str, error: str, check_mode: bool, fail_on_drift: bool
) -> None:
    built = report(run(plans, syncs, residuals, batch, error), check_mode, fail_on_drift)
    assert json.loads(json.dumps(built)) == built
    assert built["verdict"] in RECONCILIATION_VERDICTS
    verdicts = [zone["verdict"] for zone in built["zones"]]
    assert {zone["zone"] for zone in built["zones"]} == {plan["target"] for plan in plans}
    assert sum(built["summary"][verdict] for verdict in RECONCILIATION_VERDICTS) == built["summary"]["zones"] == len(verdicts)
    assert built["message"].startswith(f"{built['verdict']}: ")
    if built["ok"]:
        allowed = {"in_sync", "reconciled"} | ({"drift"} if check_mode and not fail_on_drift else set())
        assert set(verdicts) <= allowed
        assert not error
        assert verdicts
    # nothing that failed passes for a success
    for zone in built["zones"]:
        assert zone["verdict"] not in ("in_sync", "reconciled") or zone["failure"] is None
    assert isinstance(batch_refusal(done(result(*plans)), 30, []), str)
