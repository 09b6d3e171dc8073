# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running commands in a clean environment, one at a time or in parallel."""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
VENV_BIN = ROOT / ".venv" / "bin"

Step = t.Callable[[], None]
Command = t.Sequence["str | pathlib.Path"]

#: Settings of the user that would change what the checks see.
FOREIGN_PREFIXES = (
    "ANSIBLE_",
    "CRAFTER_",
    "GALAXY_",
    "LOCKSTEP_",
    "MAKE",
    "MFLAGS",
    "MOLECULE_",
    "PG",
    "PLM_",
    "PYTEST_",
    "PYTHON",
    "SERVERAVATAR_",
    "VINYLDNS_",
    "VIRTUAL_ENV",
    "XDG_",
)

#: Remarks for the end of the run, such as what could not be run on this machine.
notes: list[str] = []


class StepFailed(Exception):
    """A step failed; the message is one line for the summary, the details were printed."""


def heading(title: str) -> None:
    print(f"\n===== {title} {'=' * (70 - len(title))}", flush=True)


def environment(home: pathlib.Path | None = None, path: t.Sequence[pathlib.Path] = (VENV_BIN,), **extra: str) -> dict[str, str]:
    """The environment of the checks: without the user's Ansible settings and home, and with the tools of .venv first.

    What pip needs to find its packages (configuration, cache) stays the user's.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN_PREFIXES)}
    user_home = pathlib.Path.home()
    home = home or CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    env["HOME"] = str(home)
    env.setdefault("PIP_CACHE_DIR", os.environ.get("XDG_CACHE_HOME", str(user_home / ".cache")) + "/pip")
    for config in (user_home / ".config/pip/pip.conf", user_home / ".pip/pip.conf"):
        if config.exists():
            env.setdefault("PIP_CONFIG_FILE", str(config))
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    # Ansible runs with UTF-8 only
    locale = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or "C"
    if not re.search(r"utf-?8", locale, re.IGNORECASE):
        env["LC_ALL"] = "C.UTF-8"
    env["PATH"] = os.pathsep.join([*map(str, path), *_plain_path()])
    env["ANSIBLE_NOCOLOR"] = env["NO_COLOR"] = "1"
    return {**env, **extra}


def _plain_path() -> list[str]:
    """The user's PATH without version managers' shims: ansible-test gives up on a python3.x that exists but does not run."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    plain = [entry for entry in entries if pathlib.PurePath(entry).name != "shims"]
    return [*plain, *(entry for entry in ("/usr/sbin", "/sbin") if entry not in plain)]


def run(command: Command, *, cwd: pathlib.Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run a command, print its output as it arrives, and return the output."""
    print(f"$ {shown(command)}", flush=True)
    lines = []
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            sys.stdout.write(line)
            sys.stdout.flush()
    if process.returncode:
        raise StepFailed(f"{shown(command)[:80]} returned {process.returncode}")
    return "".join(lines)


class Finished(t.NamedTuple):
    """The result of a command that ran quietly."""

    status: int
    output: str
    seconds: float


def quiet(command: Command, *, cwd: pathlib.Path = ROOT, env: dict[str, str] | None = None) -> Finished:
    """Run a command and keep its output."""
    start = time.monotonic()
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Finished(result.returncode, result.stdout, time.monotonic() - start)


def shown(command: Command) -> str:
    """A command line as one would type it in the root of the repository."""
    return shlex.join(str(part) for part in command).replace(f"{ROOT}/", "")


def run_parallel(jobs: t.Mapping[str, t.Callable[[], str]]) -> None:
    """Run jobs, as many at a time as there are cores. Each returns a remark or raises StepFailed.

    :raises StepFailed: after all jobs have ended, with the names of those that failed.
    """
    failed = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        starts = {pool.submit(job): (name, time.monotonic()) for name, job in jobs.items()}
        for future in concurrent.futures.as_completed(starts):
            name, start = starts[future]
            try:
                remark = future.result()
                print(f"{name:28} ok      {remark}", flush=True)
            except StepFailed as failure:
                failed.append(name)
                print(f"{name:28} FAILED after {time.monotonic() - start:.1f} s\n{failure}\n", flush=True)
    if failed:
        raise StepFailed(", ".join(sorted(failed)))


@contextlib.contextmanager
def locked(path: pathlib.Path) -> t.Iterator[None]:
    """Wait until no other run of the checks holds this lock, and hold it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
