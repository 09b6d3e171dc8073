# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role staging_promotion without Ansible: its task files are played, with its modules' own code behind them.

All of it runs in this process, so that a test takes a second and can end a run anywhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
import json
import os
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsiblePromptNoninteractive
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import Clock, SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import ROLE_VARIABLE, Context
from ansible_collections.lockstep.sync.plugins.module_utils._probe import options as probe_options
from ansible_collections.lockstep.sync.plugins.module_utils._probe.run import run_probes
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm.provider import PLM
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.backup import ServerAvatarBackup
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.provider import ServerAvatar
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.restore import ServerAvatarRestore
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import failed_task_text
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import ModuleResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import (
    PromotionServices,
    StepRequest,
    StepResult,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phases import clean, start, take_step
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import PREFIX
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import RunState

from .role_tasks import RoleTasks, TaskFailed, steps_of

Json = dict[str, Any]

ROLE = Path(__file__).parents[3] / "roles" / "staging_promotion"

#: the action plugin behind the tasks
MODULE = "lockstep.sync.promotion"

#: steps of the task files, in order; what a test ends in between is named after them
DECIDE = tuple(steps_of(ROLE / "tasks", MODULE, "decide.yml"))
WAVE = tuple(step for step in steps_of(ROLE / "tasks", MODULE, "wave.yml") if step not in ("record_failure", "rollback"))

_PROVIDERS = {
    "serveravatar_staging_sync": ServerAvatar,
    "serveravatar_backup": ServerAvatarBackup,
    "serveravatar_restore": ServerAvatarRestore,
    "plm_storage_sync": PLM,
}


class Killed(BaseException):
    """The process is no more: nothing that comes after is done."""


@dataclasses.dataclass(frozen=True)
class Kill:
    """When to end the process.

    :param step: in which step.
    :param moment: ``before`` or ``after`` it, ``calling`` or ``called``: just before or after its first module ran,
        ``waiting``: at the second pause of that module.
    """

    step: str
    moment: str

    def __str__(self) -> str:
        return f"{self.moment} {self.step}"


class MortalClock:
    """A clock whose pauses may be the last ones. It is none that passes by itself, so that all waiting is done by it."""

    def __init__(self, lives: int) -> None:
        self._clock = SystemClock()
        self._lives = lives
        self.stop = self._clock.stop

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def now(self) -> dt.datetime:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        self._lives -= 1
        if self._lives <= 0:
            raise Killed
        self._clock.sleep(seconds)


class NoTerminal:
    """The display of a job that has no interactive terminal."""

    def prompt_until(self, msg: str, **options: Any) -> bytes:
        raise AnsiblePromptNoninteractive("no terminal")


class Operator:
    """A person at the terminal, who gives one answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.question = ""

    def prompt_until(self, msg: str, **options: Any) -> bytes:
        self.question = msg
        return self.answer


def run_module(name: str, arguments: Json, check: bool, clock: Clock) -> Json:
    """A module of the collection, as its ``main()`` runs it, without the process."""
    spec = probe_options.SPEC if name == "http_probe" else sync_spec(_PROVIDERS[name])
    kwargs = spec.as_kwargs()
    validator = ArgumentSpecValidator(kwargs.pop("argument_spec"), **_top(kwargs))
    outcome = validator.validate(json.loads(json.dumps(arguments)))
    if outcome.error_messages:
        return {"failed": True, "msg": "; ".join(outcome.error_messages)}
    context = Context(check_mode=check, clock=clock, environ={**os.environ, ROLE_VARIABLE: PREFIX})
    parameters = outcome.validated_parameters
    result = run_probes(parameters, context) if name == "http_probe" else run_sync(_PROVIDERS[name], parameters, context)
    answer: Json = json.loads(json.dumps(result))
    return answer


def _top(kwargs: Json) -> Json:
    return {name: value for name, value in kwargs.items() if value}


@functools.cache
def defaults() -> Json:
    """The defaults of the role, by their names without prefix."""
    with (ROLE / "defaults" / "main.yml").open(encoding="utf-8") as file:
        return {name.removeprefix(PREFIX): value for name, value in yaml.safe_load(file).items()}


def _pass(arguments: Json, dummy: Json) -> Json:
    return arguments


class Play:
    """One run of the role.

    :param variables: of the role, without their prefix.
    :param failing: the moment of a task file that fails.
    """

    def __init__(
        self,
        variables: Json,
        *,
        check: bool = False,
        kill: Kill | None = None,
        failing: str = "",
        display: Any = None,
        base: Path | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        self.variables = {**defaults(), **variables}
        self.check = check
        self.kill = kill
        self.failing = failing
        self.texts: list[str] = []
        self.warnings: list[str] = []
        self.called: list[tuple[str, bool]] = []
        self.changed = False
        self.step = ""
        self.memory = ""
        self.reported: Json = {}
        self.base = str(base or ".")
        if failing:
            (Path(self.base) / f"{failing}.yml").write_text("[]")
            self.variables["hooks"] = {**self.variables["hooks"], failing: f"{failing}.yml"}
        known = {PREFIX + name for name in self.variables} | {f"{PREFIX}begun"} | set(names)
        self.services = PromotionServices(
            SystemClock(), self._call, self._keep, display or NoTerminal(), Redactor([]), known, self.base
        )
        role = {PREFIX + name: value for name, value in self.variables.items()}
        passed = {"ansible.builtin.set_stats"}
        self.tasks = RoleTasks(
            ROLE / "tasks",
            {MODULE: self._act, **dict.fromkeys(passed, _pass)},
            role,
            self._run_hook,
        )

    # -- the role ----------------------------------------------------------------------------------------------------

    def run(self) -> Play:
        """All task files."""
        with contextlib.suppress(Killed, TaskFailed):
            self.tasks.play()
        return self

    def _act(self, arguments: Json, variables: Json) -> Json:
        """What the action plugin does."""
        request = StepRequest(
            arguments.get("target"),
            arguments.get("wave"),
            arguments.get("moment", ""),
            failed_task_text(variables) if arguments["step"] == "record_failure" else "",
        )
        try:
            taken = self.take(arguments["step"], request)
        except SyncError as error:
            return {"failed": True, "msg": error.coded_text, "proceed": False}
        if arguments["step"] == "report":
            self.reported = json.loads(json.dumps(taken.facts["report"]))
        result = {"skipped": taken.skipped, "failed": taken.failed, "proceed": taken.proceed, "msg": taken.message, **taken.facts}
        found: Json = json.loads(json.dumps(result))
        return found

    def _run_hook(self, file: str) -> None:
        """A task file of the user, which is named after its moment."""
        if Path(file).stem == self.failing:
            raise TaskFailed("Do something", {"failed": True, "msg": f"hook {self.failing} failed"})

    # -- one step ----------------------------------------------------------------------------------------------------

    @property
    def killed(self) -> bool:
        return self.step == "killed"

    def take(self, step: str, request: StepRequest) -> StepResult:
        """As the action plugin does it: all that is known is in a JSON file in between."""
        self._die_if(step, "before")
        self.step = step
        try:
            if step == "start":
                taken = clean(self.services, start(self.services, self._read, self.check, self._complete))
            else:
                state = RunState.from_json(json.loads(self.memory))
                taken = take_step(self.services, step, request, state, self._read, self._complete)
        except Killed:
            self._die()
            raise
        self._keep(taken.state)
        self.texts.append(taken.message)
        self.warnings += taken.warnings
        self.changed = self.changed or taken.changed
        self._die_if(step, "after")
        return taken

    def _keep(self, state: RunState) -> None:
        self.memory = json.dumps(state.to_json())

    def _read(self, names: Iterable[str]) -> Json:
        return {name: self.variables[name] for name in names if name in self.variables}

    @staticmethod
    def _complete(module: str, options: Json) -> Json:
        return options

    def _die_if(self, step: str, moment: str) -> None:
        if self.kill == Kill(step, moment):
            self._die()
            raise Killed

    def _die(self) -> None:
        self.step, self.tasks.ended = "killed", True

    def _call(self, module: str, arguments: Json, check: bool) -> ModuleResult:
        self.called.append((module, check))
        self._die_if(self.step, "calling")
        waiting = self.kill == Kill(self.step, "waiting") and module != "http_probe"
        result = run_module(module, arguments, check, MortalClock(2) if waiting else SystemClock())
        if waiting:
            raise AssertionError("it was over before it could be killed")
        self._die_if(self.step, "called")
        return ModuleResult.from_json(result)

    # -- what came of it ---------------------------------------------------------------------------------------------

    @functools.cached_property
    def report(self) -> Json:
        """The JSON file of the report, which the next run may write anew."""
        found: Json = json.loads(Path(self.reported["path"]).read_text(encoding="utf-8"))
        return found

    @property
    def target(self) -> Json:
        """The record of a run with one target."""
        (target,) = self.report["targets"]
        return dict(target)

    @property
    def verdict(self) -> str:
        return str(self.reported["verdict"])

    @property
    def phases(self) -> list[str]:
        """``phase:state`` of all, in order."""
        return [f"{phase['phase']}:{phase['state']}" for phase in self.report["phases"]]

    @property
    def failed_checks(self) -> list[str]:
        return [check["name"] for target in self.report["targets"] for check in target["checks"] if check["ok"] is False]


# -- what every report has to be ---------------------------------------------------------------------------------------

_PROBE = "name url ok status latency attempts consecutive problems certificate_days was_ok checked_at requests"
#: keys of a report, of what is in it, and so on
KEYS = {
    "report": "verdict ok changed message explanation check_mode run release digest started_at finished_at elapsed actor error"
    " error_code traceback override_reason lifted_hold held warnings unfinished interrupted summary phases targets",
    "actor": "user host job",
    "unfinished": "phase sent",
    "sent": "target call state handle backup",
    "interrupted": "target run phase started_at outcome",
    "summary": "targets succeeded planned refused failed rolled_back rollback_failed unknown not_started changed requests",
    "phases": "phase wave target state reason started_at finished_at elapsed",
    "targets": "name provider target wave verdict changed reason resumed plan checks staging before backup sync verify rollback"
    " failure requests",
    "resumed": "phase started_at run",
    "plan": "action reason failure",
    "checks": "name ok text",
    "staging": _PROBE,
    "before": _PROBE,
    "probes": _PROBE,
    "backup": "state reason id name size status elapsed failure",
    "verify": "ok elapsed probes regressions already_failing reason",
    "rollback": "state reason backup elapsed verify",
    "failure": "code message http_status hint",
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
PHASES = ("preflight", "gate", "approval", "lock", "backup", "sync", "verify", "rollback", "report", "notify")
VERDICTS = ("succeeded", "failed", "planned", "refused", "rolled_back", "rollback_failed", "unknown")


def check_report(report: Json) -> None:
    """Every key of the contract, and no other one, all the way down."""
    for name, part in _parts("report", report):
        assert set(part) == set(KEYS[name].split()), name
    assert report["verdict"] in VERDICTS
    assert report["ok"] == (report["verdict"] in ("succeeded", "planned"))
    assert report["message"].startswith(f"{report['verdict']}")
    starts = []
    for phase in report["phases"]:
        assert phase["phase"] in PHASES
        assert phase["state"] in ("passed", "planned", "refused", "failed", "skipped")
        assert phase["reason"] != "it was not brought to an end"
        starts.append(phase["started_at"])
    assert starts == sorted(starts)
    assert sum(report["summary"][verdict] for verdict in (*VERDICTS, "not_started")) == len(report["targets"])
    for moment in (report["started_at"], report["finished_at"], *starts):
        assert MOMENT.fullmatch(moment)


def _parts(name: str, value: Any) -> Iterator[tuple[str, Json]]:
    """All mappings in a report that have a shape of their own, by the name that they are under."""
    if isinstance(value, list):
        for item in value:
            yield from _parts(name, item)
    if isinstance(value, dict) and name in KEYS:
        yield name, value
        for key, item in value.items():
            yield from _parts(key, item)


class WellFormed(HTMLParser):
    """Complains about elements that are not closed in order."""

    EMPTY = ("meta", "link", "br", "img", "hr", "input", "col", "wbr", "base", "source", "path", "circle", "rect", "line", "use")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


def check_page(text: str) -> None:
    """One whole page."""
    assert text.lower().startswith("<!doctype html>")
    parser = WellFormed()
    parser.feed(text)
    parser.close()
    assert parser.open == []
