# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client as a provider makes it, for tests of requests."""

from __future__ import annotations

import contextlib
import random
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import (
    Channel,
    HttpClient,
    HttpSettings,
    RequestCount,
    parse_api_url,
)
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Interpreter
from ansible_collections.lockstep.sync.plugins.module_utils._http.transport import TokenAuth

from .clocks import FakeClock

TOKEN = "canary/t0ken+"


@contextlib.contextmanager
def channel_to(
    url: str,
    clock: FakeClock | None = None,
    deadline: float = 900.0,
    interpret: Interpreter | None = None,
    token: str = TOKEN,
    **settings: t.Any,
) -> t.Iterator[Channel]:
    """A channel with a token to the server at ``url``."""
    clock = clock or FakeClock()
    client = HttpClient(
        HttpSettings(parse_api_url(url), **{"request_timeout": 5.0, **settings}),
        clock,
        Redactor([token]),
        TokenAuth(f"Bearer {token}"),
        interpret,
        random.Random(1),
        {"X-Api-Version": "2"},
    )
    try:
        yield client.channel(Deadline(clock, deadline), RequestCount())
    finally:
        client.close()
