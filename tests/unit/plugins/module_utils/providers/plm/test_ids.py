# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ids of synchronizers, in requests and in the response to the trigger."""

from __future__ import annotations

import re
import typing as t

import pytest
import requests
import urllib3.util
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import Ambiguous, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import api
from tests.unit.plugins.module_utils.providers.plm.media_manager import DONE, ID, URL, described, provider, response


@given(st.from_regex(api.ID, fullmatch=True))
def test_ids_stay_as_they_are_on_their_way(identifier: str) -> None:
    """An encoded ``$`` or ``+`` would be a 404, and nothing in an id may lead to another path."""
    prepared = requests.Request("GET", f"{URL}{api.PATH}/{identifier}").prepare()
    assert prepared.path_url == f"/api/media-manager/v0{api.PATH}/{identifier}"
    assert urllib3.util.parse_url(t.cast(str, prepared.url)).request_uri == prepared.path_url


@given(st.from_regex(api.ID, fullmatch=True))
def test_every_id_matches_the_published_grammar(identifier: str) -> None:
    assert re.fullmatch(r"\$[0-9a-zA-Z$\-_@.&+]+", identifier)
    assert len(identifier[1:].split("+")) == 2


@pytest.mark.parametrize("value", ["", "$", "$a", "$a+", "$+b", "a+b", "$a+b+c", "$a%2Bb", "%24a+b", None, 7])
@pytest.mark.parametrize("rest", ["", "/../c", "?x", "#", " ", "\n", "ä"])
def test_what_is_no_id(value: t.Any, rest: str) -> None:
    value = value if rest == "" else f"{value if value is not None else ID}{rest}"
    with pytest.raises(SyncError) as caught:
        api.check_id(value, "synchronizer")
    assert caught.value.code == "invalid_option"
    with pytest.raises(SyncError):
        provider().from_handle({"provider": "plm", "address": URL, "synchronizer": value})


# -- the response to the trigger --------------------------------------------------------------------------------------


#: verbatim, without its last brace
PUBLISHED = """
    {
      "status": 0,
      "synchronizer": {
        "id": "$ee8370c0-be09-445c-b7f4-4cba853150ed+7980b24b-9735-4ef8-a3d1-ecc3f176f8dc",
        "state": "triggered",
        "push": {
          "id": "$ee8370c0-be09-445c-b7f4-4cba853150ed",
          "state": "completed"
        },
        "pull": {
          "id": "$7980b24b-9735-4ef8-a3d1-ecc3f176f8dc",
          "state": "triggered"
        }
      }
"""


@pytest.mark.parametrize(
    "body", [described(("triggered", None, None)), described(DONE), PUBLISHED, PUBLISHED + "}", PUBLISHED[:140]]
)
def test_an_answer_that_names_the_run(body: t.Any) -> None:
    assert api.accepted_id(response(200, body, "POST")) == ID


def test_an_id_may_be_escaped() -> None:
    assert api.accepted_id(response(200, r'{"synchronizer": {"id": "$a\u0026c\u002bb"}}')) == "$a&c+b"


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", "<html></html>", {"status": 0}, {"synchronizer": {"id": "$a"}}, {"status": 1}, PUBLISHED[:99]],
)
def test_an_answer_that_does_not_name_the_run_is_ambiguous(body: t.Any) -> None:
    with pytest.raises(Ambiguous):
        api.accepted_id(response(200, body, "POST"))
