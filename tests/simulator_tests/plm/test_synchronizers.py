# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published examples, and the states of a synchronizer."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
import requests

from tests.simulator.client import Simulator, wait_until
from tests.simulator_tests.plm.client import ABSENT, COMPLETED, LONG, SYNCHRONIZERS, UUID4, Plm, States

# The published examples


@pytest.mark.parametrize("path", ["/storage/synchronizers", "/storage/synchronizers/"])
def test_the_published_create(plm: Plm, path: str) -> None:
    """The answer has no states of push and pull, although the published example shows some."""
    answer = plm.call("POST", path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    body = answer.json()
    push, pull = body["synchronizer"]["push"]["id"], body["synchronizer"]["pull"]["id"]
    assert re.fullmatch(r"\$" + UUID4, push)
    assert re.fullmatch(r"\$" + UUID4, pull)
    identifier = f"{push}+{pull[1:]}"
    assert body == {
        "status": 0,
        "synchronizer": {"id": identifier, "state": "triggered", "push": {"id": push}, "pull": {"id": pull}},
    }
    assert [(entry["method"], entry["kind"]) for entry in plm.simulator.requests()] == [("POST", "mutate")]
    assert plm.control("GET", "/synchronizers")["posts"] == 1


def test_the_published_show(plm: Plm) -> None:
    plm.script()
    identifier = plm.post()
    push, dummy, pull = identifier.partition("+")
    answer = plm.call("GET", f"/storage/synchronizers/{identifier}")
    assert answer.json() == {
        "status": 0,
        "synchronizer": {
            "id": identifier,
            "state": "completed",
            "push": {"id": push, "state": "completed"},
            "pull": {"id": "$" + pull, "state": "completed"},
        },
    }
    assert plm.simulator.requests()[-1]["kind"] == "observe"


def test_the_published_requests_with_curl(plm: Plm) -> None:
    plm.script()

    def curl(*arguments: str) -> Any:
        return json.loads(subprocess.run(["curl", "--silent", *arguments], capture_output=True, check=True, timeout=20).stdout)

    identifier = curl("--request", "POST", plm.url + "/storage/synchronizers/")["synchronizer"]["id"]
    shown = curl(f"{plm.url}/storage/synchronizers/{identifier}")
    assert (shown["status"], shown["synchronizer"]["state"]) == (0, "completed")


def test_both_prefixes_lead_to_the_same_server(plm: Plm) -> None:
    plm.script()
    identifier = plm.post()
    standalone = plm.simulator["plm"]["standalone_url"]
    assert standalone.endswith("/v0")
    assert requests.get(f"{standalone}{SYNCHRONIZERS}/{identifier}", timeout=10).json()["synchronizer"]["state"] == "completed"


def test_the_prefix_can_be_moved(plm: Plm) -> None:
    plm.knob(prefix="/media/v0")
    assert plm.call("POST", SYNCHRONIZERS).status_code == 404
    moved = plm.control("GET", "")["url"]
    assert moved.endswith("/media/v0")
    assert requests.post(moved + SYNCHRONIZERS, timeout=10).status_code == 200


# States, row by row


ROWS: dict[str, tuple[dict[str, Any], States]] = {
    "just posted": ({"document_seconds": LONG}, ABSENT),
    "push running": ({"push_seconds": LONG}, ("triggered", "triggered", None)),
    "push done, pull not started": ({"gap_seconds": LONG}, (None, "completed", None)),
    "pull running": ({"pull_seconds": LONG}, ("triggered", "completed", "triggered")),
    "done": ({}, COMPLETED),
    "push failed, pull not started": ({"push_outcome": "error", "gap_seconds": LONG}, ("error", "error", None)),
    "push failed, pull running": ({"push_outcome": "error", "pull_seconds": LONG}, ("error", "error", "triggered")),
    "push failed, pull done": ({"push_outcome": "error"}, ("error", "error", "completed")),
    "pull failed": ({"pull_outcome": "error"}, ("error", "completed", "error")),
    "both failed": ({"push_outcome": "error", "pull_outcome": "error"}, ("error", "error", "error")),
    "replication refused": ({"push_outcome": "never", "pull_outcome": "never"}, ABSENT),
    "pull refused": ({"pull_outcome": "never"}, (None, "completed", None)),
    "push stateless, pull running": ({"push_outcome": "never", "pull_seconds": LONG}, ("triggered", None, "triggered")),
    "push stateless, pull done": ({"push_outcome": "never"}, (None, None, "completed")),
    "touchdb, remote gone": ({"push_outcome": "stuck-triggered"}, ("triggered", "triggered", None)),
    "pouchdb, document without state yet": ({"profile": "pouchdb", "blip_seconds": LONG}, ABSENT),
    "pouchdb, both at once": (
        {"profile": "pouchdb", "push_seconds": LONG, "pull_seconds": LONG},
        ("triggered", "triggered", "triggered"),
    ),
    "pouchdb, pull first": ({"profile": "pouchdb", "push_seconds": LONG}, ("triggered", "triggered", "completed")),
    "pouchdb, remote gone": (
        {"profile": "pouchdb", "push_outcome": "stuck-triggered", "pull_outcome": "stuck-triggered"},
        ("triggered", "triggered", "triggered"),
    ),
    "pouchdb, done": ({"profile": "pouchdb"}, COMPLETED),
    "couchdb1, push running": ({"profile": "couchdb1", "push_seconds": LONG}, ("triggered", "triggered", None)),
    "couchdb1, gap": ({"profile": "couchdb1", "gap_seconds": LONG}, (None, "completed", None)),
    "couchdb1, retries given up": (
        {"profile": "couchdb1", "push_outcome": "error", "flap_seconds": 0, "gap_seconds": LONG},
        ("error", "error", None),
    ),
    "couchdb2, running": ({"profile": "couchdb2", "push_seconds": LONG, "pull_seconds": LONG}, ABSENT),
    "couchdb2, push done": ({"profile": "couchdb2", "pull_seconds": LONG}, (None, "completed", None)),
    "couchdb2, push failed": (
        {"profile": "couchdb2", "push_outcome": "error", "pull_seconds": LONG},
        (None, "failed", None),
    ),
    "couchdb2, push failed, pull done": ({"profile": "couchdb2", "push_outcome": "error"}, (None, "failed", "completed")),
    "couchdb2, done": ({"profile": "couchdb2"}, COMPLETED),
    "failed is passed through": ({"push_outcome": "failed"}, (None, "failed", "completed")),
}


@pytest.mark.parametrize("row", ROWS)
def test_states(plm: Plm, row: str) -> None:
    knobs, expected = ROWS[row]
    plm.script(**knobs)
    identifier = plm.post()
    assert plm.states(identifier) == expected
    overall, push, pull = expected
    truth = plm.control("GET", "/synchronizers")["synchronizers"]
    assert [(each["id"], each["overall"], each["push"], each["pull"]) for each in truth] == [(identifier, overall, push, pull)]


def watch(plm: Plm, identifier: str, last: States) -> list[States]:
    """The different states one after the other, until ``last``."""
    seen: list[States] = []

    def is_last() -> bool:
        now = plm.states(identifier)
        if not seen or seen[-1] != now:
            seen.append(now)
        return now == last

    wait_until(is_last, interval=0.002)
    return seen


def test_the_whole_life_of_a_synchronizer(plm: Plm) -> None:
    plm.knob(document_seconds=0.5, push_seconds=0.5, gap_seconds=0.5, pull_seconds=0.5)
    assert watch(plm, plm.post(), COMPLETED) == [
        ABSENT,
        ("triggered", "triggered", None),
        (None, "completed", None),
        ("triggered", "completed", "triggered"),
        COMPLETED,
    ]


def test_the_whole_life_with_pouchdb(plm: Plm) -> None:
    """Neither a gap nor an order."""
    plm.knob(profile="pouchdb", document_seconds=0, blip_seconds=0.5, push_seconds=1.0, pull_seconds=0.5, gap_seconds=LONG)
    assert watch(plm, plm.post(), COMPLETED) == [
        ABSENT,
        ("triggered", "triggered", "triggered"),
        ("triggered", "triggered", "completed"),
        COMPLETED,
    ]


@pytest.mark.parametrize(
    ("knobs", "end"),
    [
        ({"profile": "couchdb1", "pull_outcome": "error", "flap_end": "completed"}, "error"),
        ({"profile": "touchdb", "pull_outcome": "flapping"}, "error"),
        ({"profile": "touchdb", "pull_outcome": "flapping", "flap_end": "completed"}, "completed"),
    ],
)
def test_an_error_may_be_retried(plm: Plm, knobs: dict[str, Any], end: str) -> None:
    """A state of "error" is not the end of it."""
    plm.script(pull_seconds=0.5, flap_seconds=0.5, flap_retries=2, **knobs)
    identifier = plm.post()
    seen: list[str | None] = []
    while plm.control("GET", "/synchronizers")["synchronizers"][0]["active"]:
        state = plm.states(identifier)[2]
        if not seen or seen[-1] != state:
            seen.append(state)
    assert seen[:5] == ["triggered", "error", "triggered", "error", "triggered"]
    assert plm.states(identifier) == (end, "completed", end)


def test_a_flapping_push_lets_the_pull_start_at_its_first_error(plm: Plm) -> None:
    plm.script(profile="couchdb1", push_outcome="error", flap_seconds=LONG)
    assert plm.states(plm.post()) == ("error", "error", "completed")


# The part itself


def test_both_parts_are_listed() -> None:
    """A subprocess, as in everyday use."""
    with Simulator.start(parts=["plm", "serveravatar"]) as simulator:
        assert set(simulator.info) == {"plm", "serveravatar", "control"}
        assert requests.post(simulator["plm"]["url"] + SYNCHRONIZERS, timeout=10).json()["status"] == 0
        about = simulator["serveravatar"]
        answer = requests.get(about["url"] + "/organizations", headers={"Authorization": about["api_token"]}, timeout=10)
        assert answer.status_code == 200
