# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release from its first to its last step, as CONTRIBUTING.md describes it, by two maintainers."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import tarfile
import typing as t

import pytest

from scripts.check.requirements import audit_programs
from scripts.check.shell import ROOT
from scripts.check.stage import staged

#: Higher than any version under development.
VERSION = "99.0.0"

SUMMARY = "What the release is about, in a sentence."

IDENTITY = ("-c", "user.name=maintainer", "-c", "user.email=maintainer@example.org", "-c", "commit.gpgsign=false")


def git(root: pathlib.Path, *arguments: str) -> str:
    return subprocess.check_output(["git", *IDENTITY, *arguments], cwd=root, text=True)


def borrow_tools(root: pathlib.Path) -> None:
    """Give a clone the environments of this work tree, which are the same, in directories of its own."""
    for own, lent in ((".venv", ROOT / ".venv"), (".cache/audit", audit_programs().parent)):
        (root / own).mkdir(parents=True)
        for entry in lent.iterdir():
            (root / own / entry.name).symlink_to(entry)


def make_release(root: pathlib.Path, umask: int, **environment: str) -> str:
    """The step of ``make release`` that is due."""
    env = {**os.environ, **environment}
    env.pop("SOURCE_DATE_EPOCH", None)
    command = [".venv/bin/python", "-m", "scripts.release", VERSION]
    result = subprocess.run(command, cwd=root, env=env, umask=umask, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@contextlib.contextmanager
def repository() -> t.Iterator[pathlib.Path]:
    """A repository with what this one has, and a change to release."""
    with staged() as root:
        borrow_tools(root)
        fragment = root / "changelogs" / "fragments" / f"{VERSION}.yml"
        fragment.parent.mkdir(exist_ok=True)
        for summary in fragment.parent.glob("[0-9]*.yml"):
            # of the version under development, and a release has one
            summary.unlink()
        fragment.write_text(f"release_summary: {SUMMARY}\nbugfixes:\n  - sync modules - a fault is corrected.\n")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "What is to be released")
        yield root


@pytest.mark.long
def test_two_maintainers_make_the_same_release(tmp_path: pathlib.Path) -> None:
    with repository() as root:
        assert "review and commit" in make_release(root, 0o022)
        notes = (root / "CHANGELOG.rst").read_text()
        assert notes.index(f"v{VERSION}") < notes.index(SUMMARY) < notes.index("a fault is corrected") < notes.index("v1.2.0")
        assert f"version: {VERSION}\n" in (root / "galaxy.yml").read_text()
        assert list((root / "changelogs" / "fragments").glob("*.yml")) == []
        changed = {line[3:].partition("/")[0] for line in git(root, "status", "--porcelain").splitlines()}
        assert changed == {"CHANGELOG.rst", "changelogs", "galaxy.yml"}
        subprocess.run([ROOT / ".venv/bin/antsibull-changelog", "lint"], cwd=root, check=True)
        git(root, "commit", "--quiet", "--all", "--message", f"Version {VERSION}")

        other = tmp_path / "another folder"
        git(tmp_path, "clone", "--quiet", str(root), str(other))
        borrow_tools(other)
        printed = make_release(root, 0o022, TZ="UTC")
        make_release(other, 0o077, TZ="Pacific/Auckland", LC_ALL="C", HOME=str(tmp_path))

        archive = f"lockstep-sync-{VERSION}.tar.gz"
        assert f"publish dist/{archive}" in printed
        names = sorted(path.name for path in (root / "dist").iterdir())
        assert names == ["CHANGELOG.rst", "SHA256SUMS", "development.cdx.json", archive, "runtime.cdx.json"]
        for name in names:
            assert (root / "dist" / name).read_bytes() == (other / "dist" / name).read_bytes(), name
        subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=other / "dist", check=True)
        with tarfile.open(root / "dist" / archive) as tar:
            manifest = json.load(tar.extractfile("MANIFEST.json") or pytest.fail("no manifest"))
        assert manifest["collection_info"]["version"] == VERSION
        bill = json.loads((root / "dist" / "runtime.cdx.json").read_text())
        assert bill["metadata"]["component"]["version"] == VERSION
        assert git(root, "status", "--porcelain") == ""
