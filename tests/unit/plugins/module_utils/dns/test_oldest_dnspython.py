# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest dnspython that the modules name is enough for messages, signatures and transfers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[5]
TESTS = ("messages", "soa_query", "transfer", "transfer_limits", "transfer_messages", "transfer_refusals", "tsig")


def oldest() -> str:
    """The release in the requirements of execution environments."""
    found = re.search(r"^dnspython>=([\d.]+)$", (ROOT / "meta/ee-requirements.txt").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_documentation_and_requirements_name_the_same_release() -> None:
    for module in ("vinyldns_zone_sync", "vinyldns_zone_info"):
        text = (ROOT / f"plugins/modules/{module}.py").read_text()
        named = re.findall(r"dnspython >= ([\d.]+)", text)
        assert len(named) == 1 and oldest() in (named[0], f"{named[0]}.0")


@pytest.mark.long
def test_it_is_enough(tmp_path: Path) -> None:
    folder = tmp_path / "oldest"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", folder, f"dnspython=={oldest()}"], check=True)
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    version = [sys.executable, "-c", "import dns.version; print(dns.version.version)"]
    assert subprocess.run(version, env=environment, capture_output=True, text=True, check=True).stdout.strip() == oldest()
    files = [Path(__file__).with_name(f"test_{name}.py") for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-o", f"cache_dir={tmp_path}", "--hypothesis-profile=ci", *files]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
