# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of the code of the controller is typed: JSON is read in few places, and its data has types from there on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from .trees import statements

#: Highest share of the functions in plugins/plugin_utils whose annotations need Any or an untyped mapping.
MAX_UNTYPED_SHARE = 0.25

MAPPINGS = {"dict", "Dict", "Mapping", "MutableMapping"}
UNTYPED_VALUES = {"Any", "object"}


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name; empty for everything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def is_untyped(annotation: ast.expr, aliases: frozenset[str] = frozenset()) -> bool:
    """Whether an annotation contains Any, a mapping without types or with values of any type, or an alias of such.

    :param aliases: names that stand for untyped annotations.
    """
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return is_untyped(ast.parse(annotation.value, mode="eval").body, aliases)
    if isinstance(annotation, ast.Subscript) and name_of(annotation.value) == "Literal":
        return False
    if isinstance(annotation, ast.Subscript) and name_of(annotation.value) in MAPPINGS:
        arguments = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        return name_of(arguments[-1]) in UNTYPED_VALUES or any(is_untyped(argument, aliases) for argument in arguments)
    if name_of(annotation) in MAPPINGS | {"Any"} | aliases:
        return True
    return any(is_untyped(child, aliases) for child in ast.iter_child_nodes(annotation) if isinstance(child, ast.expr))


def annotations_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    yield from (argument.annotation for argument in every if argument is not None and argument.annotation is not None)
    if function.returns is not None:
        yield function.returns


def functions_of(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in statements(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def aliases_in(trees: list[ast.Module]) -> frozenset[str]:
    """Names at the top of modules that stand for untyped annotations, such as ``Json = dict[str, Any]``."""
    assigned = [(name_of(node.targets[0]), node.value) for tree in trees for node in tree.body if isinstance(node, ast.Assign)]
    found: frozenset[str] = frozenset()
    while True:
        more = found | {name for name, value in assigned if is_type_name(name) and is_untyped(value, found)}
        if more == found:
            return found
        found = more


def is_type_name(name: str) -> bool:
    """Whether it is written in camel case, as no constant and no variable is."""
    return name.lstrip("_")[:1].isupper() and not name.isupper()


@pytest.mark.parametrize(
    ("annotation", "untyped"),
    [
        *(("t.Any", True), ("Any | None", True), ("list[t.Any]", True), ("dict", True), ("t.Mapping | None", True)),
        *(("dict[str, t.Any]", True), ("t.Mapping[str, object]", True), ("'dict[str, Any]'", True), ("list[Json]", True)),
        *(("Callable[[dict[str, Any]], None]", True), ("t.Mapping[str, list[object]]", False), ("object", False)),
        *(("t.Literal['Any']", False), ("Literal['two words']", False)),
        *(("dict[str, int]", False), ("t.Mapping[str, Target]", False), ("str", False), ("Callable[..., str]", False)),
    ],
)
def test_untyped_annotations_are_known(annotation: str, untyped: bool) -> None:
    assert is_untyped(ast.parse(annotation, mode="eval").body, frozenset({"Json"})) is untyped


def test_aliases_are_found() -> None:
    tree = ast.parse("Json = dict[str, t.Any]\nRows = list[Json]\nNames = list[str]\nTEXTS = x['a b']\n")
    assert aliases_in([tree]) == {"Json", "Rows"}


def test_most_functions_of_the_controller_are_typed(plugin_trees: dict[str, ast.Module]) -> None:
    aliases = aliases_in(list(plugin_trees.values()))
    functions = [
        (f"{name}:{function.lineno} {function.name}", any(is_untyped(item, aliases) for item in annotations_of(function)))
        for name, tree in plugin_trees.items()
        if name.startswith("plugins/plugin_utils/")
        for function in functions_of(tree)
    ]
    untyped = [where for where, found in functions if found]
    share = len(untyped) / len(functions)
    assert share < MAX_UNTYPED_SHARE, f"{len(untyped)} of {len(functions)} ({share:.1%}):\n" + "\n".join(untyped)
