# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Linters, type check, and checks of documentation, changelog and licences, in parallel."""

from __future__ import annotations

import functools
import os
import pathlib
import re
import shutil

from .shell import CACHE, ROOT, VENV_BIN, Command, StepFailed, environment, notes, quiet, run_parallel, shown

#: Kinds of plugins whose code is type-checked, if there are any.
TYPED = ("module_utils", "plugin_utils", "action", "modules", "inventory", "filter", "test", "lookup", "callback")

#: ansible-rulebook has its kinds of plugins in a folder of its own.
EVENT_SOURCES = "ansible_collections.lockstep.sync.extensions.eda.plugins.event_source"

#: For what users run. The playbooks of molecule's scenarios, of the kit for AWX and of tests are checked by the steps that run
#: them, since each one costs the start of an ansible-playbook.
ANSIBLE_LINT = ("ansible-lint", "--nocolor", "-q")


def lint() -> None:
    commands: dict[str, Command] = {
        "ansible-lint": [*ANSIBLE_LINT, "--exclude", "extensions", "--exclude", "tests"],
        "antsibull-docs": ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", "."],
        "mypy": ["mypy", *_packages()],
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "yamllint": ["yamllint", "--strict", "."],
        "antsibull-changelog": ["antsibull-changelog", "lint"],
        "reuse": ["reuse", "lint", "--lines"],
    }
    if shutil.which("shellcheck"):
        commands["shellcheck"] = ["shellcheck", *_shell_scripts()]
    elif os.environ.get("CI"):
        raise StepFailed("shellcheck is missing")
    else:
        notes.append("shellcheck was not run: it is not installed")
    run_parallel({name: functools.partial(_passes, command) for name, command in commands.items()})


def lint_playbooks(*folders: str) -> None:
    """Let ansible-lint look at folders that :func:`lint` leaves out."""
    print(f"ansible-lint of {', '.join(folders)}: {_passes([*ANSIBLE_LINT, *folders]).strip()}", flush=True)


#: Findings of antsibull-docs that are about the name of its temporary directory: if that ends in an underscore, which happens in
#: one of 37 runs, reStructuredText takes it for a reference. Such a run is repeated.
FALSE_FINDING = re.compile(r'Unknown target name: "antsibull-docs-|Anonymous hyperlink mismatch')


def _passes(command: Command) -> str:
    tool, *arguments = command
    path = VENV_BIN / tool
    home = CACHE / "lint" / str(tool)
    for _try in range(3):
        result = quiet([path if path.exists() else tool, *arguments], env=environment(home=home))
        if not (result.status and FALSE_FINDING.search(result.output)):
            break
    if result.status:
        raise StepFailed(f"$ {shown(command)}\n{result.output.strip()}")
    return f"{result.seconds:5.1f} s"


def _packages() -> list[str]:
    """Arguments that make mypy see the plugins under the names by which they are imported."""
    kinds = [kind for kind in TYPED if any((ROOT / "plugins" / kind).rglob("*.py"))]
    packages = ["scripts", EVENT_SOURCES, *(f"ansible_collections.lockstep.sync.plugins.{kind}" for kind in kinds)]
    return [argument for package in packages for argument in ("-p", package)]


def _shell_scripts() -> list[pathlib.Path]:
    files = [ROOT / ".ci" / "run", *(path for path in (ROOT / "scripts").iterdir() if path.is_file())]
    return [path for path in files if path.read_bytes().startswith(b"#!/usr/bin/env bash")]
