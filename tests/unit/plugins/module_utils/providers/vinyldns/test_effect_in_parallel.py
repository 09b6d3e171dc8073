# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of a large sync are read several pages at a time: each page comes only when its neighbours have been asked for."""

from __future__ import annotations

import threading
import urllib.parse

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response

from .test_effect_bounds import Server

COUNT = 1999
#: as many as a listing begins with, which may be short, and then as many as it may ask for at once
STEPS = {1: [1] * 20, 2: [1] + [2] * 10, 4: [1, 2] + [4] * 5, 8: [1, 2] + [4] * 5}


class PatientServer(Server):
    """Answers no request before all of its step have come in.

    :param steps: numbers of requests, one after the other.
    """

    def __init__(self, steps: list[int]) -> None:
        super().__init__(count=COUNT)
        barriers = [threading.Barrier(parties) for parties in steps]
        self.barriers = [barrier for barrier in barriers for _page in range(barrier.parties)]

    def send(self, session: object, method: str, url: str, timeout: object, **kwargs: object) -> Response:
        start = int(urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["startFrom"][0])
        self.barriers[start // 100].wait(60)
        return super().send(session, method, url, timeout, **kwargs)


@pytest.mark.parametrize("width", list(STEPS))
def test_pages_are_asked_for_at_once(width: int) -> None:
    server = PatientServer(STEPS[width])
    effect = server.effect(None, width)
    assert effect.detail["effect"] == {"creates": COUNT, "updates": 1, "deletes": 0, "complete": True}
    assert len(server.sizes) == sum(STEPS[width])
