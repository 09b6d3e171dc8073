# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The words of plans, results and reports, as types: each word is defined here and nowhere else."""

from __future__ import annotations

import typing as t

#: a decoded JSON object: for the JSON of servers, handles and results only; its fields are checked where they are read
Json = dict[str, t.Any]

#: what is to be done about a target
PlannedAction = t.Literal["skip", "join", "queue", "trigger", "refuse"]

#: ``action`` of a record; the ``would_`` forms are those of check mode
Action = t.Literal["triggered", "joined", "skipped", "refused", "would_trigger", "would_join"]

#: ``state`` of a record
State = t.Literal["not_started", "running", "succeeded", "failed", "unknown"]

#: ``changed_basis`` of a record: what ``changed`` rests on
Basis = t.Literal["observed", "predicted", "assumed"]

#: one reading of a run. ``pending``: accepted, not visible yet, which is normal for any time. ``absent``: not visible, which is
#: normal for a grace only. ``unknown``: a word of the server that ``docs/reference/`` does not have
ReadingState = t.Literal["pending", "absent", "running", "succeeded", "failed", "unknown"]

#: what a sync does to one record set of a zone
RecordAction = t.Literal["create", "update", "delete"]

#: how the changes that a server recorded compare with the plan. ``other_sync``: another sync made those that this one did not.
#: ``incomplete``: not all of them could be seen
FidelityVerdict = t.Literal["exact", "differs", "other_sync", "incomplete"]

#: how waiting for a run ends. ``lost``: absent beyond the grace. ``unexpected``: unknown states only. ``error``: it can no
#: longer be observed
WaitOutcome = t.Literal["succeeded", "failed", "timed_out", "lost", "unexpected", "error"]

#: how the ledger knows a run: first its progress, then its outcome. ``sending``: from the moment before the first byte of its
#: trigger leaves this machine. ``void``: it never started
LedgerState = t.Literal["intended", "sending", "started", "succeeded", "failed", "unknown", "void"]

#: what became of a sync whose task was interrupted. ``forgotten``: the server does not know the run any more. ``not_sent``: the
#: task ended before it sent the trigger. ``not_arrived``: it may have sent it, and the server shows no run of it, which proves
#: that there is none. ``unknown``: neither is certain
InterruptedOutcome = t.Literal["running", "succeeded", "failed", "forgotten", "not_sent", "not_arrived", "unknown"]

#: how far a target is while its task is at work. ``intended``: its intent is being recorded in the ledger. ``sending``: its
#: trigger is being sent. ``running``: the server has accepted it, and the record has its handle
TargetProgress = t.Literal["waiting", "planning", "intended", "sending", "running", "done"]

#: ``failure.code``, where the cause is not one that a single provider knows (see ``failure_codes`` of the descriptors)
FailureCode = t.Literal[
    "redirect_refused",
    "auth_failed",
    "permission_denied",
    "not_found",
    "endpoint_missing",
    "busy",
    "guard_refused",
    "run_failed",
    "probe_failed",
    "timed_out",
    "outcome_unknown",
    "rate_limited",
    "connection_failed",
    "tls_failed",
    "bad_response",
    "too_large",
    "server_error",
    "invalid_option",
    "library_missing",
    "ledger_damaged",
    "ledger_unsafe",
    "internal_error",
]

FAILURE_CODES: frozenset[str] = frozenset(t.get_args(FailureCode))

#: ``verdict`` of a promotion, and of each of its targets
PromotionVerdict = t.Literal[
    "succeeded",
    "failed",
    "refused",
    "rolled_back",
    "rollback_failed",
    "unknown",
    "not_started",
    "planned",
    "abandoned",
]

#: ``verdict`` of a reconciliation, and of each of its zones; the worst one, the last in this order, is that of the whole
ReconciliationVerdict = t.Literal["in_sync", "reconciled", "drift", "refused", "timed_out", "failed", "unknown"]

RECONCILIATION_VERDICTS: tuple[str, ...] = t.get_args(ReconciliationVerdict)

#: all of these words: what fields of ours may hold, whatever a secret may be
WORDS: frozenset[str] = frozenset(
    word
    for kind in (
        PlannedAction,
        Action,
        State,
        Basis,
        ReadingState,
        RecordAction,
        FidelityVerdict,
        WaitOutcome,
        LedgerState,
        InterruptedOutcome,
        TargetProgress,
        FailureCode,
        PromotionVerdict,
        ReconciliationVerdict,
    )
    for word in t.get_args(kind)
)
