# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The targets of a system as the hosts of an inventory."""

from __future__ import annotations

import dataclasses
import typing as t

from .._core.options import ArgumentSpec, Options
from .._lifecycle.provider import Services
from .info import InfoReader
from .operation import Operation, info_operation


@dataclasses.dataclass(frozen=True)
class InventorySource:
    """How the targets of a system are listed.

    :param operation: lists them, as an info module does.
    :param key: where its result has the list of targets; the name of their group ends with it.
    :param host: the field of a target that names the host.
    """

    operation: Operation
    key: str
    host: str


def inventory_source(
    key: str,
    host: str,
    spec: ArgumentSpec,
    reader_class: t.Callable[[Options, Services], InfoReader],
    words: t.Iterable[str] = (),
) -> InventorySource:
    """The source that an info reader is; see :func:`info_operation`."""
    return InventorySource(info_operation(key, spec, reader_class, words=words), key, host)
