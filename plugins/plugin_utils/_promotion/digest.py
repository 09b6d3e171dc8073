# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The digest of a plan: an approval is good for exactly what it stands for."""

from __future__ import annotations

import hashlib
import json

from ...module_utils._probe.address import shown_url
from ...module_utils._providers.registry import WORKFLOWS
from .settings import ModuleOptions, PromotionSettings, PromotionTarget
from .state import RunState

#: options of probes that may hold secrets
_SECRET = ("request_headers", "url_username", "url_password")


def digest_of(state: RunState, settings: PromotionSettings) -> str:
    """A short name for what is going to be done.

    Nothing in it moves with time, so that what was planned in check mode can be approved for a later run.
    """
    targets = [
        [
            target.key and target.key.to_json(),
            target.plan and target.plan.action,
            target.wave,
            _public(settings.targets[target.index]),
        ]
        for target in state.targets
    ]
    plan = [state.release, targets, settings.backup, settings.rollback]
    return hashlib.sha256(json.dumps(plan, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _public(target: PromotionTarget) -> dict[str, object]:
    """What is done and verified, without anything that may be a secret."""
    probes = [[_public_probe(probe) for probe in kind] for kind in (target.verify, target.verify_staging)]
    workflow = WORKFLOWS[target.provider]
    backup = workflow.backup.decisive(target.backup) if workflow.backup else {}
    return {"options": workflow.sync.decisive(target.options), "probes": probes, "backup": backup}


def _public_probe(probe: ModuleOptions) -> ModuleOptions:
    return {**{name: value for name, value in probe.items() if name not in _SECRET}, "url": shown_url(str(probe["url"]))}
