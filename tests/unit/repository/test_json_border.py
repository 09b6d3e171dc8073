# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where decoded JSON without types may be handled: where it is read or written, and nowhere else."""

from __future__ import annotations

import ast

#: The files that may use ``Json``. What other files are given has types.
BORDER = {
    "plugins/module_utils/_core/vocabulary.py",
    "plugins/module_utils/_dns/json_rows.py",
    "plugins/module_utils/_http/json_reader.py",
    "plugins/module_utils/_providers/crafter/api.py",
    "plugins/module_utils/_providers/crafter/publish_calls.py",
    "plugins/module_utils/_providers/crafter/studio.py",
    "plugins/module_utils/_providers/plm/api.py",
    "plugins/module_utils/_providers/serveravatar/api.py",
    "plugins/module_utils/_providers/serveravatar/handles.py",
    "plugins/module_utils/_providers/serveravatar/rows.py",
    "plugins/module_utils/_providers/vinyldns/rows.py",
    # what Ansible's own classes and modules are given and return
    "plugins/plugin_utils/_actions/controller.py",
    "plugins/plugin_utils/_reports/task_files.py",
}


def uses_json(tree: ast.AST) -> bool:
    """Whether the name ``Json`` is used, as such or as an attribute of a module."""
    return any(
        (isinstance(node, ast.Name) and node.id == "Json") or (isinstance(node, ast.Attribute) and node.attr == "Json")
        for node in ast.walk(tree)
    )


def test_decoded_json_stays_at_the_border(plugin_texts: dict[str, str], plugin_trees: dict[str, ast.Module]) -> None:
    using = {name for name, tree in plugin_trees.items() if "Json" in plugin_texts[name] and uses_json(tree)}
    assert using - BORDER == set(), "these files are not at the border"
    assert BORDER - using == set(), "these files do not need to be at the border any more"
