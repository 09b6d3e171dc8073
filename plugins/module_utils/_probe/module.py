# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The module http_probe as a process: options that are shown without secrets."""

from __future__ import annotations

import typing as t

from .._operations.module import OperationModule
from .options import shown_options


class ProbeModule(OperationModule):
    """Module whose options may contain secrets within addresses, where no_log cannot find them."""

    def exit_json(self, **kwargs: t.Any) -> t.NoReturn:
        super().exit_json(**{**kwargs, "invocation": self._shown()})
        raise AssertionError("unreachable: exit_json exits")

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        super().fail_json(msg, **{**kwargs, "invocation": self._shown()})
        raise AssertionError("unreachable: fail_json exits")

    def _shown(self) -> dict[str, t.Any]:
        return {"module_args": shown_options(getattr(self, "params", None) or {})}
