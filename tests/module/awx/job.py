# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: ansible-runner with a private data directory, in a container that ends with the job.

The container is made of namespaces: process ids of its own, and a user id without an entry in passwd, whose group is that of
root. As in execution environments, the home directory and the private data directory belong to another user and can be written by
the group, where the tests run as root and so can give them to one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.simulator.client import wait_until

ROOT = Path(__file__).parents[3]
#: Seconds after which a job is stuck.
LIMIT = 300

#: A user id without an entry in passwd, with the group of root.
CONTAINER = (
    "unshare",
    *("--user", "--map-user=100777", "--map-group=0"),
    *("--pid", "--fork", "--kill-child", "--mount-proc"),
)
#: The user that execution environments are built as.
BUILDER = 1000

PLAYBOOKS = ("promote_staging", "reconcile_dns")

#: The inventory that AWX shows after it was installed, in the form in which it reaches a job: a program.
INVENTORY = {
    "all": {"hosts": ["localhost"], "vars": {}},
    "_meta": {
        "hostvars": {
            "localhost": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        },
    },
}

Variables = Mapping[str, Any]


class _Unsafe(yaml.SafeDumper):
    """What users enter in AWX reaches a job as text that is never a template, keys included."""

    def represent_data(self, data: Any) -> yaml.Node:
        if isinstance(data, str):
            return self.represent_scalar("!unsafe", data)
        return super().represent_data(data)


@dataclasses.dataclass(frozen=True)
class Container:
    """What differs between containers.

    :param home_mode: the mode of the home directory.
    :param environment: variables beyond the usual ones.
    :param background: the job is started by ``ansible-runner start``, so that it can be stopped.
    """

    home_mode: int = 0o775
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    background: bool = False


@dataclasses.dataclass(frozen=True)
class Ended:
    """What is left of a job.

    :param status: as ansible-runner calls it: successful, failed, canceled, timeout; empty where it was killed itself.
    """

    code: int
    status: str
    rc: str
    stdout: str
    events: list[dict[str, Any]]
    sizes: list[int]
    console: str

    @property
    def stats(self) -> dict[str, Any]:
        """The event at the end: ``changed``, ``failures``, …, and what ``set_stats`` passed on."""
        (found,) = (event["event_data"] for event in self.events if event["event"] == "playbook_on_stats")
        return dict(found)

    @property
    def artifacts(self) -> dict[str, Any]:
        """What a workflow gets."""
        return dict(self.stats.get("artifact_data", {}))

    @property
    def changed(self) -> int:
        return int(self.stats["changed"].get("localhost", 0))

    @property
    def one_line(self) -> str:
        return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", self.stdout).split()).replace('\\"', '"')

    @property
    def shown(self) -> str:
        """The output pane, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.stdout).replace("\r\n", "\n")


class Job:
    """One job, with directories of its own.

    :param folder: holds ``runner``, which is the private data directory, and ``home``.
    """

    def __init__(self, folder: Path, number: int, command: list[str], environment: dict[str, str]) -> None:
        self.folder = folder
        self.number = number
        self.private = folder / "runner"
        self.home = folder / "home"
        self.artifacts = self.private / "artifacts" / str(number)
        self._console = folder / "console"
        with self._console.open("w") as output:
            self.container = subprocess.Popen(
                [*CONTAINER, *command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def stdout(self) -> str:
        path = self.artifacts / "stdout"
        return path.read_text() if path.exists() else ""

    def is_over(self) -> bool:
        return self.container.poll() is not None

    def when(self, condition: Any) -> None:
        """Wait until something is seen, which happens before the job ends."""
        wait_until(lambda: condition() or self.is_over(), seconds=LIMIT)
        assert not self.is_over(), self.stdout + self._console.read_text()

    def cancel(self) -> None:
        """What makes ansible-runner's ``cancel_callback`` say yes."""
        children = Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGTERM)

    def stop(self) -> None:
        """Have ``ansible-runner stop`` run in the container of a job in the background."""
        (self.folder / "stop").touch()

    def kill(self) -> None:
        """The container is gone, with all that runs in it."""
        if not self.is_over():
            self.container.kill()
        self.container.wait()

    def finish(self) -> Ended:
        self.container.wait(timeout=LIMIT)
        files = sorted((self.artifacts / "job_events").glob("[0-9]*.json"), key=lambda path: int(path.name.partition("-")[0]))
        texts = [path.read_text() for path in files]

        def read(name: str) -> str:
            path = self.artifacts / name
            return path.read_text() if path.exists() else ""

        ended = Ended(
            self.container.returncode,
            read("status"),
            read("rc"),
            self.stdout,
            [json.loads(text) for text in texts],
            [len(text) for text in texts],
            self._console.read_text(),
        )
        assert "Traceback" not in ended.stdout + ended.console, ended.stdout + ended.console
        return ended

    def left(self) -> Iterator[tuple[Path, bytes]]:
        """All files of the job but those that hold what it was given."""
        given = [self.private / "env", self.artifacts / "command"]
        for path in self.folder.rglob("*"):
            if any(path == one or one in path.parents for one in given) or not path.is_file():
                continue
            with contextlib.suppress(FileNotFoundError):
                yield path, path.read_bytes()


class Awx:
    """Starts jobs.

    :param folder: of all jobs of a test.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: list[Job] = []
        self.number = 100
        #: a volume that all jobs share
        self.volume = self.shared("volume")
        self._collections = folder / "collections"
        place = self._collections / "ansible_collections" / "lockstep"
        place.mkdir(parents=True)
        (place / "sync").symlink_to(ROOT)

    def shared(self, name: str) -> Path:
        """A directory that the group may write."""
        path = self.folder / name
        path.mkdir()
        give_to_group(path)
        return path

    def start(
        self,
        playbook: str,
        variables: Variables,
        *arguments: str,
        survey: Variables | None = None,
        credentials: Mapping[str, str] | None = None,
        timeout: int = 0,
        container: Container | None = None,
        inventory: Variables | None = None,
    ) -> Job:
        """Start a job in a container of its own.

        :param variables: of the job template.
        :param arguments: of ``ansible-playbook``, such as ``--check`` for the job type, and ``-vvv``.
        :param survey: what users enter, and what the job before it in a workflow passed on. Goes before the variables.
        :param credentials: environment variables that a credential injects.
        :param timeout: of the job template, in seconds.
        :param inventory: what its program prints; :data:`INVENTORY` by default.
        """
        self.number += 1
        folder = self.folder / f"job{self.number}"
        private = folder / "runner"
        for path in (
            folder,
            private,
            *(private / name for name in ("env", "inventory", "project", "artifacts")),
            folder / "home",
        ):
            path.mkdir()
        self._write_variables(private, playbook, variables, survey or {})
        self._write_job(private, arguments, {**self._environment(private), **(credentials or {})}, timeout)
        self._write_inventory(private / "inventory" / "hosts", INVENTORY if inventory is None else inventory)
        give_to_group(private)
        self.jobs.append(self._run(folder, playbook, container or Container()))
        return self.jobs[-1]

    def _run(self, folder: Path, playbook: str, container: Container) -> Job:
        give_to_group(folder / "home", container.home_mode)
        program, private = Path(sys.executable).with_name("ansible-runner"), str(folder / "runner")
        given = [private, "--playbook", f"{playbook}.yml", "--ident", str(self.number)]
        command = [str(program), "run", *given]
        if container.background:
            start, stop = shlex.join([str(program), "start", *given]), shlex.join([str(program), "stop", private])
            # The container ends with this shell. It starts another one, since what the first process of a container starts takes
            # that for init, and stays in the foreground.
            begin = shlex.join(["sh", "-c", f"{start}; true"])
            command = ["sh", "-c", f"{begin}; until [ -e stop ]; do sleep 0.1; done; {stop}"]
        path = f"{program.parent}:{os.environ['PATH']}"
        usual = {"PATH": path, "HOME": str(folder / "home"), "LC_ALL": "C.UTF-8"}
        return Job(folder, self.number, command, {**usual, **container.environment})

    def _environment(self, private: Path) -> dict[str, str]:
        """What AWX adds to the environment of a job. Its private data directory is one on another machine."""
        return {
            "ANSIBLE_UNSAFE_WRITES": "1",
            "AWX_ISOLATED_DATA_DIR": str(private / "artifacts" / str(self.number)),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
            # the form that AWX gives it; nothing is read from there
            "AWX_PRIVATE_DATA_DIR": f"/tmp/awx_{self.number}_x1y2z3",
            "JOB_ID": str(self.number),
            "INVENTORY_ID": "1",
            "PROJECT_REVISION": "0123456789abcdef0123456789abcdef01234567",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "MAX_EVENT_RES": "700000",
            "AWX_HOST": "https://awx.example.com",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(private / "cp"),
            "ANSIBLE_COLLECTIONS_PATH": f"{self._collections}:~/.ansible/collections:/usr/share/ansible/collections",
            "ANSIBLE_ROLES_PATH": f"{private}/requirements_roles:~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles",
            "RUNNER_OMIT_EVENTS": "False",
            "RUNNER_ONLY_FAILED_EVENTS": "False",
        }

    def _write_variables(self, private: Path, playbook: str, variables: Variables, survey: Variables) -> None:
        """Text that users enter is marked as unsafe. ansible-core 2.19 and later then read what looks like a number as one."""
        about = {"awx_job_id": self.number, "awx_user_name": "admin", "awx_job_template_name": playbook}
        entered = {**survey, **about}
        texts = [yaml.safe_dump({name: value}) for name, value in variables.items() if name not in entered]
        texts += [yaml.dump({name: value}, Dumper=_Unsafe, default_flow_style=False) for name, value in entered.items()]
        (private / "env" / "extravars").write_text("".join(texts))

    def _write_job(self, private: Path, arguments: tuple[str, ...], given: Mapping[str, str], timeout: int) -> None:
        settings = {"idle_timeout": 0, "job_timeout": timeout, "pexpect_timeout": 0.2, "suppress_ansible_output": True}
        (private / "env" / "envvars").write_text(json.dumps(given))
        (private / "env" / "settings").write_text(json.dumps(settings))
        (private / "env" / "passwords").write_text("{}")
        (private / "env" / "cmdline").write_text(shlex.join(["--forks=5", *arguments]))
        for name in PLAYBOOKS:
            (private / "project" / f"{name}.yml").write_text(f"- import_playbook: lockstep.sync.{name}\n")

    @staticmethod
    def _write_inventory(path: Path, inventory: Variables) -> None:
        path.write_text(f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(inventory)!r})\n")
        path.chmod(0o700)

    def __call__(self, playbook: str, variables: Variables, *arguments: str, **how: Any) -> Ended:
        return self.start(playbook, variables, *arguments, **how).finish()

    def end(self) -> None:
        for job in self.jobs:
            job.kill()


def give_to_group(path: Path, mode: int = 0o775) -> None:
    """Make a directory as execution environments have it: of another user, but writable by the group of root."""
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, BUILDER, 0)
