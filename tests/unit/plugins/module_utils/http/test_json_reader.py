# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON of a server: what is not of the documented form is named."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.json_reader import Form, JsonReader
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response

FIELDS: dict[str, Form] = {
    "id": "number",
    "name": "text",
    "zone": "object",
    "rows": "list",
    "note": "text_or_null",
    "count": "number_or_null",
}
GOOD: dict[str, t.Any] = {"id": 7, "name": "seven", "zone": {}, "rows": []}


def reader(body: object) -> JsonReader:
    return JsonReader(Response("GET", "https://h/things", 200, {}, json.dumps(body).encode()), "Check api_url.")


def refused(read: t.Callable[[], object]) -> str:
    with pytest.raises(SyncError) as caught:
        read()
    assert (caught.value.code, caught.value.http_status, caught.value.hint) == ("bad_response", 200, "Check api_url.")
    before, dummy, problem = caught.value.message.partition(" (HTTP 200) ")
    assert before == "the answer to GET /things"
    return problem


@pytest.mark.parametrize("more", [{}, {"note": None, "count": None}, {"note": "x", "count": 3}, {"id": "7", "else": []}])
def test_what_has_the_documented_form_is_read(more: dict[str, t.Any]) -> None:
    thing = {**GOOD, **more}
    assert reader(thing).object_at(**FIELDS) == thing
    assert reader({"a": {"b": thing}}).object_at("a", "b", **FIELDS) == thing
    assert reader({"things": [thing, thing]}).rows_at("things", **FIELDS) == [thing, thing]
    assert reader([]).rows_at(**FIELDS) == []


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("id", "seven", "has no number in things[1].id"),
        ("id", True, "has no number in things[1].id"),
        ("id", 1.5, "has no number in things[1].id"),
        ("id", None, "has no number in things[1].id"),
        ("name", 7, "has no text in things[1].name"),
        ("zone", [], "has no object in things[1].zone"),
        ("rows", {}, "has no list in things[1].rows"),
        ("note", 5, "has no text in things[1].note"),
        ("count", "many", "has no number in things[1].count"),
    ],
)
def test_a_field_of_another_form_is_named_with_its_place(field: str, value: object, problem: str) -> None:
    things = {"things": [GOOD, {**GOOD, field: value}]}
    assert refused(lambda: reader(things).rows_at("things", **FIELDS)) == problem


@pytest.mark.parametrize("body", [None, 5, "x", []])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    assert refused(lambda: reader(body).object_at(**FIELDS)) == "is not an object"
    assert refused(lambda: reader(body).rows_at("things")) == "has no list in things"
    assert refused(lambda: reader(body).number_at("count")) == "has no number in count"


def test_a_list_of_something_else_than_objects_is_refused() -> None:
    assert refused(lambda: reader({}).rows_at()) == "is not a list"
    assert refused(lambda: reader({"things": [GOOD, 5]}).rows_at("things")) == "has no object in things[1]"


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (12, 12), ("012", 12)])
def test_a_whole_number_may_be_written_as_text(value: object, expected: int) -> None:
    assert reader({"a": {"count": value}}).number_at("a", "count") == expected


def test_secrets_are_dropped_before_anything_is_read() -> None:
    response = Response("GET", "https://h/things", 200, {}, b'{"name": "x", "key": "canary"}')
    cleaned = JsonReader(response, "", lambda body: {"name": body["name"]})
    assert cleaned.body == cleaned.object_at(name="text") == {"name": "x"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(FIELDS)), inner, max_size=4),
    max_leaves=10,
)


@given(body=JSON)
def test_no_body_whatever_raises_anything_else(body: t.Any) -> None:
    for read in (
        lambda: int(reader(body).object_at(**FIELDS)["id"]),
        lambda: [row["name"].strip() for row in reader(body).rows_at("rows", name="text")],
        lambda: reader(body).number_at("zone", "id"),
    ):
        try:
            read()
        except SyncError as error:
            assert error.code == "bad_response"  # noqa: PT017 (most of them raise, but not all)
