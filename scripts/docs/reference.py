# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The index of the reference: what playbooks use, and apart from it what is internal to the roles."""

from __future__ import annotations

import pathlib
import re
import typing as t

#: the files that antsibull-docs writes, by the kind of plugin in their names, in the order of the index
KINDS: t.Final = {
    "role": "Roles",
    "module": "Modules",
    "inventory": "Inventory plugins",
    "filter": "Filters",
    "test": "Tests",
    "lookup": "Lookups",
    "callback": "Callbacks",
}

#: steps of the roles: they are documented, since ansible-doc shows them, and no playbook uses them
INTERNAL: t.Final = ("promotion_module", "reconciliation_module")

HEAD: t.Final = """# Reference

Everything in the collection that a playbook can name, with all options and return values. `ansible-doc` shows the same on the
command line. The playbooks that come with the collection are described in [Playbooks](../docs/playbooks.md).
"""

#: has a label that every page of the reference refers to
TAIL: t.Final = """
## Environment

- [Environment variables](environment_variables.rst)

(communication_for_lockstep.sync)=

## Communication

See [Support](../SUPPORT.md).

## Internals

Steps of the roles. They have no stable options; use the roles.
"""


def index(directory: pathlib.Path) -> str:
    """The page, for the files that antsibull-docs wrote into a directory."""
    every = sorted(path.stem for path in directory.glob("*.rst") if path.stem.endswith(tuple(f"_{kind}" for kind in KINDS)))
    names = [name for name in every if _title(directory / f"{name}.rst")]
    parts = [HEAD]
    for kind, title in KINDS.items():
        public = [name for name in names if name.endswith(f"_{kind}") and name not in INTERNAL]
        if public:
            parts += [f"\n## {title}\n\n", _toctree(directory, public)]
    parts += [TAIL, "\n", _toctree(directory, [name for name in names if name in INTERNAL])]
    removed = [name for name in every if name not in names]
    if removed:
        parts += ["\n## Removed\n\n", _toctree(directory, removed)]
    return "".join(parts)


def _toctree(directory: pathlib.Path, names: list[str]) -> str:
    titles = {name: _title(directory / f"{name}.rst") or name.rpartition("_")[0] for name in names}
    entries = "".join(f"{title} <{name}>\n" for name, title in titles.items())
    return f"```{{toctree}}\n:maxdepth: 1\n\n{entries}```\n"


def _title(path: pathlib.Path) -> str:
    """Name and short description, without the part that says what kind of plugin it is; empty for what was removed."""
    title = re.search(r"^lockstep\.sync\.(\S+) \S+ -- (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    if title is None:
        return ""
    description = re.sub(r":(\w+):`([^`]*)`", r"\2", title[2]).replace("\\ ", "").replace("\\_", "_")
    return f"{title[1]}: {description}"
