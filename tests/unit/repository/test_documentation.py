# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation is complete, its links lead somewhere, and its generated pages are up to date."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from scripts.docs import errors, reference, sources

#: a heading of a page, outside of code
HEADING = re.compile(r"^#{1,4} (.+)$", re.MULTILINE)


def anchors_of(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(sources.CODE_BLOCK.sub("", text))]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def pages(root: pathlib.Path, tracked: list[str]) -> dict[str, str]:
    """The Markdown pages of the site, by their paths."""
    names = [name for name in sources.pages_of(tracked) if name.endswith(".md") and (root / name).exists()]
    return {name: (root / name).read_text(encoding="utf-8") for name in names}


def test_every_failure_code_is_explained() -> None:
    assert errors.unexplained() == set()


def test_every_cause_has_a_remedy() -> None:
    for code, failure in errors.FAILURES.items():
        assert failure["causes"], code
        assert all(cause["cause"] and cause["remedy"] for cause in failure["causes"]), code


def test_the_page_of_failure_codes_is_up_to_date() -> None:
    assert errors.PAGE.read_text(encoding="utf-8") == errors.page(), "write it again: python -m scripts.docs.errors --write"
    assert set(errors.FAILURES) <= anchors_of(errors.page())


def test_links_lead_to_files_and_anchors(root: pathlib.Path, tracked: list[str], pages: dict[str, str]) -> None:
    files = {name for name in tracked if (root / name).exists()}
    anchors = {name: anchors_of(text) for name, text in pages.items()}
    broken = []
    for name, text in pages.items():
        for link in sources.LINK.findall(sources.CODE.sub("", text)):
            try:
                target = sources.target_on_site(link, name, set(pages), files)
            except sources.BrokenLink as problem:
                broken.append(str(problem))
                continue
            path, _hash, anchor = target.partition("#")
            if target.startswith("http") or not anchor:
                continue
            page = str(pathlib.PurePosixPath(name).parent / path) if path else name
            page = str(pathlib.Path(root, page).resolve().relative_to(root.resolve()))
            if anchor not in anchors[page]:
                broken.append(f"{name}: {link}")
    assert broken == []


def test_every_page_is_in_the_navigation(root: pathlib.Path, pages: dict[str, str]) -> None:
    index = (root / "docs/site/index.md").read_text(encoding="utf-8")
    # some have a title of their own there
    listed = [titled or plain for titled, plain in re.findall(r"^(?:[\w ,]+ <([\w./-]+)>|([\w./-]+))$", index, re.MULTILINE)]

    assert sorted(set(pages) - {f"{name}.md" for name in listed}) == []
    assert sorted(set(listed)) == sorted(listed)


def test_internal_modules_say_so(root: pathlib.Path) -> None:
    for name in reference.INTERNAL:
        text = (root / "plugins" / "modules" / f"{name.removesuffix('_module')}.py").read_text(encoding="utf-8")
        assert "short_description: Internal to role lockstep.sync." in text


def test_every_playbook_is_described(root: pathlib.Path) -> None:
    described = (root / "docs" / "playbooks.md").read_text(encoding="utf-8")

    for path in (root / "playbooks").glob("*.yml"):
        assert f"## lockstep.sync.{path.stem}\n" in described


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("lifecycle.md#waiting", "lifecycle.md#waiting"),
        (f"{sources.BLOB}README.md", "../README.md"),
        (f"{sources.BLOB}tests/awx/emulator.py", f"{sources.BLOB}tests/awx/emulator.py"),
        ("../tests/awx/emulator.py", f"{sources.BLOB}tests/awx/emulator.py"),
        ("https://example.com/", "https://example.com/"),
        ("#here", "#here"),
    ],
)
def test_links_stay_on_the_site_where_it_has_the_page(link: str, expected: str) -> None:
    files = {"README.md", "docs/lifecycle.md", "docs/awx.md", "tests/awx/emulator.py"}

    assert sources.target_on_site(link, "docs/awx.md", {"README.md", "docs/lifecycle.md", "docs/awx.md"}, files) == expected


def test_a_link_to_nothing_is_found() -> None:
    with pytest.raises(sources.BrokenLink):
        sources.target_on_site("nothing.md", "docs/awx.md", {"docs/awx.md"}, {"docs/awx.md"})


def test_templates_of_issues_can_be_read(root: pathlib.Path) -> None:
    for path in (root / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.name == "config.yml":
            assert all(set(link) == {"name", "url", "about"} for link in content["contact_links"])
        else:
            assert {"name", "description", "body"} <= set(content)
            assert {part["type"] for part in content["body"]} <= {"markdown", "input", "textarea", "dropdown", "checkboxes"}
