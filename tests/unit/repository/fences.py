# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks of code on the pages of the repository, and the kind of each."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import textwrap
import typing as t

from .examples import COLLECTION, load

FENCE = re.compile(r"^( *)(```+|~~~+)([^\n]*)\n(.*?)^ *\2$\n?", re.MULTILINE | re.DOTALL)
PLAY_KEYS = ("hosts", "ansible.builtin.import_playbook", "import_playbook")
#: pages that a program writes, and a test holds against what happens: output is part of them
WRITTEN = {"docs/first-run.md"}


@dataclasses.dataclass(frozen=True)
class Fence:
    """A block of code.

    :param page: path of the page.
    :param line: of the fence, from 1.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def content(self) -> t.Any:
        """What is in a block of YAML. An ellipsis stands for more of the same."""
        return load(self.text.replace(", …}", "}"))


def fences(page: str, text: str) -> list[Fence]:
    return [
        Fence(page, text.count("\n", 0, found.start()) + 1, found[3].strip(), textwrap.dedent(found[4]))
        for found in FENCE.finditer(text)
    ]


def all_fences(root: pathlib.Path, tracked: list[str]) -> list[Fence]:
    """Those of all Markdown files."""
    pages = [name for name in tracked if name.endswith(".md") and (root / name).exists()]
    return [fence for name in pages for fence in fences(name, (root / name).read_text(encoding="utf-8"))]


def kind_of(fence: Fence) -> str:
    """The kind of a block, by which it is checked; empty if it is of none."""
    if fence.language == "yaml":
        content = fence.content
        return _kind_of_list(content) if isinstance(content, list) else _kind_of_mapping(content)
    if fence.language == "console":
        lines = re.sub(r"\\\n", " ", fence.text).splitlines()
        return "commands" if fence.page in WRITTEN or all(line.startswith("$ ") for line in lines) else ""
    if fence.language == "text":
        return next((kind for kind, form in _TEXTS.items() if form.search(fence.text)), "")
    return {"sql": "statement", "python": "test of a part", "{toctree}": "navigation"}.get(fence.language, "")


_TEXTS = {
    "table of zones": re.compile(r"\Azone  .*  verdict$", re.MULTILINE),
    "table of targets": re.compile(r"\Atarget  .*  verdict$", re.MULTILINE),
    "progress": re.compile(r"\A\.\.\. \["),
    "configuration of BIND": re.compile(r'^zone "', re.MULTILINE),
    "architecture": re.compile(r"^plugins/\w+ ", re.MULTILINE),
}


def _kind_of_list(items: list[t.Any]) -> str:
    if all("rules" in item for item in items):
        return "rulebook"
    return "tasks" if all("rules" not in item for item in items) else ""


def _kind_of_mapping(content: dict[str, t.Any]) -> str:
    names = list(content)
    if str(content.get("plugin", "")).startswith(COLLECTION):
        return "inventory plugin"
    if names == ["all"]:
        return "inventory"
    if names == ["collections"]:
        return "requirements"
    if names == ["options"]:
        return "options of a target"
    if names in (["dns_reconciliation"], ["staging_promotion"]):
        return "fact"
    if all(name.endswith(("_changes", "fixes")) for name in names):
        return "changelog"
    if all(name.startswith(("dns_reconciliation_", "staging_promotion_", "lockstep_awx_")) for name in names):
        return "variables"
    return "variables of a rulebook" if all(name.startswith("lockstep_") for name in names) else ""
