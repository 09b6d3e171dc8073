# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words that readers stumble over, and that plain technical English does without."""

from __future__ import annotations

import pathlib
import re

import pytest

WORDS = re.compile(
    r"\b(?:tells|told|nobody|whoever|beside|heeds?|mend|mended|foretold|twins|whatever\s+becomes|comes\s+to)\b",
    re.IGNORECASE,
)

#: Names that were replaced by others; a reader who meets both looks for a difference. No part of a longer word.
NAMES = re.compile(
    r"(?<![A-Za-z])(?:[Aa]daptors?|crew|Crew|Undoer|UNDONE|HeldElsewhere|release_hold|NO_MARK|Viewer|Witnessed|witness(?:ed)?"
    r"|not_understood|wait_for_way|stoppable|words_of|promotion_words|refuse_twins|tell_problem|is_at_home|blind_for|fine_stamp)(?![A-Za-z])"
)

#: where they must not stand; a path stands for everything below it
CLEAN = (
    "plugins",
    "roles",
    "playbooks",
    "extensions",
    "docs",
    "scripts",
    "tests",
    "CONTRIBUTING.md",
    "Makefile",
    "README.md",
    "galaxy.yml",
)

#: it has to name them
EXEMPT = "tests/unit/repository/test_words.py"


def is_in(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}/") for place in places)


@pytest.mark.parametrize("pattern", [WORDS, NAMES], ids=["words", "names"])
def test_no_such_words(root: pathlib.Path, tracked: list[str], pattern: re.Pattern[str]) -> None:
    found = []
    for name in tracked:
        if name == EXEMPT or not is_in(name, CLEAN) or not (root / name).exists():
            continue
        text = (root / name).read_text(encoding="utf-8")
        found += [f"{name}:{text[: match.start()].count(chr(10)) + 1}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    ("text", "count"),
    [("It tells nobody.", 2), ("Whatever\nbecomes of it", 1), ("besides, a mention of untold", 0), ("COMES TO", 1)],
)
def test_they_are_recognised(text: str, count: int) -> None:
    assert len(WORDS.findall(text)) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("test_a_witnessed_send", 1),
        ("class FakeAdaptor, adaptor.py", 1),
        ("fewer_words_often", 0),
        ("_is_at_home()", 1),
        ("interviewers", 0),
    ],
)
def test_names_are_recognised(text: str, count: int) -> None:
    assert len(NAMES.findall(text)) == count
