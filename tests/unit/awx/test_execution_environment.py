# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment: what ansible-builder makes of its definition, and what it finds in the collection.

Images cannot be pulled here, so none is built.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import KIT, ROOT

BUILDER = Path(sys.executable).with_name("ansible-builder")

#: packages, and how they are imported
IMPORTED_AS = {
    "requests": "requests",
    "dnspython": "dns",
    "websocket-client": "websocket",
    "cronsim": "cronsim",
    "psycopg": "psycopg",
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ee")
    definition = KIT / "ee" / "execution-environment.yml"
    subprocess.run(
        [BUILDER, "create", "-f", definition, "-c", folder / "context", "--output-filename", "Containerfile"],
        cwd=folder,
        env={"PATH": str(BUILDER.parent), "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        check=True,
        capture_output=True,
    )
    return folder / "context"


def test_the_context_is_made(context: Path) -> None:
    recipe = (context / "Containerfile").read_text()
    assert 'EE_BASE_IMAGE="quay.io/centos/centos:stream9"' in recipe
    assert 'PYCMD="/usr/bin/python3.12"' in recipe
    for package in ("ansible-core>=2.18,<2.22", "ansible-runner>=2.4"):
        assert package in recipe
    requirements = yaml.safe_load((context / "_build" / "requirements.yml").read_text())
    assert requirements == {"collections": [{"name": "lockstep.sync"}]}


def test_the_collection_brings_its_libraries(context: Path, tmp_path: Path) -> None:
    place = tmp_path / "ansible_collections" / "lockstep"
    place.mkdir(parents=True)
    (place / "sync").symlink_to(ROOT)
    script = context / "_build" / "scripts" / "introspect.py"
    output = subprocess.check_output([sys.executable, script, "introspect", tmp_path], text=True)
    found = yaml.safe_load(output.partition("---")[2])
    names = {re.split(r"[\[<>= ;]", line)[0] for line in found["python"]}
    assert names == {*IMPORTED_AS, "tzdata"}
    assert [line.split()[0] for line in found["system"]] == ["git"]


def test_no_other_library_is_imported() -> None:
    known = {*IMPORTED_AS.values(), *sys.stdlib_module_names, "ansible", "ansible_collections"}
    # what comes with ansible-core and requests
    known |= {"jinja2", "markupsafe", "yaml", "cryptography", "urllib3", "idna"}
    foreign = set()
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                foreign |= {alias.name.partition(".")[0] for alias in node.names} - known
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                foreign |= {(node.module or "").partition(".")[0]} - known
    assert foreign == set()
