# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decoded JSON without types has one name, ``Json``; another name for the same would get past the test of its border."""

from __future__ import annotations

import ast


def aliases_of_untyped_json(tree: ast.Module) -> list[str]:
    """The names at the top of a module that stand for ``dict[str, Any]``."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.AnnAssign):
            names, value = [node.target], node.value
        elif isinstance(node, ast.Assign):
            names, value = node.targets, node.value
        else:
            continue
        if value is not None and ast.unparse(value).replace("t.", "").replace("typing.", "") in (
            "dict[str, Any]",
            "Dict[str, Any]",
        ):
            found += [ast.unparse(name) for name in names]
    return found


def test_the_search_finds_aliases() -> None:
    source = "Json = dict[str, t.Any]\nEntry: TypeAlias = dict[str, Any]\nOther = dict[str, object]\nvalue = {}"
    assert aliases_of_untyped_json(ast.parse(source)) == ["Json", "Entry"]


def test_there_is_one_name_for_decoded_json(plugin_trees: dict[str, ast.Module]) -> None:
    found = {(name, alias) for name, tree in plugin_trees.items() for alias in aliases_of_untyped_json(tree)}
    assert found == {("plugins/module_utils/_core/vocabulary.py", "Json")}
