# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that says 100 Continue again and again instead of responding is not listened to until the deadline."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import Ambiguous, SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.transport import MAX_INTERIM
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support import hostile
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.hostile import Hostile
from tests.unit.plugins.support.web import Reply

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def test_a_flood_is_ended_by_its_number() -> None:
    # a deadline that would not come, and so does not end it
    with Hostile(hostile.continues) as server, channel_to(server.url, deadline=100_000, request_timeout=3600) as channel:
        with pytest.raises(SyncError, match=f"more than {MAX_INTERIM} interim responses") as caught:
            channel.once().observe("/x")
        assert caught.value.code == "connection_failed"
        with pytest.raises(Ambiguous, match="interim responses"):
            channel.trigger("POST", "/sync")
        assert server.log == [("GET", "/x"), ("POST", "/sync")]


@pytest.mark.parametrize("number", [1, MAX_INTERIM - 1])
def test_a_few_are_skipped(serve: Serve, number: int) -> None:
    web = serve(lambda request: Reply(raw=CONTINUE * number + OK))
    with channel_to(web.url) as channel:
        assert channel.observe("/x").json() == {}
        assert channel.trigger("POST", "/sync").json() == {}


def test_those_of_earlier_responses_do_not_count(serve: Serve) -> None:
    web = serve(lambda request: Reply(raw=CONTINUE * (MAX_INTERIM - 1) + OK))
    with channel_to(web.url) as channel:
        assert [channel.observe("/x").status for _time in range(3)] == [200] * 3
