# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Ansible community, Galaxy and Red Hat's certification require, as far as no other check proves it.

See docs/checklists.md.
"""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

#: sections of the README that the certification template has, and those of the inclusion checklist
SECTIONS = (
    "Description",
    "Requirements",
    "Installation",
    "Use cases",
    "Testing",
    "Contributing",
    "Communication",
    "Support",
    "Release notes and roadmap",
    "Related information",
    "License",
)

#: directories that ansible-core loads plugins from, as far as they are used here, and those for code that plugins share
PLUGIN_DIRECTORIES = {"action", "doc_fragments", "filter", "inventory", "module_utils", "modules", "plugin_utils", "test"}


@pytest.fixture(scope="module")
def readme(root: pathlib.Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def galaxy(root: pathlib.Path) -> dict[str, t.Any]:
    content: dict[str, t.Any] = yaml.safe_load((root / "galaxy.yml").read_text())
    return content


@pytest.fixture(scope="module")
def workflows(root: pathlib.Path) -> dict[str, dict[str, t.Any]]:
    """The workflows of GitHub, with the key ``on`` as text: YAML 1.1 reads it as a truth value."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (root / ".github" / "workflows").glob("*.yml")}
    return {name: yaml.safe_load(re.sub(r"^on:", '"on":', text, flags=re.MULTILINE)) for name, text in texts.items()}


def test_the_readme_has_all_sections(readme: str) -> None:
    headings = re.findall(r"^## (.+)$", readme, re.MULTILINE)

    assert [section for section in SECTIONS if section not in headings] == []


def test_the_readme_has_absolute_links_only(readme: str) -> None:
    assert [link for link in re.findall(r"\]\(([^)\s]+)\)", readme) if not link.startswith("https://")] == []


def test_the_readme_says_what_people_ask(readme: str) -> None:
    communication = readme.partition("## Communication")[2].partition("\n## ")[0]

    assert "https://forum.ansible.com/tag/lockstep-sync" in communication
    assert "CODE_OF_CONDUCT.md" in readme
    assert "semantic versioning" in readme
    for needed in ("Automation Hub", "--upgrade", "lockstep.sync:==", "make demo", "make test"):
        assert needed in readme, needed


def test_no_collection_is_needed(galaxy: dict[str, t.Any]) -> None:
    assert galaxy["dependencies"] == {}


def test_documents_and_the_collection_are_small(root: pathlib.Path, tracked: list[str]) -> None:
    sizes = {name: (root / name).stat().st_size for name in tracked if (root / name).exists()}

    assert [name for name, size in sizes.items() if name.endswith((".md", ".rst")) and size > 512 * 1024] == []
    assert sum(sizes.values()) < 20_000_000


def test_plugins_are_where_ansible_looks_for_them(root: pathlib.Path) -> None:
    found = {path.name for path in (root / "plugins").iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert found - PLUGIN_DIRECTORIES == set()


def test_code_that_plugins_share_is_private(tracked: list[str]) -> None:
    shared = [name.split("/")[2] for name in tracked if re.match(r"plugins/(module_utils|plugin_utils|doc_fragments)/", name)]

    assert [name for name in shared if not name.startswith("_")] == []


def test_what_was_released_and_removed_is_in_the_routing(root: pathlib.Path, runtime: dict[str, t.Any]) -> None:
    """Who still uses it reads what to do, and not that there is no such plugin."""
    releases = yaml.safe_load((root / "changelogs" / "changelog.yaml").read_text())["releases"].values()
    released = {("modules", module["name"]) for release in releases for module in release.get("modules", ())}
    for release in releases:
        for kind, plugins in release.get("plugins", {}).items():
            released |= {(kind, plugin["name"]) for plugin in plugins}
    routing = runtime["plugin_routing"]
    gone = {(kind, name) for kind, name in released if not list((root / "plugins" / kind).glob(f"{name}.*"))}

    assert gone == {(kind, name) for kind, entries in routing.items() for name in entries}
    for entries in routing.values():
        assert all(entry["tombstone"]["warning_text"] for entry in entries.values())


def test_information_modules_support_check_mode(documentation: dict[str, dict[str, t.Any]]) -> None:
    information = {name: content for name, content in documentation.items() if name.endswith("_info")}

    assert len(information) >= 4
    for name, content in information.items():
        assert content["attributes"]["check_mode"]["support"] == "full", name
        assert "state" not in content["options"], name


def test_every_role_has_an_argument_spec_and_a_description(root: pathlib.Path) -> None:
    for role in (root / "roles").iterdir():
        spec = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        assert spec["argument_specs"]["main"]["options"]
        assert yaml.safe_load((role / "meta" / "main.yml").read_text(encoding="utf-8"))["galaxy_info"]["description"]
        assert (role / "README.md").exists()


def test_every_pull_request_and_every_week_is_tested(workflows: dict[str, dict[str, t.Any]]) -> None:
    assert "pull_request" in workflows["ci"]["on"]
    assert workflows["weekly"]["on"]["schedule"]
    commands = str(workflows["ci"]["jobs"])
    for step in ("make test", "make check", "make compatibility"):
        assert step in commands


def test_workflows_test_every_python_of_the_supported_releases(
    root: pathlib.Path, workflows: dict[str, dict[str, t.Any]]
) -> None:
    cores = (root / "requirements-cores.txt").read_text()
    wanted = set(re.findall(r"3\.\d+", " ".join(re.findall(r"# python (.+)$", cores, re.MULTILINE))))
    (versions,) = [
        step["with"]["python-version"].split()
        for step in workflows["ci"]["jobs"]["releases"]["steps"]
        if "python-version" in step.get("with", {})
    ]
    assert wanted <= set(versions)
    assert "3.9" in versions  # the oldest that modules support


def test_workflows_may_do_no_more_than_they_need(workflows: dict[str, dict[str, t.Any]]) -> None:
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {"contents": "read"}, name
        for job in workflow["jobs"].values():
            for step in job.get("steps", ()):
                assert "uses" not in step or "@" in step["uses"]


def test_every_proof_of_the_checklists_exists(root: pathlib.Path) -> None:
    from scripts.check.__main__ import STEPS

    text = (root / "docs" / "checklists.md").read_text(encoding="utf-8")
    rows = [row for row in re.findall(r"^\| (.+) \| (.+) \|$", text, re.MULTILINE) if row != ("Requirement", "Proof")]
    proofs = "\n".join(proof for _line, proof in rows)
    steps = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"steps? ((?:`\w+`(?:, | and )?)+)", proofs))))
    paths = set(re.findall(r"`((?:tests/|\.github|[A-Z_]+\.md)[\w./]*)`", proofs))

    assert len(rows) > 40
    assert steps <= set(STEPS)
    assert [path for path in sorted(paths) if not (root / path).exists()] == []
    assert [line for line, proof in rows if "step" not in proof and "`" not in proof and "**outside**" not in proof] == []
