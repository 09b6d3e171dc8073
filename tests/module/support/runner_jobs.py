# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them, by ansible-runner: a private data directory, a fresh home, canceled or out of time.

ansible-runner ends a job with SIGKILL for the process group of ansible-playbook. In a container everything else ends with that;
here the workers go on, as orphans, until :meth:`RunnerJob.end_container`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_runner.interface import init_runner

from .sessions import LONG, MARK, kill_all


class RunnerJob:
    """A job at work.

    :param folder: of its own; becomes the private data directory.
    :param variables: extra variables.
    :param environment: for ansible-playbook, besides a fresh ``HOME``.
    :param settings: of ansible-runner, such as ``job_timeout`` in seconds.
    :param check: the job type.
    """

    def __init__(
        self,
        folder: Path,
        playbook: str,
        variables: Mapping[str, Any],
        environment: Mapping[str, str],
        settings: Mapping[str, Any] | None = None,
        check: bool = False,
    ) -> None:
        self.folder = folder
        self.name = folder.name
        home = folder / "home"
        for path in (home, folder / "project", folder / "inventory", folder / "env"):
            path.mkdir(parents=True, exist_ok=True)
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        envvars = {**environment, "HOME": str(home), "PATH": path, MARK: self.name, "ANSIBLE_NOCOLOR": "1"}
        self._write("project/site.yml", [{"import_playbook": playbook}])
        self._write("inventory/hosts.json", {"all": {"hosts": {"localhost": local}}})
        self._write("env/extravars", dict(variables))
        self._write("env/envvars", envvars)
        self._write("env/settings", {"suppress_ansible_output": True, **(settings or {})})
        self._cancel = threading.Event()
        # given a callback, it leaves the signal handlers of this process alone
        self._runner: Any = init_runner(
            private_data_dir=str(folder),
            playbook="site.yml",
            ident="job",
            quiet=True,
            cancel_callback=self._cancel.is_set,
            **({"cmdline": "--check"} if check else {}),
        )
        self._thread = threading.Thread(target=self._runner.run, daemon=True)
        self._thread.start()

    def _write(self, name: str, content: Any) -> None:
        (self.folder / name).write_text(json.dumps(content))

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    @property
    def output(self) -> str:
        return (self.folder / "artifacts" / "job" / "stdout").read_text()

    def finish(self) -> str:
        """How it ended: ``successful``, ``failed``, ``canceled`` or ``timeout``."""
        self._thread.join(LONG)
        assert self.is_over, "the job does not end"
        return str(self._runner.status)

    def cancel(self) -> str:
        """As with the button of AWX; returns how it ended."""
        self._cancel.set()
        return self.finish()

    def run_out_of_time(self) -> str:
        """The job has a time-out, and that is over now; returns how it ended."""
        self._runner.config.job_timeout = 0.001
        return self.finish()

    def end_container(self) -> None:
        """What is left of the job ends, as with its container."""
        self._cancel.set()
        self._thread.join(LONG)
        kill_all(self.name)
