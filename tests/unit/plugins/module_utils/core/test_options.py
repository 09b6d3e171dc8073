# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options: specs that can be added, and what an argument spec cannot check."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import (
    CONNECTION,
    SYNCING,
    WAITING,
    ArgumentSpec,
    check_connection,
    check_identities,
    check_waiting,
    from_env,
    list_of_names,
    secrets_in,
    text_of,
)
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.wait import wait_spec
from ansible_collections.lockstep.sync.plugins.module_utils._state.location import named_location
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import validated


def waiting(**options: t.Any) -> dict[str, t.Any]:
    return validated(WAITING + SYNCING, options)


OUT_OF_RANGE: list[tuple[str, float]] = [
    ("wait_timeout", -1),
    ("wait_timeout", 1e12),
    ("wait_timeout", float("nan")),
    ("wait_timeout", float("inf")),
    ("wait_timeout", 7 * 24 * 3600 + 1),
    ("poll_min_interval", 0),
    ("poll_min_interval", -0.5),
    ("poll_min_interval", float("nan")),
    ("poll_max_interval", 0),
    ("poll_max_interval", 1e12),
    ("poll_max_interval", float("nan")),
    ("outage_grace", -1),
    ("outage_grace", 1e12),
    ("outage_grace", float("nan")),
    ("settle_grace", -1),
    ("settle_grace", 1e12),
    ("settle_grace", float("nan")),
    ("max_parallel", 0),
    ("max_parallel", -8),
    ("max_parallel", 65),
    ("max_age", -1),
    ("max_age", float("nan")),
]


@pytest.mark.parametrize(("name", "value"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_named_with_option_value_and_remedy(name: str, value: float) -> None:
    with pytest.raises(SyncError) as caught:
        check_waiting(waiting(**{name: value}))
    error = caught.value
    assert error.code == "invalid_option"
    assert error.message.startswith(f"option {name}: {waiting(**{name: value})[name]!r} ")
    assert error.hint.startswith("Use a value ")


@pytest.mark.parametrize("value", [-1, 0, 1e12, float("nan"), float("inf")])
def test_a_request_time_out_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(SyncError, match="option request_timeout: ") as caught:
        check_connection(validated(CONNECTION, {"request_timeout": value}))
    assert (caught.value.code, bool(caught.value.hint)) == ("invalid_option", True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"wait_timeout": 0},
        {"wait_timeout": 7 * 24 * 3600},
        {"poll_min_interval": 5.0, "poll_max_interval": 5.0},
        {"settle_grace": 0},
        {"max_parallel": 1},
        {"max_age": 0},
        {"max_age": float("inf")},
        {"max_age": 1e12},
        {"release": "1.2"},
        {"report_path": "report.json"},
    ],
)
def test_values_at_the_limits_are_fine(options: dict[str, t.Any]) -> None:
    check_waiting(waiting(**options))


def test_intervals_have_to_be_in_order() -> None:
    with pytest.raises(SyncError, match=r"option poll_min_interval: 7\.0 .*poll_max_interval \(5\)") as caught:
        check_waiting(waiting(poll_min_interval=7))
    assert "poll_max_interval" in caught.value.hint


@pytest.mark.parametrize("release", ["", "  "])
def test_a_release_has_a_name(release: str) -> None:
    with pytest.raises(SyncError, match="option release: "):
        check_waiting(waiting(release=release))


def test_a_report_needs_a_place(tmp_path: pathlib.Path) -> None:
    for path, problem in ((tmp_path, "is a directory"), (tmp_path / "none" / "r.json", "does not exist")):
        with pytest.raises(SyncError, match=f"option report_path: .*{problem}"):
            check_waiting(waiting(report_path=str(path)))


@pytest.mark.parametrize("name", ["ca_path", "client_cert", "client_key"])
def test_files_have_to_exist(tmp_path: pathlib.Path, name: str) -> None:
    options = {"client_cert": __file__, "client_key": __file__, "ca_path": __file__}
    check_connection(validated(CONNECTION, options))
    with pytest.raises(SyncError, match=f"option {name}: .*does not exist"):
        check_connection(validated(CONNECTION, {**options, name: str(tmp_path / "none")}))


# -- lists ------------------------------------------------------------------------------------------------------------


def test_names_lose_the_blanks_around_them() -> None:
    assert list_of_names({"zones": [" a ", "b", 3]}, "zones") == ["a", "b", "3"]


@pytest.mark.parametrize("names", [[], [""], ["a", " "]])
def test_no_name_is_an_error(names: list[str]) -> None:
    with pytest.raises(SyncError, match="option zones: ") as caught:
        list_of_names({"zones": names}, "zones")
    assert caught.value.code == "invalid_option"


# -- specs ------------------------------------------------------------------------------------------------------------


def test_specs_add_up() -> None:
    one = ArgumentSpec({"a": {"type": "str"}}, required_together=(("a", "b"),), required_if=(("a", "x", ["b"]),))
    two = ArgumentSpec({"b": {"type": "int"}}, mutually_exclusive=(("a", "c"),), required_one_of=(("a", "b"),))
    assert (one + two).as_kwargs() == {
        "argument_spec": {"a": {"type": "str"}, "b": {"type": "int"}},
        "required_together": [["a", "b"]],
        "mutually_exclusive": [["a", "c"]],
        "required_one_of": [["a", "b"]],
        "required_if": [["a", "x", ["b"]]],
    }


def test_an_option_cannot_be_defined_twice() -> None:
    with pytest.raises(ValueError, match="max_parallel"):
        WAITING + ArgumentSpec({"max_parallel": {"type": "int"}})


def test_the_defaults_are_those_that_are_documented() -> None:
    options = validated(WAITING + SYNCING + CONNECTION, {})
    assert options == {
        "wait": True,
        "wait_timeout": 900.0,
        "poll_min_interval": 0.5,
        "poll_max_interval": 5.0,
        "on_timeout": "fail",
        "if_running": "join",
        "settle_grace": 30.0,
        "outage_grace": 60.0,
        "report_path": None,
        "max_age": None,
        "release": None,
        "force": False,
        "max_parallel": 8,
        "rate_limit": None,
        "ledger": None,
        "validate_certs": True,
        "ca_path": None,
        "client_cert": None,
        "client_key": None,
        "request_timeout": 30.0,
    }


def test_the_environment_names_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_LEDGER", "/state/ledger.sqlite3")
    assert named_location(waiting()["ledger"], os.environ) == "/state/ledger.sqlite3"


def test_the_first_environment_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ArgumentSpec({"url": {"type": "str", **from_env("FIRST", "SECOND")}})
    monkeypatch.setenv("SECOND", "two")
    assert validated(spec, {})["url"] == "two"
    monkeypatch.setenv("FIRST", "one")
    assert validated(spec, {})["url"] == "one"


def test_secrets_are_found_at_any_depth() -> None:
    spec = ArgumentSpec(
        {
            "token": {"type": "str", "no_log": True},
            "name": {"type": "str"},
            "backend": {"type": "dict", "options": {"key": {"type": "str", "no_log": True}, "port": {"type": "int"}}},
            "all": {"type": "list", "elements": "dict", "options": {"key": {"type": "str", "no_log": True}}},
        }
    )
    options = {"token": "1", "name": "2", "backend": {"key": "3", "port": 4}, "all": [{"key": "5"}, {"key": None}]}
    assert secrets_in(options, spec.arguments) == ["1", "3", "5"]
    assert secrets_in({"token": None, "backend": None, "all": None}, spec.arguments) == []


def test_a_provider_brings_its_own_options_and_gets_the_common_ones() -> None:
    names = set(sync_spec(Fifth).arguments)
    assert {"mirrors", "max_loss", "token", "api_url"} <= names
    assert set((WAITING + SYNCING + CONNECTION).arguments) <= names


def test_a_provider_needs_no_more_to_be_waited_for() -> None:
    spec = wait_spec({"fifth": Fifth}).arguments
    connection = spec["connections"]["options"]["fifth"]["options"]
    assert set(connection) == {"api_url", "token", *CONNECTION.arguments}
    assert connection["token"]["no_log"] is True
    # the environment may have what is missing here
    assert not any(option.get("required") for option in connection.values())
    assert "force" not in spec


IDENTITIES = ArgumentSpec(
    {"release": {"type": "str"}, "sites": {"type": "list", "elements": "str", "aliases": ["site"]}, "age": {"type": "float"}},
    texts=("release",),
    ids=("sites",),
)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"release": None, "sites": None},
        {"release": "2026.10", "sites": ["4.10", 12], "age": 1.5},
        {"release": "", "site": "a,b"},
        {"site": 12},
    ],
)
def test_text_and_whole_ids_are_identities(given: dict[str, t.Any]) -> None:
    check_identities(IDENTITIES, given)


@pytest.mark.parametrize(
    ("given", "option", "value"),
    [
        ({"release": 2026.1}, "release", "2026.1"),
        ({"release": 2026}, "release", "2026"),
        ({"release": False}, "release", "False"),
        ({"release": ["a"]}, "release", "['a']"),
        ({"release": {"a": 1}}, "release", "{'a': 1}"),
        ({"sites": 4.1}, "sites", "4.1"),
        ({"sites": ["a", 4.1]}, "sites", "4.1"),
        ({"site": [True]}, "site", "True"),
        ({"site": [None]}, "site", "None"),
        ({"site": [["a"]]}, "site", "['a']"),
        ({"site": {"a": 1}}, "site", "{'a': 1}"),
    ],
)
def test_what_is_not_text_is_refused_with_option_value_and_remedy(given: dict[str, t.Any], option: str, value: str) -> None:
    with pytest.raises(SyncError) as caught:
        check_identities(IDENTITIES, given)
    assert caught.value.code == "invalid_option"
    assert caught.value.message.startswith(f"option {option}: {value} is ")
    assert caught.value.hint


def test_the_remedy_for_a_number_is_to_quote_it() -> None:
    with pytest.raises(SyncError) as caught:
        text_of("release", 2026.1)
    assert (caught.value.message, caught.value.hint) == (
        "option release: 2026.1 is a number and not text",
        (
            "Put the value in quotes where it is defined, in the answer of a survey, too: without them, YAML reads"
            " 2026.10 as 2026.1 and no as false."
        ),
    )


def test_the_text_of_a_whole_number_is_exact() -> None:
    assert (text_of("site", 12, whole_numbers=True), text_of("site", "012")) == ("12", "012")


def test_identities_are_added_like_the_rest_of_a_spec() -> None:
    spec = IDENTITIES + ArgumentSpec({"zones": {"type": "list"}}, ids=("zones",))
    assert (spec.texts, spec.ids) == (("release",), ("sites", "zones"))
