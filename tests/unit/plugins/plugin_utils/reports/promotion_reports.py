# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of promotions as the role makes them, of each verdict, with every field and with what tests look for."""

from __future__ import annotations

from typing import Any

from tests.unit.plugins.plugin_utils.reports.values import PROMOTION_VERDICTS, Json, at, failure


def probe(name: str, ok: bool = True, **more: Any) -> Json:
    filled: Json = {
        "name": name,
        "url": f"https://www.example.com/{name}",
        "ok": ok,
        "status": 200,
        "latency": 0.142,
        "attempts": 3,
        "consecutive": 3 if ok else 0,
        "problems": [] if ok else ["status: expected 200, found 502"],
        "certificate_days": 61,
        "was_ok": None,
        "checked_at": at(60),
        "requests": 3,
    }
    return {**filled, **more}


def failed_probe(name: str, **more: Any) -> Json:
    return probe(name, ok=False, **{"status": 502, "latency": 1.834, **more})


def verification(ok: bool, *probes: Json, **more: Any) -> Json:
    filled = {"ok": ok, "elapsed": 12.4, "probes": list(probes), "regressions": [], "already_failing": [], "reason": ""}
    return {**filled, **more}


def sync(state: str = "succeeded", action: str = "triggered", **more: Any) -> Json:
    filled: Json = {
        "target": "shop.example.com",
        "provider": "serveravatar",
        "action": action,
        "state": state,
        "changed": action in ("triggered", "joined"),
        "changed_basis": "observed",
        "reason": "the run ended as completed",
        "handle": {
            "provider": "serveravatar",
            "address": "https://api.serveravatar.com",
            "organization": 5,
            "server": 15,
            "application": 88,
        },
        "started_at": at(41),
        "finished_at": at(84.2),
        "elapsed": 43.2,
        "polls": 12,
        "requests": 15,
        "timed_out": False,
        "failure": None,
        "detail": {},
    }
    return {**filled, **more}


CHECKS = [
    {"name": "credentials", "ok": True, "text": "the API accepts the token"},
    {"name": "staging_area", "ok": True, "text": "there is one: staging.shop.example.com"},
    {"name": "disk_space", "ok": None, "text": "the server reports no sizes"},
    {"name": "backup", "ok": True, "text": "the newest backup is 9 h old"},
]
BACKUP = {
    "state": "made",
    "reason": "made before the sync, and listed as completed",
    "id": 4711,
    "name": "before p-20261120-214512-3f09ac",
    "size": 734003200,
    "status": "Completed",
    "elapsed": 21.3,
}


def target(name: str = "shop", verdict: str = "succeeded", **more: Any) -> Json:
    """A target that succeeded, with these changes."""
    filled: Json = {
        "name": name,
        "provider": "serveravatar",
        "target": f"{name}.example.com",
        "wave": 1,
        "verdict": verdict,
        "changed": True,
        "reason": "synced and verified",
        "resumed": None,
        "plan": {"action": "would_trigger", "reason": "nothing is known of this release", "failure": None},
        "checks": [dict(check) for check in CHECKS],
        "staging": [probe("front"), probe("cart")],
        "before": [probe("front"), probe("cart")],
        "backup": dict(BACKUP),
        "sync": sync(),
        "verify": verification(True, probe("front", was_ok=True), probe("cart", was_ok=True)),
        "rollback": None,
        "failure": None,
    }
    return {**filled, **more}


def untouched(name: str, verdict: str = "not_started", reason: str = "an earlier wave failed", **more: Any) -> Json:
    """A target that nothing was done to."""
    nothing = dict.fromkeys(("plan", "backup", "sync", "verify", "rollback", "failure"))
    empty: Json = {"checks": [], "staging": [], "before": [], "changed": False, "reason": reason, "wave": 2}
    return target(name, verdict, **{**nothing, **empty, **more})


def phase(name: str, begin: float, elapsed: float, state: str = "passed", reason: str = "", **more: Any) -> Json:
    times = {"started_at": at(begin), "finished_at": at(begin + elapsed), "elapsed": elapsed}
    return {"phase": name, "wave": None, "target": None, "state": state, "reason": reason, **times, **more}


def phases(*, upto: str = "notify", state: str = "passed", reason: str = "", rollback: Json | None = None) -> list[Json]:
    """Phases of one target until one of them, which ends in this state."""
    shop: Json = {"wave": 1, "target": "shop"}
    everything = [
        phase("preflight", 0, 6.2),
        phase("gate", 6.2, 0.1, reason="within the window Mon-Fri 20:00-23:00 Europe/Vienna"),
        phase("approval", 6.3, 9.8, reason="approved by token"),
        phase("lock", 16.1, 0.2, **shop),
        phase("backup", 16.3, 21.3, **shop),
        phase("sync", 37.6, 43.2, **shop),
        phase("verify", 80.8, 12.4, **shop),
        *([rollback] if rollback else []),
        phase("report", 93.2, 0.1),
        phase("notify", 93.3, 0.4),
    ]
    names = [item["phase"] for item in everything]
    kept = everything[: names.index(upto) + 1]
    kept[-1].update({"state": state, "reason": reason or kept[-1]["reason"]})
    return kept


BROKEN = verification(
    False,
    failed_probe("front", was_ok=True),
    failed_probe("cart", was_ok=False, status=None, latency=None, certificate_days=None, problems=["no answer within 10 s"]),
    reason="1 of 2 probes is worse than before the sync",
    regressions=["front"],
    already_failing=["cart"],
)
CART_WAS_DOWN = [probe("front"), failed_probe("cart", certificate_days=5)]
VERIFY_FAILURE = failure(
    "run_failed",
    "verification of shop failed: front: status: expected 200, found 502",
    "Look at the error log of the application.",
    502,
)
ROLLBACK = {"state": "succeeded", "reason": "backup 4711 was restored", "backup": "4711", "elapsed": 38.9}


def promotion(verdict: str = "succeeded", **more: Any) -> Json:
    """A report of a promotion with this verdict."""
    made = {
        "succeeded": _succeeded,
        "planned": _planned,
        "refused": _refused,
        "failed": _failed,
        "rolled_back": _rolled_back,
        "rollback_failed": _rollback_failed,
        "unknown": _unknown,
    }[verdict]()
    targets = made["targets"]
    counts = {
        "targets": len(targets),
        **{key: sum(item["verdict"] == key for item in targets) for key in (*PROMOTION_VERDICTS, "not_started")},
        "changed": sum(item["changed"] for item in targets),
        "requests": 57,
    }
    filled: Json = {
        "verdict": verdict,
        "ok": verdict in ("succeeded", "planned"),
        "changed": any(item["changed"] for item in targets),
        "check_mode": False,
        "run": "p-20261120-214512-3f09ac",
        "release": "2026.11.3",
        "digest": "8875298edb7112292492b689371e4386",
        "started_at": at(0),
        "finished_at": made["phases"][-1]["finished_at"],
        "elapsed": sum(item["elapsed"] for item in made["phases"]),
        "actor": {"user": "deploy", "host": "awx-7", "job": "1917"},
        "error": None,
        "override_reason": None,
        "lifted_hold": None,
        "held": [item["name"] for item in targets if item["rollback"]],
        "warnings": [],
        "summary": counts,
    }
    return {**filled, "explanation": made["message"].partition(": ")[2], **made, **more}


def _succeeded() -> Json:
    return {
        "message": "succeeded: shop and blog have release 2026.11.3, and all probes are ok.",
        "targets": [
            target(),
            target("blog", resumed={"phase": "verify", "started_at": at(-300), "run": "p-20261120-213000-77aa01"}),
        ],
        "phases": phases(),
        "warnings": ["blog: certificate of front ends in 13 days"],
        "override_reason": "urgent fix of the checkout, agreed with operations",
        "lifted_hold": "cause of yesterday's rollback is fixed",
    }


def _planned() -> Json:
    nothing = dict.fromkeys(("sync", "verify"))
    planned = {**BACKUP, "state": "planned", "reason": "would be made", "id": None, "name": None, "size": None, "status": None}
    return {
        "check_mode": True,
        "message": "planned: shop would be promoted to release 2026.11.3.",
        "targets": [target("shop", "planned", **{**nothing, "backup": {**planned, "elapsed": 0.0}, "reason": "would be synced"})],
        "phases": phases(upto="backup", state="planned", reason="would be made"),
    }


def _refused() -> Json:
    outside = "outside of the windows: the next one begins on Monday 2026-11-23 at 20:00 Europe/Vienna"
    plan = {"action": "would_trigger", "reason": "nothing is known of this release", "failure": None}
    checks = [*CHECKS[:2], {"name": "disk_space", "ok": False, "text": "96 % of the disk of production are used"}]
    return {
        "message": f"refused: {outside}. Nothing was changed.",
        "targets": [untouched("shop", "refused", outside, plan=plan, checks=checks, wave=1, staging=[probe("front")])],
        "phases": phases(upto="gate", state="refused", reason=outside),
    }


def _failed() -> Json:
    manual = {
        "state": "manual",
        "reason": "staging_promotion_rollback is manual",
        "backup": "4711",
        "elapsed": 0.0,
        "verify": None,
    }
    shop = target(
        "shop",
        "failed",
        reason=VERIFY_FAILURE["message"],
        before=CART_WAS_DOWN,
        verify=BROKEN,
        failure=VERIFY_FAILURE,
        rollback=manual,
    )
    return {
        "message": "failed: verification of shop failed: front: status: expected 200, found 502. blog was not started.",
        "targets": [shop, untouched("blog")],
        "phases": phases(upto="verify", state="failed", reason="1 of 2 probes is worse than before the sync"),
    }


def _rolled_back() -> Json:
    restored = verification(True, probe("front", was_ok=True), failed_probe("cart", was_ok=False), already_failing=["cart"])
    shop = target(
        "shop",
        "rolled_back",
        reason=VERIFY_FAILURE["message"],
        before=CART_WAS_DOWN,
        verify=BROKEN,
        failure=VERIFY_FAILURE,
        rollback={**ROLLBACK, "verify": restored},
    )
    return {
        "message": "rolled back: verification of shop failed, backup 4711 was restored, and production is as it was before.",
        "targets": [shop, untouched("blog")],
        "phases": phases(rollback=phase("rollback", 93.2, 38.9, reason="backup 4711 was restored", wave=1, target="shop")),
    }


def _rollback_failed() -> Json:
    why = "the server refused to restore backup 4711: Restore is already in progress."
    shop = target(
        "shop",
        "rollback_failed",
        reason=VERIFY_FAILURE["message"],
        before=CART_WAS_DOWN,
        verify=BROKEN,
        failure=VERIFY_FAILURE,
        rollback={
            **ROLLBACK,
            "state": "failed",
            "reason": why,
            "verify": verification(False, failed_probe("front", was_ok=True)),
        },
    )
    return {
        "message": f"rollback failed: {why} Production may be broken.",
        "targets": [shop],
        "phases": phases(rollback=phase("rollback", 93.2, 12.0, "failed", why, wave=1, target="shop")),
    }


def _unknown() -> Json:
    lost = failure(
        "timed_out",
        "the sync of shop.example.com had not ended after 900 s",
        "Run the promotion again; it joins the run.",
    )
    running = sync("running", changed_basis="assumed", timed_out=True, failure=lost, finished_at=None, elapsed=900.0, reason="")
    shop = target("shop", "unknown", reason=lost["message"], sync=running, verify=None, failure=lost)
    return {
        "message": "unknown: the sync of shop.example.com had not ended after 900 s. It goes on at the server.",
        "targets": [shop],
        "phases": [*phases(upto="backup"), phase("sync", 37.6, 900.0, "failed", lost["message"], wave=1, target="shop")],
    }
