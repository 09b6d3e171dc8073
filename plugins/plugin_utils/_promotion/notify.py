# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The phase ``notify``: send notifications, and note in the report how each was delivered."""

from __future__ import annotations

from .._notifications import notify as _notify
from .._reports.promotion_page import promotion_page
from .phase import PhaseContext, StepRequest, StepResult, iso_seconds
from .report_files import clean_report
from .state import RunState


def notify(context: PhaseContext, state: RunState, dummy: StepRequest) -> StepResult:
    settings, clock = context.settings.notify, context.services.clock
    if not settings or (state.check_mode and not _notify.covers_check_mode(settings)):
        return StepResult(state, "no notification is wanted", skipped=True)
    state = context.open(state, "notify")
    report = clean_report(state, iso_seconds(clock.now()), clock.monotonic() - state.began, context.services.redactor)
    sent = _notify.notify(report, settings, html=promotion_page(report))
    failed = [f"{item['channel']}: {item['text']}" for item in sent if not item["ok"]]
    reason = "; ".join(f"{item['channel']}: {item['text']}" for item in sent) or "nothing to report"
    state = context.close(state, "failed" if failed else "passed" if sent else "skipped", reason)
    problem = context.write(state)
    return StepResult(state, reason, skipped=not sent, warnings=(*failed, *([problem] if problem else [])))
