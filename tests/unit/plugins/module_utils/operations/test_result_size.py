# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of many zones that all differ, as the module prints it: less than 600 bytes for each, with everything around."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
import pathlib
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import Options
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import Drift
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record
from ansible_collections.lockstep.sync.plugins.module_utils._operations.module import run_as_module
from ansible_collections.lockstep.sync.plugins.module_utils._operations.operation import Operation
from ansible_collections.lockstep.sync.plugins.module_utils._operations.result import MAX_WARNINGS
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Batch, Context
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.evidence import ZoneEvidence
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.provider import VinylDNS
from tests.unit.plugins.module_utils.dns.zones import plan, rr, soa, stored_soa, synced

#: 30 characters
ZONE = "zone-%05d.internal.example.com"
WHEN = dt.datetime(2026, 11, 1, 12, 0, 0, tzinfo=dt.timezone.utc)
SERIAL = 2026110100

Change = t.Callable[[Record], None]


@pytest.fixture(autouse=True)
def _no_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module process has not imported what other tests import: warnings are part of its result, and not displayed."""
    monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)


@functools.cache
def drift() -> Drift:
    """One record set to create, one to update, one to delete, and the SOA."""
    backend = [soa(SERIAL + 1), rr("new", "A", "198.51.100.1"), rr("host01", "A", "192.0.2.1")]
    return plan(backend, [stored_soa(SERIAL), synced("host01", "A", "192.0.2.1", ttl=60), synced("host02", "A", "192.0.2.2")])


def planned(number: int, change: Change | None = None) -> Record:
    """A zone that differs, in check mode."""
    found, observation = dataclasses.replace(drift(), zone=f"{ZONE % number}."), Observation()
    counts = {"in_sync": False, "record_sets": 14, "stored_serial": SERIAL}
    reason = f"drift: {found.creates} to create, {found.updates} to update, {found.deletes} to delete"
    ZoneEvidence(found, found.serial, False, reason, result={**found.to_result(), **counts}).apply_to(observation)
    record = Record(found.zone, "vinyldns", "would_trigger", changed=True, changed_basis="predicted", reason=observation.reason)
    record.detail, record.compact_detail = dict(observation.detail), dict(observation.compact_detail)
    record.diff, record.elapsed, record.requests = observation.diff, 12.3456, 2
    if change is not None:
        change(record)
    return record


def synced_since(record: Record) -> None:
    """It has been synced."""
    record.action, record.state, record.changed_basis = "triggered", "succeeded", "observed"
    record.started_at = record.finished_at = WHEN
    record.polls, record.requests = 12, 34
    record.compact_detail["fidelity"] = record.detail["fidelity"] = "exact"


def warned(record: Record) -> None:
    record.warnings.append(f"{record.target}: VinylDNS cannot represent a record set: a sync does not remove this drift")


def late(record: Record) -> None:
    """A failure that ``on_timeout: warn`` has as a warning."""
    synced_since(record)
    record.fail(SyncError("timed_out", "not finished within wait_timeout (900 s, 212 polls), last seen as Pending"))


def batch(options: Options, context: Context, change: Change | None) -> Batch:
    made = Batch(options, context, Redactor())
    made.records = [planned(number, change) for number in range(len(options["zones"]))]
    return made


def printed(
    capsys: pytest.CaptureFixture[str], number: int, change: Change | None, check: bool = True, **options: t.Any
) -> tuple[dict[str, t.Any], float]:
    """What the module prints for so many zones with ``--diff``, and its bytes a zone."""
    given = {"api_url": "https://vinyldns.example.com", "access_key": "key", "secret_key": "secret"}
    given["zones"] = [ZONE % each for each in range(number)]
    given["backend"] = {"server": "192.0.2.53", "tsig_name": "key.", "tsig_secret": "c2VjcmV0"}
    given["_ansible_diff"], given["_ansible_check_mode"] = True, check

    def run(validated: Options, context: Context) -> dict[str, t.Any]:
        return batch(validated, context, change).result()

    with patch_module_args({**given, **options}), pytest.raises(SystemExit):
        run_as_module(Operation(sync_spec(VinylDNS), run))
    text = capsys.readouterr().out.strip()
    return json.loads(text), len(text.encode()) / number


@pytest.mark.parametrize("number", [1000, pytest.param(10_000, marks=pytest.mark.long)])
@pytest.mark.parametrize(("change", "check"), [(None, True), (synced_since, False)])
def test_zones_that_differ_stay_below_600_bytes_each(
    capsys: pytest.CaptureFixture[str], number: int, change: Change | None, check: bool
) -> None:
    result, size = printed(capsys, number, change, check)
    assert size < 600
    assert len(result["syncs"]) == number and all(record["detail"]["cut"] for record in result["syncs"])
    for record in result["syncs"][:: number // 10]:
        drift = record["detail"]["drift"]
        assert (drift["creates"], drift["updates"], drift["deletes"], len(drift["digest"])) == (1, 2, 1, 32)
    assert f"{number - len(result['diff']) + 1} more targets differ" in result["diff"][-1]["after"]


def test_the_whole_is_in_the_report(capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report.json"
    result, _size = printed(capsys, 250, synced_since, check=False, report_path=str(path))
    assert {record["started_at"] for record in result["syncs"]} == {None}
    reported = json.loads(path.read_text())["syncs"][7]
    assert reported["reason"] == "drift: 1 to create, 2 to update, 1 to delete"
    assert reported["started_at"] == reported["finished_at"] == "2026-11-01T12:00:00Z"
    assert len(reported["detail"]["drift"]["records"]) == 4


def test_reasons_and_dates_are_there_as_long_as_there_is_room(capsys: pytest.CaptureFixture[str]) -> None:
    def in_sync(record: Record) -> None:
        synced_since(record)
        record.reason, record.compact_detail, record.diff = "synced", {"effect": {"creates": 1}}, None

    result, size = printed(capsys, 1000, in_sync, check=False)
    assert size < 600
    assert {(record["reason"], record["started_at"]) for record in result["syncs"]} == {("synced", "2026-11-01T12:00:00Z")}


@pytest.mark.parametrize(("change", "what"), [(warned, "cannot represent"), (late, "not finished within wait_timeout")])
def test_warnings_are_counted_where_they_would_take_the_room(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, change: Change, what: str
) -> None:
    path = tmp_path / "report.json"
    result, size = printed(capsys, 1000, change, report_path=str(path), on_timeout="warn")
    # warnings of other tests stay in the process
    shown = list(map(str, result["warnings"]))
    assert sum(what in text for text in shown) == MAX_WARNINGS and any("980 more warnings" in text for text in shown)
    assert len(json.loads(path.read_text())["warnings"]) == 1000
    assert size < 600 or change is late


def test_the_arguments_do_not_have_all_names_again(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = printed(capsys, 1000, None)[0]["invocation"]["module_args"]
    assert len(arguments["zones"]) == 11 and arguments["zones"][-1] == "and 990 more"
    assert arguments["backend"]["tsig_secret"] == arguments["secret_key"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def test_the_arguments_of_a_few_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    result = printed(capsys, 20, None)[0]
    assert result["invocation"]["module_args"]["zones"] == [ZONE % each for each in range(20)]
    assert len(result["diff"]) == 20


@pytest.mark.parametrize("number", [250, 1000])
def test_a_role_is_given_diffs_and_warnings_whatever_the_size_of_the_records(number: int) -> None:
    context = Context(check_mode=True, diff=True, environ={"LOCKSTEP_CALLED_BY_ROLE": "dns_reconciliation_"})
    options: Options = {"zones": [""] * number, "max_parallel": 1, "poll_min_interval": 0.5}
    result = batch(options, context, warned).result()
    assert len(result["diff"]) > 50 and len(result["warnings"]) == number
