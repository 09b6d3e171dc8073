# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Triggers over kept connections, where the absence of a run proves that it was never accepted; and new ones elsewhere."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Capabilities
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.mirrors import Fate
from tests.unit.plugins.support.web import Reply


class Proven(Fifth):
    capabilities = Capabilities(True, absence_proves=True)


BOTH = pytest.mark.parametrize("provider", [Proven, Fifth], ids=["kept", "new"])


def connections(lab: Lab, method: str) -> set[int]:
    return {request.connection for request in lab.web.log if request.method == method}


@pytest.mark.parametrize(("provider", "kept"), [(Proven, True), (Fifth, False)], ids=["kept", "new"])
def test_only_where_absence_proves_something_a_trigger_uses_a_connection_of_reads(
    lab: Lab, provider: type[Fifth], kept: bool
) -> None:
    assert only(lab.run(provider))["state"] == "succeeded"
    assert connections(lab, "GET") == {1}
    assert connections(lab, "POST") == {1 if kept else 2}
    header = {request.headers["Connection"] for request in lab.web.log if request.method == "POST"}
    assert header == {"keep-alive" if kept else "close"}


@BOTH
@pytest.mark.parametrize(
    "fate", ["lose", ("executed", Reply(end="reset")), ("executed", Reply(202, {"id": 1}, end="half"))], ids=str
)
def test_a_lost_response_is_adopted(lab: Lab, provider: type[Fifth], fate: Fate) -> None:
    lab.service.fates = [fate]
    assert only(lab.run(provider))["state"] == "succeeded"
    assert (lab.posts, lab.accepted) == (1, 1)


@BOTH
@pytest.mark.parametrize("fate", ["drop", Reply(end="reset"), Reply(end="half")], ids=str)
def test_a_lost_trigger_is_not_sent_again_and_no_success(lab: Lab, provider: type[Fifth], fate: Fate) -> None:
    lab.service.fates = [fate]
    result = lab.run(provider)
    assert (code(result), only(result)["state"], lab.posts, lab.accepted) == ("outcome_unknown", "unknown", 1, 0)
