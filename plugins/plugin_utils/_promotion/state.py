# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""A promotion while it runs: what is known of it, and what follows from that. No I/O, and no clock.

The state is plain JSON, since every step of the role runs in a process of its own and hands it to the next one.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ...module_utils._probe.address import shown_url
from ...module_utils._providers.registry import WORKFLOWS
from .settings import PREFIX, PromotionSettings, PromotionTarget

Json = dict[str, t.Any]

#: what a target comes to, the worst last; the worst one is the verdict of the run
VERDICTS = ("not_started", "succeeded", "planned", "refused", "rolled_back", "failed", "unknown", "rollback_failed")

#: phases in which a target may already have been overwritten
TOUCHED = ("sync", "verify", "rollback")


def new_state(run: str, settings: PromotionSettings, started_at: str, check_mode: bool, actor: Json) -> Json:
    """The state at the beginning of a run."""
    waves = {index: number for number, wave in enumerate(settings.waves, 1) for index in wave}
    return {
        "run": run,
        "release": settings.release or None,
        "check_mode": check_mode,
        "started_at": started_at,
        "actor": actor,
        "digest": "",
        "error": None,
        "stopped": False,
        "override_reason": None,
        "lifted_hold": None,
        "held": [],
        "warnings": [],
        "phases": [],
        "targets": [_new_target(target, waves[target.index]) for target in settings.targets],
    }


def _new_target(target: PromotionTarget, wave: int) -> Json:
    return {
        "name": target.name,
        "provider": target.provider,
        "target": target.name,
        "wave": wave,
        "key": None,
        "verdict": "not_started",
        "changed": False,
        "reason": "",
        "resumed": None,
        "plan": None,
        "checks": [],
        "staging": [],
        "before": [],
        "backup": None,
        "sync": None,
        "verify": None,
        "rollback": None,
        "failure": None,
        "requests": 0,
    }


# -- phases ----------------------------------------------------------------------------------------------------------


_OPEN = "it was not brought to an end"


def begin_phase(state: Json, phase: str, now: str, wave: int | None = None, target: str | None = None) -> Json:
    """Note that a phase begins; it counts as failed until it is ended."""
    entry = {
        "phase": phase,
        "wave": wave,
        "target": target,
        "state": "failed",
        "reason": _OPEN,
        "started_at": now,
        "finished_at": now,
        "elapsed": 0.0,
    }
    state["phases"].append(entry)
    return entry


def is_open(phase: Json) -> bool:
    """Whether a phase, or the rollback of a target, was begun and not ended."""
    return bool(phase["reason"] == _OPEN)


def add_check(target: Json, name: str, ok: bool | None, text: str) -> None:
    """Note one thing that was looked at before the promotion."""
    target["checks"].append({"name": name, "ok": ok, "text": text})


# -- the plan --------------------------------------------------------------------------------------------------------


def judge_plan(target: Json, result: Json, max_disk_percent: float) -> None:
    """What the sync module foretold: the plan of a target, and the checks that it implies.

    :param result: of the sync module in check mode.
    """
    record = _only_record(result)
    failure = record["failure"] if record else (result.get("failure") or _task_failure(result))
    target["requests"] += requests_of(result)
    if record is None:
        target["plan"] = {"action": "refused", "reason": failure["message"], "failure": failure}
        add_check(target, "plan", False, failure_text(failure))
        return
    target["target"] = record["target"]
    target["plan"] = {"action": record["action"], "reason": record["reason"], "failure": failure}
    _checks_of(target, record, failure, max_disk_percent)


#: what each failure of a plan says about the things that are checked
_CULPRITS = {
    "auth_failed": "credentials",
    "permission_denied": "credentials",
    "connection_failed": "connection",
    "tls_failed": "connection",
    "redirect_refused": "connection",
    "not_found": "target",
    "endpoint_missing": "target",
    "busy": "idle",
}
_ORDER = ("connection", "credentials", "target", "staging", "idle")


def _checks_of(target: Json, record: Json, failure: Json | None, max_disk_percent: float) -> None:
    culprits = {**_CULPRITS, **WORKFLOWS[target["provider"]].checks}
    culprit = culprits.get(failure["code"], "plan") if failure else None
    # after a failure that is none of theirs, nobody knows
    known = _ORDER.index(culprit) if culprit in _ORDER else 0 if culprit == "plan" else len(_ORDER)
    texts = {"connection": "the API answers", "credentials": "accepted", "target": f"found as {record['target']}"}
    running = record["action"] == "would_join"
    texts |= {
        "staging": "there is one",
        "idle": "a sync is in flight and will be waited for" if running else "nothing is running",
    }
    for position, name in enumerate(_ORDER):
        if name == "staging" and not WORKFLOWS[target["provider"]].staging:
            continue
        if name == culprit and failure:
            add_check(target, name, False, failure_text(failure))
        elif position < known:
            add_check(target, name, True, texts[name])
        else:
            add_check(target, name, None, "not known")
    if failure and culprit not in _ORDER:
        add_check(target, culprit or "plan", False, failure_text(failure))
    used = record["detail"].get("disk_usage")
    if used is not None:
        enough = used <= max_disk_percent
        limit = "" if enough else f", more than {PREFIX}max_disk_percent ({max_disk_percent:g})"
        add_check(target, "disk", enough, f"{used:g} % of the production server in use{limit}")


def key_of(record: Json, provider: str, address: str) -> Json:
    """What tells the target apart from all others, whatever name it was given."""
    ids = record["detail"].get("ids")
    return {
        "provider": provider,
        "address": address,
        "target": "/".join(str(value) for value in ids.values()) if ids else record["target"],
    }


def has_work(target: Json) -> bool:
    """Whether something is to be done for a target."""
    if target["verdict"] == "refused":
        return False
    return bool(target["resumed"]) or bool(target["plan"] and target["plan"]["action"] in ("would_trigger", "would_join"))


def is_resumed(target: Json) -> bool:
    """Whether an earlier run may already have begun to overwrite the target."""
    return bool(target["resumed"]) and target["resumed"]["phase"] in TOUCHED


def starts_something(state: Json) -> bool:
    """Whether any target is going to be overwritten that is not so already: what windows and approvals are about."""
    return any(has_work(target) and not is_resumed(target) for target in state["targets"])


def reject_duplicates(state: Json) -> None:
    """Note the targets that are the same one as an earlier one, by another name."""
    seen: dict[str, str] = {}
    for target in state["targets"]:
        if target["key"] is None:
            continue
        first = seen.setdefault(json.dumps(target["key"], sort_keys=True), target["name"])
        if first != target["name"]:
            add_check(target, "entry", False, f"it is the same target as {first}. Leave one of them out")


def refusals(state: Json) -> list[str]:
    """Why the run may not go on after its preflight, one sentence for each check that failed.

    A promotion that is resumed has to be brought to an end, whatever its checks say.
    """
    return [
        f"{target['name']}: {check['name']}: {check['text']}"
        for target in state["targets"]
        if not is_resumed(target)
        for check in target["checks"]
        if check["ok"] is False
    ]


def digest_of(state: Json, settings: PromotionSettings) -> str:
    """A short name for what is going to be done: an approval is good for exactly that.

    Nothing in it moves with time, so that what was planned in check mode can be approved for a later run.
    """
    doing = [
        [target["key"], target["plan"] and target["plan"]["action"], target["wave"], _public(settings.targets[index])]
        for index, target in enumerate(state["targets"])
    ]
    plan = [state["release"], doing, settings.backup, settings.rollback]
    return hashlib.sha256(json.dumps(plan, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _public(target: PromotionTarget) -> Json:
    """What is done and looked at, without anything that may be a secret."""
    probes = [[_public_probe(probe) for probe in kind] for kind in (target.verify, target.verify_staging)]
    chain = WORKFLOWS[target.provider]
    backup = chain.backup.decisive(target.backup) if chain.backup else {}
    return {"options": chain.sync.decisive(target.options), "probes": probes, "backup": backup}


def _public_probe(probe: Json) -> Json:
    secret = ("request_headers", "url_username", "url_password")
    return {**{name: value for name, value in probe.items() if name not in secret}, "url": shown_url(str(probe["url"]))}


# -- backup and sync -------------------------------------------------------------------------------------------------


def judge_backup(result: Json) -> Json:
    """The ``backup`` of a target, from the result of the backup module."""
    record = _only_record(result)
    failure = (record or result).get("failure") or (None if record else _task_failure(result))
    if record is None or failure:
        known = {"elapsed": record["elapsed"] if record else 0.0, "failure": failure}
        return {
            "state": "failed",
            "reason": failure_text(failure),
            "id": None,
            "name": None,
            "size": None,
            "status": None,
            **known,
        }
    if record["action"] in ("would_trigger", "would_join"):
        planned = {"state": "planned", "reason": record["reason"], "id": None, "name": None, "size": None, "status": None}
        return {**planned, "elapsed": record["elapsed"], "failure": None}
    backup = record["detail"].get("backup") or {}
    listed = backup.get("id") is not None
    return {
        "state": ("found" if record["action"] == "skipped" else "made") if listed else "failed",
        "reason": record["reason"] if listed else "the backup is not listed",
        "id": backup.get("id"),
        "name": backup.get("name"),
        "size": backup.get("size"),
        "status": backup.get("status"),
        "elapsed": record["elapsed"],
        "failure": None,
    }


def no_backup(reason: str) -> Json:
    """The ``backup`` of a target of which none is made."""
    return {
        "state": "none",
        "reason": reason,
        "id": None,
        "name": None,
        "size": None,
        "status": None,
        "elapsed": 0.0,
        "failure": None,
    }


#: refusals from which nothing follows for a sync that was triggered before
_SAYS_NOTHING = ("auth_failed", "bad_response", "busy", "connection_failed", "rate_limited", "server_error", "tls_failed")


def judge_sync(target: Json, result: Json) -> bool:
    """Take over what the sync module did.

    :returns: whether production is to be verified now.
    """
    record = _only_record(result)
    if record is None:
        target["failure"] = result.get("failure") or _task_failure(result)
        set_verdict(target, "failed", f"not synced: {target['failure']['message']}")
        return False
    target["sync"], target["requests"] = record, target["requests"] + requests_of(result)
    target["changed"] = bool(target["changed"] or record["changed"])
    failure = record["failure"]
    target["failure"] = failure
    if record["timed_out"] or (failure and failure["code"] == "outcome_unknown"):
        set_verdict(target, "unknown", record["reason"] if not failure else failure["message"])
        return False
    if failure and record["action"] == "refused":
        if is_resumed(target) and failure["code"] in _SAYS_NOTHING:
            set_verdict(
                target, "unknown", f"what became of the sync of run {target['resumed']['run']} is not known: {failure['message']}"
            )
            return False
        set_verdict(target, "refused" if failure["code"] == "guard_refused" else "failed", f"not synced: {failure['message']}")
        return False
    # a run that failed may have overwritten production in part, so the probes and the rollback are about it, too
    return True


# -- verification ----------------------------------------------------------------------------------------------------


def judge_probes(probes: t.Sequence[Json], before: t.Sequence[Json], elapsed: float) -> Json:
    """The ``verify`` of a target: what its probes saw, beside what they saw before the promotion."""
    was = [_before(position, probe, before) for position, probe in enumerate(probes)]
    failing = [(probe["name"], known) for probe, known in zip(probes, was) if not probe["ok"]]
    already = [name for name, known in failing if known is False]
    regressions = [name for name, known in failing if known is not False]
    return {
        "ok": not failing,
        "elapsed": elapsed,
        "probes": [{**probe, "was_ok": known} for probe, known in zip(probes, was)],
        "regressions": regressions,
        "already_failing": already,
        "reason": _probe_reason(probes, regressions, already),
    }


def _before(position: int, probe: Json, before: t.Sequence[Json]) -> bool | None:
    """What the same probe said before: the one at the same place, unless the probes were changed meanwhile."""
    if position < len(before) and before[position]["name"] == probe["name"]:
        return bool(before[position]["ok"])
    return None


def _probe_reason(probes: t.Sequence[Json], regressions: t.Sequence[str], already: t.Sequence[str]) -> str:
    if not probes:
        return "no probes are declared"
    said = {probe["name"]: "; ".join(probe["problems"]) for probe in probes}
    parts = [f"{name}: {said[name]}" for name in regressions]
    parts += [f"{name}: {said[name]} (it was failing before the promotion, too)" for name in already]
    return "; ".join(parts) or f"{len(probes)} of {len(probes)} probes are green"


def judge_verification(target: Json, policy: str) -> bool:
    """What verification comes to.

    :param policy: ``auto``, ``manual`` or ``never``.
    :returns: whether production has to be restored.
    """
    verify, record = target["verify"], target["sync"]
    run_failed = bool(record and record["failure"])
    if verify["ok"] and not run_failed:
        unseen = record and record["state"] == "unknown"
        set_verdict(target, "succeeded", f"{outcome_text(target)}; {verify['reason']}{_UNSEEN if unseen else ''}")
        return False
    problem = f"the sync failed: {record['failure']['message']}" if run_failed else f"verification failed: {verify['reason']}"
    set_verdict(target, "failed", problem)
    if not was_promoted(target):
        target["reason"] = f"nothing was promoted by this run, and {problem}"
        return False
    return _plan_rollback(target, problem, policy)


_UNSEEN = " (the end of the sync itself could not be observed)"


def was_promoted(target: Json) -> bool:
    """Whether this promotion, in this run or an earlier one that it resumes, began to overwrite the target."""
    record = target["sync"]
    return is_resumed(target) or bool(record and record["action"] in ("triggered", "joined"))


def outcome_text(target: Json) -> str:
    record = target["sync"]
    if is_resumed(target):
        return f"brought to an end what run {target['resumed']['run']} began"
    if record is None or record["action"] == "skipped":
        return str((record or target["plan"])["reason"])
    return "promoted" if record["action"] == "triggered" else "promoted by a sync that was in flight"


def _plan_rollback(target: Json, problem: str, policy: str) -> bool:
    backup = target["backup"] or no_backup("none was made")
    identity = backup["id"]
    state, reason = {
        "auto": ("failed", _OPEN),
        "manual": ("manual", f"left to you: {_by_hand(target, backup)}"),
        "never": ("manual", f"{PREFIX}rollback is never"),
    }[policy]
    if policy == "auto" and identity is None:
        state, reason = "impossible", f"there is no backup to restore: {backup['reason']}"
    target["rollback"] = {"state": state, "reason": reason, "backup": identity, "elapsed": 0.0, "verify": None}
    if state == "failed":
        # until it is known better
        set_verdict(target, "rollback_failed", problem)
        return True
    target["reason"] = f"{problem}; not rolled back: {reason}"
    return False


def _by_hand(target: Json, backup: Json) -> str:
    restore = WORKFLOWS[target["provider"]].restore
    if backup["id"] is None or restore is None:
        return f"there is no backup ({backup['reason']})"
    return f"restore backup {backup['id']} with lockstep.sync.{restore.module}"


def needs_hold(target: Json, policy: str) -> bool:
    """Whether the release must not be promoted again before somebody says so."""
    return bool(target["rollback"]) and policy != "never"


def judge_restore(target: Json, result: Json) -> bool:
    """Take over what the restore module did.

    :returns: whether to verify that production is as it was.
    """
    record = _only_record(result)
    failure = (record or result).get("failure") or (None if record else _task_failure(result))
    rollback = target["rollback"]
    if record is not None:
        target["requests"] += requests_of(result)
        rollback["elapsed"] += record["elapsed"]
    if failure:
        rollback["state"], rollback["reason"] = "failed", f"the restore failed: {failure_text(failure)}"
        set_verdict(target, "rollback_failed", f"{target['reason']}; and {rollback['reason']}")
        return False
    rollback["reason"] = record["reason"] if record else ""
    return True


def judge_restored(target: Json, verify: Json) -> None:
    """What the probes say after a restore. What was failing before the promotion may fail again."""
    rollback = target["rollback"]
    rollback["verify"], rollback["elapsed"] = verify, rollback["elapsed"] + verify["elapsed"]
    if verify["regressions"]:
        rollback["state"], rollback["reason"] = "failed", f"restored, and yet: {verify['reason']}"
        set_verdict(target, "rollback_failed", f"{target['reason']}; {rollback['reason']}")
        return
    again = f" ({', '.join(verify['already_failing'])} failing as before)" if verify["already_failing"] else ""
    rollback["state"], rollback["reason"] = "succeeded", f"backup {rollback['backup']} restored and verified{again}"
    set_verdict(target, "rolled_back", f"{target['reason']}; {rollback['reason']}")


# -- the end ---------------------------------------------------------------------------------------------------------


def set_verdict(target: Json, verdict: str, reason: str) -> None:
    """Note what a target came to."""
    target["verdict"], target["reason"] = verdict, reason


def stop(state: Json, verdict: str, reason: str) -> None:
    """Begin nothing more: whatever has not been started will not be.

    :param verdict: of the targets that have none yet, if they wanted to act.
    """
    state["stopped"] = True
    for target in state["targets"]:
        if target["verdict"] == "not_started":
            set_verdict(target, verdict, reason)


def refuse(state: Json, reason: str) -> None:
    """Have nothing be started. What an earlier run began to overwrite is brought to an end all the same."""
    for target in state["targets"]:
        if target["verdict"] == "not_started" and not is_resumed(target):
            set_verdict(target, "refused", reason)
    state["stopped"] = all(target["verdict"] != "not_started" for target in state["targets"])


def sentence(text: str) -> str:
    """With a mark at its end."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def requests_of(result: Json) -> int:
    """HTTP requests that a module sent."""
    return int((result.get("summary") or {}).get("requests", 0))


def _only_record(result: Json) -> Json | None:
    records = result.get("syncs") or []
    return records[0] if len(records) == 1 else None


def _task_failure(result: Json) -> Json:
    """The failure of a module that could not begin, such as for an option that it does not have."""
    message = str(result.get("msg") or "the module ended without a result").strip()
    missing = message.startswith("missing required arguments")
    hint = "Set it in the options of the target or in the environment, as the documentation of the module says" if missing else ""
    return {"code": "invalid_option", "message": message, "http_status": None, "hint": hint}


def failure_text(failure: Json | None) -> str:
    if not failure:
        return ""
    return " ".join(part for part in (sentence(failure["message"]), failure["hint"]) if part).strip()
