# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configuration of Sphinx. `make docs` builds the site; see scripts/docs/site.py."""

from __future__ import annotations

import re
import typing as t

from docutils import nodes

if t.TYPE_CHECKING:
    from docutils.nodes import Element, reference
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "lockstep.sync"
copyright = "2026 The lockstep.sync authors"  # noqa: A001 (the name that Sphinx reads)
title = html_title = html_short_title = "lockstep.sync"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
default_role = "any"
nitpicky = True

# GitHub's anchors: lower case, hyphens.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

highlight_language = "text"
pygments_style = "ansible"
html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_show_copyright = True
html_use_index = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_theme_options = {
    "collapse_navigation": False,
    "navigation_depth": 3,
    "swift_id": "",
    "vcs_pageview_mode": "",
}

#: Ansible's own documentation, which is not looked up: the site builds without a network.
ANSIBLE = "https://docs.ansible.com/ansible/latest/"

#: where its labels are that antsibull-docs refers to
LABELS = {
    "action_plugins": "plugins/action.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
}


def ansible_reference(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element) -> reference | None:
    """A link to a plugin or a page of Ansible itself; ``None`` for what should have been found on this site."""
    target = str(node["reftarget"])
    plugin = re.match(r"ansible_collections\.ansible\.builtin\.(\w+)", target)
    if plugin:
        page: str | None = f"collections/ansible/builtin/{plugin[1]}.html"
    elif node["reftype"] == "envvar" and target.startswith("ANSIBLE_"):
        page = f"reference_appendices/config.html#envvar-{target}"
    else:
        page = LABELS.get(target)
    return None if page is None else nodes.reference("", "", content, internal=False, refuri=ANSIBLE + page)


def setup(app: Sphinx) -> None:
    app.connect("missing-reference", ansible_reference)
