# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A redirect in response to a trigger does not say that nothing was started: many applications redirect afterwards."""

from __future__ import annotations

import pytest

from tests.unit.plugins.support.lab import Lab, code, only
from tests.unit.plugins.support.web import Reply

STATUSES = [300, 301, 302, 303, 304, 307, 308]


def redirect(lab: Lab, status: int) -> Reply:
    return Reply(status, headers={"Location": f"{lab.web.url}/mirrors/7/refresh"})


@pytest.mark.parametrize("status", STATUSES)
def test_a_run_that_was_started_is_found_and_followed(lab: Lab, status: int) -> None:
    lab.service.fates = [("executed", redirect(lab, status))]
    record = only(lab.run(release="1.2"))
    assert (record["action"], record["state"], record["failure"]) == ("triggered", "succeeded", None)
    assert (lab.posts, lab.accepted) == (1, 1)


@pytest.mark.parametrize("status", STATUSES)
def test_without_a_run_the_outcome_is_unknown_and_nothing_is_sent_again(lab: Lab, status: int) -> None:
    lab.service.fates = [redirect(lab, status)]
    result = lab.run(release="1.2")
    record = only(result)
    assert (code(result), record["action"], record["state"]) == ("outcome_unknown", "triggered", "unknown")
    assert (record["failure"]["http_status"], lab.posts, lab.accepted) == (status, 1, 0)
    assert "POST /mirrors/7/refresh is redirected to" in record["failure"]["message"]
