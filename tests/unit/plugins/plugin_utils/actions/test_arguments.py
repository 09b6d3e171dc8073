# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of roles, as YAML, a survey or a command line passes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.arguments import (
    ArgumentType,
    RoleArguments,
    list_of,
    read_arguments,
)

TYPES: dict[str, ArgumentType] = {
    "release": {"type": "str", "default": "", "identity": True},
    "zones": {"type": "list", "elements": "str", "default": [], "identity": True},
    "ids": {"type": "list", "elements": "str", "default": [], "identity": True, "whole_numbers": True},
    "approve": {"type": "dict", "default": {}},
    "wait": {"type": "float", "default": 5.0},
    "count": {"type": "int", "default": 3},
    "force": {"type": "bool", "default": False},
    "mode": {"type": "str", "choices": ["auto", "never"], "default": "auto"},
    "ledger": {"type": "path", "default": "", "aliases": ["ledger_path"]},
    "servers": {"type": "list", "elements": "dict", "options": {"name": {"type": "str", "required": True}}},
}


def read(**given: object) -> RoleArguments:
    return read_arguments(given, TYPES, "role_")


def problem(**given: object) -> str:
    with pytest.raises(SyncError) as caught:
        read(**given)
    assert caught.value.code == "invalid_option"
    return f"{caught.value.message}. {caught.value.hint}"


def test_defaults() -> None:
    found = read()
    assert (found.text("release"), found.texts("zones"), found.mapping("approve"), found.entries("servers")) == ("", (), {}, ())
    assert (found.number("wait"), found.integer("count"), found.flag("force"), found.text("mode")) == (5.0, 3, False, "auto")


def test_defaults_are_not_shared() -> None:
    read().mapping("approve")["a"] = "b"
    read_arguments({}, TYPES, "").values["approve"]["a"] = "b"  # type: ignore[index]
    assert read().mapping("approve") == {}


@pytest.mark.parametrize("name", sorted(TYPES))
@pytest.mark.parametrize("empty", ["", "  ", "\n", None])
def test_an_empty_answer_is_not_given(name: str, empty: str | None) -> None:
    assert read(**{name: empty}) == read()


@pytest.mark.parametrize(
    "text",
    [
        "a.example.\nb.example.\n",
        "a.example.\r\nb.example.",
        "a.example., b.example.",
        "a.example.,b.example.,",
        '["a.example.", "b.example."]',
        ' ["a.example.",\n "b.example."]\n',
        "a.example.,\nb.example.",
        ["a.example.", "b.example."],
        ("a.example.", "b.example."),
    ],
)
def test_lists(text: object) -> None:
    assert read(zones=text).texts("zones") == ("a.example.", "b.example.")


@pytest.mark.parametrize(
    "value",
    [
        {"a.example.": "1f0c", "b.example.": "2e1d"},
        '{"a.example.": "1f0c", "b.example.": "2e1d"}',
        "a.example.=1f0c,b.example.=2e1d",
        "a.example.=1f0c b.example.=2e1d",
        "a.example.=1f0c\nb.example.=2e1d\n",
    ],
)
def test_mappings(value: object) -> None:
    assert read(approve=value).mapping("approve") == {"a.example.": "1f0c", "b.example.": "2e1d"}


@pytest.mark.parametrize(
    "value",
    [
        [{"name": "one"}, {"name": "two"}],
        json.dumps([{"name": "one"}, {"name": "two"}]),
        '{"name": "one"}\n{"name": "two"}',
        ['{"name": "one"}', "name=two"],
    ],
)
def test_lists_of_mappings(value: object) -> None:
    assert [entry.text("name") for entry in read(servers=value).entries("servers")] == ["one", "two"]


def test_a_single_mapping_as_text_is_a_list_of_one() -> None:
    assert [entry.text("name") for entry in read(servers='{"name": "one"}').entries("servers")] == ["one"]
    assert list_of(7, "x") == ["7"]


def test_numbers_and_truth() -> None:
    found = read(wait="2.5", count="7", force="yes", mode="never")
    assert (found.number("wait"), found.integer("count"), found.flag("force"), found.text("mode")) == (2.5, 7, True, "never")


@pytest.mark.parametrize("value", [2026.1, 2026, True])
def test_an_identity_is_text(value: object) -> None:
    assert f"option role_release: {value!r} is a" in problem(release=value)
    assert "not text. Put the value in quotes" in problem(release=value)
    assert f"option role_zones[1]: {value!r} is a" in problem(zones=["a", value])
    assert read(release="2026.10").text("release") == "2026.10"


def test_an_id_may_be_a_whole_number() -> None:
    assert read(ids=[88, "shop"]).texts("ids") == ("88", "shop")
    assert "option role_ids[0]: 8.5 is a number and not text" in problem(ids=[8.5])


def test_aliases() -> None:
    assert read(ledger_path="/a").text("ledger") == "/a"
    assert read(ledger_path="/a", ledger="/b").text("ledger") == "/b"
    assert read(ledger="/b", ledger_path="/a").text("ledger") == "/b"
    assert read(ledger="", ledger_path="/a").text("ledger") == "/a"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"wiat": 1}, "option role_wiat does not exist. Did you mean wait?"),
        ({"qqqq": 1}, "There are: approve, count"),
        ({"wait": "soon"}, "option role_wait: 'soon' is not a number. Give a number"),
        ({"count": "1.5"}, "option role_count: '1.5' is not a whole number"),
        ({"force": "perhaps"}, "option role_force: 'perhaps' is not a truth value"),
        ({"mode": "x"}, "option role_mode: 'x' is not possible. Choose one of auto, never."),
        ({"approve": "x"}, "option role_approve: 'str' is not a mapping"),
        ({"approve": ["hunter2"]}, "option role_approve: 'list' is not a mapping"),
        ({"zones": {"hunter2": 1}}, "option role_zones: 'dict' is not a list"),
        ({"release": ["hunter2"]}, "option role_release: 'list' is not a text"),
        ({"servers": [{}]}, "option role_servers[0].name is missing. Give it a value."),
        ({"servers": [{"name": "a", "nmae": "b"}]}, "option role_servers[0].nmae does not exist. Did you mean name?"),
        ({"servers": ["hunter2"]}, "option role_servers[0]: 'str' is not a mapping"),
    ],
)
def test_problems(given: dict[str, Any], words: str) -> None:
    found = problem(**given)
    assert words in found
    assert "hunter2" not in found
