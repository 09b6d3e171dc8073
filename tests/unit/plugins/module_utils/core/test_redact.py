# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not be seen."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import MASK, Redactor, without_keys

CANARY = "s3cr&t /+ü\"\\'canary"


@pytest.mark.parametrize(
    "form",
    [
        CANARY,
        urllib.parse.quote(CANARY),
        urllib.parse.quote(CANARY, safe=""),
        urllib.parse.quote_plus(CANARY),
        urllib.parse.quote(CANARY, safe="").lower(),
        base64.b64encode(CANARY.encode()).decode(),
        base64.b64encode(CANARY.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(CANARY.encode()).decode(),
        json.dumps(CANARY)[1:-1],
        json.dumps(CANARY, ensure_ascii=False)[1:-1],
        repr(CANARY)[1:-1],
        repr(CANARY.encode())[2:-1],
    ],
)
def test_a_secret_is_hidden_in_every_form_it_may_take(form: str) -> None:
    assert Redactor([CANARY]).text(f"before {form} after") == f"before {MASK} after"


@pytest.mark.parametrize("secret", ["token\n", " token ", "\ttoken"])
def test_a_secret_with_blanks_around_it_is_hidden_without_them_too(secret: str) -> None:
    assert "token" not in Redactor([secret]).text(f"Bearer {secret.strip()}, {secret!r}")


def test_a_secret_within_another_leaves_no_rest() -> None:
    assert Redactor(["key", "key-and-more"]).text("key-and-more key") == f"{MASK} {MASK}"


def test_a_secret_learned_later_is_hidden() -> None:
    redactor = Redactor(["first"])
    redactor.add("second", None, "")
    assert redactor.text("first second third") == f"{MASK} {MASK} third"


def test_nothing_is_hidden_where_there_is_no_secret() -> None:
    assert Redactor(["", None]).text("all of it") == "all of it"


def test_a_secret_that_is_not_text_is_hidden() -> None:
    secret = b"caf\xe9-canary".decode("utf-8", "surrogateescape")
    assert "canary" not in Redactor([secret]).text(f"before {secret} after")


def test_structures_are_scrubbed_at_any_depth() -> None:
    value = {"list": [CANARY, 1, None, True], "deep": ({"er": CANARY},), CANARY: 0.5}
    assert Redactor([CANARY]).scrub(value) == {"list": [MASK, 1, None, True], "deep": [{"er": MASK}], MASK: 0.5}


def test_scrubbing_leaves_the_original_alone() -> None:
    value = {"list": [CANARY]}
    Redactor([CANARY]).scrub(value)
    assert value == {"list": [CANARY]}


def test_entries_with_known_names_are_dropped_at_any_depth() -> None:
    zone = {"name": "a.", "connection": {"keyName": "k", "key": "x"}, "acl": [{"key": "x", "mask": "y"}], "key": "x"}
    assert without_keys(zone, ("key",)) == {"name": "a.", "connection": {"keyName": "k"}, "acl": [{"mask": "y"}]}


@pytest.mark.parametrize("secret", ["staging", "drift", "not_started"])
def test_a_word_of_ours_stays_a_key(secret: str) -> None:
    assert Redactor([secret]).scrub({secret: [secret, {secret: 1}]}) == {secret: [MASK, {secret: 1}]}


def test_what_is_public_anyway_is_not_masked_in_an_identity() -> None:
    redactor = Redactor(["studio", "mysite", "canary-of-the-studio", "e"])
    redactor.publish("http://host/studio", "mysite")
    handle = {"address": "http://host/studio", "site": "mysite", "order": "mysite/live", "echo": "<canary-of-the-studio>"}
    assert redactor.scrub_identity(handle) == {**handle, "echo": f"<{MASK}>"}
    # but everywhere else
    assert redactor.scrub(handle)["site"] == MASK
