# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that users quote in the answers of surveys, since ansible-core would read some of them as numbers."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.arguments import ArgumentTypes, read_arguments

TYPES: ArgumentTypes = {
    "release": {"type": "str", "identity": True},
    "zones": {"type": "list", "elements": "str", "identity": True},
    "reason": {"type": "str"},
}


@pytest.mark.parametrize(
    ("answer", "release"),
    [
        ('"2026.10"', "2026.10"),
        ("'2026.10'", "2026.10"),
        (' "2026.10"\n', "2026.10"),
        ("2026.10", "2026.10"),
        # these are not around the whole of it
        ('the "big" one', 'the "big" one'),
        ("\"big'", "\"big'"),
        ('"', '"'),
    ],
)
def test_quotes_around_a_name_are_no_part_of_it(answer: str, release: str) -> None:
    assert read_arguments({"release": answer}, TYPES, "role_").text("release") == release


def test_names_in_a_list() -> None:
    values = read_arguments({"zones": "\"a.example.\"\n'b.example.'\nc.example."}, TYPES, "role_")
    assert values.texts("zones") == ("a.example.", "b.example.", "c.example.")


def test_a_text_that_is_no_name_stays_as_it_is() -> None:
    assert read_arguments({"reason": '"urgent"'}, TYPES, "role_").text("reason") == '"urgent"'


def test_what_became_a_number_is_refused_with_a_remedy_that_works_in_surveys() -> None:
    with pytest.raises(SyncError) as caught:
        read_arguments({"release": 2026.10}, TYPES, "role_")
    assert "in the answer of a survey, too" in caught.value.hint
