# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The steps of a promotion for one wave: backup, sync, verification and rollback, and what to do about trouble in them."""

from __future__ import annotations

import typing as t

from .._change_windows import decision as _windows
from . import report as _promotion_report, state as promotion
from .phase import Json, Outcome, Phase, needed
from .settings import PREFIX, PromotionTarget


class Wave(Phase):
    """The beginning of a wave, after a pause."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        wave = needed(wave, "wave")
        acting = any(entry["wave"] == wave and promotion.has_work(entry) for entry in self.state["targets"])
        started = any(entry["wave"] < wave and entry["changed"] for entry in self.state["targets"])
        if not self.state["stopped"] and acting and started and not self.state["check_mode"]:
            self.services.clock.sleep(self.settings.wave_pause)
        return self._check_window(wave) or self.done(f"wave {wave} of {len(self.settings.waves)}")

    def _check_window(self, wave: int) -> Outcome | None:
        """A window may have closed since the gate, while somebody was asked or during a pause."""
        mine = [entry for entry in self.state["targets"] if entry["wave"] == wave and entry["verdict"] == "not_started"]
        starting = any(promotion.has_work(entry) and not promotion.is_resumed(entry) for entry in mine)
        if not starting or self.state["stopped"] or self.state["check_mode"] or self.state["override_reason"]:
            return None
        verdict = _windows.judge(self.settings.windows, self.services.clock.now())
        if verdict.open:
            return None
        self.begin("gate", wave)
        promotion.refuse(self.state, f"the window has closed meanwhile: {verdict.reason}")
        return self.done(self.end("refused", verdict.reason))


class Backup(Phase):
    """Save one target, so that it can be restored."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        target = needed(target, "target")
        wanted, entry = self.settings.targets[target], self.state["targets"][target]
        if self.state["stopped"] or not promotion.has_work(entry) or promotion.is_resumed(entry):
            return self.done(f"{wanted.name}: not needed")
        self.begin("backup", entry["wave"], wanted.name)
        policy = self.settings.backup
        if policy == "none" or self.chain(wanted).backup is None or not wanted.backup:
            reason = f"{PREFIX}backup is none" if policy == "none" else _problem_of_backup(entry)
            entry["backup"] = promotion.no_backup(reason)
            return self.done(self.end("skipped", reason))
        if self.state["check_mode"]:
            entry["backup"] = {**promotion.no_backup("would be made"), "state": "planned"}
            return self.done(self.end("planned", "would be made"), changed=True)
        self.remember(target, "backup")
        result = self.call_backup(wanted, self.run_of(target))
        entry["backup"] = promotion.judge_backup(result)
        entry["requests"] += promotion.requests_of(result)
        return self._judge(wanted, entry)

    def _judge(self, wanted: PromotionTarget, entry: Json) -> Outcome:
        backup = entry["backup"]
        if backup["state"] != "failed":
            reason = f"backup {backup['id']} ({backup['status']}, {backup['size']})"
            return self.done(self.end("passed", reason), changed=backup["state"] == "made")
        entry["failure"] = backup["failure"]
        if self.settings.backup == "required":
            promotion.set_verdict(entry, "failed", f"not promoted, as there is no backup: {backup['reason']}")
            promotion.stop(self.state, "not_started", f"{wanted.name} could not be saved")
            return self.done(self.end("failed", backup["reason"]))
        self.warnings.append(f"{wanted.name} is promoted without a backup: {backup['reason']}")
        self.state["warnings"] += self.warnings
        return self.done(self.end("failed", f"going on without one: {backup['reason']}"))


def _problem_of_backup(entry: Json) -> str:
    return next((check["text"] for check in entry["checks"] if check["name"] == "backup"), "not possible")


class Sync(Phase):
    """The promotion itself: one trigger, and waiting for it."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        target = needed(target, "target")
        wanted, entry = self.settings.targets[target], self.state["targets"][target]
        if self.state["stopped"] or entry["verdict"] != "not_started":
            return self.done(f"{wanted.name}: not started")
        if entry["resumed"] and entry["resumed"]["phase"] in ("verify", "rollback"):
            return self.done(f"{wanted.name}: done by run {entry['resumed']['run']}")
        self.begin("sync", entry["wave"], wanted.name)
        if not promotion.has_work(entry):
            return self.done(self.end("skipped", entry["plan"]["reason"]))
        if self.state["check_mode"]:
            return self.done(self.end("planned", entry["plan"]["reason"]), changed=True)
        self.remember(target, "sync")
        self.memory["touched"].append(target)
        ready = promotion.judge_sync(entry, self.call_sync(wanted, self.release_for(target)))
        if ready:
            self.remember(target, "verify")
        record = entry["sync"] or {}
        good = ready and not record.get("failure")
        reason = record["reason"] if good else record["failure"]["message"] if record.get("failure") else entry["reason"]
        if not good:
            promotion.stop(self.state, "not_started", f"{wanted.name} was not promoted")
        return self.done(self.end("passed" if good else "failed", reason), changed=bool(record.get("changed")))


class Verify(Phase):
    """Whether what was promoted works."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        entries = self._entries(wave)
        if not entries:
            return self.done("nothing to verify", rollback=[])
        self.begin("verify", wave)
        if self.state["check_mode"]:
            for index in entries:
                entry = self.state["targets"][index]
                promotion.set_verdict(entry, "planned", entry["plan"]["reason"])
                entry["changed"] = promotion.has_work(entry)
            return self.done(self.end("planned", "would be verified"), rollback=[])
        probing = [index for index in entries if not self._is_rolling_back(index)]
        self._probe(probing)
        restore = [index for index in entries if index not in probing]
        restore += [
            index for index in probing if promotion.judge_verification(self.state["targets"][index], self.settings.rollback)
        ]
        failed = [self.state["targets"][index] for index in entries if self.state["targets"][index]["verdict"] != "succeeded"]
        if failed:
            promotion.stop(self.state, "not_started", f"{failed[0]['name']} failed its verification in wave {wave}")
        for index in restore:
            self.remember(index, "rollback")
        reason = "; ".join(f"{entry['name']}: {entry['reason']}" for entry in failed)
        message = self.end("failed" if failed else "passed", reason or self._good(entries))
        listed = [{"index": index, "name": self.state["targets"][index]["name"]} for index in restore]
        return self.done(message, rollback=listed)

    def _entries(self, wave: int | None) -> list[int]:
        """Targets of the wave that may have been promoted, or that an earlier run promoted."""
        found = []
        for index, entry in enumerate(self.state["targets"]):
            mine = entry["wave"] == wave and entry["verdict"] == "not_started"
            if mine and (not self.state["stopped"] or index in self.memory["touched"] or promotion.is_resumed(entry)):
                found.append(index)
        return found

    def _is_rolling_back(self, index: int) -> bool:
        resumed = self.state["targets"][index]["resumed"]
        if resumed is None or resumed["phase"] != "rollback":
            return False
        entry = self.state["targets"][index]
        promotion.set_verdict(entry, "rollback_failed", entry["reason"] or "an earlier run began to roll back")
        return True

    def _probe(self, indices: t.Sequence[int]) -> None:
        promoted = any(promotion.was_promoted(self.state["targets"][index]) for index in indices)
        wanted = [(index, probe) for index in indices for probe in self.probes_of(self.settings.targets[index], "verify")]
        found, elapsed = self.probe(
            [probe for dummy, probe in wanted],
            successes=self.settings.verify_successes if promoted else 1,
            interval=self.settings.verify_interval,
            timeout=self.settings.verify_timeout if promoted else self.preflight_patience,
            soak=self.settings.soak if promoted else 0.0,
        )
        for index in indices:
            entry = self.state["targets"][index]
            own = [result for result, (owner, dummy) in zip(found, wanted) if owner == index]
            entry["verify"] = promotion.judge_probes(own, entry["before"], elapsed)
            entry["requests"] += sum(probe["requests"] for probe in own)

    def _good(self, entries: t.Sequence[int]) -> str:
        return "; ".join(
            f"{self.state['targets'][index]['name']}: {self.state['targets'][index]['verify']['reason']}" for index in entries
        )


class Rollback(Phase):
    """Restore one target from the backup that was made, and verify again."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        target = needed(target, "target")
        wanted, entry = self.settings.targets[target], self.state["targets"][target]
        self.begin("rollback", entry["wave"], wanted.name)
        result = self.call_restore(wanted, self.run_of(target), entry["rollback"]["backup"])
        if promotion.judge_restore(entry, result):
            found, elapsed = self.probe(
                self.probes_of(wanted, "verify"),
                successes=self.settings.verify_successes,
                interval=self.settings.verify_interval,
                timeout=self.settings.verify_timeout,
            )
            entry["requests"] += sum(probe["requests"] for probe in found)
            promotion.judge_restored(entry, promotion.judge_probes(found, entry["before"], elapsed))
        good = entry["verdict"] == "rolled_back"
        return self.done(self.end("passed" if good else "failed", entry["rollback"]["reason"]), changed=True)


class Recovery(Phase):
    """Something that nobody foresaw, such as a hook that failed."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        text = self.services.redactor.text(message or "a task failed")
        if self.state["phases"] and promotion.is_open(self.state["phases"][-1]):
            self.end("failed", text)
        restore: list[int] = []
        for index, entry in enumerate(self.state["targets"]):
            if entry["wave"] != wave or entry["verdict"] != "not_started" or index not in self.memory["touched"]:
                continue
            # it was promoted, and nobody can say that it is well
            entry["verify"] = {**promotion.judge_probes([], [], 0.0), "ok": False, "reason": text}
            if promotion.judge_verification(entry, self.settings.rollback):
                self.remember(index, "rollback")
                restore.append(index)
        if not restore:
            self.state["error"] = self.state["error"] or text
        promotion.stop(self.state, "not_started", "the run was stopped")
        listed = [{"index": index, "name": self.state["targets"][index]["name"]} for index in restore]
        return self.done(text, rollback=listed)


class Hooks(Phase):
    """Which task files of the user are to be run at a moment of the promotion."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        """:param message: the moments, such as ``after_backup,before_sync``."""
        files = [file for name in message.split(",") if self._is_due(name, wave) for file in self.memory["hooks"].get(name, ())]
        return self.done(f"{message}: {len(files)} task files", files=files)

    def _is_due(self, moment: str, wave: int | None) -> bool:
        kind, dummy, phase = moment.partition("_")
        if kind == "on":
            return phase != "failure" or _promotion_report.verdict_of(self.state) not in _promotion_report.GOOD
        if phase in ("preflight", "report", "notify", "rollback"):
            return True
        mine = [entry for entry in self.state["targets"] if wave is None or entry["wave"] == wave]
        if self.state["stopped"] or not any(promotion.has_work(entry) for entry in mine):
            return False
        return phase not in ("backup", "sync") or any(
            not promotion.is_resumed(entry) for entry in mine if promotion.has_work(entry)
        )
