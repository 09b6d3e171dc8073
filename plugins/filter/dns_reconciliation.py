# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation import state as _reconciliation
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_markdown import reconciliation_markdown
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_page import reconciliation_page


def _plain(function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """A filter that says what it was given when that has not the form it needs."""

    def wrapped(value: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        try:
            return function(value, *args, **kwargs)
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            problem = f"{function.__name__}: the input is not what role dns_reconciliation notes ({exc!r})"
            raise AnsibleFilterError(problem) from exc

    return wrapped


class FilterModule:
    """Filters of role dns_reconciliation."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "dns_backend_groups": _plain(_reconciliation.backend_groups),
            "dns_batch_refusal": _plain(_reconciliation.batch_refusal),
            "dns_zones_to_sync": _plain(_reconciliation.zones_to_sync),
            "dns_zones_to_verify": _plain(_reconciliation.zones_to_verify),
            "dns_reconciliation_report": _plain(_reconciliation.build_report),
            "dns_reconciliation_page": _plain(reconciliation_page),
            "dns_reconciliation_markdown": _plain(reconciliation_markdown),
        }
