# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands in the documentation: the programs, files, playbooks, variables, options and targets that they name exist."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import pathlib
import re
import shlex
import sys
import typing as t

from .examples import COLLECTION, Documented

#: what is not ours; only the files that they are given are looked at
OTHER_COMMANDS = {
    *("ansible-builder", "ansible-galaxy", "ansible-inventory", "cd", "createdb", "createuser", "gh", "git", "gpg"),
    *("openssl", "pip", "podman", "pytest", "sha256sum", "sqlite3", "$EDITOR"),
}
#: variables of the environment that belong to other programs, or that an example makes up
OTHER_VARIABLES = {"CONTROLLER_HOST", "CONTROLLER_OAUTH_TOKEN", "TRANSFER_KEY", "SOURCE_DATE_EPOCH", "WEBHOOK_TOKEN"}
#: options that are given a file
WITH_FILE = {"-i", "-r", "-f", "--vars", "--inventory"}


@dataclasses.dataclass(frozen=True)
class Shell:
    """What commands may name.

    :param variables: of the environment, that the collection reads.
    :param files: that the pages show, by the names in their first lines.
    """

    root: pathlib.Path
    documented: Documented
    variables: frozenset[str]
    files: frozenset[str]

    def problem(self, command: str) -> str:
        """What is wrong with a command line; empty if nothing is."""
        parts = re.split(r" (?:&&|;) ", command)
        return ", ".join(problem for part in parts if (problem := self._problem(shlex.split(part, comments=True))))

    def _problem(self, words: list[str]) -> str:
        if words[0] == "export":
            names = [word.partition("=")[0] for word in words[1:] if "=" in word]
            return ", ".join(name for name in names if name not in self.variables | OTHER_VARIABLES)
        missing = ", ".join(self._missing_files(words[1:]))
        program = words[0].removeprefix(".venv/bin/")
        if missing:
            return missing
        if program != words[0] and not pathlib.Path(sys.executable).with_name(program).exists():
            return program
        own = {
            "make": self._make,
            "ansible-playbook": self._ansible_playbook,
            "ansible": self._ansible,
            "ansible-doc": self._ansible_doc,
            "ansible-rulebook": self._ansible_rulebook,
            "molecule": self._molecule,
            "python": self._python,
            "mypy": self._mypy,
        }
        if program in own:
            return own[program](words)
        return "" if program != words[0] or program in OTHER_COMMANDS or program.startswith("scripts/") else program

    def _missing_files(self, words: list[str]) -> t.Iterator[str]:
        """Files that are neither in the repository nor on a page."""
        folders = {path.name for path in self.root.iterdir() if path.is_dir()}
        for before, word in zip(["", *words], words):
            named = word[1:] if before == "-e" and word.startswith("@") else word if before in WITH_FILE else ""
            in_folder = "/" in word and word.partition("/")[0] in folders
            if (named and named not in self.files and not (self.root / named).exists()) or (
                in_folder and not (self.root / word).exists()
            ):
                yield f"there is no file {named or word}"

    def _make(self, words: list[str]) -> str:
        text = (self.root / "Makefile").read_text()
        targets = set(re.findall(r"^([a-z]+):", text, re.MULTILINE))
        known = [word in targets if "=" not in word else f"$({word.partition('=')[0]})" in text for word in words[1:]]
        return ", ".join(word for word, is_known in zip(words[1:], known) if not is_known)

    def _ansible_playbook(self, words: list[str]) -> str:
        (name,) = [word for word in words[1:] if word.startswith((COLLECTION, "extensions/"))]
        if name.startswith(COLLECTION) and name.removeprefix(COLLECTION) not in self.documented.playbooks:
            return f"no playbook {name}"
        content: dict[str, t.Any] = {}
        for text in (words[index + 1] for index, word in enumerate(words) if word == "-e"):
            if text.startswith("{"):
                content |= json.loads(text)
            elif not text.startswith("@"):
                # a text of the command line is converted by the role
                content |= {text.partition("=")[0]: None}
        unknown = [key for key in content if key not in self.documented.variables]
        return ", ".join([*unknown, *self.documented.problems_of_variables(content, name)])

    def _ansible(self, words: list[str]) -> str:
        module = words[words.index("-m") + 1].removeprefix(COLLECTION)
        given = re.findall(r"(\w+)=", words[words.index("-a") + 1])
        return ", ".join(name for name in given if name not in self.documented.modules.get(module, {}))

    def _ansible_doc(self, words: list[str]) -> str:
        names = [word.removeprefix(COLLECTION) for word in words[1:] if word.startswith(COLLECTION)]
        known = {*self.documented.modules, *self.documented.roles, *self.documented.inventories}
        return ", ".join(name for name in names if name not in known)

    def _ansible_rulebook(self, words: list[str]) -> str:
        name = words[words.index("--rulebook") + 1].removeprefix(COLLECTION)
        return "" if (self.root / "extensions/eda/rulebooks" / f"{name}.yml").exists() else f"no rulebook {name}"

    def _molecule(self, words: list[str]) -> str:
        name = words[words.index("--scenario-name") + 1]
        return "" if name == "NAME" or (self.root / "extensions/molecule" / name).is_dir() else f"no scenario {name}"

    def _mypy(self, words: list[str]) -> str:
        folder = words[words.index("-p") + 1].removeprefix("ansible_collections.lockstep.sync.").replace(".", "/")
        return "" if (self.root / folder).is_dir() else f"no package {folder}"

    def _python(self, words: list[str]) -> str:
        module = words[words.index("-m") + 1]
        if module == "pip":
            return ""
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            return module
        # options of pytest that are not its own are in our conftest.py
        path = self.root / "tests" / "conftest.py" if module == "pytest" else pathlib.Path(spec.origin)
        paths = path.parent.glob("*.py") if path.name == "__init__.py" else [path]
        source = "".join(each.read_text(encoding="utf-8") for each in paths)
        options = [word for word in words if word.startswith("--")]
        return ", ".join(option for option in options if f'"{option}"' not in source)
