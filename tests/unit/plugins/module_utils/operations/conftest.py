# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines as tests watch them."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.poll import PollPolicy
from ansible_collections.lockstep.sync.plugins.module_utils._operations import task as batch
from ansible_collections.lockstep.sync.plugins.module_utils._operations.progress import ticking
from tests.unit.plugins.support.watcher import Watcher


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Watcher:
    """A watcher with progress lines every 10 ms."""
    monkeypatch.setattr(batch, "ticking", lambda line, show, state: ticking(line, show, state, PollPolicy(0.01, 0.01)))
    return Watcher()
