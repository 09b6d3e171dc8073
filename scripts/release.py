# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make release VERSION=…``: what is published of a version, the same bytes wherever it is built.

The first run sets the version and turns the fragments into the changelog; these changes are reviewed and committed. The run after
that builds, from the commit alone. ``version`` in galaxy.yml is the one under development; what was released is in the changelog.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import typing as t

import yaml

from .check.sbom import write_sboms
from .check.shell import ROOT, VENV_BIN, StepFailed, quiet
from .check.stage import staged

DIST = ROOT / "dist"

#: Where the changes since the last release are described.
FRAGMENTS = "changelogs/fragments"

Version = tuple[int, int, int]

SIGNING = """
Release {version} is in dist/. What is left is done by a maintainer:

  git tag --sign {version} --message "lockstep.sync {version}"
  gpg --armor --detach-sign --output dist/SHA256SUMS.asc dist/SHA256SUMS
  git push origin main {version}
  ansible-galaxy collection publish dist/{archive}

a release on GitHub for the tag, with all files of dist/, and the next version in galaxy.yml. Users verify what they downloaded by

  gpg --verify SHA256SUMS.asc SHA256SUMS && sha256sum --check --ignore-missing SHA256SUMS
"""


def normalized(archive: bytes, epoch: int) -> bytes:
    """An archive of ansible-galaxy with the same content, and nothing in it of where and when it was built.

    ansible-galaxy puts the files in the order of the directory, with their dates and the time of the build.

    :param archive: the archive, as it was built.
    :param epoch: seconds since 1970, which become the date of everything in it.
    """
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = {member.name: member for member in tar.getmembers()}
        contents = {name: _content(tar, member) for name, member in members.items()}
    files = json.loads(contents["FILES.json"])
    files["files"].sort(key=lambda entry: entry["name"])
    contents["FILES.json"] = _json(files)
    manifest = json.loads(contents["MANIFEST.json"])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents["FILES.json"]).hexdigest()
    contents["MANIFEST.json"] = _json(manifest)
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in ("MANIFEST.json", "FILES.json", *sorted(set(members) - {"MANIFEST.json", "FILES.json"})):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = members[name].type, members[name].linkname
            entry.mode = 0o755 if members[name].isdir() or members[name].mode & 0o100 else 0o644
            entry.mtime, entry.size = epoch, len(contents[name])
            tar.addfile(entry, io.BytesIO(contents[name]))
    return gzip.compress(output.getvalue(), mtime=epoch)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file else b""


def _json(content: dict[str, object]) -> bytes:
    """As ansible-galaxy writes it."""
    return json.dumps(content, indent=True).encode()


def build_archive(epoch: int) -> tuple[str, bytes]:
    """Build the collection from a copy of what is tracked.

    :param epoch: see :func:`normalized`.
    :return: the name of the archive, and its content.
    """
    with staged() as root, tempfile.TemporaryDirectory(prefix="lockstep-release-") as directory:
        result = quiet([VENV_BIN / "ansible-galaxy", "collection", "build", "--output-path", directory], cwd=root)
        if result.status:
            raise StepFailed(f"ansible-galaxy collection build: {result.output.strip()}")
        (built,) = pathlib.Path(directory).glob("*.tar.gz")
        return built.name, normalized(built.read_bytes(), epoch)


def commit_date() -> int:
    """The date of everything in the archive: that of the last commit, or ``SOURCE_DATE_EPOCH``, in seconds since 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or _git("log", "-1", "--format=%ct"))


def current_version() -> str:
    """The version in galaxy.yml."""
    found = re.search(r"^version: (\S+)$", (ROOT / "galaxy.yml").read_text(), re.MULTILINE)
    if found is None:
        raise StepFailed("galaxy.yml has no version")
    return found[1]


def released_versions() -> list[str]:
    """The versions that the changelog has."""
    return list(yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text())["releases"])


def unreleased_fragments() -> list[str]:
    """The names of the fragments, which are the changes that no release has yet."""
    return sorted(path.name for path in (ROOT / FRAGMENTS).glob("*.y*ml"))


def parsed(version: str) -> Version:
    """A version, such that versions can be compared.

    :raises StepFailed: if it is none.
    """
    found = re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", version)
    if found is None:
        raise StepFailed(f"{version!r} is no version such as 2.0.0")
    return int(found[1]), int(found[2]), int(found[3])


def is_prepared(version: str) -> bool:
    """Whether the changelog describes this version, which is then built, and not prepared.

    :raises StepFailed: if it is no version that can follow.
    """
    current, released = current_version(), released_versions()
    if parsed(version) < parsed(current):
        raise StepFailed(
            f"{version} is lower than {current} in galaxy.yml; a version that was released is built again from its tag"
        )
    if version in released:
        if version != current:
            raise StepFailed(f"the changelog has {version}, and galaxy.yml {current}")
        return True
    newest = max(released, key=parsed)
    if parsed(version) < parsed(newest):
        raise StepFailed(f"{version} is lower than {newest}, which the changelog has")
    return False


def prepare(version: str) -> None:
    """Set the version, and turn the fragments into its changelog.

    :raises StepFailed: without any change, if that is not possible.
    """
    if not is_clean():
        raise StepFailed("commit or discard all changes first, so that those of the release are seen alone")
    fragments = unreleased_fragments()
    if not fragments:
        raise StepFailed(f"nothing to release: {FRAGMENTS} has no fragments")
    if f"{version}.yml" not in fragments:
        raise StepFailed(f"{FRAGMENTS}/{version}.yml is missing: a fragment with release_summary, what the release is about")
    galaxy = ROOT / "galaxy.yml"
    before = galaxy.read_text()
    _changelog("lint")
    galaxy.write_text(re.sub(r"(?m)^version: \S+$", f"version: {version}", before))
    try:
        _changelog("release", "--version", version)
    except StepFailed:
        galaxy.write_text(before)
        raise


def _changelog(*arguments: str) -> None:
    result = quiet([VENV_BIN / "antsibull-changelog", *arguments], cwd=ROOT)
    if result.status:
        raise StepFailed(f"antsibull-changelog {arguments[0]}: {result.output.strip()}")


def is_clean() -> bool:
    """Whether the commit has everything, so that what is built can be built again from it."""
    return not _git("status", "--porcelain")


def check_commit(version: str) -> None:
    """See that the commit is the one to build a version from.

    :raises StepFailed: if it is not.
    """
    if not is_clean():
        raise StepFailed("commit everything first, so that the release can be built again from the commit")
    fragments = unreleased_fragments()
    if fragments:
        names = ", ".join(fragments[:3]) + (", …" if fragments[3:] else "")
        raise StepFailed(
            f"{version} was released: its changelog does not have {names} in {FRAGMENTS}, which are for a higher version"
        )
    if _git("tag", "--list", version) and _git("rev-parse", f"{version}^{{commit}}") != _git("rev-parse", "HEAD"):
        raise StepFailed(f"the tag {version} is on another commit: git checkout {version}")


def _git(*arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], cwd=ROOT, text=True).strip()


def write_files(directory: pathlib.Path, epoch: int) -> str:
    """Write the archive, the bills of materials, the changelog and the checksums of all of them.

    :return: the name of the archive.
    """
    directory.mkdir(exist_ok=True)
    for old in directory.iterdir():
        if old.is_file():
            old.unlink()
    name, content = build_archive(epoch)
    (directory / name).write_bytes(content)
    (directory / "CHANGELOG.rst").write_bytes((ROOT / "CHANGELOG.rst").read_bytes())
    write_sboms(directory)
    write_checksums(directory)
    return name


def write_checksums(directory: pathlib.Path) -> None:
    """Write SHA256SUMS, as sha256sum reads it."""
    files = sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith("SHA256SUMS"))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (directory / "SHA256SUMS").write_text("".join(lines))


def main(arguments: t.Sequence[str]) -> int:
    try:
        if len(arguments) != 1 or not arguments[0]:
            raise StepFailed(f"which version? make release VERSION={current_version()}")
        (version,) = arguments
        if not is_prepared(version):
            prepare(version)
            print(f"galaxy.yml and the changelog are those of {version}: review and commit them, then run this again.")
            return 0
        check_commit(version)
        archive = write_files(DIST, commit_date())
    except StepFailed as failure:
        print(f"release: {failure}", file=sys.stderr)
        return 1
    print(SIGNING.format(version=version, archive=archive))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
