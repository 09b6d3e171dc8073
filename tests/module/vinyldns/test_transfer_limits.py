# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone that is larger than ``backend.max_records`` and ``backend.max_bytes`` allow."""

from __future__ import annotations

import pytest

from ..conftest import RunModule
from .server import RECORDS, ZONE, Server, drifted


@pytest.mark.parametrize("limit", [{"max_records": len(RECORDS)}, {"max_bytes": 300}])
def test_too_large_a_zone_is_not_synced(limit: dict[str, int], server: Server, run_module: RunModule) -> None:
    drifted(server)
    backend = {**server.backend, **limit}
    outcome = run_module("vinyldns_zone_sync", server.options(backend=backend))
    assert outcome.failed and outcome.codes == ["too_large"] and server.posts() == 0
    assert f"backend.{next(iter(limit))}" in outcome.only["failure"]["hint"]
    assert (outcome.only["state"], outcome.changed) == ("not_started", False)


def test_a_zone_within_the_limits_is_synced(server: Server, run_module: RunModule) -> None:
    drifted(server)
    # with SOA and NS of the zone
    backend = {**server.backend, "max_records": len(RECORDS) + 2, "max_bytes": 10_000}
    outcome = run_module("vinyldns_zone_sync", server.options(backend=backend))
    assert not outcome.failed and outcome.only["detail"]["fidelity"] == "exact" and server.posts() == 1


def test_info_has_the_limits_too(server: Server, run_module: RunModule) -> None:
    server.add()
    options = {**server.login, "zones": ZONE, "backend": {**server.backend, "max_records": 1}}
    result = run_module("vinyldns_zone_info", options).result
    assert result["failed"] and "backend.max_records" in str(result)
