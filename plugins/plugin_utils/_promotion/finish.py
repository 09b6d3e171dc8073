# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The last steps of a promotion: report and notification."""

from __future__ import annotations

from ...module_utils._core.errors import SyncError
from .._notifications import notify as _notify
from .._reports.promotion_page import promotion_page
from . import state as promotion
from .journal import PromotionStore
from .phase import Json, Outcome, Phase, format_error, key_in


class Report(Phase):
    """Gives the locks back, and writes down what happened."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        for entry in self.state["targets"]:
            if entry["verdict"] == "not_started" and not self.state["stopped"] and not self.state["error"]:
                promotion.set_verdict(entry, "failed", "it was not brought to an end")
        self._give_back()
        report, path = self.write()
        compact_detail = {key: report[key] for key in ("verdict", "ok", "run", "release", "digest", "summary", "message")}
        return Outcome(
            report["message"], False, facts={"report": {**compact_detail, "path": path}}, warnings=tuple(self.warnings)
        )

    def _give_back(self) -> None:
        if self._settings is None:
            return
        for index in self.memory["locks"]:
            # each by itself: one that was taken over must not leave the others locked
            try:
                self._close(self.journal(), self.state["targets"][index], index)
            except SyncError as error:
                self.state["warnings"].append(format_error(error))

    def _close(self, journal: PromotionStore, entry: Json, index: int) -> None:
        run, key, verdict = self.state["run"], key_in(entry), entry["verdict"]
        if promotion.needs_hold(entry, self.settings.rollback):
            self.state["held"].append(entry["name"])
            journal.hold(key, self.state["release"], entry["reason"], run)
        untouched = index not in self.memory["touched"] and not promotion.is_resumed(entry)
        if verdict == "unknown" or (verdict == "not_started" and not untouched):
            # the next run goes on with it
            journal.release(run, key)
        else:
            journal.finish(run, key, verdict)


class Notify(Report):
    """Tells others, and adds to the report whom it reached."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        if self._settings is None or not self.settings.notify or self.state["check_mode"]:
            return self.done("nobody is to be told")
        self.begin("notify")
        report, dummy = self.write()
        told = _notify.notify(report, self.settings.notify, html=promotion_page(report))
        failed = [item for item in told if not item["ok"]]
        self.warnings += [f"{item['channel']}: {item['text']}" for item in failed]
        reason = "; ".join(f"{item['channel']}: {item['text']}" for item in told) or "nothing to tell"
        self.end("failed" if failed else "passed" if told else "skipped", reason)
        self.write()
        return self.done(reason)
