# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report file is written in a stream, and results of many targets are small."""

from __future__ import annotations

import json
import os
import pathlib
import tracemalloc
import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record
from ansible_collections.lockstep.sync.plugins.module_utils._operations.report import write_report
from ansible_collections.lockstep.sync.plugins.module_utils._operations.result import BYTES_PER_TARGET, allowed_bytes, fit
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Batch
from tests.properties import thorough
from tests.unit.plugins.support.lab import Lab

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
entries = st.dictionaries(texts, values, max_size=4)


@thorough(100)
@given(head=st.dictionaries(texts.filter(lambda key: key != "syncs"), values, max_size=4), syncs=st.lists(entries, max_size=4))
def test_it_is_what_a_report_in_memory_would_be(
    tmp_path_factory: pytest.TempPathFactory, head: dict[str, t.Any], syncs: list[dict[str, t.Any]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "report.json"
    write_report(str(path), head, iter(syncs))
    assert path.read_text() == json.dumps({**head, "syncs": syncs}, indent=2) + "\n"


def large_entries(number: int) -> t.Iterator[dict[str, t.Any]]:
    for each in range(number):
        yield {"target": f"zone{each}.", "detail": {"records": ["x" * 50] * 1000}}


def test_its_entries_are_not_in_memory_together(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report.json"
    tracemalloc.start()
    try:
        write_report(str(path), {"changed": False}, large_entries(40))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 2_000_000
    assert peak < 1_000_000


def test_an_entry_that_cannot_be_made_leaves_the_report_before(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "report.json"
    write_report(str(path), {"first": True}, [])

    def broken() -> t.Iterator[dict[str, t.Any]]:
        yield {}
        raise KeyError("x")

    with pytest.raises(KeyError):
        write_report(str(path), {}, broken())
    assert json.loads(path.read_text()) == {"first": True, "syncs": []}
    assert os.listdir(tmp_path) == ["report.json"]


def records(number: int, detail: int) -> list[Record]:
    """Records with details of so many entries."""
    made = []
    for each in range(number):
        record = Record(f"zone{each:05}.example.com.", "fifth", "triggered", "succeeded", True)
        record.reason = "3 record set changes"
        record.detail = {"records": [{"name": f"host{line}", "before": "x" * 40, "after": "y" * 40} for line in range(detail)]}
        record.compact_detail = {"drift": {"creates": 1, "updates": 2, "deletes": 3}}
        made.append(record)
    return made


def test_what_is_cut_is_not_in_memory_before() -> None:
    made = records(300, 60)
    tracemalloc.start()
    try:
        found = fit(made)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(json.dumps(found)) <= allowed_bytes(300)
    assert peak < 4_000_000


@pytest.mark.parametrize("number", [250, 1000])
def test_with_diffs_a_result_is_below_what_its_records_may_have(lab: Lab, number: int) -> None:
    context = lab.new_context(diff=True, check_mode=True)
    batch = Batch({"max_parallel": 1, "poll_min_interval": 0.5}, context, Redactor())
    batch.records = records(number, 20)
    for record in batch.records:
        record.diff = {"before": "a\n" * 100, "after": "b\n" * 100}
    result = batch.result()
    assert len(json.dumps(result)) <= BYTES_PER_TARGET * number + 2000
    assert len(result["syncs"]) == number
    assert "more targets differ" in result["diff"][-1]["after"]
    assert len(result["diff"]) > 10
