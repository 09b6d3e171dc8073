# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site's published repository: a real git repository with a working tree, laid out as Studio does."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


class GitError(RuntimeError):
    """git failed."""


class RefNotFound(GitError):
    """A branch that had to be there is not."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Ref {name} cannot be resolved")


class BranchCheckedOut(GitError):
    """The branch to be deleted is the one that is checked out."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Branch {name} is checked out and cannot be deleted")


@dataclass(frozen=True)
class Ref:
    commit: str
    tree: str


#: the branch of the sandbox, which the published repository has from the beginning (docs/reference/crafter.md#3.5)
SANDBOX = "master"


@dataclass(frozen=True)
class Change:
    """A commit to be made, and the annotated tag on it.  ``files`` maps paths to new contents, or to None to remove them."""

    files: Mapping[str, str | None]
    message: str
    when: datetime
    author: str = "studio"
    tag: str | None = None


def git_environment(home: Path) -> dict[str, str]:
    """Nothing of the user's: neither their configuration nor a GIT_DIR that happens to be set."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }


class PublishedRepository:
    """Every method is one undivided step; all of them block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mutex = threading.RLock()

    @property
    def exists(self) -> bool:
        return (self.path / ".git").is_dir()

    @property
    def index_locked(self) -> bool:
        """Whether git is at work there, or was when its process ended."""
        return (self.path / ".git" / "index.lock").exists()

    def create(self, head: str) -> None:
        self.path.mkdir(parents=True)
        self._git("init", "--quiet", "--template=", f"--initial-branch={head}", ".")

    def add_sandbox(self, change: Change) -> None:
        """The branch of the sandbox that it was cloned from, as a local and as a remote one."""
        commit = self.commit(SANDBOX, change)
        self._git("update-ref", f"refs/remotes/origin/{SANDBOX}", commit)

    def refs(self) -> dict[str, Ref]:
        """Branches that are published to, with the ids of their commits and trees."""
        lines = self._git("for-each-ref", "--format=%(refname:strip=2) %(objectname) %(tree)", "refs/heads").decode().splitlines()
        rows = (line.split(" ") for line in lines)
        return {name: Ref(commit, tree) for name, commit, tree in rows if name != SANDBOX}

    def head(self) -> str:
        """The branch that is checked out."""
        return self._git("symbolic-ref", "--short", "HEAD").decode().strip()

    def commit(self, branch: str, change: Change, start: str | None = None) -> str:
        """Commit on top of a branch; a missing one begins at ``start``, or without history."""
        with self.mutex:
            parent = f"refs/heads/{branch}^0" if branch in self.refs() else start
            output = self._git("fast-import", "--quiet", given=_import_stream(branch, parent, change))
            if self.head() == branch:
                self._git("reset", "--quiet", "--hard")
            return output.decode().strip()

    def create_branch(self, branch: str, start: str) -> None:
        self._git("branch", "--no-track", branch, start)

    def delete_branch(self, branch: str) -> None:
        """Whatever is checked out; absent is fine."""
        self._git("update-ref", "-d", f"refs/heads/{branch}")

    def checkout(self, branch: str) -> None:
        self._git("checkout", "--quiet", "--force", branch, "--")

    def files(self, branch: str) -> dict[str, str]:
        """Every file of a branch with its content."""
        with self.mutex:
            listing = self._git("ls-tree", "-r", "-z", branch).decode()
            entries = [entry.split("\t", 1) for entry in listing.split("\0") if entry]
            return {path: self._git("cat-file", "blob", about.split(" ")[2]).decode() for about, path in entries}

    def reset_staging(self, staging: str, live: str) -> None:
        """What reset-staging does: check out live, drop staging with its history, begin it again at live's head."""
        with self.mutex:
            refs = self.refs()
            if live not in refs:
                raise RefNotFound(live)
            self.checkout(live)
            if staging in refs:
                self._git("branch", "--quiet", "-D", staging)
            self.create_branch(staging, live)

    def sync_staging(self, environment: str, live: str) -> None:
        """What sync-staging did: drop and begin again, without the checkout, hence its two ways to fail."""
        with self.mutex:
            refs = self.refs()
            if environment in refs:
                if self.head() == environment:
                    raise BranchCheckedOut(environment)
                self._git("branch", "--quiet", "-D", environment)
            if live not in refs:
                raise RefNotFound(live)
            self.create_branch(environment, live)

    def pack(self) -> None:
        """Few files instead of many; clients see no difference."""
        self._git("repack", "-a", "-d", "--quiet")

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        with self.mutex:
            done = subprocess.run(
                ["git", *arguments],
                cwd=self.path,
                env=git_environment(self.path.parent),
                input=given,
                capture_output=True,
                check=False,
            )
        if done.returncode:
            raise GitError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


def _import_stream(branch: str, parent: str | None, change: Change) -> bytes:
    """One commit for git fast-import: a single process, however many files."""
    committer = f"{change.author} <{change.author}@studio.invalid> {int(change.when.timestamp())} +0000"
    lines = [f"commit refs/heads/{branch}", "mark :1", f"committer {committer}", _data(change.message)]
    if parent:
        lines.append(f"from {parent}")
    for path, content in sorted(change.files.items()):
        lines += [f"D {path}"] if content is None else [f"M 100644 inline {path}", _data(content)]
    lines.append("get-mark :1")
    if change.tag is not None:
        lines += [f"tag {change.tag}", "from :1", f"tagger {committer}", _data(change.message)]
    return "\n".join([*lines, ""]).encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"
