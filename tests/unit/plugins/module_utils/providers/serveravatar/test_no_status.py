# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Responses to the request for a status row that have none, such as those to other requests: they are no run in progress."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from tests.unit.plugins.module_utils.providers.serveravatar.service import APP, STAGING, handle, status, sync


@pytest.mark.parametrize(
    "body",
    [
        {},
        STAGING,
        {"applications": {"data": [{"id": 88, "name": "shop"}], "last_page": 1}},
        {"server": {"id": 15, "name": "production", "agent_status": "1"}},
        {"message": "Sync staging to production started."},
        {"siteMigration": None},
        {"siteMigration": {"status": "Completed"}},
        {"siteMigration": {"id": 42}, "displayText": None},
    ],
)
def test_what_is_no_status_row_is_no_run(body: t.Any) -> None:
    provider, service, target = sync({f"GET {APP}/status": body})
    for look in (lambda: provider.observe(target, service.channel), lambda: provider.read(handle(), service.channel)):
        with pytest.raises(SyncError) as caught:
            look()
        assert caught.value.code == "bad_response"


def test_a_row_without_a_text_is_one() -> None:
    provider, service, _target = sync({f"GET {APP}/status": {"siteMigration": status()["siteMigration"]}})
    assert provider.read(handle(), service.channel).state == "succeeded"
