# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of the repository as the sources of one site: copied with their paths, and linked with each other.

On GitHub and Galaxy a page links to others by their addresses on GitHub, as Galaxy shows it somewhere else. On the site these
links stay on the site.
"""

from __future__ import annotations

import os
import pathlib
import posixpath
import re
import shutil
import urllib.parse

#: where the files of the repository are for readers
BLOB = "https://github.com/lockstep-ansible/lockstep.sync/blob/main/"

#: what becomes a page: every text for people. Licences are linked and not shown; pages of templates for issues are none
PAGE = re.compile(r"(?!\.|LICENSES/|docs/site/|docs/docsite/|changelogs/).+\.(md|rst)")

#: the target of a Markdown link or picture: ``](target)``
LINK = re.compile(r"(?<=\]\()([^()\s]+)(?=\))")

#: blocks of code, and with them spans of code: nothing in them is a link
CODE_BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(rf"{CODE_BLOCK.pattern}|`[^`\n]+`", re.MULTILINE | re.DOTALL)


class BrokenLink(Exception):
    """A page links to a file that the repository does not have."""


def pages_of(tracked: list[str]) -> list[str]:
    """Which files become pages."""
    return [name for name in tracked if PAGE.fullmatch(name)]


def target_on_site(target: str, page: str, pages: set[str], files: set[str]) -> str:
    """What a link becomes on the site.

    :param target: of the link, as it is in the repository.
    :param page: the page it is on.
    :param pages: all pages.
    :param files: all files of the repository.
    :return: a relative path if the site has the page; else an address.
    :raises BrokenLink: if it names no file of the repository.
    """
    if target.startswith("#") or (re.match(r"[a-z]+:", target) and not target.startswith(BLOB)):
        return target
    path, _hash, anchor = urllib.parse.unquote(target.removeprefix(BLOB)).partition("#")
    folder = posixpath.dirname(page)
    name = path if target.startswith(BLOB) else posixpath.normpath(posixpath.join(folder, path))
    if name not in files and not any(file.startswith(f"{name}/") for file in files):
        raise BrokenLink(f"{page}: {target}")
    suffix = f"#{anchor}" if anchor else ""
    if name in pages or name.endswith(".svg"):
        return posixpath.relpath(name, folder or ".") + suffix
    return BLOB + name + suffix


def text_on_site(text: str, page: str, pages: set[str], files: set[str]) -> str:
    """A page with the links that it has on the site. See :func:`target_on_site`."""
    parts, end = [], 0

    def linked(prose: str) -> str:
        return LINK.sub(lambda link: target_on_site(link[0], page, pages, files), prose)

    for code in CODE.finditer(text):
        parts += [linked(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, linked(text[end:])])


def stage(root: pathlib.Path, tracked: list[str], directory: pathlib.Path) -> None:
    """Write the sources of the site into an empty directory.

    :raises BrokenLink: if a page links to a file that does not exist.
    """
    files = {name for name in tracked if (root / name).exists()}
    pages = set(pages_of(sorted(files)))
    for name in sorted(files):
        target = directory / name
        if name in pages:
            target.parent.mkdir(parents=True, exist_ok=True)
            text = (root / name).read_text(encoding="utf-8")
            target.write_text(text_on_site(text, name, pages, files) if name.endswith(".md") else text, encoding="utf-8")
        elif name.startswith("docs/") and name.endswith(".svg"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target)
    for path in (root / "docs" / "site").iterdir():
        if path.suffix == ".md":
            shutil.copy(path, directory / path.name)


def fresh(directory: pathlib.Path) -> pathlib.Path:
    """The directory, empty. antsibull-docs wants it writable for its owner only."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    os.chmod(directory, 0o755)
    return directory
