# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: one JSON line, a clean end, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.bind import find_named
from tests.simulator.client import Simulator, wait_until
from tests.simulator.parts import PARTS

ROOT = Path(__file__).parents[2]


@contextmanager
def command(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The simulator as a user starts it, with a temporary folder of its own."""
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(folder)}
    line = [sys.executable, "-m", "tests.simulator", *arguments]
    with subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    info: dict[str, Any] = json.loads(process.stdout.readline())
    return info


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("dns", ["embedded", pytest.param("bind", marks=pytest.mark.skipif(not find_named(), reason="no BIND"))])
def test_one_json_line_then_a_clean_end(tmp_path: Path, number: signal.Signals, dns: str) -> None:
    pid_file, ready_file, folder = tmp_path / "pid", tmp_path / "ready", tmp_path / "tmp"
    options = ("--part", "vinyldns", "--dns", dns, "--pid-file", str(pid_file), "--ready-file", str(ready_file))
    with command(folder, "--json", *options) as process:
        info = first_line(process)
        assert set(info) == {"vinyldns", "control"}
        assert {"url", "access_key", "secret_key", "zone"} <= set(info["vinyldns"])
        assert info["vinyldns"]["dns"]["kind"] == dns
        assert requests.get(info["control"]["url"] + "/health", timeout=5).json()["status"] == "ok"
        assert json.loads(ready_file.read_text(encoding="utf-8")) == info
        assert stat.S_IMODE(ready_file.stat().st_mode) == 0o600
        assert int(pid_file.read_text(encoding="utf-8")) == process.pid
        started = children(process.pid)
        assert len(started) == (1 if dns == "bind" else 0)
        assert list(folder.iterdir()) != []
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert list(folder.iterdir()) == []
    assert not pid_file.exists()
    assert not ready_file.exists()
    for pid in started:
        assert not Path(f"/proc/{pid}").exists()


def test_all_parts_are_in_the_line_in_order(tmp_path: Path) -> None:
    with command(tmp_path / "tmp", "--json", "--dns", "embedded") as process:
        info = first_line(process)
        assert list(info) == [*PARTS, "control"]
        assert all(info[part]["url"].startswith("http://127.0.0.1:") for part in info)
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """A test run that is killed cannot clean up."""
    script = (
        "import json, time\n"
        "from tests.simulator.client import Simulator\n"
        "simulator = Simulator.start(['vinyldns'], dns='embedded')\n"
        "print(json.dumps(simulator.info), flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        first_line(parent)
        (child,) = children(parent.pid)
        parent.kill()
    wait_until(lambda: not _alive(child))
    wait_until(lambda: list(tmp_path.glob("lockstep-*")) == [])


def _alive(pid: int) -> bool:
    """Not gone, and not merely waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_start_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"did not start:(.|\n)*invalid choice: 'nope'"):
        Simulator.start(["nope"])


def test_unknown_parts_are_refused(tmp_path: Path) -> None:
    with command(tmp_path / "tmp", "--part", "nope") as process:
        _out, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert "invalid choice: 'nope'" in errors
