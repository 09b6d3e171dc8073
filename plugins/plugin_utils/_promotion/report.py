# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The report of a promotion: the verdict of a run, and what is said of it. No I/O, and no clock."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ...module_utils._core.errors import coded_text, sentence
from ...module_utils._core.vocabulary import PromotionVerdict
from .._actions.codec import encode
from .progress import found_interrupted, sent_so_far
from .settings import PREFIX
from .state import NOT_ENDED, VERDICTS, RunState, TargetState

#: verdicts that end a run well
GOOD: tuple[PromotionVerdict, ...] = ("succeeded", "planned")


@dataclasses.dataclass(frozen=True)
class RunVerdict:
    """What a run has led to.

    :param counts: targets by verdict.
    :param message: the report in a sentence or two: the verdict and the explanation.
    :param explanation: what there is to say of the verdict; empty if nothing.
    """

    verdict: PromotionVerdict
    counts: t.Mapping[str, int]
    message: str
    explanation: str

    @property
    def ok(self) -> bool:
        return self.verdict in GOOD


def verdict_of(state: RunState) -> PromotionVerdict:
    """The verdict of the run: an error, or the worst one of its targets."""
    verdicts: list[PromotionVerdict] = [target.verdict for target in state.targets]
    worst: PromotionVerdict = max(verdicts, key=VERDICTS.index) if verdicts else "failed"
    if state.unfinished:
        return "rollback_failed" if worst == "rollback_failed" else "unknown"
    if state.error:
        return worst if VERDICTS.index(worst) > VERDICTS.index("failed") else "failed"
    return "failed" if worst == "not_started" else worst


def evaluate(state: RunState) -> RunVerdict:
    verdict = verdict_of(state)
    found = collections.Counter(target.verdict for target in state.targets)
    counts: dict[str, int] = {name: found[name] for name in VERDICTS}
    explanation = _explanation(state, verdict, counts)
    mark = ":" if state.error or len(state.targets) > 1 else "."
    return RunVerdict(verdict, counts, f"{verdict}{mark} {explanation}".rstrip(), explanation)


def interrupted(state: RunState) -> RunState:
    """What there would be to say of a run if it were killed now."""
    last = state.phases[-1].phase if state.phases else "preflight"
    phases = tuple(dataclasses.replace(phase, reason=NOT_ENDED) if phase.is_open else phase for phase in state.phases)
    error = (
        f"the run had not ended when this was written, in phase {last}. If it is not at work any more, run the playbook again:"
        " it goes on where this one was, and triggers nothing twice"
    )
    targets = tuple(_interrupted_target(target) for target in state.targets)
    return dataclasses.replace(state, phases=phases, targets=targets, error=state.error or error, unfinished=last)


def _interrupted_target(target: TargetState) -> TargetState:
    rolling_back = target.rollback is not None and target.rollback.is_open
    syncing = target.verdict == "not_started" and (target.overwritten or target.is_resumed)
    if syncing or rolling_back:
        return target.with_verdict("unknown", "the run was interrupted before it was verified or rolled back")
    return target


def build_report(state: RunState, finished_at: str, elapsed: float) -> dict[str, object]:
    """The report of a run as JSON, see docs/promotion.md."""
    verdict = evaluate(state)
    changed = sum(target.changed for target in state.targets)
    requests = sum(target.requests for target in state.targets)
    return {
        "verdict": verdict.verdict,
        "ok": verdict.ok,
        "changed": changed > 0,
        "message": verdict.message,
        "explanation": verdict.explanation,
        "check_mode": state.check_mode,
        "run": state.run,
        "release": state.release,
        "digest": state.digest,
        "started_at": state.started_at,
        "finished_at": finished_at,
        "elapsed": round(elapsed, 3),
        **{name: encode(getattr(state, name)) for name in _REPEATED},
        "traceback": state.traceback or None,
        "unfinished": {"phase": state.unfinished, "sent": [call.to_json() for call in sent_so_far(state)]}
        if state.unfinished
        else None,
        "interrupted": [item.to_json() for item in found_interrupted(state)],
        "summary": {"targets": len(state.targets), **verdict.counts, "changed": changed, "requests": requests},
        "phases": [phase.report() for phase in state.phases],
        "targets": [target.report() for target in state.targets],
    }


_REPEATED = ("actor", "error", "error_code", "override_reason", "lifted_hold", "held", "warnings")


def _explanation(state: RunState, verdict: PromotionVerdict, counts: t.Mapping[str, int]) -> str:
    where = _found_text(state) + (f" Report: {state.path}" if state.path else "")
    if state.error:
        return f"{sentence(state.error)}{where}"
    decisive = [target for target in state.targets if target.verdict == verdict]
    # of those that were refused, those on account of which all of them were
    decisive = [target for target in decisive if target.failed_checks] or decisive[:1]
    summary = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in VERDICTS if counts[name])
    text = f"{summary}." if len(state.targets) > 1 else ""
    text += "".join(f" {target.name}: {_reason(target)}" for target in decisive if target.reason)
    return f"{text}{_next_steps(state, verdict)}{where}".lstrip()


def _reason(target: TargetState) -> str:
    """Why it has its verdict, with the code of the failure behind it."""
    if target.failure is None or target.verdict in GOOD:
        return sentence(target.reason)
    return coded_text(target.failure.code, target.reason)


def _found_text(state: RunState) -> str:
    """The interrupted runs that were found, each once."""
    texts = dict.fromkeys(
        f" {item.run} had been interrupted in phase {item.phase}; this run"
        f" {'took its place' if item.outcome == 'abandoned' else 'went on with it'}."
        for item in found_interrupted(state)
    )
    return "".join(f" Run{text}" for text in texts)


def _next_steps(state: RunState, verdict: PromotionVerdict) -> str:
    text = ""
    if verdict == "planned":
        text += f" Digest of the plan: {state.digest}."
    if verdict == "unknown":
        text += " Run the playbook again to wait for it and verify; nothing is triggered twice."
    if state.held:
        text += f" This release is held back until {PREFIX}lift_hold gives a reason to promote it again."
    return text
