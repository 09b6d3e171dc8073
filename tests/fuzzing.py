# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at inputs for a given time: random ones, those of hypothesis, which shrinks one that breaks a rule."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from tests.conftest import FUZZED

Input = TypeVar("Input")
Output = TypeVar("Output")

#: of one round, after which the time is looked at
ROUND = 300
#: of a short look
SHORT = 40
#: without an explanation, which takes many more inputs
PHASES = (Phase.generate, Phase.shrink)


def outcome(call: Callable[[], Output]) -> Output | SyncError:
    """What a call returns, or the failure of ours that it raises."""
    try:
        return call()
    except SyncError as error:
        return error


def is_invalid_option(found: object) -> bool:
    """Whether a setting was refused, in the way in which users can understand it."""
    return isinstance(found, SyncError) and found.code == "invalid_option" and bool(found.hint)


def damaged(octets: bytes, damage: list[tuple[int, bytes, int]]) -> bytes:
    """With a few octets exchanged, added or left out.

    :param damage: where, what is added there, and how many octets are left out.
    """
    for place, more, less in damage:
        place %= len(octets) + 1
        octets = octets[:place] + more + octets[place + less :]
    return octets


class Fuzzer:
    """Gives inputs to a check.

    :param seconds: for how long; 0 for one round of the same inputs in every run.
    :param note: takes a name and a text for the summary of the run.
    """

    def __init__(self, seconds: float, note: Callable[[str, object], None]) -> None:
        self.seconds = seconds
        self._note = note

    def __call__(self, inputs: SearchStrategy[Input], check: Callable[[Input], None], first: int = SHORT) -> None:
        """Check inputs until the time is up.

        :param first: how many of them there are in a short look.
        """
        began, count = time.monotonic(), 0
        rounds = random.Random(7)
        while True:
            number = rounds.getrandbits(64) if not self.seconds else random.getrandbits(64)

            @seed(number)
            @settings(
                max_examples=ROUND if self.seconds else first,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=PHASES,
            )
            @given(inputs)
            def look(value: Input) -> None:
                nonlocal count
                count += 1
                check(value)

            look()
            spent = time.monotonic() - began
            if spent >= self.seconds:
                self._note(FUZZED, f"{count:>9,} inputs in {spent:6.1f} s")
                return


@pytest.fixture
def fuzz(fuzz_seconds: float, record_property: Callable[[str, object], None]) -> Fuzzer:
    return Fuzzer(fuzz_seconds, record_property)
