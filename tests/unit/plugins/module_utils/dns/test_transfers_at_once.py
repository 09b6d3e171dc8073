# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DNS server answers SERVFAIL, too, if as many transfers are at work as it allows."""

from __future__ import annotations

from tests.simulator.dns_embedded import EmbeddedServer
from tests.unit.plugins.module_utils.dns.conftest import backend
from tests.unit.plugins.module_utils.dns.transfers import ZONE, failure, fetch


def test_the_hint_names_the_limit_and_what_keeps_below_it(embedded: EmbeddedServer) -> None:
    embedded.set_fault("servfail")
    error = failure(lambda: fetch(ZONE, backend(embedded)), "bad_response")
    assert "SERVFAIL" in error.message
    assert "transfers-out of BIND" in error.hint
    assert "lower max_parallel" in error.hint
