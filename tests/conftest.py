# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long tests: `make test` leaves them out or repeats them less often, `make check` runs them with ``--long``."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run only the long tests, with all of their repetitions")
    studio = "the Crafter Studio of the scenarios: the emulator, or a real one that is downloaded and started"
    parser.addoption("--studio", choices=("emulator", "real"), default="emulator", help=studio)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: a test that takes long; it runs only with --long")
    config.addinivalue_line("markers", "real_studio: a test of a real Crafter Studio; it runs only with --studio=real")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what this run is not for. A skipped test would fail `make test`."""
    is_long_run = config.getoption("--long")
    with_studio = config.getoption("--studio") == "real"
    selected, deselected = [], []
    for item in items:
        if item.get_closest_marker("real_studio") is not None and not with_studio:
            deselected.append(item)
            continue
        only_long = item.get_closest_marker("long") is not None
        takes_part = (only_long or "repeats" in getattr(item, "fixturenames", ())) if is_long_run else not only_long
        (selected if takes_part else deselected).append(item)
    if deselected:
        items[:] = selected
        config.hook.pytest_deselected(items=deselected)


@pytest.fixture(scope="session")
def repeats(pytestconfig: pytest.Config) -> Callable[[int, int], int]:
    """How often a test repeats: ``repeats(20, 1000)`` is 20, or 1000 with ``--long``."""

    def choose(short: int, long: int) -> int:
        return long if pytestconfig.getoption("--long") else short

    return choose
