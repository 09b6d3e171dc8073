# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release is the same bytes wherever and whenever it is built."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import tarfile

import pytest

from scripts import release

CONTENT = {"README.md": b"read me", "plugins/modules/one.py": b"#!/usr/bin/python", "scripts": None, "roles": None}


def built(names: list[str], mtime: int, owner: str, umask: int = 0o022) -> bytes:
    """An archive as ansible-galaxy writes it, from a directory in this order."""
    entries = [
        {
            "name": name,
            "ftype": "dir" if CONTENT[name] is None else "file",
            "chksum_sha256": None if CONTENT[name] is None else hashlib.sha256(CONTENT[name] or b"").hexdigest(),
        }
        for name in names
    ]
    files = json.dumps({"files": entries, "format": 1}, indent=True).encode()
    checksum = hashlib.sha256(files).hexdigest()
    manifest = json.dumps({"collection_info": {}, "file_manifest_file": {"chksum_sha256": checksum}}, indent=True).encode()
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w:gz") as tar:
        for name, content in [("MANIFEST.json", manifest), ("FILES.json", files), *((name, CONTENT[name]) for name in names)]:
            entry = tarfile.TarInfo(name)
            entry.mtime, entry.uname, entry.uid = mtime, owner, mtime % 1000
            entry.mode = 0o777 & ~umask
            if content is None:
                entry.type = tarfile.DIRTYPE
            entry.size = len(content or b"")
            tar.addfile(entry, io.BytesIO(content or b""))
    return output.getvalue()


def test_order_dates_and_owners_make_no_difference() -> None:
    one = release.normalized(built(list(CONTENT), 1_700_000_001, "root"), 1_600_000_000)
    other = release.normalized(built(list(reversed(CONTENT)), 1_800_000_002, "somebody", 0o077), 1_600_000_000)

    assert one == other


def test_what_is_in_the_archive_stays() -> None:
    archive = release.normalized(built(list(reversed(CONTENT)), 1_700_000_001, "root"), 1_600_000_000)

    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = tar.getmembers()
        contents = {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in members if member.isfile()}
    assert [member.name for member in members] == ["MANIFEST.json", "FILES.json", *sorted(CONTENT)]
    assert {name: content for name, content in contents.items() if name in CONTENT} == {
        name: content for name, content in CONTENT.items() if content is not None
    }
    assert {member.mtime for member in members} == {1_600_000_000}
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    listed = json.loads(contents["MANIFEST.json"])["file_manifest_file"]["chksum_sha256"]
    assert listed == hashlib.sha256(contents["FILES.json"]).hexdigest()
    assert gzip.decompress(archive)


def test_other_content_is_another_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    one = release.normalized(built(list(CONTENT), 1, "root"), 1_600_000_000)
    monkeypatch.setitem(CONTENT, "README.md", b"read me!")

    assert release.normalized(built(list(CONTENT), 1, "root"), 1_600_000_000) != one


def test_checksums_are_those_of_sha256sum(tmp_path: pathlib.Path) -> None:
    (tmp_path / "b.tar.gz").write_bytes(b"b")
    (tmp_path / "a.json").write_bytes(b"a")
    (tmp_path / "SHA256SUMS.asc").write_bytes(b"an old signature")
    release.write_checksums(tmp_path)

    output = subprocess.check_output(["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, text=True)
    assert output.splitlines() == ["a.json: OK", "b.tar.gz: OK"]


def test_the_date_of_a_release_is_that_of_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert release.commit_date() > 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    assert release.commit_date() == 1_600_000_000
