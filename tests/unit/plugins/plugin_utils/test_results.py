# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests and filters for registered results."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lockstep.sync.plugins.filter.drift_table import drift_table
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.table import width
from ansible_collections.lockstep.sync.plugins.test import (
    fresh as fresh_plugin,
    refused as refused_plugin,
    synced as synced_plugin,
    timed_out as timed_out_plugin,
)

synced, fresh = synced_plugin.TestModule().tests()["synced"], fresh_plugin.TestModule().tests()["fresh"]
timed_out, refused = timed_out_plugin.TestModule().tests()["timed_out"], refused_plugin.TestModule().tests()["refused"]


def record(action: str, state: str, code: str | None = None, **more: t.Any) -> dict[str, t.Any]:
    failure = None if code is None else {"code": code, "message": "m", "hint": "h", "http_status": None}
    timed = code == "timed_out"
    return {"target": "a.", "action": action, "state": state, "failure": failure, "timed_out": timed, "detail": {}, **more}


DONE, SKIPPED = record("triggered", "succeeded"), record("skipped", "not_started")
LATE, RUNNING = record("triggered", "running", "timed_out"), record("triggered", "running")
GUARDED, UNKNOWN = record("refused", "not_started", "guard_refused"), record("triggered", "unknown", "outcome_unknown")
PLANNED, BROKEN = record("would_trigger", "not_started"), record("triggered", "failed", "run_failed")
FAILED_BEFORE = {"failed": True, "msg": "m", "changed": False, "syncs": [], "failure": {"code": "invalid_option"}}


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([DONE], "synced"),
        ([SKIPPED], "synced fresh"),
        ([DONE, SKIPPED], "synced"),
        ([DONE, LATE], "timed_out"),
        ([RUNNING], ""),
        ([SKIPPED, GUARDED], "refused"),
        ([UNKNOWN], ""),
        ([PLANNED], ""),
        ([BROKEN], ""),
        ([LATE, GUARDED], "timed_out refused"),
    ],
)
def test_what_results_are(records: list[dict[str, t.Any]], expected: str) -> None:
    bulk = {"changed": True, "syncs": records, "summary": {}}
    loop = {"changed": True, "results": [{"item": each["target"], "syncs": [each]} for each in records]}
    skipped_item = {"changed": False, "skipped": True, "item": "x"}
    for value in (bulk, loop, [bulk], records, {**loop, "results": [*loop["results"], skipped_item]}):
        tests = {"synced": synced, "fresh": fresh, "timed_out": timed_out, "refused": refused}
        assert [name for name, holds in tests.items() if holds(value)] == expected.split(), value


def test_refusals_by_their_code() -> None:
    denied = record("refused", "not_started", "permission_denied")
    assert refused([denied], "permission_denied") and not refused([denied], "guard_refused") and refused([denied])
    assert refused(FAILED_BEFORE, "invalid_option") and not synced(FAILED_BEFORE)
    # an argument that Ansible itself refuses
    assert refused({"failed": True, "msg": "missing required arguments: zones"}) and not timed_out({"failed": True, "msg": "m"})


def test_info_modules() -> None:
    zones = [{"zone": "a.", "in_sync": True, "age": 5000.0}, {"zone": "b.", "in_sync": None, "age": 50.0}]
    assert synced({"zones": zones[:1]}) and fresh(zones[0]) and not synced({"zones": zones}) and not fresh({"zones": zones})
    assert fresh({"zones": zones}, 60) and fresh({"zones": zones}, max_age="60") and not fresh({"zones": zones}, 40)
    assert synced({"sites": [{"site": "shop", "in_sync": True, "failure": None}]})
    assert not synced({"sites": [{"site": "shop", "in_sync": True, "failure": {"code": "bad_response"}}]})
    assert not fresh({"zones": [{"zone": "c.", "exists": False, "age": None}]}, 60)


def test_nothing_is_neither_synced_nor_refused() -> None:
    for value in ({"changed": False, "skipped": True}, [], {"syncs": []}, {"ansible_job_id": "1.2", "finished": 0}):
        assert not any(holds(value) for holds in (synced, fresh, timed_out, refused))


@pytest.mark.parametrize("value", ["text", None, 5, {"a": 1}, [3]])
def test_what_is_no_result_is_an_error(value: object) -> None:
    for holds in (synced, fresh, timed_out, refused, drift_table):
        with pytest.raises(AnsibleFilterError, match=r"lockstep\.sync\.\w+: .* is no result of a module"):
            holds(value)


CHANGES = [
    {"name": "new", "type": "A", "action": "create", "before": None, "after": {"ttl": 300, "records": ["198.51.100.1"]}},
    {
        "name": "www",
        "type": "A",
        "action": "update",
        "before": {"ttl": 300, "records": ["192.0.2.1", "192.0.2.2"]},
        "after": {"ttl": 60, "records": ["192.0.2.1"]},
    },
    {
        "name": "old",
        "type": "TXT",
        "action": "delete",
        "before": {"ttl": 5, "records": ['"a|b"']},
        "after": None,
        "ignored": True,
    },
]
DRIFT = {"creates": 1, "updates": 1, "deletes": 1, "in_sync": False, "records": CHANGES, "truncated": False}
QUIET = {"creates": 0, "updates": 0, "deletes": 0, "in_sync": True, "records": []}


def test_text_table() -> None:
    zones = [{"zone": "a.example.", "drift": DRIFT}, {"zone": "b.example.", "drift": QUIET}, {"zone": "c.", "in_sync": None}]
    assert drift_table({"zones": zones}).splitlines() == [
        "a.example.: 1 to create, 1 to update, 1 to delete",
        "action            name  type  before                    after",
        "create            new   A     -                         300 198.51.100.1",
        "update            www   A     300 192.0.2.1, 192.0.2.2  60 192.0.2.1",
        'delete (ignored)  old   TXT   5 "a|b"                   -',
        "",
        "b.example.: in sync",
        "",
        "c.: drift is not known",
    ]
    as_record = {"syncs": [{"target": "a.example.", "action": "would_trigger", "detail": {"drift": DRIFT}}]}
    assert drift_table(as_record) == drift_table({"zones": zones[:1]})
    assert drift_table(DRIFT).splitlines()[0] == "1 to create, 1 to update, 1 to delete"


def test_text_fits_into_its_width_and_controls_no_terminal() -> None:
    row = {"name": "\x1b[31m" + "x" * 90, "type": "TXT", "action": "create", "after": {"ttl": 1, "records": ["漢" * 90]}}
    shown = drift_table({"zone": "a." * 60, "drift": {**DRIFT, "records": [row] * 3}}, limit=2, width=60)
    assert max(map(width, shown.splitlines())) <= 60 and "\x1b" not in shown
    assert shown.splitlines()[-1] == "… and 1 more" and shown.count("…") > 2


def test_markdown_table() -> None:
    assert drift_table({"zone": "*a*.example.", "drift": DRIFT}, "markdown").splitlines() == [
        r"### \*a\*.example.",
        "",
        "1 to create, 1 to update, 1 to delete",
        "",
        "| action | name | type | before | after |",
        "| --- | --- | --- | --- | --- |",
        "| create | `new` | A | `-` | `300 198.51.100.1` |",
        "| update | `www` | A | `300 192.0.2.1, 192.0.2.2` | `60 192.0.2.1` |",
        '| delete (ignored) | `old` | TXT | `5 "a\\|b"` | `-` |',
    ]
    cut = drift_table({"zone": "a.", "drift": {**DRIFT, "deletes": 7}}, "markdown", limit=1)
    assert cut.splitlines()[-2:] == ["", "… and 8 more"]


def test_unknown_format() -> None:
    with pytest.raises(AnsibleFilterError, match="Use one of text, markdown"):
        drift_table([], "html")
