# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The steps of a promotion: each calls what it needs, has :mod:`_promotion` judge that, and says how to go on.

A step that has nothing to do, since the run was stopped or an earlier run did it, does nothing. So the tasks of the role
need no conditions of their own.
"""

from __future__ import annotations

import abc
import dataclasses
import datetime as dt
import difflib
import getpass
import os
import random
import socket
import typing as t

from ..module_utils._core.clock import Clock, isoformat
from ..module_utils._core.errors import SyncError, invalid_option
from ..module_utils._core.journal import Begun as Taken, Hold, Journal, LockHeld, Owner
from ..module_utils._core.ledger import Key, default_path
from ..module_utils._core.options import secrets_in
from ..module_utils._core.redact import Redactor
from . import _approval, _notify, _promotion as promotion, _promotion_files as reports, _windows
from ._promotion_page import promotion_page
from ._promotion_providers import CHAINS, Chain, environment
from ._promotion_settings import PREFIX, VARIABLES, Settings, Target, read

Json = dict[str, t.Any]
Found = t.TypeVar("Found")

#: variables that the role sets itself
INTERNAL = frozenset(
    PREFIX + name for name in ("settings", "begun", "step", "target", "wave", "wave_step", "host", "hook", "moments", "due")
)

#: seconds for which the probes of the preflight may fail before they count, since one lost packet is no outage
PREFLIGHT_PATIENCE = 2.0


@dataclasses.dataclass(frozen=True)
class Services:
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


@dataclasses.dataclass(frozen=True)
class Begun:
    """The first step's outcome, and all that the others need to know."""

    outcome: Outcome
    memory: Json


class Begin:
    """Reads the variables. Bad ones end the run, but not without a report."""

    def __init__(self, services: Services, variables: Json, check_mode: bool) -> None:
        self.services = services
        self.variables = variables
        self.check_mode = check_mode

    def take(self) -> Begun:
        clock = self.services.clock
        now = clock.now()
        run = f"p-{now:%Y%m%d-%H%M%S}-{random.SystemRandom().randrange(16**6):06x}"
        try:
            settings = self._settings()
            state = promotion.new_state(run, settings, stamp(now), self.check_mode, self._actor())
            hooks = {moment: [self._task_file(moment, file) for file in files] for moment, files in settings.hooks.items()}
        except SyncError as error:
            settings, hooks = None, {}
            state = promotion.new_state(run, _nothing(), stamp(now), self.check_mode, self._actor())
            state["error"] = said(error)
        path = self._report_path(state)
        memory = {
            "state": state,
            "began": clock.monotonic(),
            "locks": [],
            "touched": [],
            "behind": [],
            "hooks": hooks,
            "path": path,
        }
        names = [target.name for target in settings.targets] if settings else []
        facts = {
            "run": run,
            "hooks": sorted(hooks),
            "targets": [{"index": index, "name": name} for index, name in enumerate(names)],
            "waves": [
                {"number": number, "targets": [{"index": index, "name": names[index]} for index in wave]}
                for number, wave in enumerate(settings.waves if settings else (), 1)
            ],
        }
        message = state["error"] or f"run {run}: {len(names)} to promote in {len(facts['waves'])} waves"
        return Begun(Outcome(message, not state["error"], facts=facts), memory)

    def _settings(self) -> Settings:
        known = {PREFIX + name for name in VARIABLES} | INTERNAL
        for name in sorted(set(self.services.names) - known):
            # without the prefix, which would make all of them alike
            near = difflib.get_close_matches(name.removeprefix(PREFIX), VARIABLES, 1)
            remedy = f"Did you mean {PREFIX}{near[0]}?" if near else "The README of the role lists its variables."
            raise SyncError("invalid_option", f"{name} is no variable of the role", remedy)
        settings = read(self.variables)
        _windows.check(settings.windows)
        _notify.check(settings.notify)
        return settings

    def _report_path(self, state: Json) -> str:
        """Where the report goes, also that of a run whose other variables are wrong."""
        path = self.variables.get("report_path")
        if not isinstance(path, str) or not path.strip():
            return ""
        try:
            return reports.prepare(path.strip())
        except OSError as error:
            remedy = "Name a file in a directory that this user may write to."
            problem = invalid_option(f"{PREFIX}report_path", path, f"cannot be written: {error.strerror or error}", remedy)
            state["error"] = state["error"] or said(problem)
            return ""

    def _task_file(self, moment: str, file: str) -> str:
        # a playbook of a collection, also one that is imported, has its directory in the collection
        for base in (self.services.base, os.getcwd()):
            path = os.path.join(base, os.path.expanduser(file))
            if os.path.isfile(path):
                return path
        remedy = "Give the path of a task file, absolute or relative to the playbook or the current directory."
        raise invalid_option(f"{PREFIX}hooks.{moment}", file, f"is not a file ({path})", remedy)

    def _actor(self) -> Json:
        try:
            user = getpass.getuser()
        except (OSError, KeyError):
            user = str(os.getuid())
        job = self.services.job.get("job_id")
        return {
            "user": str(self.services.job.get("user_name") or user),
            "host": socket.gethostname(),
            "job": None if job is None else str(job),
        }


def _nothing() -> Settings:
    return Settings((), (), {}, {"release": ""})


class Step(abc.ABC):
    """One step. The state is changed in place; the caller keeps it.

    :param settings: none if they could not be read.
    """

    def __init__(self, services: Services, settings: Settings | None, memory: Json) -> None:
        self.services = services
        self._settings = settings
        self.memory = memory
        self.state: Json = memory["state"]
        self.warnings: list[str] = []
        for target in settings.targets if settings else ():
            adaptor = CHAINS[target.provider].sync.adaptor
            services.redactor.add(*secrets_in(target.options, adaptor.connection_spec.arguments))

    @property
    def settings(self) -> Settings:
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
        entry = promotion.begin_phase(self.state, phase, fine_stamp(self.services.clock.now()), wave, target)
        entry["began"] = self.services.clock.monotonic()

    def end(self, state: str, reason: str = "") -> str:
        """End the phase that was begun last."""
        entry = self.state["phases"][-1]
        entry["state"], entry["reason"] = state, self.services.redactor.text(reason)
        entry["finished_at"] = fine_stamp(self.services.clock.now())
        entry["elapsed"] = round(self.services.clock.monotonic() - entry["began"], 3)
        return reason

    # -- what is remembered between runs -----------------------------------------------------------------------------

    def journal(self) -> Journal:
        path = self.settings.ledger_path or environment().get("LOCKSTEP_LEDGER") or default_path(environment())
        return Journal(
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
        state = promotion.interrupted(self.state) if interim else self.state
        elapsed = clock.monotonic() - self.memory["began"]
        report = promotion.build_report(state, stamp(clock.now()), elapsed, path)
        report = self.services.redactor.scrub(report)
        if path:
            try:
                reports.write(path, report)
            except OSError as error:
                # what happened has to be told all the same
                self.warnings.append(f"the report could not be written to {path}: {error.strerror or error}")
        return report, path

    # -- calls -------------------------------------------------------------------------------------------------------

    def chain(self, target: Target) -> Chain:
        return CHAINS[target.provider]

    def call_sync(self, target: Target, release: str) -> Json:
        arguments = {**target.options, "release": release, "wait": True, "on_timeout": "fail", **self._ledger()}
        if target.index in self.memory["behind"]:
            # what is in flight is another release
            arguments.setdefault("if_running", "queue")
        return self.services.call(self.chain(target).sync.module, arguments)

    def call_backup(self, target: Target, release: str) -> Json:
        step = needed(self.chain(target).backup, "a backup module")
        arguments = {**step.takes(target.options), **target.backup, "release": release, "wait": True, "on_timeout": "fail"}
        return self.services.call(step.module, {**arguments, **self._ledger()})

    def call_restore(self, target: Target, release: str, backup: t.Any) -> Json:
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
    def probes_of(target: Target, kind: str) -> list[tuple[str, Json]]:
        where = f"{PREFIX}targets[{target.index}].{kind}"
        return [(f"{where}[{number}]", probe) for number, probe in enumerate(getattr(target, kind))]


def needed(value: Found | None, what: str) -> Found:
    """``value``, which this step cannot do without."""
    if value is None:
        raise ValueError(f"this step needs {what}")
    return value


def key_in(entry: Json) -> Key:
    """The key of a target in ledger and journal."""
    return Key(entry["key"]["provider"], entry["key"]["address"], entry["key"]["target"])


def stamp(moment: dt.datetime) -> str:
    return str(isoformat(moment))


def fine_stamp(moment: dt.datetime) -> str:
    """With milliseconds, for phases that are over within a second."""
    return moment.astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def said(error: SyncError) -> str:
    return " ".join(part for part in (promotion.sentence(error.message), error.hint) if part)


# -- before anything is changed --------------------------------------------------------------------------------------


class Look(Step):
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

    def _plan(self, wanted: Target, entry: Json) -> None:
        result = self.call_sync(wanted, self.release_for(wanted.index))
        records = result.get("syncs") or []
        if len(records) == 1:
            address = self.chain(wanted).address(wanted.options, environment())
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
            entry["resumed"] = {"run": unfinished.run, "phase": unfinished.phase, "started_at": stamp(unfinished.begun_at)}
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

    def _judge_hold(self, entry: Json, hold: Hold) -> None:
        if entry["resumed"]:
            return
        text = f"held back since {stamp(hold.held_at)} by run {hold.run}: {hold.reason}"
        if self.settings.lift_hold.strip():
            self.state["lifted_hold"] = self.settings.lift_hold.strip()
            promotion.add_check(entry, "hold", True, f"{text}; lifted: {self.state['lifted_hold']}")
        else:
            remedy = f"Promote another release, or give a reason in {PREFIX}lift_hold"
            promotion.add_check(entry, "hold", False, f"{text}. {remedy}")

    def _backup(self, wanted: Target, entry: Json) -> None:
        policy, step = self.settings.backup, self.chain(wanted).backup
        if policy == "none" or not promotion.acts(entry) or promotion.is_resumed(entry):
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

    def _probes(self, wanted: Target, entry: Json) -> None:
        if promotion.is_resumed(entry):
            return
        staging, production = self.probes_of(wanted, "verify_staging"), self.probes_of(wanted, "verify")
        try:
            found, dummy = self.probe([*staging, *production], timeout=PREFLIGHT_PATIENCE)
        except SyncError as error:
            promotion.add_check(entry, "probes", False, said(error))
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


class Judge(Step):
    """The end of the preflight: all checks of all targets, together."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        self.state["digest"] = promotion.digest_of(self.state, self.settings)
        promotion.refuse_twins(self.state)
        refused = promotion.refusals(self.state)
        if not refused:
            # a report for whoever looks while somebody is asked
            self.write(interim=True)
            return self.done(f"digest of the plan: {self.state['digest']}")
        for entry in self.state["targets"]:
            own = [f"{check['name']}: {check['text']}" for check in entry["checks"] if check["ok"] is False]
            if own and not promotion.is_resumed(entry):
                entry["failure"] = entry["plan"]["failure"] if entry["plan"] else None
                promotion.settle(entry, "refused", "; ".join(own))
        promotion.refuse(self.state, "another target did not pass its preflight")
        return self.done(f"refused: {'; '.join(refused)}")


class Gate(Step):
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


class Approve(Step):
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
            answer = _approval.Answer(False, f"not approved: nobody can be asked in a job. Use {PREFIX}approval: token instead")
        else:
            answer = _approval.ask(self.services.display, self._question(), self.settings.approval_timeout)
        if not answer.approved:
            promotion.refuse(self.state, answer.reason)
        return self.done(self.end("passed" if answer.approved else "refused", answer.reason))

    def _question(self) -> str:
        lines = [
            f"  {entry['name']}: {'sync' if entry['plan']['action'] == 'would_trigger' else 'wait for the sync in flight'}"
            for entry in self.state["targets"]
            if promotion.acts(entry) and not promotion.is_resumed(entry)
        ]
        release = self.state["release"] or "(no release named)"
        return f"Promote {release}, plan {self.state['digest']}?\n" + "\n".join(lines)


class Lock(Step):
    """One promotion of a target at a time; an unfinished one of the same release is resumed."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        if self.state["stopped"]:
            return self.done("not taken")
        self.begin("lock")
        acting = {index: entry for index, entry in enumerate(self.state["targets"]) if promotion.acts(entry)}
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

    def _take_over(self, journal: Journal, key: Key, index: int, taken: Taken) -> None:
        entry, found = self.state["targets"][index], taken.promotion
        self.memory["locks"].append(index)
        if self.state["lifted_hold"]:
            journal.lift(key, self.state["release"], self.state["lifted_hold"])
        if taken.resumed is None:
            entry["resumed"] = None
            return
        entry["resumed"] = {"run": found.run, "phase": taken.resumed, "started_at": stamp(found.begun_at)}
        if taken.resumed in promotion.TOUCHED:
            known = ("before", "backup", "sync", "rollback", "reason")
            entry.update({name: found.data[name] for name in known if name in found.data})
            entry["changed"] = False


# -- one wave --------------------------------------------------------------------------------------------------------


class Wave(Step):
    """The beginning of a wave, after a pause."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        wave = needed(wave, "wave")
        acting = any(entry["wave"] == wave and promotion.acts(entry) for entry in self.state["targets"])
        started = any(entry["wave"] < wave and entry["changed"] for entry in self.state["targets"])
        if not self.state["stopped"] and acting and started and not self.state["check_mode"]:
            self.services.clock.sleep(self.settings.wave_pause)
        return self._check_window(wave) or self.done(f"wave {wave} of {len(self.settings.waves)}")

    def _check_window(self, wave: int) -> Outcome | None:
        """A window may have closed since the gate, while somebody was asked or during a pause."""
        mine = [entry for entry in self.state["targets"] if entry["wave"] == wave and entry["verdict"] == "not_started"]
        starting = any(promotion.acts(entry) and not promotion.is_resumed(entry) for entry in mine)
        if not starting or self.state["stopped"] or self.state["check_mode"] or self.state["override_reason"]:
            return None
        verdict = _windows.judge(self.settings.windows, self.services.clock.now())
        if verdict.open:
            return None
        self.begin("gate", wave)
        promotion.refuse(self.state, f"the window has closed meanwhile: {verdict.reason}")
        return self.done(self.end("refused", verdict.reason))


class Backup(Step):
    """Save one target, so that it can be restored."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        target = needed(target, "target")
        wanted, entry = self.settings.targets[target], self.state["targets"][target]
        if self.state["stopped"] or not promotion.acts(entry) or promotion.is_resumed(entry):
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

    def _judge(self, wanted: Target, entry: Json) -> Outcome:
        backup = entry["backup"]
        if backup["state"] != "failed":
            reason = f"backup {backup['id']} ({backup['status']}, {backup['size']})"
            return self.done(self.end("passed", reason), changed=backup["state"] == "made")
        entry["failure"] = backup["failure"]
        if self.settings.backup == "required":
            promotion.settle(entry, "failed", f"not promoted, as there is no backup: {backup['reason']}")
            promotion.stop(self.state, "not_started", f"{wanted.name} could not be saved")
            return self.done(self.end("failed", backup["reason"]))
        self.warnings.append(f"{wanted.name} is promoted without a backup: {backup['reason']}")
        self.state["warnings"] += self.warnings
        return self.done(self.end("failed", f"going on without one: {backup['reason']}"))


def _problem_of_backup(entry: Json) -> str:
    return next((check["text"] for check in entry["checks"] if check["name"] == "backup"), "not possible")


class Sync(Step):
    """The promotion itself: one trigger, and waiting for it."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        target = needed(target, "target")
        wanted, entry = self.settings.targets[target], self.state["targets"][target]
        if self.state["stopped"] or entry["verdict"] != "not_started":
            return self.done(f"{wanted.name}: not started")
        if entry["resumed"] and entry["resumed"]["phase"] in ("verify", "rollback"):
            return self.done(f"{wanted.name}: done by run {entry['resumed']['run']}")
        self.begin("sync", entry["wave"], wanted.name)
        if not promotion.acts(entry):
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


class Verify(Step):
    """Whether what was promoted works."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        entries = self._entries(wave)
        if not entries:
            return self.done("nothing to verify", rollback=[])
        self.begin("verify", wave)
        if self.state["check_mode"]:
            for index in entries:
                entry = self.state["targets"][index]
                promotion.settle(entry, "planned", entry["plan"]["reason"])
                entry["changed"] = promotion.acts(entry)
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
        promotion.settle(entry, "rollback_failed", entry["reason"] or "an earlier run began to roll back")
        return True

    def _probe(self, indices: t.Sequence[int]) -> None:
        promoted = any(promotion.was_promoted(self.state["targets"][index]) for index in indices)
        wanted = [(index, probe) for index in indices for probe in self.probes_of(self.settings.targets[index], "verify")]
        found, elapsed = self.probe(
            [probe for dummy, probe in wanted],
            successes=self.settings.verify_successes if promoted else 1,
            interval=self.settings.verify_interval,
            timeout=self.settings.verify_timeout if promoted else PREFLIGHT_PATIENCE,
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


class Rollback(Step):
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


class Trouble(Step):
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


class Hooks(Step):
    """Which task files of the user are to be run at a moment of the promotion."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        """:param message: the moments, such as ``after_backup,before_sync``."""
        files = [file for name in message.split(",") if self._is_due(name, wave) for file in self.memory["hooks"].get(name, ())]
        return self.done(f"{message}: {len(files)} task files", files=files)

    def _is_due(self, moment: str, wave: int | None) -> bool:
        kind, dummy, phase = moment.partition("_")
        if kind == "on":
            return phase != "failure" or promotion.verdict_of(self.state) not in promotion.GOOD
        if phase in ("preflight", "report", "notify", "rollback"):
            return True
        mine = [entry for entry in self.state["targets"] if wave is None or entry["wave"] == wave]
        if self.state["stopped"] or not any(promotion.acts(entry) for entry in mine):
            return False
        return phase not in ("backup", "sync") or any(not promotion.is_resumed(entry) for entry in mine if promotion.acts(entry))


# -- the end ---------------------------------------------------------------------------------------------------------


class Report(Step):
    """Gives the locks back, and writes down what happened."""

    def take(self, target: int | None, wave: int | None, message: str) -> Outcome:
        for entry in self.state["targets"]:
            if entry["verdict"] == "not_started" and not self.state["stopped"] and not self.state["error"]:
                promotion.settle(entry, "failed", "it was not brought to an end")
        self._give_back()
        report, path = self.write()
        brief = {key: report[key] for key in ("verdict", "ok", "run", "release", "digest", "summary", "message")}
        return Outcome(report["message"], False, facts={"report": {**brief, "path": path}}, warnings=tuple(self.warnings))

    def _give_back(self) -> None:
        if self._settings is None:
            return
        for index in self.memory["locks"]:
            # each by itself: one that was taken over must not leave the others locked
            try:
                self._close(self.journal(), self.state["targets"][index], index)
            except SyncError as error:
                self.state["warnings"].append(said(error))

    def _close(self, journal: Journal, entry: Json, index: int) -> None:
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


STEPS: t.Mapping[str, type[Step]] = {
    "look": Look,
    "judge": Judge,
    "gate": Gate,
    "approve": Approve,
    "lock": Lock,
    "wave": Wave,
    "backup": Backup,
    "sync": Sync,
    "verify": Verify,
    "rollback": Rollback,
    "hooks": Hooks,
    "trouble": Trouble,
    "report": Report,
    "notify": Notify,
}
