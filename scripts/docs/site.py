# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the site: guides, pages of the repository, and the reference of everything that the collection has.

Nothing is fetched: references to Ansible's own documentation become its addresses without being looked up.
"""

from __future__ import annotations

import pathlib

from scripts.check.shell import CACHE, ROOT, VENV_BIN, StepFailed, environment, quiet, shown
from scripts.check.stage import tracked_files

from . import reference, sources

SITE = CACHE / "docs"

ANTSIBULL_DOCS = ("collection", "--use-current", "--squash-hierarchy", "--no-indexes", "--no-add-antsibull-docs-version")


def build() -> pathlib.Path:
    """Build the site. Every warning is a failure, broken links within the site included.

    :return: its first page.
    """
    source = sources.fresh(SITE / "source")
    try:
        sources.stage(ROOT, tracked_files(), source)
    except sources.BrokenLink as problem:
        raise StepFailed(f"a link to a file that does not exist: {problem}") from None
    collection = sources.fresh(source / "collection")
    _run("antsibull-docs", *ANTSIBULL_DOCS, "--dest-dir", collection, "lockstep.sync")
    # Its own index does not set the internals apart.
    (collection / "index.rst").unlink()
    (collection / "index.md").write_text(reference.index(collection), encoding="utf-8")
    html = sources.fresh(SITE / "html")
    _run("sphinx-build", "-q", "-b", "html", "-W", "-n", "--keep-going", "-j", "2", "-c", ROOT / "docs" / "site", source, html)
    return html / "index.html"


def _run(tool: str, *arguments: str | pathlib.Path) -> None:
    command = [VENV_BIN / tool, *arguments]
    result = quiet(command, env=environment(home=CACHE / "lint" / tool))
    if result.status:
        raise StepFailed(f"$ {shown(command)}\n{result.output.strip()}")
