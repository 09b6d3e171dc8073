# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook that promotes staging when a webhook announces a release."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.module.staging_promotion.playbook import PREFIX, SHOP, Server
from tests.simulator.client import Simulator
from tests.simulator.dns_server import HOST, free_port

from .conftest import Run
from .rulebook import LIMIT, Rulebook

#: looks like a number, and stays the text that it is
TOKEN = "20261129.10"


@pytest.fixture(scope="module")
def promotion_simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["serveravatar"]) as running:
        yield running


@pytest.fixture
def hosting(promotion_simulator: Simulator) -> Server:
    promotion_simulator.reset()
    return Server(promotion_simulator)


def release(tag: object = "2026.10", **fields: Any) -> dict[str, Any]:
    """A release as Gitea and GitHub announce it, without what does not matter here."""
    return {"action": "published", "release": {"tag_name": tag, "draft": False, "prerelease": False, **fields}}


def template(mark: Path) -> str:
    """What would make a file if Ansible evaluated it."""
    return f"{{{{lookup('pipe','touch${{IFS}}{mark}')}}}}"


def publish(port: int, payload: object, token: str | None = TOKEN) -> int:
    """The status that a webhook gets."""
    session = requests.Session()
    session.trust_env = False
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return session.post(f"http://{HOST}:{port}/release", json=payload, headers=headers, timeout=LIMIT).status_code


def is_listening(port: int) -> bool:
    try:
        return publish(port, {}, token=None) == 401
    except requests.ConnectionError:
        return False


def report_of(rules: Rulebook) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((rules.folder / "report.json").read_text())
    return found


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def rules(hosting: Server, rulebook: Run, port: int, tmp_path: Path) -> Iterator[Rulebook]:
    role = {
        "targets": [hosting.target(SHOP)],
        "backup": "none",
        "verify_interval": 0.1,
        "verify_timeout": 60,
        "report_path": str(tmp_path / "rulebook" / "report.json"),
    }
    variables = {"lockstep_webhook_host": HOST, "lockstep_webhook_port": port, "lockstep_webhook_token": TOKEN}
    with rulebook(
        "lockstep.sync.promote_on_release", variables, {PREFIX + name: value for name, value in role.items()}
    ) as running:
        running.wait(lambda: is_listening(port), "the webhook")
        yield running


def ignore_other_requests(port: int, mark: Path) -> None:
    # nothing without the token
    assert publish(port, release(), token=None) == 401
    assert publish(port, release(), token="guessed") == 401
    # nothing but published releases
    assert publish(port, {**release(), "action": "edited"}) == 200
    assert publish(port, release(draft=True)) == 200
    assert publish(port, release(prerelease=True)) == 200
    assert publish(port, {"zen": "Keep it logically awesome."}) == 200
    # no templates, as the name becomes a variable of a playbook
    assert publish(port, release(template(mark))) == 200
    assert publish(port, release("{{1}}")) == 200


def test_a_published_release_is_promoted_once(hosting: Server, rules: Rulebook, port: int, tmp_path: Path) -> None:
    mark = tmp_path / "injected"
    ignore_other_requests(port, mark)
    # a number is no name: whether it was 2026.1 or 2026.10 is lost
    assert publish(port, release(2026.1)) == 200
    rules.wait(lambda: rules.finished_runs == 1, "the refusal")
    assert "2026.1 is a number and not text" in report_of(rules)["message"]
    assert hosting.sent() == []

    # a name that looks like a number stays the text that it is
    assert publish(port, release("2026.10", body=template(mark), name=template(mark))) == 200
    rules.wait(lambda: rules.finished_runs == 2, "the promotion")
    assert rules.runs == 2
    assert (report_of(rules)["verdict"], report_of(rules)["release"]) == ("succeeded", "2026.10")
    assert hosting.syncs(SHOP) == 1
    assert not mark.exists()

    # announced again: the ledger knows it
    assert publish(port, release("2026.10")) == 200
    rules.wait(lambda: rules.finished_runs == 3, "the second run")
    assert hosting.syncs(SHOP) == 1
    assert publish(port, release("2026.1")) == 200
    rules.wait(lambda: rules.finished_runs == 4, "the promotion of the next release")
    assert (report_of(rules)["verdict"], report_of(rules)["release"]) == ("succeeded", "2026.1")
    assert hosting.syncs(SHOP) == 2
    assert TOKEN not in rules.output
