# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source dns_serials: which texts name a DNS server."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.extensions.eda.plugins.event_source.dns_serials import Settings


@pytest.mark.parametrize("server", ["192.0.2.1", " 192.0.2.1 ", "2001:db8::1", "fe80::1%eth0"])
def test_addresses_are_servers(server: str) -> None:
    assert Settings.from_args({"server": server, "zones": ["example.com"]}).server == server.strip()


@pytest.mark.parametrize("server", ["ns1.example.net", "localhost", "192.0.2", "192.0.2.1:53", "[2001:db8::1]"])
def test_names_are_refused_at_the_start(server: str) -> None:
    """Otherwise all queries would fail for as long as the source runs."""
    with pytest.raises(ValueError, match=r"server: .* is no address; give that of a DNS server"):
        Settings.from_args({"server": server, "zones": ["example.com"]})
