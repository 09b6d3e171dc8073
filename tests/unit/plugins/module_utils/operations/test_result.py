# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task returns and reports, and how large that may be."""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import pathlib
import stat
import typing as t
import uuid

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, Violation, invalid_option
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.plan import guard_failure
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.settle import RESUME
from ansible_collections.lockstep.sync.plugins.module_utils._operations.report import write_report
from ansible_collections.lockstep.sync.plugins.module_utils._operations.result import (
    DIFF_BYTES,
    fit,
    fit_diffs,
    is_failed,
    summarize,
)

NOW = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=dt.timezone.utc)
FIELDS = [
    "target",
    "provider",
    "action",
    "state",
    "changed",
    "changed_basis",
    "reason",
    "handle",
    "started_at",
    "finished_at",
    "elapsed",
    "polls",
    "requests",
    "timed_out",
    "failure",
    "detail",
]


def zone(number: int, **settings: t.Any) -> Record:
    """A record as the sync of a zone leaves it."""
    change = {"name": "host.example.com.", "type": "A", "action": "update", "before": ["192.0.2.1"], "after": ["192.0.2.2"]}
    name = f"zone-{number:04}.internal.example.com."
    record = Record(
        name,
        "vinyldns",
        action="triggered",
        state="succeeded",
        changed=True,
        reason="synced: 3 created, 17 updated, 1 deleted",
        handle={
            "provider": "vinyldns",
            "address": "https://vinyldns.internal.example.com:9000",
            "zone": name,
            "zone_id": str(uuid.uuid4()),
            "change_id": str(uuid.uuid4()),
            "created": "2026-03-01T12:00:00Z",
        },
        started_at=NOW,
        finished_at=NOW,
        elapsed=12.3456,
        polls=12,
        requests=34,
        detail={"drift": {"records": [change] * 30, "creates": 3, "updates": 17, "deletes": 1}},
        compact_detail={"drift": {"creates": 3, "updates": 17, "deletes": 1}},
    )
    for field, value in settings.items():
        setattr(record, field, value)
    return record


def size(value: t.Any) -> int:
    return len(json.dumps(value))


def test_a_record_has_every_field_from_the_start() -> None:
    record = Record("t", "p").as_dict()
    assert list(record) == FIELDS
    assert (record["action"], record["state"], record["changed"], record["failure"]) == ("refused", "not_started", False, None)


def test_dates_and_durations_have_one_form() -> None:
    record = zone(1).as_dict()
    assert (record["started_at"], record["elapsed"]) == ("2026-03-01T12:00:00Z", 12.346)


def test_a_failure_has_every_field_and_adds_its_facts() -> None:
    record = Record("t", "p", detail={"a": 1})
    record.fail(SyncError("busy", "is busy", "Wait.", 409, {"b": 2}))
    assert record.as_dict()["failure"] == {"code": "busy", "message": "is busy", "http_status": 409, "hint": "Wait."}
    assert (record.reason, record.detail) == ("is busy", {"a": 1, "b": 2})


def test_a_failure_keeps_the_reason_of_the_plan() -> None:
    record = Record("t", "p", reason="drift")
    record.fail(SyncError("busy", "is busy"))
    assert record.reason == "drift"


def test_bad_input_is_named_in_one_form() -> None:
    error = invalid_option("max_age", -1, "is negative", "Use more.")
    assert (error.code, error.message, error.hint) == ("invalid_option", "option max_age: -1 is negative", "Use more.")


# -- the summary ------------------------------------------------------------------------------------------------------


def failed(action: str, state: str, timed_out: bool = False) -> Record:
    record = Record("t", "p", action, state, timed_out=timed_out)
    record.fail(SyncError("timed_out" if timed_out else "run_failed", "x"))
    return record


RECORDS = [
    Record("t", "p", "triggered", "succeeded"),
    Record("t", "p", "joined", "succeeded"),
    Record("t", "p", "skipped"),
    Record("t", "p", "triggered", "running"),
    failed("triggered", "failed"),
    failed("refused", "not_started"),
    failed("triggered", "running", timed_out=True),
    failed("joined", "unknown"),
]


@pytest.mark.parametrize(("tolerate", "failures"), [(False, 4), (True, 3)])
def test_the_summary_counts(tolerate: bool, failures: int) -> None:
    assert summarize(RECORDS, 77, 1.23456, tolerate) == {
        "targets": 8,
        "triggered": 4,
        "joined": 2,
        "skipped": 1,
        "refused": 1,
        "succeeded": 2,
        "failed": failures,
        "timed_out": 1,
        "requests": 77,
        "elapsed": 1.235,
    }


def test_a_record_with_a_failure_has_not_succeeded() -> None:
    for code, state in (("run_failed", "failed"), ("internal_error", "unknown"), ("outcome_unknown", "unknown")):
        record = Record("t", "p", "triggered", "succeeded")
        record.fail(SyncError(code, "x"))
        assert record.as_dict()["state"] == state


def test_only_a_time_out_can_be_tolerated() -> None:
    record = Record("t", "p", "triggered", "running", timed_out=True)
    record.fail(SyncError("internal_error", "x"))
    assert is_failed(record, tolerate_timeout=True)
    assert is_failed(failed("triggered", "failed"), tolerate_timeout=True)
    assert not is_failed(failed("triggered", "running", timed_out=True), tolerate_timeout=True)
    assert is_failed(failed("triggered", "running", timed_out=True), tolerate_timeout=False)


# -- its size ---------------------------------------------------------------------------------------------------------


def timed_out(number: int) -> Record:
    record = zone(number, state="running", timed_out=True, reason="")
    record.fail(
        SyncError(
            "timed_out",
            "not finished within wait_timeout (900 s, 212 polls), last seen as Pending",
            f"If an API node died while it synced the zone, another one takes over after an hour at the earliest. {RESUME}",
        )
    )
    return record


def refused(number: int) -> Record:
    nothing: dict[str, t.Any] = {"handle": None, "started_at": None, "finished_at": None, "reason": ""}
    nothing |= {"compact_detail": {}, "detail": {}}
    record = zone(number, action="refused", state="not_started", changed=False, **nothing)
    record.fail(SyncError("bad_response", "the answer to GET /zones/x (HTTP 400) says: " + "z" * 200, "Look at it. " * 20, 400))
    return record


#: a plan in a bulk result: all but the list of its records
PLAN = {
    "creates": 3,
    "updates": 17,
    "deletes": 1,
    "ignored": 0,
    "soa_only": False,
    "unsupported_types": {"DNSKEY": 3},
    "serial": 2026110100,
    "digest": "0123456789abcdef" * 2,
    "in_sync": False,
    "record_sets": 1234,
}


def refused_by_guard(number: int) -> Record:
    nothing: dict[str, t.Any] = {"handle": None, "started_at": None, "finished_at": None, "reason": ""}
    plan: dict[str, t.Any] = {"drift": PLAN}
    record = zone(number, action="refused", state="not_started", changed=False, compact_detail=dict(plan), detail=plan, **nothing)
    rules = ("max_delete_percent", "allow_empty")
    record.fail(guard_failure([Violation(rule, f"would delete everything of zone {number}. " * 5) for rule in rules]))
    return record


def drifted(number: int) -> Record:
    return zone(number, compact_detail={"drift": PLAN, "fidelity": "exact"})


@functools.cache
def fitted(make: t.Callable[[int], Record], count: int = 1000) -> list[t.Any]:
    """A result of so many targets; not to be changed."""
    return fit([make(number) for number in range(count)])


@pytest.mark.parametrize(("make", "most"), [(drifted, 650), (refused_by_guard, 760)])
def test_a_plan_in_a_bulk_result_lacks_nothing_but_its_records(make: t.Callable[[int], Record], most: int) -> None:
    records = fitted(make)
    assert size(records) / 1000 < most
    assert all(record["detail"]["drift"] == PLAN for record in records)


@pytest.mark.parametrize("count", [200, 1000])
def test_the_guards_of_a_cut_record_have_the_form_that_they_have_elsewhere(count: int) -> None:
    failure = fitted(refused_by_guard, count)[7]["failure"]
    assert failure["code"] == "guard_refused"
    assert [guard["rule"] for guard in failure["guards"]] == ["max_delete_percent", "allow_empty"]
    for guard in failure["guards"]:
        assert set(guard) == {"rule", "message"}
        assert guard["message"].startswith("would delete everything of zone 7. ") == (count == 200)


@pytest.mark.parametrize("make", [zone, refused])
def test_a_thousand_targets_stay_below_600_bytes_each(make: t.Callable[[int], Record]) -> None:
    records = fitted(make)
    assert size(records) / 1000 < 600
    assert all(list(record) == FIELDS and record["detail"]["cut"] for record in records)
    failures = [record["failure"] for record in records if record["failure"]]
    assert all(set(failure) == {"code", "message", "http_status", "hint"} for failure in failures)


def test_what_is_left_of_a_cut_record_says_what_happened() -> None:
    record = fitted(zone)[999]
    assert (record["target"], record["action"], record["state"]) == ("zone-0999.internal.example.com.", "triggered", "succeeded")
    assert record["detail"] == {"drift": {"creates": 3, "updates": 17, "deletes": 1}, "cut": True}


def test_a_run_that_goes_on_keeps_its_handle_however_much_else_is_cut() -> None:
    records = [timed_out(number) for number in range(1000)]
    cut = fit(records)
    assert [record["handle"] for record in cut] == [record.handle for record in records]
    assert size([{**record, "handle": None} for record in cut]) / 1000 < 600


@pytest.mark.parametrize("count", [1, 10])
def test_a_small_result_is_not_cut(count: int) -> None:
    records = [zone(number) for number in range(count)]
    assert fit(records) == [record.as_dict() for record in records]


def test_long_lists_are_cut_before_anything_else() -> None:
    record = zone(1)
    record.detail["drift"]["records"] *= 100
    cut = fit([record])[0]
    assert len(cut["detail"]["drift"]["records"]) == 300
    assert {**cut, "detail": None} == {**record.as_dict(), "detail": None}


def test_cutting_leaves_the_records_themselves_whole() -> None:
    records = [zone(number) for number in range(1000)]
    fit(records)
    assert len(records[0].detail["drift"]["records"]) == 30


def test_no_part_of_a_secret_is_left_by_a_cut() -> None:
    redactor = Redactor(["canary" * 20])
    records = [refused(number) for number in range(1000)]
    for record in records:
        record.fail(SyncError("bad_response", "x" * 100 + "canary" * 20))
    assert "canary" not in json.dumps(fit(records, redactor))


# -- the report -------------------------------------------------------------------------------------------------------


def test_a_report_is_json_for_its_owner_alone(tmp_path: pathlib.Path) -> None:
    path, old = tmp_path / "report.json", os.umask(0)
    try:
        write_report(str(path), {"at": NOW, "name": "zürich"}, [])
    finally:
        os.umask(old)
    assert json.loads(path.read_text()) == {"at": str(NOW), "name": "zürich", "syncs": []}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().endswith("\n")


def test_a_report_replaces_the_one_before_as_a_whole(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("x" * 1000)
    path.chmod(0o644)
    write_report(str(path), {}, [])
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ('{\n  "syncs": []\n}\n', 0o600)


def test_a_report_that_fails_leaves_the_one_before(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    path.write_text("before")

    def fail(source: str, target: str) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_report(str(path), {}, [])
    assert (path.read_text(), os.listdir(tmp_path)) == ("before", ["report.json"])


def test_a_report_may_lie_in_the_working_directory(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_report("report.json", {}, [])
    assert (tmp_path / "report.json").exists()


def test_few_diffs_are_all_shown() -> None:
    diffs = [{"before": "a\n", "after": "b\n"}] * 3
    assert fit_diffs(diffs) == diffs


def test_diffs_that_would_not_fit_into_an_event_are_counted() -> None:
    diffs = [{"before": "x" * 1000, "after": ""} for dummy in range(1000)]
    shown = fit_diffs(diffs)
    assert len(json.dumps(shown)) < DIFF_BYTES + 1000
    assert shown[:-1] == diffs[: len(shown) - 1]
    assert f"{1000 - len(shown) + 1} more targets differ" in shown[-1]["after"]
