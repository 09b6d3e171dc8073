# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is installed for development is what was reviewed: the same files, by their hashes; and what the audit says of it."""

from __future__ import annotations

import hashlib
import pathlib
import re
import sys
import zipfile

import pytest

from scripts.check import audit
from scripts.check.requirements import CORE, FILES, RUNTIME, SIMULATOR, entries, install, pins
from scripts.check.shell import StepFailed, notes

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.]+)(?: ; [^-]+)?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)")


def wanted(root: pathlib.Path, name: str) -> dict[str, str]:
    """The versions in a file that people write."""
    lines = (root / f"requirements-{name}.in").read_text().splitlines()
    found = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found.items()}


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_its_hashes(root: pathlib.Path, name: str) -> None:
    found = {package: PIN.fullmatch(line) for package, line in entries(name).items()}
    assert [package for package, pin in found.items() if pin is None] == []
    versions = {package: pin["version"] for package, pin in found.items() if pin}
    assert wanted(root, name).items() <= versions.items()
    # nothing is resolved for the others, which name all that they need
    assert name == "audit" or versions == wanted(root, name)


def test_every_release_of_ansible_has_its_hashes(root: pathlib.Path) -> None:
    lines = [line for line in (root / "requirements-cores.txt").read_text().splitlines() if not line.startswith("#") and line]
    assert len([line for line in lines if line.startswith("ansible-core==")]) >= 4
    form = re.compile(r"[\w-]+==[\d.]+(?: --hash=sha256:[0-9a-f]{64}){2}  # (?:python|ansible-core) [\d. ]+")
    assert [line for line in lines if not form.fullmatch(line)] == []
    # the one that the tests run with is the same file in both
    (ours,) = pins("dev", "ansible-core")
    assert any(line.startswith(f"{ours}  #") for line in lines)


def test_what_other_environments_need_is_known() -> None:
    assert len(pins("dev", *CORE, *RUNTIME, *SIMULATOR)) == len(CORE) + len(RUNTIME) + len(SIMULATOR)


def test_a_file_with_another_hash_is_not_installed(tmp_path: pathlib.Path) -> None:
    wheel = tmp_path / "odd_one-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("odd_one.py", "")
        archive.writestr("odd_one-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: odd-one\nVersion: 1.0\n")
        archive.writestr("odd_one-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("odd_one-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    python = pathlib.Path(sys.executable)
    for line in (f"odd-one @ {wheel.as_uri()}", f"odd-one @ {wheel.as_uri()} --hash=sha256:{digest[::-1]}"):
        with pytest.raises(StepFailed, match=r"pip install returned 1: (?s:.*)hash"):
            install(python, [line])


def program(folder: pathlib.Path, script: str) -> pathlib.Path:
    (folder / "pip-audit").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "pip-audit").chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("script", "problem", "noted"),
    [
        ("echo 'No known vulnerabilities found'", "", False),
        ("echo 'Found 1 known vulnerability in 1 package'; exit 1", "pip-audit of requirements-dev.txt returned 1", False),
        ("echo 'unreadable file'; exit 2", "pip-audit of requirements-dev.txt returned 2", False),
        ("echo 'requests.exceptions.ConnectionError: Max retries exceeded'; exit 1", "", True),
    ],
    ids=["clean", "an advisory", "an error", "out of reach"],
)
def test_an_audit_that_was_not_made_says_so(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, script: str, problem: str, noted: bool
) -> None:
    monkeypatch.setattr(audit, "notes", remarks := [*notes][:0])
    assert audit._advisories(program(tmp_path, script), "requirements-dev.txt") == problem
    assert [("was not compared with advisories" in remark) for remark in remarks] == [True] * noted
