# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What a promotion has come to: the verdict of a run, and its report. No I/O, and no clock."""

from __future__ import annotations

import copy
import typing as t

from .settings import PREFIX
from .state import TOUCHED, VERDICTS, is_open, is_resumed, sentence, set_verdict

Json = dict[str, t.Any]

#: verdicts that end a run well
GOOD = ("succeeded", "planned")


def verdict_of(state: Json) -> str:
    """The verdict of the run: an error, or the worst one of its targets."""
    worst = max((target["verdict"] for target in state["targets"]), key=VERDICTS.index, default="failed")
    if state["error"]:
        return worst if VERDICTS.index(worst) > VERDICTS.index("failed") else "failed"
    return "failed" if worst == "not_started" else str(worst)


def summary_of(state: Json) -> Json:
    verdicts = [target["verdict"] for target in state["targets"]]
    counts = {name: verdicts.count(name) for name in VERDICTS}
    changed = sum(bool(target["changed"]) for target in state["targets"])
    requests = sum(target["requests"] for target in state["targets"])
    return {"targets": len(verdicts), **counts, "changed": changed, "requests": requests}


def interrupted(state: Json) -> Json:
    """What there would be to say of a run if it were killed now."""
    left: Json = copy.deepcopy(state)
    touched = {phase["target"] for phase in left["phases"] if phase["phase"] in TOUCHED}
    for target in left["targets"]:
        open_rollback = bool(target["rollback"]) and is_open(target["rollback"])
        open_sync = target["verdict"] == "not_started" and (target["name"] in touched or is_resumed(target))
        if open_sync or open_rollback:
            set_verdict(target, "unknown", "the run was interrupted before it was verified or rolled back")
    phase = left["phases"][-1]["phase"] if left["phases"] else "preflight"
    for entry in left["phases"]:
        if is_open(entry):
            entry["reason"] = "it had not ended when this was written"
    left["error"] = left["error"] or (
        f"the run had not ended when this was written, in phase {phase}. If it is not at work any more, run the playbook again:"
        " it goes on where this one was, and triggers nothing twice"
    )
    return left


def build_report(state: Json, finished_at: str, elapsed: float, path: str) -> Json:
    """The report of a run, see docs/promotion.md."""
    verdict = verdict_of(state)
    report = {
        "verdict": verdict,
        "ok": verdict in GOOD,
        "changed": any(target["changed"] for target in state["targets"]),
        "message": "",
        **{key: state[key] for key in ("check_mode", "run", "release", "digest", "started_at")},
        "finished_at": finished_at,
        "elapsed": round(elapsed, 3),
        **{key: state[key] for key in ("actor", "error", "override_reason", "lifted_hold", "held", "warnings")},
        "summary": summary_of(state),
        "phases": [{key: value for key, value in phase.items() if key != "began"} for phase in state["phases"]],
        "targets": [{key: value for key, value in target.items() if key != "key"} for target in state["targets"]],
    }
    return {**report, "message": message_of(report, path)}


def message_of(report: Json, path: str) -> str:
    """The report in a sentence or two."""
    where = f" Report: {path}" if path else ""
    if report["error"]:
        return f"{report['verdict']}: {sentence(report['error'])}{where}"
    targets = report["targets"]
    decisive = [target for target in targets if target["verdict"] == report["verdict"]]
    # of those that were refused, those on account of which all of them were
    decisive = [target for target in decisive if any(check["ok"] is False for check in target["checks"])] or decisive[:1]
    counts = ", ".join(f"{report['summary'][name]} {name.replace('_', ' ')}" for name in VERDICTS if report["summary"][name])
    text = f"{report['verdict']}: {counts if len(targets) > 1 else ''}".rstrip(": ") + "."
    text += "".join(f" {target['name']}: {sentence(target['reason'])}" for target in decisive if target["reason"])
    if report["verdict"] == "planned":
        text += f" Digest of the plan: {report['digest']}."
    if report["verdict"] == "unknown":
        text += " Run the playbook again to wait for it and verify; nothing is triggered twice."
    if report["held"]:
        text += f" This release is held back until {PREFIX}lift_hold gives a reason to promote it again."
    return text + where
