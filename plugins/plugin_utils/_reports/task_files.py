# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Files where a task runs: opened as such on this machine, and by modules on any other or as another user."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import typing as t

from ...module_utils._core.vocabulary import Json
from . import files as _report_files

#: Runs a module or action plugin of Ansible with its options, and returns its result.
Call = t.Callable[[str, Json], Json]


#: what is no file, by the names that ansible.builtin.stat has for it
_KINDS = {"isdir": "a directory", "ischr": "a device", "isblk": "a device", "isfifo": "a FIFO", "issock": "a socket"}


class Files(t.Protocol):
    """All raise :class:`OSError`, with the reason in its ``strerror``."""

    def prepare(self, path: str) -> str:
        """Have the directory that a file is to be in; returns the path to write to."""

    def probe(self, path: str) -> str:
        """The same, and see that files can be made there."""

    def scratch(self) -> str:
        """Make a directory for this user alone."""

    def make(self, folder: str) -> None:
        """Make a directory for this user alone, in the place of one that is there."""

    def read(self, path: str) -> str:
        """The text in a file."""

    def write(self, files: t.Iterable[tuple[str, str]]) -> None:
        """Write files for this user alone, in their order: path and text of each."""

    def remove(self, folder: str) -> None:
        """Remove a directory, if it is there, with all that is in it."""


class LocalFiles:
    """On this machine, as the user of Ansible."""

    prepare = probe = staticmethod(_report_files.prepare)
    write = staticmethod(_report_files.replace)

    @staticmethod
    def scratch() -> str:
        return tempfile.mkdtemp(prefix="lockstep.")

    @classmethod
    def make(cls, folder: str) -> None:
        cls.remove(folder)
        os.mkdir(folder, mode=0o700)

    @staticmethod
    def read(path: str) -> str:
        with open(path, encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def remove(folder: str) -> None:
        if os.path.isdir(folder):
            shutil.rmtree(folder)


class RemoteFiles:
    """Wherever the modules of Ansible run."""

    def __init__(self, call: Call) -> None:
        self._module = call

    def prepare(self, path: str) -> str:
        folder = path.rpartition("/")[0]
        if folder:
            self._call("file", path=folder, state="directory")
        return path

    def probe(self, path: str) -> str:
        found = self._call("stat", path=path).get("stat", {})
        for name, kind in _KINDS.items():
            if found.get(name):
                raise FileExistsError(0, f"it is {kind}")
        self.prepare(path)
        made = self._call("tempfile", path=path.rpartition("/")[0] or ".", prefix=".lockstep.")
        self.remove(made["path"])
        return path

    def scratch(self) -> str:
        return str(self._call("tempfile", state="directory", prefix="lockstep.")["path"])

    def make(self, folder: str) -> None:
        self.remove(folder)
        self._call("file", path=folder, state="directory", mode="0700")

    def read(self, path: str) -> str:
        return base64.b64decode(self._call("slurp", src=path)["content"]).decode()

    def write(self, files: t.Iterable[tuple[str, str]]) -> None:
        for path, text in files:
            self._call("copy", dest=path, content=text, mode="0600")

    def remove(self, folder: str) -> None:
        self._call("file", path=folder, state="absent")

    def _call(self, name: str, **options: t.Any) -> Json:
        result = self._module(f"ansible.builtin.{name}", options)
        if result.get("failed") or result.get("unreachable"):
            raise OSError(0, str(result.get("msg") or f"{name} failed").strip())
        return result
