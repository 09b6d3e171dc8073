# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the check of the archive reads the documentation of."""

from __future__ import annotations

import pathlib

from scripts.check.package import _documented


def test_the_documentation_of_everything_that_has_a_name_is_read(root: pathlib.Path) -> None:
    found = _documented(root)
    assert {"filter", "inventory", "module", "role", "test"} <= set(found)
    assert found["filter"] == ["lockstep.sync.drift_table"]
    assert found["test"] == [f"lockstep.sync.{name}" for name in ("fresh", "refused", "synced", "timed_out")]
    assert "lockstep.sync.vinyldns_coverage_info" in found["module"] and "lockstep.sync.vinyldns" in found["inventory"]
