# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patterns that take longer than anyone can wait."""

from __future__ import annotations

import dataclasses
import re
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._probe import patterns
from ansible_collections.lockstep.sync.plugins.module_utils._probe.address import Address
from ansible_collections.lockstep.sync.plugins.module_utils._probe.expect import Expectation, HttpResponse, JsonRule
from ansible_collections.lockstep.sync.plugins.module_utils._probe.jsonpath import parse_path
from ansible_collections.lockstep.sync.plugins.module_utils._probe.options import Probe
from ansible_collections.lockstep.sync.plugins.module_utils._probe.patterns import LimitedSearch, TooSlow
from ansible_collections.lockstep.sync.plugins.module_utils._probe.run import make_attempt

#: each of them would take years
ENDLESS = {"(a+)+$": "a" * 60 + "!", "(a|a)*b": "a" * 60, "(?s)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)!": "a" * 3000}
ADDRESS = Address("http://127.0.0.1/", "http://127.0.0.1/")


@pytest.mark.parametrize(("pattern", "text"), ENDLESS.items())
def test_an_endless_search_is_given_up(pattern: str, text: str) -> None:
    with pytest.raises(TooSlow):
        LimitedSearch(0.5)(re.compile(pattern), text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("a+b", "xaab"),
        ("a+b", "xaa"),
        ("(?i)ÄB|c", "äb"),
        ("^b.*$", "a\nb"),
        ("(?m)^b.*$", "a\nb"),
        ("\ud800?x", "\ud800x\0"),
        ("b", "abc"),
    ],
    ids=ascii,
)
def test_any_other_has_the_result_that_it_has_without_a_limit(pattern: str, text: str) -> None:
    compiled = re.compile(pattern)
    assert LimitedSearch(120)(compiled, text) == (compiled.search(text) is not None)


def test_a_pattern_that_has_one_way_to_match_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        raise AssertionError("no process")

    monkeypatch.setattr(patterns.subprocess, "run", run)
    assert LimitedSearch(1)(re.compile(r"<title>Shop \d\.\d[ab]</title>$"), "<title>Shop 1.2a</title>")


@pytest.mark.parametrize("where", ["headers", "regex", "not_regex", "json"])
def test_it_is_a_problem_of_the_probe(where: str) -> None:
    endless = re.compile("(a+)+$")
    text = "a" * 60 + "!"
    wanted = {
        "headers": Expectation(headers=(("X", endless),)),
        "regex": Expectation(regex=endless),
        "not_regex": Expectation(not_regex=endless),
        "json": Expectation(json=(JsonRule("x", parse_path("x"), regex=endless),)),
    }[where]
    body = f'{{"x": "{text}"}}' if where == "json" else text
    seen = HttpResponse(200, {"X": text}, body.encode(), 0.1)
    probe = Probe("site", ADDRESS, dataclasses.replace(wanted), request_timeout=0.5)
    result = make_attempt(probe, SystemClock(), lambda *args: seen)
    (problem,) = result.problems
    assert problem.startswith("the search for '(a+)+$' was given up (no result within 0.5 s)")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_body_with_numbers_that_json_has_not_is_no_json(number: str) -> None:
    wanted = Expectation(json=(JsonRule("x", parse_path("x"), exists=True),))
    seen = HttpResponse(200, {}, f'{{"x": {number}}}'.encode(), 0.1)
    result = make_attempt(Probe("site", ADDRESS, wanted), SystemClock(), lambda *args: seen)
    assert "is not JSON" in result.problems[0]
