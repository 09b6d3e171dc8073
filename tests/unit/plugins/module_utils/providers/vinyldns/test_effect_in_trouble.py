# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a sync's effect when the server fails, or the deadline comes, after its changes were listed once."""

from __future__ import annotations

import pytest
import requests

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import Drift
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from tests.unit.plugins.module_utils.dns.zones import plan, rr, soa, stored_soa

from .test_effect_bounds import Server

COUNT = 1999
ROWS = COUNT + 1
EFFECT = {"creates": COUNT, "updates": 1, "deletes": 0, "complete": False}


@pytest.fixture(scope="module")
def drift() -> Drift:
    created = [rr(f"h{number}", "A", "192.0.2.1") for number in range(COUNT)]
    return plan([soa(2), *created], [stored_soa(1)])


class FailingServer(Server):
    """Answers 500 from some request on.

    :param fails: what the address of the first such request contains.
    """

    def __init__(self, fails: str, lost: int = 1) -> None:
        super().__init__(lossy=5, lost=lost, count=COUNT)
        self.fails = fails
        self.failed = False

    def send(self, session: object, method: str, url: str, timeout: object, **kwargs: object) -> Response:
        self.failed = self.failed or self.fails in url
        if self.failed:
            return Response(method, url, 500, {}, b"There was an internal server error.")
        return super().send(session, method, url, timeout, **kwargs)


class SlowServer(Server):
    """What is not answered by the deadline is cut off there, as by the HTTP client."""

    def send(self, session: object, method: str, url: str, timeout: object, **kwargs: object) -> Response:
        left = self.channel.deadline.remaining()
        if left < self.seconds:
            self.clock.sleep(left)
            raise requests.exceptions.ReadTimeout("too slow")
        return super().send(session, method, url, timeout, **kwargs)


@pytest.mark.parametrize(("fails", "lost"), [("/history", 1), ("maxItems=99", 60)])
def test_what_was_listed_is_reported_although_the_server_fails_then(fails: str, lost: int, drift: Drift) -> None:
    server = FailingServer(fails, lost)
    effect = server.effect(drift)
    assert server.failed and effect.detail["effect"] == EFFECT and (effect.changed, effect.basis) == (True, "observed")
    assert effect.detail["fidelity"] == "incomplete" and "differences" not in effect.detail
    (warning,) = effect.warnings
    assert "known in part only" in warning and f"of {ROWS}" in warning


@pytest.mark.parametrize(
    ("deadline", "lost", "looked_up"),
    [
        # in the third of the single changes
        (17.0, 1, True),
        # in the first page of the second listing
        (15.2, 60, False),
    ],
)
def test_what_was_listed_is_reported_although_a_later_request_is_cut_off(
    deadline: float, lost: int, looked_up: bool, drift: Drift
) -> None:
    server = SlowServer(lossy=5, lost=lost, seconds=0.75, deadline=deadline, count=COUNT)
    effect = server.effect(drift)
    assert server.clock.elapsed == pytest.approx(deadline) and bool(server.looked_up) == looked_up and 99 not in server.sizes
    assert effect.detail["effect"] == EFFECT and effect.detail["fidelity"] == "incomplete"
    (warning,) = effect.warnings
    assert "wait_timeout ended" in warning


def test_a_first_listing_that_fails_says_nothing(drift: Drift) -> None:
    with pytest.raises(SyncError):
        FailingServer("recordsetchanges").effect(drift)
