# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is passed to git, and what never is."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core import deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter import git

CLOCK = SystemClock()

GOOD = {
    "/srv/repos/{site}/published": "/srv/repos/mysite/published",
    "file:///srv/repos/x": "file:///srv/repos/x",
    "https://git.example/{site}.git": "https://git.example/mysite.git",
    "HTTPS://git.example/x": "https://git.example/x",
    "https://git.example:8443/a@b/x": "https://git.example:8443/a@b/x",
    "ssh://crafter@studio.example:22/opt/{site}": "ssh://crafter@studio.example:22/opt/mysite",
    "crafter@studio.example:/opt/{site}": "crafter@studio.example:/opt/mysite",
    "studio.example:x": "studio.example:x",
}

BAD = [
    "",
    "  ",
    "-x",
    "--upload-pack=touch x",
    "ext::sh -c touch% x",
    "fd::17",
    "https::x",
    "relative/path",
    "./x",
    "ftp://host/x",
    "ext://x",
    "ssh://-oProxyCommand=x/y",
    "-oProxyCommand=x:y",
    "user@-oProxyCommand=x:y",
    "ssh://-oProxyCommand=x@host/y",
    "https:///x",
    "ssh://user:secret@host/x",
    "https://host/x\nmore",
    "/x\x00",
]


@pytest.mark.parametrize(("value", "expected"), GOOD.items())
def test_addresses(value: str, expected: str) -> None:
    assert git.parse_location(value).of("mysite") == expected


@pytest.mark.parametrize("value", BAD)
def test_addresses_that_are_refused(value: str) -> None:
    with pytest.raises(SyncError) as caught:
        git.parse_location(value)
    assert caught.value.code == "invalid_option" and caught.value.hint and "secret" not in caught.value.message


def test_credentials_leave_the_address() -> None:
    location = git.parse_location("https://reader:p%40ss@git.example/{site}.git")
    assert location == git.Location("https://git.example/{site}.git", "reader", "p@ss")


@pytest.mark.parametrize("branch", ["staging", "live", "release/2026", "qa-1"])
def test_branches(branch: str) -> None:
    assert git._ref(branch) == f"refs/heads/{branch}"


@pytest.mark.parametrize("branch", ["", "a:b", "a b", "a..b", "a~1", "*", "a//b", "a/", "a.lock", ".a", "a@{1}"])
def test_branches_that_are_refused(branch: str) -> None:
    with pytest.raises(SyncError):
        git._ref(branch)


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ("fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.", "not_found"),
        ("fatal: repository 'https://h/x/' not found", "not_found"),
        ("fatal: Authentication failed for 'https://h/x/'", "auth_failed"),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", "auth_failed"),
        ("git@h: Permission denied (publickey).", "auth_failed"),
        ("Host key verification failed.", "auth_failed"),
        ("fatal: detected dubious ownership in repository at '/x'", "permission_denied"),
        ("fatal: unable to access 'https://h/x/': Could not resolve host: h", "connection_failed"),
        ("warning: filtering not recognized by server, ignoring\n", "connection_failed"),
    ],
)
def test_failures(errors: str, code: str) -> None:
    error = git.git_failure("fetch", errors)
    assert error.code == code and error.hint and "\n" not in error.message and "warning" not in error.message


def repository(value: str, redactor: Redactor | None = None) -> git.Repository:
    return git.Repository(value, CLOCK, redactor or Redactor())


def commit(path: pathlib.Path, branch: str, files: dict[str, str]) -> None:
    """Make a branch anew, as a commit without history that is not the same as that of another branch."""
    subprocess.run(["git", "-C", str(path), "update-ref", "-d", f"refs/heads/{branch}"], check=True)
    stream = f"commit refs/heads/{branch}\ncommitter {branch} <a@b> 1 +0000\ndata 0\n\n"
    stream += "".join(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n" for name, text in files.items())
    subprocess.run(["git", "-C", str(path), "fast-import", "--quiet"], input=stream.encode(), check=True)


@pytest.fixture
def published(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "mysite" / "published"
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    return path


def test_comparison(published: pathlib.Path, tmp_path: pathlib.Path) -> None:
    seen = repository(str(tmp_path / "{site}" / "published"))
    deadline = Deadline(CLOCK, 60)
    assert seen.compare("mysite", "staging", "live", deadline) == git.Comparison(None, None)
    commit(published, "live", {"a": "1", "ä b": "2"})
    assert not seen.compare("mysite", "staging", "live", deadline).in_sync
    commit(published, "staging", {"a": "1", "c\td": "3", "ä b": "4"})
    found = seen.compare("mysite", "staging", "live", deadline)
    assert not found.in_sync and not found.same_commit
    kinds = {item.path: (item.staging is not None, item.live is not None) for item in found.changes}
    assert kinds == {"c\td": (True, False), "ä b": (True, True)}
    commit(published, "staging", {"ä b": "2", "a": "1"})
    equal = seen.compare("mysite", "staging", "live", deadline)
    assert equal.in_sync and not equal.same_commit and equal.changes == ()


def fake_git(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "git"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_secrets_are_no_arguments(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    fake_git(
        tmp_path, monkeypatch, f'printf "%s\\n" "$@" > {log}; echo "password $LOCKSTEP_GIT_PASSWORD, $GIT_DIR." >&2; exit 1\n'
    )
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    redactor = Redactor()
    with pytest.raises(SyncError) as caught:
        repository("https://reader:s3cr3t@git.example/x", redactor).refs("mysite", "staging", "live", Deadline(CLOCK, 60))
    arguments = log.read_text().splitlines()
    assert "s3cr3t" not in log.read_text() and "reader" not in log.read_text()
    assert arguments[arguments.index("--") + 1] == "https://git.example/x"
    assert "http.followRedirects=false" in arguments
    assert "password ********, ." in caught.value.message


def test_helper_answers_git() -> None:
    """As git itself calls it: with the text behind the exclamation mark, and the operation."""
    environment = {"LOCKSTEP_GIT_USERNAME": "reader", "LOCKSTEP_GIT_PASSWORD": "a'b\"$c%d", "PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", "-c", f"{git._HELPER[1:]} get"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "username=reader\npassword=a'b\"$c%d\n"


def is_running(pid: str) -> bool:
    """Whether a process does anything; one that has ended may wait for somebody to ask for its status."""
    try:
        status = pathlib.Path("/proc", pid, "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_time_is_limited_and_nothing_goes_on(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "LAST_LOOK", 0.2)
    monkeypatch.setattr(git, "SLICE", 0.1)
    child = tmp_path / "child"
    fake_git(tmp_path, monkeypatch, f"sleep 60 & echo $! > {child}.new; mv {child}.new {child}; sleep 60\n")
    with pytest.raises(SyncError, match="did not end in time"):
        repository("/x").refs("mysite", "staging", "live", Deadline(CLOCK, 0))
    # it was not waited for, and what it had started has ended, too
    until = time.monotonic() + 30
    while is_running(child.read_text().strip()):
        assert time.monotonic() < until, "a process goes on"
        time.sleep(0.01)
