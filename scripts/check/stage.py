# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of the collection where ansible-test accepts it: a real directory below ``ansible_collections/lockstep/sync``.

The copy has a git repository of its own and lies outside the work tree. Inside the work tree git would ignore its files, and
ansible-test would pass without having checked anything.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import subprocess
import tempfile
import typing as t

from .shell import ROOT, environment


def tracked_files() -> list[str]:
    """Files that are committed or would be, relative to the root of the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.check_output(command, cwd=ROOT, text=True)
    return sorted(name for name in set(listing.split("\0")) if name and (ROOT / name).is_file())


def shipped_files() -> list[str]:
    """Those files without the tests and the development tools, which is roughly what users get."""
    return [name for name in tracked_files() if name == "tests/config.yml" or not name.startswith(("tests/", "scripts/"))]


@contextlib.contextmanager
def staged(files: t.Iterable[str] | None = None) -> t.Iterator[pathlib.Path]:
    """Yield the root of a temporary copy.

    :param files: what to copy; all tracked files by default.
    """
    with tempfile.TemporaryDirectory(prefix="lockstep-stage-") as directory:
        root = pathlib.Path(directory, "ansible_collections", "lockstep", "sync")
        for name in tracked_files() if files is None else files:
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
            subprocess.run(command, cwd=root, check=True, env=environment())
        yield root
