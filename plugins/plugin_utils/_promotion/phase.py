# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the steps of a promotion have in common: their surroundings, their outcome, and what they call and keep."""

from __future__ import annotations

import abc
import dataclasses
import datetime as dt
import json
import os
import typing as t

from ...module_utils._core.clock import Clock, isoformat
from ...module_utils._core.errors import SyncError
from ...module_utils._core.options import secrets_in
from ...module_utils._core.redact import Redactor
from ...module_utils._operations.descriptor import ProviderWorkflow
from ...module_utils._providers.registry import WORKFLOWS
from ...module_utils._state.run_ledger import Key, default_path
from .._reports import files as _report_files
from .._reports.promotion_markdown import promotion_markdown
from .._reports.promotion_page import promotion_page
from . import report as _promotion_report, state as promotion
from .journal import PromotionStore
from .settings import PREFIX, PromotionSettings, PromotionTarget

Json = dict[str, t.Any]
Found = t.TypeVar("Found")


@dataclasses.dataclass(frozen=True)
class PromotionServices:
    """What the outside world injects.

    :param call: runs a module of the collection with arguments.
    :param display: asks a person and shows progress.
    :param names: all variables that begin with the prefix of the role.
    :param base: directory that task files of hooks are relative to.
    :param job: ``job_id`` and ``user_name`` of AWX, where there is one.
    """

    clock: Clock
    call: t.Callable[[str, Json], Json]
    display: t.Any
    redactor: Redactor
    names: t.Collection[str]
    base: str
    job: t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a step tells the role.

    :param proceed: whether the run goes on.
    :param facts: further values of the result.
    """

    message: str
    proceed: bool
    changed: bool = False
    facts: Json = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Phase(abc.ABC):
    """One step. The state is changed in place; the caller keeps it.

    :param settings: none if they could not be read.
    """

    #: seconds for which the probes of the preflight may fail before they count, since one lost packet is no outage
    preflight_patience = 2.0

    def __init__(self, services: PromotionServices, settings: PromotionSettings | None, memory: Json) -> None:
        self.services = services
        self._settings = settings
        self.memory = memory
        self.state: Json = memory["state"]
        self.warnings: list[str] = []
        for target in settings.targets if settings else ():
            provider = WORKFLOWS[target.provider].sync.provider
            services.redactor.add(*secrets_in(target.options, provider.connection_spec.arguments))

    @property
    def settings(self) -> PromotionSettings:
        return needed(self._settings, "settings")

    @abc.abstractmethod
    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        """Do it.

        :param target: index of the target that it is about.
        :param wave: number of the wave that it is about.
        :param message: what went wrong, for those that deal with that.
        """

    def done(self, message: str, changed: bool = False, **facts: t.Any) -> Outcome:
        clean = self.services.redactor.text(message)
        return Outcome(clean, not self.state["stopped"], changed, facts, tuple(map(self.services.redactor.text, self.warnings)))

    # -- phases ------------------------------------------------------------------------------------------------------

    def begin(self, phase: str, wave: int | None = None, target: str | None = None) -> None:
        entry = promotion.begin_phase(self.state, phase, iso_milliseconds(self.services.clock.now()), wave, target)
        entry["began"] = self.services.clock.monotonic()

    def end(self, state: str, reason: str = "") -> str:
        """End the phase that was begun last."""
        entry = self.state["phases"][-1]
        entry["state"], entry["reason"] = state, self.services.redactor.text(reason)
        entry["finished_at"] = iso_milliseconds(self.services.clock.now())
        entry["elapsed"] = round(self.services.clock.monotonic() - entry["began"], 3)
        return reason

    # -- what is remembered between runs -----------------------------------------------------------------------------

    def journal(self) -> PromotionStore:
        path = self.settings.ledger_path or os.environ.get("LOCKSTEP_LEDGER") or default_path(os.environ)
        return PromotionStore(
            os.path.expandvars(path),
            self.services.clock,
            self.state["check_mode"],
            self.services.redactor.scrub,
            option=f"{PREFIX}ledger_path",
        )

    def remember(self, index: int, phase: str) -> None:
        """Note in the journal that a phase of a target begins, before it does."""
        if index not in self.memory["locks"]:
            return
        entry = self.state["targets"][index]
        known = {name: entry[name] for name in ("before", "backup", "sync", "rollback", "reason")}
        self.journal().advance(self.state["run"], key_in(entry), phase, self.settings.lock_expiry, known)
        self.write(interim=True)

    def write(self, interim: bool = False) -> tuple[Json, str]:
        """Write the report down.

        :param interim: the run goes on, and this is what is left of it should it be killed.
        """
        clock, path = self.services.clock, self.memory["path"]
        state = _promotion_report.interrupted(self.state) if interim else self.state
        elapsed = clock.monotonic() - self.memory["began"]
        report = _promotion_report.build_report(state, iso_seconds(clock.now()), elapsed, path)
        report = self.services.redactor.scrub(report)
        if path:
            try:
                _write(path, report)
            except OSError as error:
                # what happened has to be told all the same
                self.warnings.append(f"the report could not be written to {path}: {error.strerror or error}")
        return report, path

    # -- calls -------------------------------------------------------------------------------------------------------

    def chain(self, target: PromotionTarget) -> ProviderWorkflow:
        return WORKFLOWS[target.provider]

    def call_sync(self, target: PromotionTarget, release: str) -> Json:
        arguments = {**target.options, "release": release, "wait": True, "on_timeout": "fail", **self._ledger()}
        if target.index in self.memory["behind"]:
            # what is in flight is another release
            arguments.setdefault("if_running", "queue")
        return self.services.call(self.chain(target).sync.module, arguments)

    def call_backup(self, target: PromotionTarget, release: str) -> Json:
        step = needed(self.chain(target).backup, "a backup module")
        arguments = {**step.takes(target.options), **target.backup, "release": release, "wait": True, "on_timeout": "fail"}
        return self.services.call(step.module, {**arguments, **self._ledger()})

    def call_restore(self, target: PromotionTarget, release: str, backup: t.Any) -> Json:
        step = needed(self.chain(target).restore, "a restore module")
        arguments = {**step.takes(target.options), "backups": [str(backup)], "release": release, "wait": True}
        # a sync that is still in flight would overwrite what is restored
        arguments["if_running"] = "queue"
        return self.services.call(step.module, {**arguments, "on_timeout": "fail", **self._ledger()})

    def _ledger(self) -> Json:
        return {"ledger_path": self.settings.ledger_path} if self.settings.ledger_path else {}

    def release_for(self, index: int) -> str:
        """The release to promote. A run without one is a release of its own, also for the runs that resume it."""
        return str(self.state["release"] or self.run_of(index))

    def run_of(self, index: int) -> str:
        """The run that began the promotion of a target."""
        resumed = self.state["targets"][index]["resumed"]
        return str(resumed["run"] if resumed else self.state["run"])

    # -- probes ------------------------------------------------------------------------------------------------------

    def probe(self, wanted: t.Sequence[tuple[str, Json]], **options: t.Any) -> tuple[list[Json], float]:
        """Look at web sites.

        :param wanted: variable and settings of each probe.
        :returns: a result for each, and seconds.
        :raises SyncError: ``invalid_option``, in the words of the role.
        """
        if not wanted:
            return [], 0.0
        probes = [{**probe, "name": f"{number:04d}"} for number, (dummy, probe) in enumerate(wanted)]
        result = self.services.call("http_probe", {"probes": probes, "fail": False, **options})
        if "probes" not in result or len(result["probes"]) != len(wanted):
            message = str((result.get("failure") or {}).get("message") or result.get("msg"))
            for number, (variable, dummy) in enumerate(wanted):
                message = message.replace(f"probes[{number}]", variable).replace(f"'{number:04d}'", variable)
            raise SyncError("invalid_option", message, str((result.get("failure") or {}).get("hint") or ""))
        found = [
            {**entry, "name": str(probe.get("name") or entry["url"])} for entry, (dummy, probe) in zip(result["probes"], wanted)
        ]
        return found, float(result["elapsed"])

    @staticmethod
    def probes_of(target: PromotionTarget, kind: str) -> list[tuple[str, Json]]:
        where = f"{PREFIX}targets[{target.index}].{kind}"
        return [(f"{where}[{number}]", probe) for number, probe in enumerate(getattr(target, kind))]


def _write(path: str, report: Json) -> None:
    texts = (json.dumps(report, indent=2, ensure_ascii=False) + "\n", promotion_markdown(report), promotion_page(report))
    for name, text in zip(_report_files.sibling_paths(path), texts):
        _report_files.replace(name, text)


def needed(value: Found | None, what: str) -> Found:
    """``value``, which this step cannot do without."""
    if value is None:
        raise ValueError(f"this step needs {what}")
    return value


def key_in(entry: Json) -> Key:
    """The key of a target in ledger and journal."""
    return Key(entry["key"]["provider"], entry["key"]["address"], entry["key"]["target"])


def iso_seconds(moment: dt.datetime) -> str:
    return str(isoformat(moment))


def iso_milliseconds(moment: dt.datetime) -> str:
    """With milliseconds, for phases that are over within a second."""
    return moment.astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def format_error(error: SyncError) -> str:
    return " ".join(part for part in (promotion.sentence(error.message), error.hint) if part)
