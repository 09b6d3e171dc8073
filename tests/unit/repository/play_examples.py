# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples as Ansible reads them: playbooks and tasks are loaded, and all templates and conditions in them are evaluated.

This is a program, as Ansible changes how the process that uses it imports collections. It takes a JSON list of examples from
standard input and writes what it found to the file that is its argument. Results that an example registers are those of
:data:`RESULTS`, one after the other.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import pathlib
import sys
import tempfile
import textwrap
import typing as t

from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible.vars.manager import VariableManager

Json = t.Any
Results = dict[str, Json]

COLLECTION = "lockstep.sync."
BLOCKS = ("block", "rescue", "always")

#: variables that examples leave to the reader, who has them in a vault or an inventory, and those of AWX
OF_THE_READER: Results = {
    **dict.fromkeys(("vinyldns_access_key", "vault_vinyldns_secret_key", "vault_tsig_secret", "vault_key", "notify_secret"), "x"),
    **dict.fromkeys(("vault_studio_token", "vault_studio_password", "vault_serveravatar_token", "vault_health_token"), "x"),
    **dict.fromkeys(("release", "catalogue_version"), "2026.11"),
    "zones": ["example.com."],
    "all_zones": ["example.com."],
    "applications": ["shop"],
    "awx_job_id": 7,
    "probes": [{"url": "https://shop.example.com/"}],
    "handles": [{"provider": "vinyldns", "target": "example.com."}],
}


def record(action: str, state: str, code: str = "", **more: Json) -> Json:
    """An entry of ``syncs``."""
    failure = {"code": code, "message": "m", "hint": "h", "http_status": None} if code else None
    handle = {"provider": "plm", "target": "example.com.", "synchronizer": "sync-1"}
    fields = {"target": "example.com.", "action": action, "state": state, "failure": failure, "handle": handle, "detail": {}}
    return {**fields, "changed": action == "triggered", "timed_out": code == "timed_out", **more}


def zone(name: str, age: float, in_sync: bool | None, **more: Json) -> Json:
    """An entry of ``zones``."""
    return {"zone": name, "age": age, "in_sync": in_sync, **more}


def sync_result(*records: Json) -> Json:
    return {
        "changed": True,
        "msg": "m",
        "failed": any(each["failure"] for each in records),
        "syncs": list(records),
        "summary": {},
    }


NEW = {"action": "create", "name": "new", "type": "A", "before": None, "after": {"ttl": 300, "records": ["198.51.100.1"]}}
MOVED = {"ttl": 300, "records": ["192.0.2.1"]}
UPDATED = {"action": "update", "name": "host1", "type": "A", "before": MOVED, "after": {**MOVED, "ttl": 60}}
COUNTS = {
    "creates": 1,
    "updates": 1,
    "deletes": 0,
    "ignored": 0,
    "soa_only": False,
    "truncated": False,
    "unsupported_types": {},
    "digest": "8875298edb71",
}
DRIFT = {**COUNTS, "in_sync": False, "records": [NEW, UPDATED]}
QUIET = {**COUNTS, "creates": 0, "updates": 0, "in_sync": True, "records": []}

#: what sync modules return, and what info modules do
SYNCS = [
    sync_result(record("triggered", "succeeded", detail={"drift": DRIFT})),
    sync_result(record("skipped", "not_started"), record("skipped", "not_started")),
    sync_result(record("triggered", "succeeded"), record("triggered", "running", "timed_out")),
    sync_result(record("refused", "not_started", "guard_refused", detail={"drift": DRIFT})),
    sync_result(record("refused", "not_started", "connection_failed")),
]
ZONES = [
    {"zones": [zone("example.com.", 99.0, False, drift=DRIFT), zone("example.org.", 1e6, True, drift=QUIET)]},
    {"zones": [zone("example.com.", 99.0, None), zone("example.org.", 1e6, None)]},
    {"zones": [zone("example.com.", 99.0, None)]},
]
BACKUPS = [sync_result(record("triggered", "succeeded", detail={"backup": {"id": 313}}))]
SITES = [{"sites": [{"site": "corporate", "in_sync": True}, {"site": "shop", "in_sync": False}]}]
APPLICATIONS = [
    {"applications": [{"name": "shop", "staging": {"available": True}}, {"name": "blog", "staging": {"available": False}}]}
]
COVERAGE = [{"missing_in_vinyldns": ["example.com."], "missing_in_dns": []}, {"missing_in_vinyldns": [], "missing_in_dns": []}]
PROBES = [{"msg": "1 of 1 probes are green", "probes": [{"name": "site", "ok": True}]}]
#: what a module of Ansible returns
COMMANDS = [{"rc": 0, "stdout": "example.com."}]
SYNCHRONIZERS = [{"synchronizers": [{"id": "sync-1", "state": "completed"}]}]
RESULTS: dict[str, list[Json]] = {
    "vinyldns_zone_info": ZONES,
    "vinyldns_coverage_info": COVERAGE,
    "crafter_publishing_info": SITES,
    "serveravatar_staging_info": APPLICATIONS,
    "plm_storage_sync_info": SYNCHRONIZERS,
    "serveravatar_backup": BACKUPS,
    "http_probe": PROBES,
    "ansible.builtin.command": COMMANDS,
    **dict.fromkeys(("vinyldns_zone_sync", "plm_storage_sync", "serveravatar_staging_sync"), SYNCS),
}


@dataclasses.dataclass
class Found:
    """What became of the templates and conditions of one example.

    :ivar problems: errors of Ansible.
    :ivar values: of templates, by the text.
    :ivar truths: of conditions, by the text.
    """

    problems: list[str] = dataclasses.field(default_factory=list)
    values: dict[str, list[Json]] = dataclasses.field(default_factory=dict)
    truths: dict[str, list[bool]] = dataclasses.field(default_factory=dict)


class Evaluation:
    """Evaluates the templates of an example with variables; what the example registers is added to them."""

    def __init__(self, variables: Results, number: int, found: Found) -> None:
        self.variables = {**OF_THE_READER, **variables}
        self.number = number
        self.found = found

    def template(self, value: Json, more: Results) -> None:
        for text in texts_in(value):
            try:
                shown = Templar(DataLoader(), {**self.variables, **more}).template(trust_as_template(text))
                self.found.values.setdefault(text, []).append(json.loads(json.dumps(shown, default=str)))
            except Exception as error:  # noqa: BLE001 (Ansible has many)
                self.found.problems.append(f"{text}: {error}")

    def skip(self, value: Json) -> None:
        """Note templates that have to be evaluated with another result."""
        for text in texts_in(value):
            self.found.values.setdefault(text, [])

    def condition(self, value: Json, more: Results) -> bool:
        """Whether all conditions hold."""
        holds = True
        for text in value if isinstance(value, list) else [value]:
            try:
                truth = Templar(DataLoader(), {**self.variables, **more}).evaluate_conditional(trust_as_template(text))
                self.found.truths.setdefault(text, []).append(truth)
                holds = holds and truth
            except Exception as error:  # noqa: BLE001 (Ansible has many)
                self.found.problems.append(f"{text}: {error}")
        return holds

    def task(self, task: Json) -> None:
        more = {name: trusted(value) for name, value in task.get("vars", {}).items()}
        is_done = self.condition(task.get("when", []), more)
        for key, value in task.items():
            if key in BLOCKS:
                for each in value:
                    self.task(each)
            elif key != "when" and is_done:
                self.template(value, more)
            elif key != "when":
                self.skip(value)
        if "register" in task:
            (samples,) = (RESULTS[name] for key in task if (name := key.removeprefix(COLLECTION)) in RESULTS)
            self.variables[task["register"]] = samples[self.number % len(samples)]


def texts_in(value: Json) -> t.Iterator[str]:
    """The templates in a value."""
    if isinstance(value, collections.abc.Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, str) and "{{" in value:
        yield value


def trusted(value: Json) -> Json:
    if isinstance(value, collections.abc.Mapping):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def load_playbook(text: str, folder: pathlib.Path) -> list[Json]:
    """The plays of an example; tasks get a play around them.

    :raises Exception: it is none: a module, a role, a playbook or a keyword does not exist, or the syntax is wrong.
    """
    path = folder / "example.yml"
    path.write_text(text, encoding="utf-8")
    plays: list[Json] = DataLoader().load_from_file(str(path), cache="none")
    if not any(key in play for play in plays for key in ("hosts", "ansible.builtin.import_playbook", "import_playbook")):
        path.write_text(f"- hosts: localhost\n  tasks:\n{textwrap.indent(text, '    ')}", encoding="utf-8")
        plays = DataLoader().load_from_file(str(path), cache="none")
    loader = DataLoader()
    Playbook.load(str(path), variable_manager=VariableManager(loader=loader), loader=loader)
    return plays


def check(example: Json, folder: pathlib.Path) -> Found:
    """An example with ``tasks``, a text, or with ``templates`` and ``conditions``, and its ``variables``."""
    found = Found()
    variables = example.get("variables", {})
    if "tasks" not in example:
        evaluation = Evaluation(variables, 0, found)
        evaluation.template(example["templates"], {})
        evaluation.condition(example["conditions"], {})
        return found
    try:
        plays = load_playbook(example["tasks"], folder)
    except Exception as error:  # noqa: BLE001 (Ansible has many)
        return Found([f"{example['tasks'].splitlines()[0]}: {error}"])
    for number in range(len(SYNCS)):
        evaluation = Evaluation(variables, number, found)
        for play in plays:
            evaluation.template({key: value for key, value in play.items() if key != "tasks"}, {})
            for task in play.get("tasks", ()):
                evaluation.task(task)
    return found


def main() -> None:
    init_plugin_loader()
    with tempfile.TemporaryDirectory() as folder:
        found = [dataclasses.asdict(check(example, pathlib.Path(folder))) for example in json.load(sys.stdin)]
    pathlib.Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
