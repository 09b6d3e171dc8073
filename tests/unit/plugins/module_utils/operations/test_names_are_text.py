# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names are text. YAML reads ``010`` without quotes as the number 8, so a whole number is no name of a zone or site either."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import check_identities
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import PROVIDERS


@pytest.mark.parametrize(
    ("provider", "option", "value"),
    [
        ("crafter", "sites", [8]),
        ("crafter", "site", 8),
        ("crafter", "environment", 8),
        ("vinyldns", "zones", ["example.com.", 8]),
        ("vinyldns", "zone", 8),
        ("plm", "synchronizer", 8),
    ],
)
def test_a_number_is_no_name(provider: str, option: str, value: Any) -> None:
    with pytest.raises(SyncError, match=f"option {option}: 8 is a number and not text") as caught:
        check_identities(sync_spec(PROVIDERS[provider]), {option: value})
    assert caught.value.code == "invalid_option" and "Put the value in quotes" in caught.value.hint


@pytest.mark.parametrize("option", ["applications", "application", "server", "organization"])
def test_ids_of_serveravatar_are_numbers(option: str) -> None:
    check_identities(sync_spec(PROVIDERS["serveravatar"]), {option: 4711})
    with pytest.raises(SyncError, match=f"option {option}: 4711.5 is a number and not text"):
        check_identities(sync_spec(PROVIDERS["serveravatar"]), {option: 4711.5})
