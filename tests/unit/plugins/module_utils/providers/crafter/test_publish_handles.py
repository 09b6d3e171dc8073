# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handles and snapshots of requests to publish, which ledgers keep for long."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.publish_calls import (
    PublishHandle,
    PublishSnapshot,
)

ADDRESS = "https://studio.example/studio"
BEFORE = {"published_before": {"branch": "live", "items": {"/site/website/index.xml": "2026-11-20T10:00:00Z 0a1b"}}}
SENT = {
    "provider": "crafter_publish",
    "address": ADDRESS,
    "site": "mysite",
    "target": "live",
    "order": "mysite/live",
    "mark": "lockstep-0123456789abcdef",
    "ordered_at": "2026-11-20T10:00:00Z",
}


@pytest.mark.parametrize(
    "kept", [SENT, {**BEFORE, **SENT}, {**SENT, "package": "12"}, {**SENT, "package": "12", "ended": "COMPLETED"}]
)
def test_a_kept_handle_is_written_as_it_was_read(kept: dict[str, t.Any]) -> None:
    written = PublishHandle.from_json(kept).to_json("crafter_publish", ADDRESS)
    assert list(written.items()) == list(kept.items())


@pytest.mark.parametrize("kept", [{"mark": "lockstep-0"}, {"mark": "lockstep-0", **BEFORE}])
def test_a_kept_snapshot_is_written_as_it_was_read(kept: dict[str, t.Any]) -> None:
    assert PublishSnapshot.from_json(kept).to_json() == kept


@pytest.mark.parametrize(
    "more",
    [{"site": None}, {"site": "../x"}, {"mark": 5}, {"order": None}, {"target": []}]
    + [{"published_before": before} for before in ("x", {}, {"branch": "live"}, {"branch": "live", "items": []})],
)
def test_another_handle_is_refused(more: dict[str, t.Any]) -> None:
    with pytest.raises(SyncError) as caught:
        PublishHandle.from_json({**SENT, **more})
    assert caught.value.code == "invalid_option"
