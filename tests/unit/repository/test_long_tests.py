# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``--long`` and ``--soak`` run exactly the long tests, and repeat as often as they ask for."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import pytest

TESTS = """
import pytest
from hypothesis import settings

def test_short(): print("ran short")

@pytest.mark.long
def test_only_long(): print("ran only-long")

def test_both(repeats): print(f"ran both {repeats(3, 50)} {repeats(3, 50, 900)}")

@pytest.mark.thorough
def test_property(): print(f"ran thorough {settings.get_profile('thorough').max_examples}")
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["ran short", "ran both 3 3", "ran thorough 40"]),
        (("--long",), ["ran only-long", "ran both 50 50", "ran thorough 100"]),
        (("--soak",), ["ran only-long", "ran both 50 900", "ran thorough 1000"]),
        (("--long", "--soak"), ["ran only-long", "ran both 50 900", "ran thorough 1000"]),
    ],
)
def test_they_run_on_demand(options: tuple[str, ...], expected: list[str], root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-sq", "-p", "no:cacheprovider", "--strict-markers", *options, str(tmp_path)]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert [line.lstrip(".") for line in done.stdout.splitlines() if "ran " in line] == expected
    assert done.returncode == 0
