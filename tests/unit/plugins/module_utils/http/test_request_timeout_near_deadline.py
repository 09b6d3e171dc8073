# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``request_timeout`` holds near the deadline, where a last look has a second, and never longer than what is left."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import LAST_LOOK
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.clients import channel_to
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.web import Reply

DEADLINE = 60.0


@pytest.mark.parametrize("left", [30.0, 5.0, 1.5, 1.0, 0.7, 0.2, 0.0, -0.4])
@pytest.mark.parametrize("request_timeout", [0.1, 0.3, 5.0, 30.0])
@pytest.mark.parametrize("read_timeout", [None, 0.05, 600.0])
def test_its_limits(clock: FakeClock, left: float, request_timeout: float, read_timeout: float | None) -> None:
    with channel_to("http://127.0.0.1:9", clock, DEADLINE, request_timeout=request_timeout) as channel:
        clock.sleep(DEADLINE - left)
        within = channel._limits(read_timeout)
        assert within.connect <= request_timeout
        assert within.total <= max(left, LAST_LOOK)
        assert within.connect <= within.total
        assert within.wait <= within.total
        if read_timeout is None:
            assert within.wait <= request_timeout


def test_a_silent_server_is_given_up_after_it(serve: Serve, clock: FakeClock) -> None:
    web = serve(lambda request: Reply(end="hang"))
    with channel_to(web.url, clock, DEADLINE, request_timeout=0.1) as channel:
        clock.sleep(DEADLINE - 0.5)
        with pytest.raises(SyncError, match=r"no answer from .* within 0\.1 s"):
            channel.once().observe("/x")
