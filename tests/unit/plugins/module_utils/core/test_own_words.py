# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words of our own stay words, whatever the secrets are."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import MASK, Redactor, harmless_json
from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import WORDS


@pytest.mark.parametrize("word", sorted(WORDS))
def test_a_word_of_ours_in_a_field_of_ours_is_left(word: str) -> None:
    entry = {"state": word, "detail": {"drift": {"records": [{"action": word}]}}, word: 1}
    assert Redactor([word]).scrub(entry) == entry


def test_everywhere_else_it_is_masked() -> None:
    redactor = Redactor(["running"])
    assert redactor.scrub({"message": "it says running", "Echo": "running", "list": ["running"]}) == {
        "message": f"it says {MASK}",
        "Echo": MASK,
        "list": [MASK],
    }


def test_further_words_can_be_named() -> None:
    assert Redactor(["staging"], ["staging"]).scrub({"phase": "staging", "text": "staging!"}) == {
        "phase": "staging",
        "text": f"{MASK}!",
    }


def test_dates_of_ours_are_left() -> None:
    entry = {"started_at": "2026-11-20T21:45:12Z", "day": "2026-11-20", "note": "in 2026-11"}
    assert Redactor(["2026"]).scrub(entry) == {**entry, "note": f"in {MASK}-11"}


def test_targets_and_handles_stay_usable_wherever_they_are() -> None:
    redactor = Redactor(["studio", "x"])
    redactor.publish("http://host/studio")
    entry = {"targets": [{"target": "box", "sync": {"handle": {"address": "http://host/studio"}}, "reason": "box"}]}
    assert redactor.scrub(entry) == {"targets": [{**entry["targets"][0], "reason": f"bo{MASK}"}]}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_results_have_no_numbers_that_json_has_not(number: float) -> None:
    for clean in (Redactor().scrub, harmless_json):
        assert clean({"a": [number, {"b": number}], "c": 1.5}) == {"a": [None, {"b": None}], "c": 1.5}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet=st.characters(), max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_whatever_is_scrubbed_is_json_in_utf_8(value: object) -> None:
    text = json.dumps(Redactor(["secret"]).scrub({"value": value}), allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")
