# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What make release refuses, and that it changes nothing then."""

from __future__ import annotations

import fnmatch
import pathlib
import subprocess

import pytest
import yaml

from scripts import release
from scripts.check.shell import environment

CHANGELOG = "ancestor: null\nreleases:\n  1.9.0:\n    release_date: '2026-01-01'\n"


class Repository:
    """A git repository with what a release reads."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        (root / "changelogs" / "fragments").mkdir(parents=True)
        self.write("galaxy.yml", "namespace: lockstep\nname: sync\nversion: 1.9.0\n")
        self.write("changelogs/changelog.yaml", CHANGELOG)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit()

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=maintainer", "-c", "user.email=maintainer@example.org", "-c", "commit.gpgsign=false")
        return subprocess.check_output(["git", *identity, *arguments], cwd=self.root, text=True).strip()

    def write(self, name: str, content: str) -> None:
        (self.root / name).write_text(content)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")

    def describe(self, version: str, released: bool) -> None:
        """A change for a version: as a fragment, or in the changelog."""
        if released:
            self.write("galaxy.yml", f"namespace: lockstep\nname: sync\nversion: {version}\n")
            self.write("changelogs/changelog.yaml", f"{CHANGELOG}  {version}:\n    release_date: '2026-02-02'\n")
        else:
            self.write(f"changelogs/fragments/{version}.yml", "release_summary: What it is about.\n")
        self.commit()


@pytest.fixture
def repository(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    made = Repository(tmp_path)
    monkeypatch.setattr(release, "ROOT", made.root)
    monkeypatch.setattr(release, "DIST", made.root / "dist")
    return made


def refusal(repository: Repository, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Why a release is refused, after which everything is as it was."""
    before = repository.git("rev-parse", "HEAD"), repository.git("status", "--porcelain"), repository.git("diff")
    assert release.main(arguments) == 1
    assert before == (repository.git("rev-parse", "HEAD"), repository.git("status", "--porcelain"), repository.git("diff"))
    assert not (repository.root / "dist").exists()
    output = capsys.readouterr()
    assert output.out == ""
    return output.err


@pytest.mark.parametrize("arguments", [(), ("",), ("2.0.0", "2.1.0")])
def test_the_version_has_to_be_named(
    repository: Repository, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    repository.describe("2.0.0", released=False)

    assert "which version? make release VERSION=1.9.0" in refusal(repository, capsys, *arguments)


@pytest.mark.parametrize("version", ["2.0", "v2.0.0", "2.0.0-beta1", "foo", "2.00.0", " 2.0.0"])
def test_only_versions_are_released(repository: Repository, capsys: pytest.CaptureFixture[str], version: str) -> None:
    repository.describe("2.0.0", released=False)

    assert "is no version such as 2.0.0" in refusal(repository, capsys, version)


def test_a_lower_version_is_refused(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.describe("1.0.0", released=False)

    assert "1.0.0 is lower than 1.9.0 in galaxy.yml" in refusal(repository, capsys, "1.0.0")


def test_versions_are_compared_as_numbers(repository: Repository) -> None:
    assert not release.is_prepared("1.10.0")


def test_the_version_under_development_has_to_follow_what_was_released(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write("galaxy.yml", "version: 1.8.0\n")
    repository.describe("1.8.5", released=False)

    assert "1.8.5 is lower than 1.9.0, which the changelog has" in refusal(repository, capsys, "1.8.5")
    assert "the changelog has 1.9.0, and galaxy.yml 1.8.0" in refusal(repository, capsys, "1.9.0")


def test_changes_that_are_not_committed_are_no_part_of_a_preparation(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.describe("2.0.0", released=False)
    repository.write("README.md", "half of a change")

    assert "commit or discard all changes first" in refusal(repository, capsys, "2.0.0")


def test_there_has_to_be_a_change(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing to release: changelogs/fragments has no fragments" in refusal(repository, capsys, "2.0.0")


def test_a_release_has_a_summary(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.write("changelogs/fragments/change.yml", "bugfixes:\n  - one\n")
    repository.commit()

    assert "changelogs/fragments/2.0.0.yml is missing" in refusal(repository, capsys, "2.0.0")


@pytest.mark.parametrize("broken", ["lint", "release"])
def test_a_fault_of_the_changelog_leaves_the_version(
    repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    repository.describe("2.0.0", released=False)
    done: list[str] = []

    def changelog(*arguments: str) -> None:
        done.append(arguments[0])
        if arguments[0] == broken:
            raise release.StepFailed("a fragment is no YAML")

    monkeypatch.setattr(release, "_changelog", changelog)
    assert "a fragment is no YAML" in refusal(repository, capsys, "2.0.0")
    assert done[-1] == broken


def test_a_release_is_built_from_a_commit(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.describe("2.0.0", released=True)
    assert release.is_prepared("2.0.0")
    repository.write("README.md", "half of a change")

    assert "commit everything first" in refusal(repository, capsys, "2.0.0")


def test_later_changes_are_no_part_of_a_release(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does the version that galaxy.yml names, and the changelog has, get built from them."""
    repository.describe("2.0.0", released=True)
    repository.describe("2.1.0", released=False)

    assert "its changelog does not have 2.1.0.yml" in refusal(repository, capsys, "2.0.0")


def test_a_tag_is_on_the_commit_that_is_built(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.describe("2.0.0", released=True)
    repository.git("tag", "2.0.0")
    release.check_commit("2.0.0")
    repository.commit()

    assert "the tag 2.0.0 is on another commit: git checkout 2.0.0" in refusal(repository, capsys, "2.0.0")


@pytest.mark.parametrize(
    ("locale", "used"), [("C", "C.UTF-8"), ("de_DE.ISO-8859-1", "C.UTF-8"), ("", "C.UTF-8"), ("de_DE.utf8", "de_DE.utf8")]
)
def test_ansible_gets_the_encoding_that_it_requires(monkeypatch: pytest.MonkeyPatch, locale: str, used: str) -> None:
    for name in ("LANG", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", locale)

    assert environment()["LC_ALL"] == used


@pytest.mark.parametrize(
    "name", ["changelogs/.plugin-cache.yaml", ".cache/x", "plugins/modules/.x.swp", "dist/lockstep-sync-1.0.0.tar.gz"]
)
def test_what_tools_leave_in_a_work_tree_is_no_part_of_an_archive(root: pathlib.Path, name: str) -> None:
    """By its patterns, which ansible-galaxy compares with the paths of files and of the directories above them."""
    ignored = yaml.safe_load((root / "galaxy.yml").read_text())["build_ignore"]
    path = pathlib.PurePath(name)

    assert any(fnmatch.fnmatch(str(each), pattern) for each in (path, *path.parents) for pattern in ignored)
