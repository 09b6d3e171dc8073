# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties that are held against many examples, and against fewer of them in each run of `make test`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

from tests.conftest import THOROUGH


def of_all(examples: int) -> int:
    """How many of so many examples this run has."""
    return max(1, examples * settings.get_profile(THOROUGH).max_examples // 100)


def thorough(examples: int) -> Callable[[Any], Any]:
    """A test that has so many examples with ``--long``, ten times as many with ``--soak``, and else less than half of them."""
    return lambda test: pytest.mark.thorough(settings(max_examples=of_all(examples), deadline=None)(test))
