# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages in requirements-*.txt, with the hashes of their files, and how they are installed."""

from __future__ import annotations

import pathlib
import subprocess
import tempfile
import typing as t

from .shell import CACHE, ROOT, VENV_BIN, StepFailed, locked, quiet

#: the files, by what they are for
FILES = ("dev", "bench", "eda", "audit")

#: what ansible-core needs
CORE = ("cffi", "cryptography", "jinja2", "markupsafe", "packaging", "pycparser", "pyyaml", "resolvelib")
#: what the collection runs on, with all that is optional and what these need
RUNTIME = (
    *("requests", "certifi", "charset-normalizer", "idna", "urllib3", "dnspython"),
    *("websocket-client", "cronsim", "psycopg", "psycopg-binary", "tzdata", "typing-extensions"),
)
#: what the simulator needs
SIMULATOR = ("aiohttp", "aiohappyeyeballs", "aiosignal", "attrs", "frozenlist", "multidict", "propcache", "yarl")


def entries(name: str) -> dict[str, str]:
    """The requirements in one of the files, each with its hashes, on one line, by their names.

    :param name: one of :data:`FILES`.
    """
    text = (ROOT / f"requirements-{name}.txt").read_text().replace("\\\n", " ")
    lines = (" ".join(line.split()) for line in text.splitlines() if line and not line.startswith("#"))
    return {line.partition("==")[0]: line for line in lines}


def pins(name: str, *packages: str) -> list[str]:
    """The requirements of these packages, see :func:`entries`."""
    known = entries(name)
    return [known[package] for package in packages]


def install(python: pathlib.Path, packages: t.Iterable[str]) -> None:
    """Install packages and nothing else into the environment of a Python: the very files whose hashes are known.

    :raises StepFailed: a package has another hash, or needs one that is not there.
    """
    # faster by seconds: the pip of .venv installs, and nothing is compiled that is not imported
    pip: list[str | pathlib.Path] = [VENV_BIN / "python", "-m", "pip", "--python", python]
    options = ["--quiet", "--no-input", "--no-compile", "--no-deps", "--require-hashes"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(packages))
        file.flush()
        for command in (["install", *options, "-r", file.name], ["check"]):
            done = quiet([*pip, *command])
            if done.status:
                raise StepFailed(f"pip {command[0]} returned {done.status}: {done.output.strip()}")


def audit_programs() -> pathlib.Path:
    """The directory of the programs in requirements-audit.txt; their environment is made at the first time."""
    directory = CACHE / "audit"
    wanted = (ROOT / "requirements-audit.txt").read_text()
    stamp = directory / "installed"
    with locked(CACHE / "audit.lock"):
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run([VENV_BIN / "python", "-m", "venv", "--clear", "--without-pip", directory], check=True)
            install(directory / "bin/python", entries("audit").values())
            stamp.write_text(wanted)
    return directory / "bin"
