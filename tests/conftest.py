# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long tests: `make test` leaves them out or repeats them less often, `make check` runs them with ``--long``.

`make soak` runs them with ``--soak``, which repeats some of them many more times.

Fuzzers (``tests/unit/fuzz``) look at as many inputs as there is time for: each of them at some forty by default, those of 5
seconds with ``--long``, those of 10 minutes with ``--soak``, and with ``--fuzz-seconds N`` those of N seconds. The summary at the
end of the run has the number of inputs and the seconds of each.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from hypothesis import settings

#: the profile of hypothesis that has the share of the examples of a thorough test that it has in this run, in percent
THOROUGH = "thorough"
#: fixtures of tests that have a short form and a long one
LONG_FORMS = {"repeats", "fuzz_seconds"}
#: seconds of a fuzzer with ``--long`` and with ``--soak``
LONG_SECONDS, SOAK_SECONDS = 5.0, 600.0
#: the property of a report that says what a fuzzer has done
FUZZED = "fuzzed"


class Repeats(Protocol):
    def __call__(self, short: int, long: int, soak: int | None = None) -> int:
        """How often a test repeats in this run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run only the long tests, with all of their repetitions")
    parser.addoption("--soak", action="store_true", help="the same, with as many repetitions as a proof needs")
    parser.addoption("--fuzz-seconds", type=float, help="the time of each fuzzer")
    studio = "the Crafter Studio of the scenarios: the emulator, or a real one that is downloaded and started"
    parser.addoption("--studio", choices=("emulator", "real"), default="emulator", help=studio)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "thorough: a property that has more examples with --long")
    percent = 1000 if config.getoption("--soak") else 100 if config.getoption("--long") else 40
    settings.register_profile(THOROUGH, max_examples=percent)
    config.addinivalue_line("markers", "long: a test that takes long; it runs only with --long")
    config.addinivalue_line("markers", "real_studio: a test of a real Crafter Studio; it runs only with --studio=real")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """What is collected stays until the end: to look for garbage among it takes a third of the time, and more in each test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what this run is not for. A skipped test would fail `make test`."""
    is_long_run = config.getoption("--long") or config.getoption("--soak")
    with_studio = config.getoption("--studio") == "real"
    selected, deselected = [], []
    for item in items:
        if item.get_closest_marker("real_studio") is not None and not with_studio:
            deselected.append(item)
            continue
        only_long = item.get_closest_marker("long") is not None
        has_long_form = (
            not LONG_FORMS.isdisjoint(getattr(item, "fixturenames", ())) or item.get_closest_marker("thorough") is not None
        )
        takes_part = (only_long or has_long_form) if is_long_run else not only_long
        (selected if takes_part else deselected).append(item)
    if deselected:
        items[:] = selected
        config.hook.pytest_deselected(items=deselected)


@pytest.fixture(scope="session")
def fuzz_seconds(pytestconfig: pytest.Config) -> float:
    """The time of a fuzzer; 0 for a short look at the same inputs in every run."""
    given: float | None = pytestconfig.getoption("--fuzz-seconds")
    if given is not None:
        return given
    return SOAK_SECONDS if pytestconfig.getoption("--soak") else LONG_SECONDS if pytestconfig.getoption("--long") else 0.0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the fuzzers have done."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    found = [f"{value}  {report.nodeid}" for report in reports for name, value in report.user_properties if name == FUZZED]
    if found:
        terminalreporter.section("fuzzed")
        terminalreporter.write_line("\n".join(found))


@pytest.fixture(scope="session")
def repeats(pytestconfig: pytest.Config) -> Repeats:
    """How often a test repeats: ``repeats(20, 100, 1000)`` is 20, 100 with ``--long``, 1000 with ``--soak``.

    The third may be left out; then ``--soak`` repeats as often as ``--long``.
    """

    def choose(short: int, long: int, soak: int | None = None) -> int:
        if pytestconfig.getoption("--soak"):
            return long if soak is None else soak
        return long if pytestconfig.getoption("--long") else short

    return choose
