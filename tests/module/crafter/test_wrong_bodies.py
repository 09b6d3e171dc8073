# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses that belong to another request: neither a site without staging nor an idle publisher."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..conftest import RunModule
from .server import HOME, PUBLISH, SYNC, Server

OTHERS = [{"response": {"code": 0, "message": "OK"}, "sites": []}, {}, {"version": {"packageVersion": "4.1.2"}}]


@pytest.mark.parametrize("body", OTHERS, ids=["sites", "empty", "version"])
@pytest.mark.parametrize("path", ["available_targets", "publish/status"])
@pytest.mark.parametrize(("module", "options"), [(SYNC, {}), (PUBLISH, {"items": [HOME]})])
def test_it_is_a_bad_response(
    server: Server, run_module: RunModule, module: str, options: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    text = json.dumps(body)
    server.simulator.fault(
        "status", part="crafter", path_regex=path, times=None, code=200, body=text, content_type="application/json"
    )
    outcome = run_module(module, server.options(**options))
    assert outcome.codes == ["bad_response"], outcome.output
    assert outcome.only["action"] == "refused" and server.mutations() == []
