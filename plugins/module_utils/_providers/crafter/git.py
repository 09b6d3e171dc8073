# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The published repository of a site, read with the git command line: the only exact test of whether staging equals live.

Nothing is ever written to it. Trees are compared instead of commits: a publish commits to each branch separately, so that commit
ids may differ although the content is the same (docs/reference/crafter.md#3.5).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import tempfile
import typing as t
import urllib.parse

from ..._core.clock import Clock
from ..._core.deadline import Deadline
from ..._core.errors import SyncError
from ..._core.redact import Redactor

OPTION = "published_repo"
PLACEHOLDER = "{site}"
SCHEMES = ("file", "http", "https", "ssh")
#: seconds that a git call may take although the deadline is closer
MIN_SECONDS = 5.0
#: seconds between two checks, during a git call, of whether the task is being stopped
SLICE = 0.5
MAX_ERROR = 300

#: variables that would make git use another repository, log secrets, or print more
_NOT_INHERITED = re.compile(
    r"GIT_(ALTERNATE_OBJECT_DIRECTORIES|CONFIG(_PARAMETERS)?|OBJECT_DIRECTORY|DIR|WORK_TREE|"
    r"IMPLICIT_WORK_TREE|GRAFT_FILE|INDEX_FILE|NO_REPLACE_OBJECTS|REPLACE_REF_BASE|PREFIX|SHALLOW_FILE|COMMON_DIR|NAMESPACE|TRACE.*|CURL_VERBOSE|ASKPASS)"
)
#: Reads the credentials from the environment, which other users cannot see. This text contains no option values.
_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$LOCKSTEP_GIT_USERNAME" "$LOCKSTEP_GIT_PASSWORD"; }; f'
)
_SETTINGS = ("gc.auto=0", "maintenance.auto=false", "core.hooksPath=" + os.devnull, "fetch.recurseSubmodules=false")

_REMEDY = "Give an absolute path, or an address as https://host/path, ssh://user@host/path or user@host:path."
#: What a user, a host, and a port may be, so that neither git nor ssh can take them for something else, an option among it: git
#: decodes %XX in ssh addresses, and takes the content of brackets for a host even if it is no IPv6 address
_USER = r"(?:[\w{][^\s/:@%\[\]\\]*)"
_HOST = r"(?:(?:\w|\{site\})(?:[\w.-]|\{site\})*|\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\])"
_AUTHORITY = {
    "file": re.compile(rf"(?:{_HOST})?"),
    "ssh": re.compile(rf"(?:{_USER}@)?{_HOST}(?::[0-9]+)?"),
    "http": re.compile(rf"(?:[^\s\\]*@)?{_HOST}(?::[0-9]+)?"),
}
_SCP = re.compile(rf"(?:{_USER}@)?{_HOST}:(?![-:\s]|//).+")
_BRANCH = re.compile(r"(?!.*(\.\.|//|@\{|/\.|\.lock(/|$)))[^\s~^:?*\[\\\x00-\x20\x7f/.][^\s~^:?*\[\\\x00-\x20\x7f]*(?<![/.])")

#: Patterns in the output of git, with failure code and hint. The first match counts.
ERROR_PATTERNS = (
    ("dubious ownership", "permission_denied", "The repository belongs to another user: add its path to git's safe.directory."),
    (
        r"authentication failed|could not read \w+ for|permission denied|access denied|error: 40[13]|host key verification",
        "auth_failed",
        "Check that this user can read the repository without a prompt: git ls-remote on this host must work.",
    ),
    (
        "not found|does not appear to be a git repository|no such file or directory|does not exist|couldn't find remote ref",
        "not_found",
        "Check published_repo: the repository called published in the data of the site, or what delivery nodes clone.",
    ),
)
_UNREACHABLE = "Check published_repo, and that git ls-remote works on this host."


@dataclasses.dataclass(frozen=True)
class Location:
    """Where a repository is.

    :param address: the argument for git, free of secrets.
    """

    address: str
    username: str | None = None
    password: str | None = None

    def of(self, site: str) -> str:
        return self.address.replace(PLACEHOLDER, site)


def parse_location(value: str) -> Location:
    """A path or address that git cannot mistake for an option and that cannot make git run a command.

    :raises SyncError: ``invalid_option``; the value is not repeated, as it may hold a password.
    """
    value = value.strip()
    if not value or value.startswith("-") or any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise _bad("is empty, looks like an option or has control characters")
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        raise _bad("has characters that no argument of a program may have") from None
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", value)
    if scheme:
        return _parse_url(value, scheme[1].lower())
    if value.startswith(("/", "~")):
        path = os.path.expanduser(value)
        if path.startswith("/"):
            return Location(path)
        raise _bad("begins with a user that does not exist")
    if _SCP.fullmatch(value):
        return Location(value)
    if re.match(r"[^/]*::", value):
        raise _bad("names a transport helper of git, which may run any command")
    raise _bad("is neither an absolute path nor an address")


def _parse_url(value: str, scheme: str) -> Location:
    if scheme not in SCHEMES:
        raise _bad(f"has the scheme {scheme}, and only {', '.join(SCHEMES)} are possible")
    rest = value.partition("://")[2]
    authority, slash, path = rest.partition("/")
    userinfo, at, host = authority.rpartition("@")
    user, colon, password = userinfo.partition(":")
    is_web = scheme in ("http", "https")
    if colon and not is_web:
        raise _bad(f"carries a password, which {scheme} has no use for")
    if not _AUTHORITY["http" if is_web else scheme].fullmatch(authority):
        raise _bad("has no valid host")
    if not at or not is_web:
        return Location(f"{scheme}://{rest}")
    return Location(f"{scheme}://{host}{slash}{path}", urllib.parse.unquote(user), urllib.parse.unquote(password))


def _bad(problem: str) -> SyncError:
    return SyncError("invalid_option", f"option {OPTION}: the value {problem}", _REMEDY)


@dataclasses.dataclass(frozen=True)
class PathChange:
    """A path that differs between the trees; the blob is ``None`` where the path is absent."""

    path: str
    staging: str | None
    live: str | None


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Commits and trees of both branches at one moment; ``None`` for an absent branch."""

    live: str | None
    staging: str | None
    live_tree: str | None = None
    staging_tree: str | None = None
    changes: tuple[PathChange, ...] = ()

    @property
    def refs(self) -> dict[str, str | None]:
        return {"live": self.live, "staging": self.staging}

    @property
    def same_commit(self) -> bool:
        return self.live is not None and self.live == self.staging

    @property
    def in_sync(self) -> bool:
        return self.same_commit or (self.live_tree is not None and self.live_tree == self.staging_tree)


class Repository:
    """The published repositories of all sites of one Studio, or the one of a single site."""

    def __init__(self, value: str, clock: Clock, redactor: Redactor) -> None:
        self._location = parse_location(value)
        self._clock = clock
        self._redactor = redactor
        username, password = self._location.username, self._location.password
        # some services take a token as the user name, without a password
        redactor.add(password, *([username] if username and not password else []))
        redactor.add(*([f"{username}:{password}"] if password else []))

    @property
    def for_any_site(self) -> bool:
        return PLACEHOLDER in self._location.address

    def refs(self, site: str, staging: str, live: str, deadline: Deadline) -> Comparison:
        """The commits of both branches."""
        wanted = {_ref(staging): "staging", _ref(live): "live"}
        output = self._run(["ls-remote", "--refs", "--", self._location.of(site), *wanted], deadline)
        rows = (line.split("\t", 1) for line in output.splitlines() if "\t" in line)
        found = {wanted[name]: commit for commit, name in rows if name in wanted}
        return Comparison(found.get("live"), found.get("staging"))

    def tag_of(self, site: str, commit: str, deadline: Deadline) -> str | None:
        """The newest tag on a commit; publishing items makes one (docs/reference/crafter.md#6.2)."""
        output = self._run(["ls-remote", "--tags", "--", self._location.of(site)], deadline)
        rows = (line.split("\t", 1) for line in output.splitlines() if "\t" in line)
        # an annotated tag has a second row, for what it points to
        names = [name.removesuffix("^{}").removeprefix("refs/tags/") for found, name in rows if found == commit]
        return max(names, default=None)

    def compare(self, site: str, staging: str, live: str, deadline: Deadline) -> Comparison:
        """Both branches with their trees, and the paths that differ."""
        refs = self.refs(site, staging, live, deadline)
        if refs.live is None or refs.staging is None or refs.same_commit:
            return refs
        with tempfile.TemporaryDirectory(prefix="lockstep-git-") as scratch:
            self._run(["init", "--quiet", "--bare", "--template=", "."], deadline, scratch)
            both = [f"+{_ref(name)}:refs/seen/{side}" for side, name in (("live", live), ("staging", staging))]
            # one commit of each branch, and no file content if the server supports that
            options = ["--quiet", "--no-tags", "--depth=1", "--filter=blob:none"]
            self._run(["fetch", *options, "--", self._location.of(site), *both], deadline, scratch)
            names = ("refs/seen/live", "refs/seen/staging", "refs/seen/live^{tree}", "refs/seen/staging^{tree}")
            ids = self._run(["rev-parse", *names], deadline, scratch).split()
            changes: tuple[PathChange, ...] = ()
            if ids[2] != ids[3]:
                raw = ["diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev", ids[3], ids[2]]
                changes = parse_raw(self._run(raw, deadline, scratch))
        return Comparison(ids[0], ids[1], ids[2], ids[3], changes)

    def _run(self, arguments: t.Sequence[str], deadline: Deadline, directory: str | None = None) -> str:
        """The output of one git command.

        :raises SyncError: it failed, or did not end in time.
        """
        settings = [*_SETTINGS]
        if self._location.username is not None:
            # the credentials are for one host, so redirects are not followed
            settings += ["credential.helper=", f"credential.helper={_HELPER}", "http.followRedirects=false"]
        command = ["git", *(part for setting in settings for part in ("-c", setting)), *arguments]
        limit = deadline.budget()
        try:
            # run_command belongs to AnsibleModule, which this code does not use
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                command,
                cwd=directory or os.path.sep,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # without a terminal no helper can prompt, and one signal ends the whole group
                start_new_session=True,
            )
        except OSError as exc:
            message = f"option {OPTION} needs the git command line on this host: {exc.strerror}"
            raise SyncError("invalid_option", message, f"Install git, or leave {OPTION} out.") from None
        output, errors = self._finish(process, arguments[0], self._clock.monotonic() + limit)
        if process.returncode:
            raise git_failure(arguments[0], errors.decode("utf-8", "replace"), self._redactor.text)
        return output.decode("utf-8", "replace")

    def _finish(self, process: subprocess.Popen[bytes], verb: str, end: float) -> tuple[bytes, bytes]:
        try:
            while True:
                try:
                    return process.communicate(timeout=SLICE)
                except subprocess.TimeoutExpired:
                    # raises if the task is being stopped
                    self._clock.sleep(0.001)
                if self._clock.monotonic() >= end:
                    message = f"git {verb} of {OPTION} did not end in time"
                    raise SyncError("connection_failed", message, "Raise wait_timeout if the repository is large or far away.")
        finally:
            if process.poll() is None:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not _NOT_INHERITED.fullmatch(name)}
        environment.update(LC_ALL="C", GIT_TERMINAL_PROMPT="0", GIT_ASKPASS="", GIT_ALLOW_PROTOCOL=":".join(SCHEMES))
        if self._location.username is not None:
            environment["LOCKSTEP_GIT_USERNAME"] = self._location.username
            environment["LOCKSTEP_GIT_PASSWORD"] = self._location.password or ""
        return environment


def _ref(branch: str) -> str:
    if not _BRANCH.fullmatch(branch):
        hint = "Look at published-repository in site-config.xml."
        raise SyncError("bad_response", f"{branch!r} is not the name of a branch", hint)
    return f"refs/heads/{branch}"


def parse_raw(output: str) -> tuple[PathChange, ...]:
    """The changes from staging to live in the output of ``git diff-tree -z --raw``."""
    fields = output.split("\0")
    changes = []
    for about, path in zip(fields[::2], fields[1::2]):
        staging, live = about.split(" ")[2:4]
        changes.append(PathChange(path, *(None if set(blob) == {"0"} else blob for blob in (staging, live))))
    return tuple(changes)


def git_failure(verb: str, errors: str, redact: t.Callable[[str], str] = lambda text: text) -> SyncError:
    """The failure behind what git wrote to its standard error.

    :param redact: hides secrets; what is shown is cut afterwards, as half of a secret could not be recognised.
    """
    message = f"git {verb} of {OPTION} failed: {_on_one_line(redact(errors))[:MAX_ERROR] or 'no reason given'}"
    found = _on_one_line(errors)
    for pattern, code, hint in ERROR_PATTERNS:
        if re.search(pattern, found, re.IGNORECASE):
            return SyncError(code, message, hint)
    return SyncError("connection_failed", message, _UNREACHABLE)


def _on_one_line(errors: str) -> str:
    lines = (" ".join(line.split()) for line in errors.splitlines())
    return "; ".join(line for line in lines if line and not line.startswith(("warning:", "hint:")))
