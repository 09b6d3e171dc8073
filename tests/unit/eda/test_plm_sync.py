# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source plm_sync: what a notification means, and when a connection is made again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source.plm_sync import (
    SUBSCRIBE,
    Pauses,
    Settings,
    decoded,
    event_of,
    outcome_of,
)

ID = "$a1+b2"
URL = "ws://media.example.com:9002/notifications"


def frame(event: str = "sync.completed", **data: Any) -> dict[str, Any]:
    return {"resource": "/storage/synchronizers", "event": event, "data": {"id": ID, "state": "completed", **data}}


def test_the_end_of_a_sync_has_an_outcome() -> None:
    event = event_of(frame(push={"id": "$a1", "state": "completed"}, pull={"id": "$b2", "state": "completed"}))
    assert event == {
        "event": "sync.completed",
        "synchronizer": ID,
        "state": "completed",
        "push": "completed",
        "pull": "completed",
        "outcome": "succeeded",
    }


def test_the_beginning_has_none() -> None:
    event = event_of(frame("sync.started", state="triggered", push={"id": "$a1"}, pull={"id": "$b2"}))
    assert event == {"event": "sync.started", "synchronizer": ID, "state": "triggered", "push": None, "pull": None}


@pytest.mark.parametrize(
    ("push", "pull", "outcome"),
    [
        ("completed", "completed", "succeeded"),
        ("error", "completed", "failed"),
        ("completed", "failed", "failed"),
        ("completed", None, "unknown"),
        (None, None, "unknown"),
        ("triggered", "completed", "unknown"),
    ],
)
def test_the_outcome_follows_from_both_halves(push: str | None, pull: str | None, outcome: str) -> None:
    """The server announces the state "completed" after a failure, too (docs/reference/plm.md#8)."""
    assert outcome_of(push, pull) == outcome


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"resource": "/importers", "event": "import.completed", "data": {"id": ID}},
        {"resource": "/storage/synchronizers", "event": "sync.completed"},
        {"resource": "/storage/synchronizers", "event": "sync.completed", "data": [ID]},
        {"resource": "/storage/synchronizers", "event": "sync.completed", "data": {"id": 7}},
        {"resource": "/storage/synchronizers", "event": "sync.unheard_of", "data": {"id": ID}},
    ],
)
def test_other_messages_are_no_events(other: dict[str, Any]) -> None:
    assert event_of(other) is None


@pytest.mark.parametrize("text", ["", "[1]", "null", "{", '"text"'])
def test_what_is_no_object_is_no_message(text: str) -> None:
    assert decoded(text) == {}


def test_the_subscription_is_the_one_that_no_version_of_the_server_ends_at() -> None:
    expected = {"resource": "_client", "event": "subscribe", "data": {"resource": "/storage/synchronizers"}}
    assert json.loads(SUBSCRIBE) == expected


def test_pauses_double_until_a_success() -> None:
    pauses = Pauses(1, 5)
    assert [pauses.take(0) for _number in range(5)] == [1, 2, 4, 5, 5]
    pauses.note_subscription(100)
    assert [pauses.take(105) for _number in range(2)] == [1, 2]


def test_a_subscription_that_ends_soon_is_no_success() -> None:
    pauses = Pauses(1, 5)
    found = []
    for number in range(4):
        pauses.note_subscription(100 * number)
        found.append(pauses.take(100 * number + 4.9))
    # how long ago it ended does not matter
    assert found == [1, 2, 4, 5]
    assert pauses.take(1000) == 5


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"notifications_url": None}, "notifications_url: is missing"),
        ({"notifications_url": "http://media.example.com"}, "is not the address of a WebSocket"),
        ({"notifications_url": "ws://user:secret@media.example.com"}, "has credentials"),
        ({"reconnect_min": 0}, "reconnect_min: 0 is not between"),
        ({"validate_certs": "no"}, "validate_certs: 'no' is neither"),
        ({"ca_path": "/nonexistent/ca.pem"}, "ca_path: cannot be read"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        Settings.from_args({"notifications_url": URL, **options})
    assert "secret" not in str(caught.value)


def test_the_longest_pause_is_not_shorter_than_the_shortest() -> None:
    settings = Settings.from_args({"notifications_url": URL, "reconnect_min": 100})
    assert (settings.reconnect_min, settings.reconnect_max) == (100, 100)
    assert settings.trust is True
    assert Settings.from_args({"notifications_url": URL, "validate_certs": False}).trust is False
