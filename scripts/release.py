# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make release VERSION=…``: what is published of a version, the same bytes wherever it is built.

The first run sets the version and turns the fragments into the changelog; these changes are reviewed and committed. The run after
that builds, from the commit alone.
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

from .check.sbom import write_sboms
from .check.shell import ROOT, VENV_BIN, StepFailed, quiet
from .check.stage import staged

DIST = ROOT / "dist"

SIGNING = """
Release {version} is in dist/. What is left is done by a maintainer:

  git tag --sign {version} --message "lockstep.sync {version}"
  gpg --armor --detach-sign --output dist/SHA256SUMS.asc dist/SHA256SUMS
  git push origin main {version}
  ansible-galaxy collection publish dist/{archive}

and a release on GitHub for the tag, with all files of dist/. Users verify it by

  gpg --verify SHA256SUMS.asc SHA256SUMS && sha256sum --check SHA256SUMS
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
            entry.type = members[name].type
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
    return int(given or subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=ROOT, text=True))


def current_version() -> str:
    """The version in galaxy.yml."""
    found = re.search(r"^version: (\S+)$", (ROOT / "galaxy.yml").read_text(), re.MULTILINE)
    if found is None:
        raise StepFailed("galaxy.yml has no version")
    return found[1]


def is_prepared(version: str) -> bool:
    """Whether galaxy.yml has this version, and the changelog describes it."""
    described = re.search(rf"^v{re.escape(version)}$", (ROOT / "CHANGELOG.rst").read_text(), re.MULTILINE)
    return current_version() == version and described is not None


def prepare(version: str) -> None:
    """Set the version, and turn the fragments into its changelog."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise StepFailed(f"{version!r} is no version such as 2.0.0")
    galaxy = ROOT / "galaxy.yml"
    galaxy.write_text(re.sub(r"(?m)^version: \S+$", f"version: {version}", galaxy.read_text()))
    result = quiet([VENV_BIN / "antsibull-changelog", "release", "--version", version])
    if result.status:
        raise StepFailed(f"antsibull-changelog: {result.output.strip()}")


def is_clean() -> bool:
    """Whether the commit has everything, so that what is built can be built again from it."""
    return not subprocess.check_output(["git", "status", "--porcelain"], cwd=ROOT, text=True).strip()


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


def main() -> int:
    version = sys.argv[1] if sys.argv[1:] else current_version()
    try:
        if not is_prepared(version):
            prepare(version)
            print(f"galaxy.yml and the changelog are those of {version}: review and commit them, then run this again.")
            return 0
        if not is_clean():
            raise StepFailed("commit everything first, so that the release can be built again from the commit")
        archive = write_files(DIST, commit_date())
    except StepFailed as failure:
        print(f"release: {failure}", file=sys.stderr)
        return 1
    print(SIGNING.format(version=version, archive=archive))
    return 0


if __name__ == "__main__":
    sys.exit(main())
