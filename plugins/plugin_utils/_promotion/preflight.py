# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The steps of a promotion before anything is changed: preflight, gate, approval and lock."""

from __future__ import annotations

import os

from ...module_utils._core.errors import SyncError
from ...module_utils._state.run_ledger import Key
from .._change_windows import decision as _windows
from . import approval as _approval, state as promotion
from .journal import BegunPromotion as Taken, LockHeld, Owner, PromotionStore, ReleaseBlock
from .phase import Json, Outcome, Phase, format_error, iso_seconds, key_in, needed
from .settings import PREFIX, PromotionTarget


class Inspect(Phase):
    """Preflight of one target: what would be done, whether it can be saved before, and whether it is well."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        target = needed(target, "target")
        wanted, entry = self.settings.targets[target], self.state["targets"][target]
        self.begin("preflight", target=wanted.name)
        self._plan(wanted, entry)
        self._backup(wanted, entry)
        self._probes(wanted, entry)
        broken = [check for check in entry["checks"] if check["ok"] is False]
        said_of = "; ".join(f"{check['name']}: {check['text']}" for check in broken)
        reason = said_of or (entry["plan"]["reason"] if entry["plan"] else "")
        self.end("refused" if broken and not promotion.is_resumed(entry) else "passed", reason)
        return self.done(f"{wanted.name}: {reason}")

    def _plan(self, wanted: PromotionTarget, entry: Json) -> None:
        result = self.call_sync(wanted, self.release_for(wanted.index))
        records = result.get("syncs") or []
        if len(records) == 1:
            address = self.chain(wanted).address(wanted.options, os.environ)
            entry["key"] = promotion.key_of(records[0], wanted.provider, address)
            self._recall(entry)
            if promotion.is_resumed(entry) and not self.state["release"]:
                # its ledger entry is known by the run that began it
                entry["requests"] += promotion.requests_of(result)
                result = self.call_sync(wanted, self.release_for(wanted.index))
        promotion.judge_plan(entry, result, self.settings.max_disk_percent)

    def _recall(self, entry: Json) -> None:
        """What earlier runs left: a promotion to resume, one that is under way, a hold."""
        journal, key = self.journal(), key_in(entry)
        unfinished, hold = journal.look(key), journal.held(key, self.state["release"])
        if unfinished is not None and journal.is_held(unfinished):
            promotion.add_check(entry, "lock", False, f"{LockHeld(key, unfinished)}. Wait for it.")
        elif unfinished is not None and unfinished.release == self.state["release"]:
            entry["resumed"] = {"run": unfinished.run, "phase": unfinished.phase, "started_at": iso_seconds(unfinished.begun_at)}
            promotion.add_check(
                entry, "lock", True, f"resumes run {unfinished.run}, which ended early in phase {unfinished.phase}"
            )
        elif unfinished is not None and unfinished.phase in promotion.TOUCHED:
            text = (
                f"run {unfinished.run} ended early in phase {unfinished.phase} of release {unfinished.release}; it is abandoned"
            )
            promotion.add_check(entry, "lock", None, text)
            self.warnings.append(f"{entry['name']}: {text}")
            self.memory["behind"].append(self.state["targets"].index(entry))
        else:
            promotion.add_check(entry, "lock", True, "no other run is promoting it")
        if hold is not None:
            self._judge_hold(entry, hold)

    def _judge_hold(self, entry: Json, hold: ReleaseBlock) -> None:
        if entry["resumed"]:
            return
        text = f"held back since {iso_seconds(hold.held_at)} by run {hold.run}: {hold.reason}"
        if self.settings.lift_hold.strip():
            self.state["lifted_hold"] = self.settings.lift_hold.strip()
            promotion.add_check(entry, "hold", True, f"{text}; lifted: {self.state['lifted_hold']}")
        else:
            remedy = f"Promote another release, or give a reason in {PREFIX}lift_hold"
            promotion.add_check(entry, "hold", False, f"{text}. {remedy}")

    def _backup(self, wanted: PromotionTarget, entry: Json) -> None:
        policy, step = self.settings.backup, self.chain(wanted).backup
        if policy == "none" or not promotion.has_work(entry) or promotion.is_resumed(entry):
            return
        if step is None:
            problem = f"{wanted.provider} has no backups that could be restored"
        elif not wanted.backup:
            problem = f"set {PREFIX}targets[{wanted.index}].backup, with at least the storage"
        else:
            result = self.call_backup(wanted, self.run_of(wanted.index))
            entry["requests"] += promotion.requests_of(result)
            backup = promotion.judge_backup(result)
            if backup["state"] != "failed":
                promotion.add_check(entry, "backup", True, "possible")
                return
            problem = backup["reason"]
        promotion.add_check(entry, "backup", False if policy == "required" else None, problem)

    def _probes(self, wanted: PromotionTarget, entry: Json) -> None:
        if promotion.is_resumed(entry):
            return
        staging, production = self.probes_of(wanted, "verify_staging"), self.probes_of(wanted, "verify")
        try:
            found, dummy = self.probe([*staging, *production], timeout=self.preflight_patience)
        except SyncError as error:
            promotion.add_check(entry, "probes", False, format_error(error))
            return
        entry["staging"], entry["before"] = found[: len(staging)], found[len(staging) :]
        entry["requests"] += sum(probe["requests"] for probe in found)
        for name, probes, fatal in (("staging probes", entry["staging"], True), ("production probes", entry["before"], False)):
            failing = [f"{probe['name']}: {'; '.join(probe['problems'])}" for probe in probes if not probe["ok"]]
            if failing and not fatal:
                self.warnings.append(f"{wanted.name} is failing before the promotion already: {'; '.join(failing)}")
            if probes:
                green = f"{len(probes)} of {len(probes)} green"
                promotion.add_check(entry, name, (False if fatal else None) if failing else True, "; ".join(failing) or green)


class PreflightSummary(Phase):
    """The end of the preflight: all checks of all targets, together."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        self.state["digest"] = promotion.digest_of(self.state, self.settings)
        promotion.reject_duplicates(self.state)
        refused = promotion.refusals(self.state)
        if not refused:
            # a report for whoever looks while somebody is asked
            self.write(interim=True)
            return self.done(f"digest of the plan: {self.state['digest']}")
        for entry in self.state["targets"]:
            own = [f"{check['name']}: {check['text']}" for check in entry["checks"] if check["ok"] is False]
            if own and not promotion.is_resumed(entry):
                entry["failure"] = entry["plan"]["failure"] if entry["plan"] else None
                promotion.set_verdict(entry, "refused", "; ".join(own))
        promotion.refuse(self.state, "another target did not pass its preflight")
        return self.done(f"refused: {'; '.join(refused)}")


class Gate(Phase):
    """Change windows."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        if self.state["stopped"]:
            return self.done("not asked")
        self.begin("gate")
        if not promotion.starts_something(self.state):
            return self.done(self.end("skipped", "nothing is going to be started"))
        verdict = _windows.judge(self.settings.windows, self.services.clock.now())
        override = self.settings.override_reason.strip()
        if verdict.open:
            return self.done(self.end("passed", verdict.reason))
        if override:
            self.state["override_reason"] = override
            return self.done(self.end("passed", f"overridden ({override}): {verdict.reason}"))
        reason = f"{verdict.reason}. {PREFIX}override_reason overrides it, with a written reason"
        promotion.refuse(self.state, reason)
        return self.done(self.end("refused", reason))


class Approve(Phase):
    """Somebody's consent to exactly this plan."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        if self.state["stopped"]:
            return self.done("not asked")
        self.begin("approval")
        policy, digest = self.settings.approval, self.state["digest"]
        if policy == "none":
            return self.done(self.end("skipped", "none is required"))
        if not promotion.starts_something(self.state):
            return self.done(self.end("skipped", "nothing is going to be started"))
        if self.state["check_mode"]:
            return self.done(self.end("planned", f"would be asked for by {policy}; the digest of the plan is {digest}"))
        if policy == "token":
            answer = _approval.check_token(self.settings.approve, digest)
        elif self.state["actor"]["job"]:
            # jobs have a terminal of their own, at which nobody sits
            answer = _approval.ApprovalDecision(
                False, f"not approved: nobody can be asked in a job. Use {PREFIX}approval: token instead"
            )
        else:
            answer = _approval.ask(self.services.display, self._question(), self.settings.approval_timeout)
        if not answer.approved:
            promotion.refuse(self.state, answer.reason)
        return self.done(self.end("passed" if answer.approved else "refused", answer.reason))

    def _question(self) -> str:
        lines = [
            f"  {entry['name']}: {'sync' if entry['plan']['action'] == 'would_trigger' else 'wait for the sync in flight'}"
            for entry in self.state["targets"]
            if promotion.has_work(entry) and not promotion.is_resumed(entry)
        ]
        release = self.state["release"] or "(no release named)"
        return f"Promote {release}, plan {self.state['digest']}?\n" + "\n".join(lines)


class Lock(Phase):
    """One promotion of a target at a time; an unfinished one of the same release is resumed."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        if self.state["stopped"]:
            return self.done("not taken")
        self.begin("lock")
        acting = {index: entry for index, entry in enumerate(self.state["targets"]) if promotion.has_work(entry)}
        if not acting:
            return self.done(self.end("skipped", "nothing is going to be started"))
        if self.state["check_mode"]:
            return self.done(self.end("planned", "would be taken"))
        journal, keys = self.journal(), {key_in(entry): index for index, entry in acting.items()}
        job = self.state["actor"]["job"]
        # the parent of this process is ansible-playbook: the lock is as good as that process is alive
        owner = Owner.current(pid=os.getppid(), label=f"job {job}" if job else None)
        names = {key: acting[index]["name"] for key, index in keys.items()}
        try:
            taken = journal.begin(self.state["run"], names, self.state["release"], owner, self.settings.lock_expiry)
        except LockHeld as held:
            reason = f"{held}. Wait for that run, or stop it"
            promotion.stop(self.state, "refused", reason)
            return self.done(self.end("refused", reason))
        for key, index in keys.items():
            self._take_over(journal, key, index, taken[key])
        count = len(acting)
        resumed = sum(bool(entry["resumed"]) for entry in acting.values())
        return self.done(self.end("passed", f"{count} taken" + (f", {resumed} of an earlier run" if resumed else "")))

    def _take_over(self, journal: PromotionStore, key: Key, index: int, taken: Taken) -> None:
        entry, found = self.state["targets"][index], taken.promotion
        self.memory["locks"].append(index)
        if self.state["lifted_hold"]:
            journal.lift(key, self.state["release"], self.state["lifted_hold"])
        if taken.resumed is None:
            entry["resumed"] = None
            return
        entry["resumed"] = {"run": found.run, "phase": taken.resumed, "started_at": iso_seconds(found.begun_at)}
        if taken.resumed in promotion.TOUCHED:
            known = ("before", "backup", "sync", "rollback", "reason")
            entry.update({name: found.data[name] for name in known if name in found.data})
            entry["changed"] = False
