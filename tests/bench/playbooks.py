# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running playbooks for the benchmark, each in a process of its own, and what that took."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Cost:
    """What a process and its children took.

    :param seconds: from its start to its end.
    :param cpu: seconds of processor time.
    :param mebibytes: of memory, in the process that used most.
    """

    seconds: float
    cpu: float
    mebibytes: float


def play(scratch: Path, playbook: str, variables: Mapping[str, Any], *arguments: str) -> Cost:
    """Run a playbook.

    :raises CalledProcessError: it failed.
    """
    script, values = scratch / "play.yml", scratch / "vars.json"
    script.write_text(playbook)
    values.write_text(json.dumps(variables))
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(scratch),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    command = [str(BIN / "ansible-playbook"), str(script), "-e", f"@{values}", *arguments]
    return spent(command, environment)


def spent(command: list[str], environment: Mapping[str, str]) -> Cost:
    """Run a command, alone, and say what it took.

    :raises CalledProcessError: it failed.
    """
    code = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=sys.stderr)\n"
    code += "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    code += "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024); sys.exit(done.returncode)"
    started = time.monotonic()
    # in between, so that only this command and its children are counted
    wrapped = [sys.executable, "-c", code, *command]
    done = subprocess.run(wrapped, env=environment, check=False, capture_output=True, text=True)
    seconds = time.monotonic() - started
    if done.returncode:
        sys.stderr.write(done.stderr[-4000:])
        done.check_returncode()
    cpu, mebibytes = map(float, done.stdout.split())
    return Cost(seconds, cpu, mebibytes)


@dataclass
class InstantServer:
    """A running :mod:`tests.bench.instant_vinyldns`."""

    url: str
    zones: list[str]

    def requests(self) -> dict[str, int]:
        """How often each route was asked for since the last call."""
        with urlopen(f"{self.url}/requests") as response:
            return dict(json.load(response))

    @property
    def login(self) -> dict[str, str]:
        return {"api_url": self.url, "access_key": "key", "secret_key": "secret"}


def zone_names(count: int) -> list[str]:
    """The zones of an instant server."""
    return [f"z{number:05d}.example." for number in range(count)]


@contextmanager
def instant_server(zones: int, **options: float) -> Iterator[InstantServer]:
    """A server with so many zones.

    :param options: of :mod:`tests.bench.instant_vinyldns`.
    """
    command = [sys.executable, "-m", "tests.bench.instant_vinyldns", "--zones", str(zones)]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        try:
            yield InstantServer(url, zone_names(zones))
        finally:
            process.stdin.close()


@contextmanager
def scratch_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench.") as path:
        yield Path(path)


def own_cpu() -> float:
    """Seconds of processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
