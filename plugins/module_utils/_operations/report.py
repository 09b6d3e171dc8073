# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The report file of a task, written in a stream: it has the details of all targets, which are never in memory together."""

from __future__ import annotations

import json
import textwrap
import typing as t

from .._core.files import replace_file


def write_report(path: str, head: t.Mapping[str, t.Any], syncs: t.Iterable[t.Mapping[str, t.Any]]) -> None:
    """Write a report as JSON with mode 0600, whole or not at all.

    :param head: everything but the records.
    :param syncs: the records, as plain data.
    :raises OSError: the file cannot be written.
    """
    replace_file(path, _pieces(head, syncs))


def _pieces(head: t.Mapping[str, t.Any], syncs: t.Iterable[t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    opening = _text({**head, "syncs": []})
    yield opening[: -len("]\n}")]
    separator = "\n"
    for entry in syncs:
        yield separator + textwrap.indent(_text(entry), "    ")
        separator = ",\n"
    yield "]\n}\n" if separator == "\n" else "\n  ]\n}\n"


def _text(value: object) -> str:
    return json.dumps(value, indent=2, default=str, allow_nan=False)
