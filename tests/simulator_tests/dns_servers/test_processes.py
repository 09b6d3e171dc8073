# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping, and which server it is."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.simulator.bind import STOP_SECONDS, BindServer
from tests.simulator.client import wait_until
from tests.simulator.dns_embedded import EmbeddedServer
from tests.simulator.dns_server import DnsServerError, start_dns
from tests.simulator_tests.dns_servers.clients import KEYS, ZONES, needs_bind


def test_stopping_frees_the_port() -> None:
    server = EmbeddedServer(KEYS, ZONES)
    server.stop()
    server.stop()
    with socket.socket() as probe:
        assert probe.connect_ex((server.server, server.port)) != 0


@needs_bind
def test_bind_stops_only_its_own_process(tmp_path: Path) -> None:
    zones = {"example.com": ZONES["example.com"]}
    with BindServer(tmp_path / "1", KEYS[:1], zones) as first, BindServer(tmp_path / "2", KEYS[:1], zones) as second:
        started = time.monotonic()
        first.stop()
        assert time.monotonic() - started < STOP_SECONDS, "it obeyed, it was not killed"
        assert second.serial("example.com") == 10


@needs_bind
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is missing")
def test_bind_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time\n"
        "from tests.simulator.bind import STOP_SECONDS, BindServer\n"
        "from tests.simulator.dns_server import TsigKey\n"
        "server = BindServer(pathlib.Path(sys.argv[1]), [TsigKey.make('k.')])\n"
        "print(server.port, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: not _listens(port))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@needs_bind
def test_a_zone_that_does_not_load_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DnsServerError, match=r"did not load broken\.example"):
        BindServer(tmp_path, KEYS, {"broken.example": "@ IN SOA nonsense"})


def test_without_bind_the_message_is_clear_and_auto_is_embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.simulator.bind.SYSTEM_FOLDERS", ())
    with pytest.raises(DnsServerError, match="BIND is not installed"):
        start_dns("bind", tmp_path, KEYS, ZONES)
    with start_dns("auto", tmp_path, KEYS, ZONES) as server:
        assert server.kind == "embedded"


@needs_bind
def test_auto_is_bind_where_it_is_installed(tmp_path: Path) -> None:
    with start_dns("auto", tmp_path, KEYS, ZONES) as server:
        assert server.kind == "bind"
