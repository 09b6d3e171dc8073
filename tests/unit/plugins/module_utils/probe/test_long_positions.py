# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A position that no list has is refused with a reason of ours."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._probe.jsonpath import find, parse_path


def test_one_that_a_list_may_have_is_read() -> None:
    assert find([1], parse_path(f"[{'9' * 18}]")) == (False, None)


@pytest.mark.parametrize("digits", [19, 5000])
def test_a_longer_one_is_refused(digits: int) -> None:
    with pytest.raises(ValueError, match=r"^has a position of more than 18 digits$"):
        parse_path(f"a[{'9' * digits}]")
