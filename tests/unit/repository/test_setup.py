# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``scripts/setup`` installs with uv, and with pip where that cannot be."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest

#: Stand-ins that note how they were called.
PYTHON = """#!/usr/bin/env bash
case "$*" in
    *"config list") cat pip.conf ;;
    *sysconfig*) echo .venv/lib/python3.11/site-packages ;;
    *" install "*"--no-deps --require-hashes"*) echo "pip ${@: -2}" >>calls ;;
    *" check") echo "check" >>calls ;;
esac
"""
UV = """#!/usr/bin/env bash
[[ $* == *"--no-deps --require-hashes"* ]] && echo "uv ${*: -2}" >>calls
exit %d
"""
FIRST = "pip -r .venv/.requirements.uv"
BY_UV = "uv -r requirements-dev.txt"
BY_PIP = "pip -r requirements-dev.txt"


@pytest.mark.parametrize(
    ("configured", "status", "expected"),
    [
        ("", 0, [FIRST, BY_UV, "check"]),
        ("global.cert='/etc/ssl/certs/all.crt'\n:env:.find-links='/opt/wheels'\n", 0, [FIRST, BY_UV, "check"]),
        ("", 2, [FIRST, BY_UV, BY_PIP, "check"]),
        ("global.index-url='https://mirror.example/simple'\n", 0, [BY_PIP, "check"]),
        (":env:.no-index='1'\n:env:.find-links='/opt/wheels'\n", 0, [BY_PIP, "check"]),
    ],
)
def test_what_installs(configured: str, status: int, expected: list[str], root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    shutil.copy(root / "scripts" / "setup", tmp_path / "scripts")
    (tmp_path / "requirements-dev.txt").write_text("pytest==9.2.0 \\\n    --hash=sha256:11\nuv==1.2.3 \\\n    --hash=sha256:22\n")
    (tmp_path / "pip.conf").write_text(configured)
    for name, text in (("python", PYTHON), ("uv", UV % status)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)

    for _time in range(2):
        subprocess.run([tmp_path / "scripts" / "setup"], check=True, capture_output=True)

    assert (tmp_path / "calls").read_text().splitlines() == expected
    if FIRST in expected:
        assert (tmp_path / ".venv/.requirements.uv").read_text() == "uv==1.2.3 \\\n    --hash=sha256:22\n"
