# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the HTML page and the Markdown of a promotion both say, without any markup. Pure functions on the report."""

from __future__ import annotations

import json
import typing as t

from . import page as _page
from .page import Json

#: variable of role staging_promotion that lifts a hold; its value is the reason
LIFT_HOLD = "staging_promotion_lift_hold"

#: where probes are in the record of a target, and what people call that
PROBE_STAGES = (("staging", "Staging"), ("before", "Before"), ("after", "After"), ("rollback", "After rollback"))

VERDICTS = ("succeeded", "planned", "refused", "failed", "rolled_back", "rollback_failed", "unknown", "not_started")

#: a certificate that ends sooner than this many days is worth a word
CERTIFICATE_DAYS = 14


def actor_of(report: Json) -> str:
    """``user on host, job 17``."""
    actor = report.get("actor") or {}
    where = [str(actor[key]) for key in ("user", "host") if actor.get(key)]
    return " on ".join(where) + (f", job {actor['job']}" if actor.get("job") else "")


def counts_of(report: Json) -> list[tuple[str, int]]:
    """Number of targets by verdict, without those of none; empty for a single target, whose verdict is that of all."""
    summary = report.get("summary") or {}
    if not (summary.get("targets") or 0) > 1:
        return []
    return [(verdict, summary[verdict]) for verdict in VERDICTS if summary.get(verdict)]


def handle_json(handle: Json | None) -> str:
    """A handle on one line that YAML reads too."""
    return json.dumps(handle, ensure_ascii=False, default=str) if handle else ""


# -- what to do ----------------------------------------------------------------------------------------------------------


def advice(report: Json) -> list[dict[str, str]]:
    """What somebody has to do after this run: ``target`` (may be empty), ``text``, ``code`` (may be empty)."""
    found: list[dict[str, str]] = []
    for target in report.get("targets") or ():
        found += [{"target": str(target.get("name")), "text": text, "code": code} for text, code in _advice_for(target)]
    if report.get("held"):
        text = (
            "This release is held back, so that a schedule does not promote it again. Another release may be promoted at any"
            " time. When the cause is mended, lift the hold by giving the reason, which becomes part of the next report:"
        )
        target = ", ".join(map(str, report["held"]))
        found.append({"target": target, "text": text, "code": f"-e '{LIFT_HOLD}=\"why it may be promoted now\"'"})
    return found


def _advice_for(target: Json) -> t.Iterator[tuple[str, str]]:
    sync, rollback = target.get("sync") or {}, target.get("rollback") or {}
    verdict, backup = target.get("verdict"), _backup_of(target)
    failure = target.get("failure") or {}
    if verdict in ("failed", "refused") and failure.get("hint"):
        yield str(failure["hint"]), ""
    if verdict == "unknown":
        yield (
            "Nobody can say yet how the sync ended, or whether it began. Do not start another one. Run the same promotion again:"
            " it finds this run in the ledger, waits for it and goes on from there, and triggers nothing twice."
            + (" To wait for the sync alone:" if sync.get("handle") else ""),
            _wait_task(sync["handle"]) if sync.get("handle") else "",
        )
    if verdict == "rollback_failed" or rollback.get("state") == "failed":
        yield (f"The rollback failed, so production may be broken now. Restore {backup} by hand and look at the site.", "")
    elif rollback.get("state") == "manual":
        yield (f"Production has the new content and failed verification. Restore {backup} if it must not stay.", "")
    elif rollback.get("state") == "impossible":
        yield ("Production has the new content, failed verification, and there is no backup to go back to. Mend it forward.", "")


def _backup_of(target: Json) -> str:
    made = (target.get("rollback") or {}).get("backup") or (target.get("backup") or {}).get("id")
    return f"backup {made}" if made else "the last backup"


def _wait_task(handle: Json) -> str:
    return f"- lockstep.sync.sync_wait:\n    handles:\n      - {handle_json(handle)}"


# -- what was done -------------------------------------------------------------------------------------------------------


def steps_of(target: Json) -> list[dict[str, t.Any]]:
    """The steps that were taken for a target.

    :returns: steps with ``name``, ``state``, ``tone`` (None for that of the state), ``reason``, ``elapsed``, ``facts`` and
        ``notes`` (lists of texts), ``failure`` and ``handle``.
    """
    found = []
    for key, make in (("plan", _plan), ("backup", _backup), ("sync", _sync), ("verify", _verify), ("rollback", _rollback)):
        part = target.get(key)
        # a sync has the reason of its plan, which then need not be told twice
        told = key == "plan" and target.get("sync") and target["sync"].get("reason") == (part or {}).get("reason")
        if part and not told:
            common = {"name": key.capitalize(), "tone": None, "reason": part.get("reason") or "", "elapsed": part.get("elapsed")}
            more = make(part)
            found.append({**common, "facts": [], "notes": [], "failure": None, "handle": None, **more})
    return found


def _plan(plan: Json) -> dict[str, t.Any]:
    return {"state": plan.get("action"), "failure": plan.get("failure")}


def _backup(backup: Json) -> dict[str, t.Any]:
    named = [f"{key} {backup[key]}" for key in ("id", "name", "status") if backup.get(key) not in (None, "")]
    measured = _page.size(backup.get("size"))
    return {"state": backup.get("state"), "facts": [*named, *([measured] if measured else [])]}


def _sync(sync: Json) -> dict[str, t.Any]:
    changed = "changed" if sync.get("changed") else "not changed"
    facts = [
        _page.words(sync.get("action")),
        f"{changed} ({sync.get('changed_basis')})",
        _plural(sync.get("polls"), "poll"),
        _plural(sync.get("requests"), "request"),
        *(["timed out"] if sync.get("timed_out") else []),
    ]
    state = sync.get("action") if sync.get("state") == "not_started" else sync.get("state")
    return {"state": state, "facts": facts, "failure": sync.get("failure"), "handle": sync.get("handle")}


def _verify(verify: Json) -> dict[str, t.Any]:
    return {"state": "passed" if verify.get("ok") else "failed", "notes": _verify_notes(verify), "facts": _verify_facts(verify)}


def _rollback(rollback: Json) -> dict[str, t.Any]:
    after = rollback.get("verify")
    notes = []
    if after:
        result = "passed" if after.get("ok") else "failed"
        notes = [f"Verification after it {result}{': ' if after.get('reason') else ''}{after.get('reason') or ''}"]
        notes += _verify_notes(after)
    facts = [f"backup {rollback['backup']}"] if rollback.get("backup") else []
    if str(rollback.get("backup")) in str(rollback.get("reason")):
        facts = []
    return {"state": rollback.get("state"), "facts": facts, "notes": notes}


def _verify_facts(verify: Json) -> list[str]:
    probes = verify.get("probes") or ()
    return [f"{sum(bool(probe.get('ok')) for probe in probes)} of {_plural(len(probes), 'probe')} ok"] if probes else []


def _verify_notes(verify: Json) -> list[str]:
    notes = []
    if verify.get("regressions"):
        notes.append(f"Worse than before: {', '.join(map(str, verify['regressions']))}")
    if verify.get("already_failing"):
        notes.append(f"Was failing before: {', '.join(map(str, verify['already_failing']))}")
    return notes


def _plural(number: t.Any, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 0} {what}s"


# -- probes --------------------------------------------------------------------------------------------------------------


def probe_rows(target: Json) -> list[dict[str, t.Any]]:
    """The probes of a target side by side, by their name.

    :returns: rows with ``name``, ``url`` (that of most of them, as a rule production), ``probes`` by the keys of
        :data:`PROBE_STAGES`, ``was_failing`` and ``regression``.
    """
    verify = target.get("verify") or {}
    after_rollback = (target.get("rollback") or {}).get("verify") or {}
    stages = {
        "staging": target.get("staging"),
        "before": target.get("before"),
        "after": verify.get("probes"),
        "rollback": after_rollback.get("probes"),
    }
    rows: dict[str, dict[str, t.Any]] = {}
    for key, probes in stages.items():
        for probe in probes or ():
            name = str(probe.get("name"))
            rows.setdefault(name, {"name": name, "probes": {}})["probes"].setdefault(key, probe)
    already = {str(name) for part in (verify, after_rollback) for name in part.get("already_failing") or ()}
    worse = {str(name) for part in (verify, after_rollback) for name in part.get("regressions") or ()}
    for name, row in rows.items():
        before = row["probes"].get("before") or {}
        later = [row["probes"][key] for key in ("after", "rollback") if key in row["probes"]]
        row["was_failing"] = name in already or before.get("ok") is False or any(probe.get("was_ok") is False for probe in later)
        row["regression"] = name in worse
        row["url"] = (later or [before])[-1].get("url") or next(iter(row["probes"].values())).get("url")
    return list(rows.values())


def probe_facts(probe: Json) -> list[str]:
    """Status, latency and what else is worth a word, in short."""
    attempts, days = probe.get("attempts") or 0, probe.get("certificate_days")
    facts = [
        str(probe["status"]) if probe.get("status") is not None else "no answer",
        _page.milliseconds(probe.get("latency")),
        _attempts(attempts, probe.get("consecutive") or 0),
        "" if days is None else f"certificate {_days_left(days)}",
    ]
    return [fact for fact in facts if fact]


def _attempts(attempts: int, consecutive: int) -> str:
    if attempts < 2:
        return ""
    if not consecutive:
        return f"{attempts} attempts"
    return f"{consecutive} in a row" if consecutive >= attempts else f"last {consecutive} of {attempts} ok"


def _days_left(days: t.Any) -> str:
    if isinstance(days, (int, float)) and days < 0:
        return "expired"
    ending = isinstance(days, (int, float)) and days < CERTIFICATE_DAYS
    return f"{'ends in ' if ending else ''}{_plural(days, 'day')}"
