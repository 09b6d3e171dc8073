# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Webhooks over plain HTTP: their address is as good as a password."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import check

PATH = "/hooks/sesame-sesame"


@pytest.mark.parametrize("host", ["chat.example.com", "10.0.0.1:8080", "localhost.example.com"])
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_they_are_refused(host: str, scheme: str) -> None:
    with pytest.raises(SyncError, match="plain HTTP") as caught:
        check({"webhook": {"url": f"{scheme}://{host}{PATH}"}})
    text = f"{caught.value.message} {caught.value.hint}"
    assert caught.value.code == "invalid_option"
    assert "webhook.allow_http: true" in text
    assert "sesame" not in text


@pytest.mark.parametrize(
    "webhook",
    [
        {"url": f"https://chat.example.com{PATH}"},
        {"url": f"http://localhost:8080{PATH}"},
        {"url": f"http://[::1]{PATH}"},
        {"url": f"http://chat.example.com{PATH}", "allow_http": True},
        {"url": f"http://chat.example.com{PATH}", "allow_http": "yes"},
    ],
)
def test_these_are_fine(webhook: dict[str, object]) -> None:
    check({"webhook": webhook})
