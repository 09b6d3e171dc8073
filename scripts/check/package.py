# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as users get it: built, imported as Galaxy does it, installed, and its documentation read."""

from __future__ import annotations

import json
import os
import pathlib
import re
import tarfile
import tempfile
import typing as t

from ..release import build_archive, commit_date, normalized
from .cores import Core, supported_cores
from .shell import ROOT, VENV_BIN, Command, StepFailed, environment, notes, quiet, run

#: The only entries allowed at the top level of the archive.
CONTENT = {
    "CHANGELOG.rst",
    "CODE_OF_CONDUCT.md",
    "COPYING",
    "FILES.json",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "roles",
    "tests",
}

#: galaxy-importer stops ansible-lint after three minutes, a constant in its code. On a busy machine that says nothing about the
#: collection, so the import is repeated once.
LINT_TIMED_OUT = "Timeout on call to ansible-lint"

#: Directories of plugins that ansible-doc knows under another name, or does not document.
UNDOCUMENTED = {"action", "doc_fragments", "module_utils", "plugin_utils"}


def package() -> None:
    tarball = _build()
    _build_again(tarball)
    _check_content(tarball)
    _import(tarball)
    _install_and_read(tarball)


def _build() -> pathlib.Path:
    """Build from the work tree, as ``ansible-galaxy`` does it there, the bytes that a release of this commit would have."""
    (ROOT / "dist").mkdir(exist_ok=True)
    output = run([VENV_BIN / "ansible-galaxy", "collection", "build", "--force", "--output-path", ROOT / "dist"])
    built = re.search(r"(\S+\.tar\.gz)", output)
    if not built:
        raise StepFailed("ansible-galaxy built nothing")
    tarball = pathlib.Path(built[1])
    tarball.write_bytes(normalized(tarball.read_bytes(), commit_date()))
    return tarball


def _build_again(tarball: pathlib.Path) -> None:
    """From a copy of what git has, whose files have dates, an order and a place of their own."""
    name, content = build_archive(commit_date())
    if name != tarball.name or content != tarball.read_bytes():
        raise StepFailed(
            f"{tarball.name} has other bytes when {name} is built from what git has: are there ignored files in the work tree?"
        )
    print(f"{name}: the same bytes when it is built again")


def _check_content(tarball: pathlib.Path) -> None:
    with tarfile.open(tarball) as archive:
        names = sorted(member.name for member in archive.getmembers() if member.isfile())
    strays = sorted({name for name in names if name.partition("/")[0] not in CONTENT or "__pycache__" in name})
    strays += [name for name in names if name.startswith("tests/") and name != "tests/config.yml"]
    if strays:
        raise StepFailed(f"the archive holds what users do not need (build_ignore of galaxy.yml): {', '.join(strays[:20])}")
    lost = {"README.md", "CHANGELOG.rst", "COPYING", "meta/runtime.yml", "tests/config.yml"} - set(names)
    if lost:
        raise StepFailed(f"the archive lacks {', '.join(sorted(lost))}")
    print(f"{tarball.name}: {len(names)} files, {tarball.stat().st_size // 1024} KiB")


def _import(tarball: pathlib.Path) -> None:
    """galaxy-importer exits with 0 whatever it finds; findings are the lines that it marks as warnings or errors."""
    with tempfile.TemporaryDirectory(prefix="lockstep-import-") as directory:
        env = environment(
            home=pathlib.Path(directory, "home"),
            GALAXY_IMPORTER_CHECK_REQUIRED_TAGS="true",
            GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER="true",
            GALAXY_IMPORTER_TMP_ROOT_DIR=directory,
        )
        command: Command = [VENV_BIN / "python", "-m", "galaxy_importer.main", tarball]
        output = run(command, cwd=pathlib.Path(directory), env=env)
        if LINT_TIMED_OUT in output:
            notes.append("galaxy-importer stopped ansible-lint after three minutes and was run again")
            output = run(command, cwd=pathlib.Path(directory), env=env)
    findings = [line for line in output.splitlines() if re.match(r"(WARNING|ERROR|CRITICAL):", line)]
    if findings:
        raise StepFailed(f"galaxy-importer: {findings[0]}{f' and {len(findings) - 1} more' if findings[1:] else ''}")
    for stage in ("ansible-lint run complete", "Importer processing completed successfully"):
        if stage not in output:
            raise StepFailed(f"galaxy-importer did not reach '{stage}'")


def _install_and_read(tarball: pathlib.Path) -> None:
    """In an environment without the symlink of .venv: with it, ansible-galaxy would regard the collection as installed."""
    core = supported_cores()[0]
    core.prepare()
    with tempfile.TemporaryDirectory(prefix="lockstep-install-") as directory:
        env = {**core.environment(), "ANSIBLE_COLLECTIONS_PATH": directory}
        run([core.bin / "ansible-galaxy", "collection", "install", "--offline", "--no-deps", "-p", directory, tarball], env=env)
        installed = pathlib.Path(directory, "ansible_collections", "lockstep", "sync")
        for kind, names in _documented(installed).items():
            output = _ansible_doc(core, kind, names, env)
            for name in names:
                documented = output.get(name)
                if not documented:
                    raise StepFailed(f"ansible-doc finds no {kind} {name} in the installed collection")
                location = documented.get("doc", {}).get("filename") or documented.get("path", "")
                if not os.path.realpath(location).startswith(os.path.realpath(directory)):
                    raise StepFailed(f"ansible-doc read {name} from {location}, not from the installed collection")
            print(f"ansible-doc -t {kind}: {len(names)} read from the installed collection")


def _ansible_doc(core: Core, kind: str, names: list[str], env: dict[str, str]) -> dict[str, t.Any]:
    result = quiet([core.bin / "ansible-doc", "--json", "-t", kind, *names], env=env)
    start = result.output.find("{")
    if result.status or start < 0:
        raise StepFailed(f"ansible-doc -t {kind}: {result.output.strip()}")
    content: dict[str, t.Any] = json.loads(result.output[start:])
    return content


def _documented(installed: pathlib.Path) -> dict[str, list[str]]:
    """Fully qualified names by the type that ansible-doc calls them by."""
    found: dict[str, list[str]] = {}
    for directory in sorted((installed / "plugins").iterdir()):
        kind = "module" if directory.name == "modules" else directory.name
        if directory.name in UNDOCUMENTED or not directory.is_dir():
            continue
        # Filters and tests may have their documentation in a file next to them.
        files = [path for path in directory.iterdir() if path.suffix in {".py", ".yml"} and path.stem != "__init__"]
        names = sorted({f"lockstep.sync.{path.stem}" for path in files})
        if names:
            found[kind] = names
    roles = sorted(f"lockstep.sync.{path.name}" for path in (installed / "roles").glob("*") if path.is_dir())
    if roles:
        found["role"] = roles
    if "module" not in found:
        raise StepFailed("the installed collection has no modules")
    return found
