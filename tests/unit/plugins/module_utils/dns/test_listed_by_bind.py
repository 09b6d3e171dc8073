# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The views in a list that BIND prints."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._dns.zone_lists import listed_by_bind

LIST = """
example.com IN internal primary
example.com IN external primary
cache.example IN forwarding forward
"""


def test_only_zones_of_the_view_count() -> None:
    assert listed_by_bind(LIST) == ["example.com", "example.com"]
    assert listed_by_bind(LIST, "external") == ["example.com"]
    # a view without a zone that counts is one all the same
    assert listed_by_bind(LIST, "forwarding") == []


@pytest.mark.parametrize(("text", "remedy"), [(LIST, "There are: external, forwarding, internal."), ("", "There are: none.")])
def test_a_view_with_a_typing_error_is_refused(text: str, remedy: str) -> None:
    """Otherwise the DNS side would have no zone, and VinylDNS would seem to have all of its zones alone."""
    with pytest.raises(SyncError) as caught:
        listed_by_bind(text, "internel")
    assert caught.value.code == "invalid_option" and caught.value.hint == remedy
    assert "internel" in caught.value.message
