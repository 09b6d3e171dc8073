# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done where a target was synced before."""

from __future__ import annotations

import pytest

from tests.unit.plugins.support.lab import Lab, code, only


class TestSecondRun:
    def test_the_same_release_is_not_synced_twice(self, lab: Lab) -> None:
        assert lab.run(release="1.2")["changed"] is True
        result = lab.run(release="1.2")
        assert (lab.posts, result["changed"]) == (1, False)
        record = only(result)
        assert (record["action"], record["state"], record["changed_basis"]) == ("skipped", "not_started", "assumed")
        assert "1.2" in record["reason"]

    def test_another_release_is(self, lab: Lab) -> None:
        lab.run(release="1.2")
        assert only(lab.run(release="1.3"))["action"] == "triggered"

    def test_a_failed_release_may_be_tried_again(self, lab: Lab) -> None:
        lab.service.ending = "broken"
        lab.run(release="1.2")
        lab.service.ending = "done"
        assert only(lab.run(release="1.2"))["state"] == "succeeded"
        assert lab.posts == 2

    def test_nothing_known_means_another_sync(self, lab: Lab) -> None:
        lab.run()
        lab.run()
        assert lab.posts == 2

    def test_a_target_in_sync_is_left_alone(self, lab: Lab) -> None:
        lab.service.mirrors["7"].in_sync = True
        record = only(lab.run())
        assert (record["action"], record["changed_basis"], lab.posts) == ("skipped", "observed", 0)

    @pytest.mark.parametrize(("age", "posts"), [(299.0, 0), (301.0, 1)])
    def test_max_age_goes_by_the_server_where_it_reports_an_age(self, lab: Lab, age: float, posts: int) -> None:
        lab.service.mirrors["7"].age = age
        lab.run(max_age=300)
        assert lab.posts == posts

    @pytest.mark.parametrize(("pause", "posts"), [(290, 1), (310, 2)])
    def test_max_age_goes_by_the_ledger_where_the_server_does_not_tell(self, lab: Lab, pause: float, posts: int) -> None:
        lab.run()
        lab.clock.sleep(pause)
        lab.run(max_age=300)
        assert lab.posts == posts

    def test_force_overrides_every_skip(self, lab: Lab) -> None:
        lab.service.mirrors["7"].in_sync = True
        lab.service.mirrors["7"].age = 1
        lab.run(release="1", force=True)
        record = only(lab.run(release="1", max_age=300, force=True))
        assert (record["action"], lab.posts) == ("triggered", 2)

    def test_force_lifts_no_guard(self, lab: Lab) -> None:
        lab.service.mirrors["7"].loss = 101
        assert (code(lab.run(force=True)), lab.posts) == ("guard_refused", 0)
