# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret that is a word of a promotion spoils neither its report nor what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import MASK, Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import WORDS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import OWN_WORDS
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_page import promotion_page
from tests.unit.plugins.plugin_utils.reports.promotion_reports import promotion
from tests.unit.plugins.plugin_utils.reports.values import PROMOTION_VERDICTS

#: what programs and the next run decide by
DECISIVE = ("verdict", "phase", "state", "action", "changed_basis", "provider", "code", "handle", "started_at", "finished_at")


def decisive(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in DECISIVE:
                yield key, inner
            yield from decisive(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from decisive(inner)


@pytest.mark.parametrize("word", sorted(WORDS | OWN_WORDS | {"2026-11"}))
def test_what_decides_stays(word: str) -> None:
    redactor = Redactor([word], OWN_WORDS)
    # as a step does with its targets
    redactor.publish("serveravatar", "https://api.serveravatar.com")
    for verdict in PROMOTION_VERDICTS:
        report = promotion(verdict)
        shown = redactor.scrub({**report, "message": f"echo of {word}!"})
        assert [*decisive(shown)] == [*decisive(report)]
        assert shown["message"] == f"echo of {MASK}!"


def test_there_is_still_a_page() -> None:
    assert MASK in promotion_page(Redactor(["shop"], OWN_WORDS).scrub(promotion("failed")))
