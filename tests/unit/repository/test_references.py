# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comments cite documents that are in the repository, and sections that these documents have."""

from __future__ import annotations

import ast
import io
import pathlib
import re
import tokenize

import pytest

from .trees import statements

#: ``docs/reference/vinyldns.md#2.5`` and further sections of the same page: ``docs/reference/vinyldns.md#2.5, #2.6 and #2.7``
CITATION = re.compile(r"docs/reference/([a-z]+)\.md((?:(?:,\s+|\s+and\s+|\s+to\s+)?#\d+(?:\.\d+)?)*)")
SECTION = re.compile(r"#(\d+(?:\.\d+)?)")
HEADING = re.compile(r"^#{2,3} (\d+(?:\.\d+)?)\.? \S", re.MULTILINE)

#: a document that a comment names, and the names that working papers outside of the repository had
DOCUMENT = re.compile(r"[\w./-]*\w\.(?:md|rst)\b")
ELSEWHERE = re.compile(r"\b(?:fact )?sheets?\b|\bdesign (?:section|document|page)|\bdesign:|\bdesign\.md", re.IGNORECASE)
THIS = "tests/unit/repository/test_references.py"


def sections_of(page: str) -> set[str]:
    """The numbers of the sections of a page."""
    return set(HEADING.findall(page))


def comments_of(source: str) -> str:
    """The comments and docstrings of a Python file."""
    found = [token.string for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.COMMENT]
    tree = ast.parse(source)
    for node in (tree, *statements(tree)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            found.append(ast.get_docstring(node) or "")
    return "\n".join(found)


@pytest.fixture(scope="module")
def pages(root: pathlib.Path) -> dict[str, set[str]]:
    """The sections of each page of the reference."""
    return {path.stem: sections_of(path.read_text(encoding="utf-8")) for path in (root / "docs" / "reference").glob("*.md")}


@pytest.fixture(scope="module")
def comments(root: pathlib.Path, tracked: list[str]) -> dict[str, str]:
    """The comments of the Python files that cite anything, be it in a comment or elsewhere, by their names."""
    files = [name for name in tracked if name.endswith(".py") and name != THIS and (root / name).exists()]
    texts = {name: (root / name).read_text(encoding="utf-8") for name in files}
    return {name: comments_of(text) for name, text in texts.items() if DOCUMENT.search(text) or ELSEWHERE.search(text)}


def test_every_provider_has_a_page(root: pathlib.Path, pages: dict[str, set[str]]) -> None:
    providers = {path.parent.name for path in (root / "plugins/module_utils/_providers").glob("*/descriptor.py")}
    assert providers | {"README"} == set(pages)


def test_sections_are_numbered_once(root: pathlib.Path) -> None:
    for path in sorted((root / "docs" / "reference").glob("*.md")):
        numbers = HEADING.findall(path.read_text(encoding="utf-8"))
        assert sorted(numbers) == sorted(set(numbers)), path.name
        chapters = {number.partition(".")[0] for number in numbers}
        assert chapters <= set(numbers), path.name


def test_cited_sections_exist(root: pathlib.Path, tracked: list[str], pages: dict[str, set[str]]) -> None:
    wrong = []
    for name in tracked:
        if name == THIS or not name.endswith((".py", ".md", ".yml", ".j2")) or not (root / name).exists():
            continue
        for page, cited in CITATION.findall((root / name).read_text(encoding="utf-8")):
            missing = [section for section in SECTION.findall(cited) if section not in pages.get(page, set())]
            if page not in pages or missing:
                wrong.append(f"{name}: {page}.md has no section {missing}")
    assert wrong == []


def test_a_wrong_citation_is_found() -> None:
    ((page, cited),) = CITATION.findall("by its rules (docs/reference/vinyldns.md#2.5, #2.6 and #9)")
    assert (page, SECTION.findall(cited)) == ("vinyldns", ["2.5", "2.6", "9"])
    assert sections_of("## 2. Record sets\n\n### 2.5 Rules\n\n## Other\n") == {"2", "2.5"}
    assert ELSEWHERE.search("by the rules of the sheet, section 2")
    assert not ELSEWHERE.search("the stylesheet of the page, designed for print")


def test_cited_documents_are_in_the_repository(comments: dict[str, str], tracked: list[str]) -> None:
    documents = [f"/{name}" for name in tracked if name.endswith((".md", ".rst"))]
    wrong = []
    for name, text in comments.items():
        for document in DOCUMENT.findall(text):
            if not any(other.endswith(f"/{document}") for other in documents):
                wrong.append(f"{name}: {document}")
        wrong += [f"{name}: {match[0]}" for match in ELSEWHERE.finditer(text)]
    assert wrong == []


def test_the_architecture_names_places_that_exist(root: pathlib.Path) -> None:
    named = re.findall(
        r"`((?:plugins|tests|roles|docs|scripts)/[\w./-]+)`", (root / "docs/development.md").read_text(encoding="utf-8")
    )
    assert [place for place in named if not (root / place).exists()] == []
    assert len(named) > 20
