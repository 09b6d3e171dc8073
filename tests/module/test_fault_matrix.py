# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault matrix: all of it with ``--soak``; with ``--long``, each fault and each call at least once."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from tests.conftest import Repeats
from tests.reliability.cases import CASES, Case
from tests.reliability.faults import FAULTS
from tests.reliability.matrix import CODES, MEMORY, WAIT, Ended, Row, benches, check, sample
from tests.reliability.proxy import Call

SEED = 7
#: runs at the same time
AT_ONCE = 2


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_fault_breaks_a_promise(case: Case, repeats: Repeats) -> None:
    number = CASES.index(case)
    with benches(AT_ONCE, [case.part]) as matrix:
        rows = matrix.rows(case)
        chosen = rows if repeats(0, 0, 1) else sample(rows, FAULTS[number :: len(CASES)], SEED + number)
        allowance = matrix.allowance()
        wrong: dict[str, Any] = {}
        for ended in matrix.run(chosen):
            # how long processes take at this moment, if one is late
            found = check(ended, max(allowance, matrix.allowance()) if check(ended, allowance) else allowance)
            if found:
                wrong[str(ended.row)] = (found, ended)
    assert wrong == {}


RECORD = {"action": "triggered", "state": "succeeded", "changed": True, "changed_basis": "observed", "failure": None}
REFUSED = {"action": "refused", "state": "not_started", "changed": False, "changed_basis": "observed"}


def failure(code: str) -> dict[str, Any]:
    return {"failure": {"code": code, "message": "", "hint": "", "http_status": None}}


def ended(record: dict[str, Any], **more: Any) -> Ended:
    """A run as it should be, but for what is given."""
    failed = record.get("failure") is not None
    row = Row(CASES[0], Call("trigger", "GET", "/sync"), FAULTS[0], "module", False, False, 0)
    output = json.dumps({"syncs": [record], "changed": True, **({"failed": True} if failed else {})})
    return dataclasses.replace(Ended(row, True, 1, 1, "succeeded", int(failed), output, "", 1.0, 50.0), **more)


def test_a_run_as_it_should_be() -> None:
    assert check(ended(RECORD), 0) == []
    assert check(ended({**REFUSED, **failure("connection_failed")}, sent=0, executed=0, truth="none"), 0) == []
    assert "outcome_unknown" in CODES and "staging_disabled" in CODES


@pytest.mark.parametrize(
    ("run", "found"),
    [
        (ended(RECORD, executed=2), "triggered twice"),
        (ended(RECORD, truth="failed"), "succeeded, though the sync did not"),
        (ended(RECORD, truth="running"), "succeeded, though the sync did not"),
        (ended({**REFUSED, **failure("connection_failed")}), "nothing was started, though it was"),
        (ended({**RECORD, **failure("internal_error")}), "a code that is not documented"),
        (ended({**RECORD, "state": "running"}), "no failure, and no success"),
        (ended({**RECORD, "changed": False}), "no change, though there may be one"),
        (ended(RECORD, sent=0, executed=0, truth="none"), "changed as observed, though nothing ran"),
        (ended(RECORD, sent=0, executed=0), "triggered, though nothing was sent"),
        (ended(RECORD, seconds=WAIT + 2.1), "too late"),
        (ended(RECORD, mebibytes=MEMORY + 1), "too large"),
        (ended(RECORD, errors="Traceback (most recent call last)"), "a traceback"),
        (ended(RECORD, output='{"syncs": [{"polls": NaN}]}'), "no result"),
        (ended(RECORD, code=1), "another exit status"),
    ],
)
def test_what_is_wrong_with_a_run_is_found(run: Ended, found: str) -> None:
    assert found in check(run, 0)
