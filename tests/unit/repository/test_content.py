# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What no file of the repository may hold, and facts that stand in several files."""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml
from ansible.module_utils.compat.version import LooseVersion

#: Paths of the machines where people work on this, and the hosts of package registries: neither is of any use elsewhere.
FOREIGN = re.compile(
    r"(?<![\w.}])/(?:root|work)/|"
    r"\b(?:pypi|pythonhosted|npmjs|crates|maven)\.(?:org|io)\b|\bdeb\.debian\.org\b|\bproxy\.golang\.org\b"
)

#: Licence texts and this file.
EXEMPT = {"COPYING", "LICENSES/GPL-3.0-or-later.txt", "tests/unit/repository/test_content.py"}


def test_no_paths_of_a_machine_and_no_registries(root: pathlib.Path, tracked: list[str]) -> None:
    found = []
    for name in tracked:
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if name not in EXEMPT:
            found += [f"{name}: {match[0]}" for match in FOREIGN.finditer(text)]

    assert found == []


def test_sanity_findings_are_not_ignored(tracked: list[str]) -> None:
    assert [name for name in tracked if re.match(r"tests/sanity/ignore.*\.txt$", name)] == []


def test_no_symlinks(root: pathlib.Path, tracked: list[str]) -> None:
    """ansible-test, Galaxy and Windows checkouts each trip over one kind or another."""
    assert [name for name in tracked if (root / name).is_symlink()] == []


def test_oldest_ansible_is_tested(root: pathlib.Path, runtime: dict[str, t.Any]) -> None:
    tested = re.findall(r"^ansible-core==(\d+\.\d+)\.", (root / "requirements-cores.txt").read_text(), re.MULTILINE)

    assert f">={tested[0]}.0" == runtime["requires_ansible"]


def test_oldest_python_is_one_fact(root: pathlib.Path) -> None:
    modules = yaml.safe_load((root / "tests" / "config.yml").read_text())["modules"]["python_requires"]
    ruff = re.search(r'^target-version = "py3(\d+)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)

    assert ruff is not None
    assert modules == f">=3.{ruff[1]}"


def test_development_tools_are_pinned_once(root: pathlib.Path) -> None:
    lines = [line for line in (root / "requirements-dev.in").read_text().splitlines() if line and not line.startswith("#")]
    names = [re.sub(r"[-_.]+", "-", line.partition("==")[0].lower()) for line in lines]

    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert sorted(names) == sorted(set(names))


def test_runtime_requirements_are_tested(root: pathlib.Path) -> None:
    """Lower bounds only, and each package is among the tools with a version that meets its bound."""
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)$", (root / "requirements-dev.in").read_text(), re.MULTILINE))
    required = re.findall(r"^([\w.-]+)(?:\[\w+\])?(.*)$", (root / "meta" / "ee-requirements.txt").read_text(), re.MULTILINE)

    assert [name for name, _bound in required] == ["requests", "dnspython", "websocket-client", "cronsim", "tzdata", "psycopg"]
    for name, bound in required:
        assert bound.startswith(">=")
        assert LooseVersion(pins[name]) >= LooseVersion(bound[2:])
