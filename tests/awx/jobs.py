# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the job templates of the emulated AWX as AWX 24.6.1 does: credentials, variables, artifacts, the way through a workflow.

No containers, and no permissions: what a job gets is what matters here.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2.sandbox

from .emulator import AwxEmulator

BIN = Path(sys.executable).parent
PROJECT = Path(__file__).resolve().parents[2] / "extensions" / "awx" / "project"
LIMIT = 600


@dataclasses.dataclass(frozen=True)
class Job:
    """A job that has ended.

    :param artifacts: what it passed on by set_stats, whether it failed or not.
    """

    template: str
    failed: bool
    output: str
    artifacts: dict[str, Any]


class Jobs:
    """:param overrides: inputs of credentials that the emulated AWX does not have, by the name of the credential."""

    def __init__(self, awx: AwxEmulator, folder: Path, overrides: dict[str, dict[str, str]]) -> None:
        self.awx = awx
        self.folder = folder
        self.overrides = overrides
        self.done: list[Job] = []

    def environment(self, template: dict[str, Any], folder: Path) -> dict[str, str]:
        """What the credentials inject (CredentialType.inject_credential): a field without content does not exist.

        :param folder: for files, which are there even if a template has no content.
        """
        found: dict[str, str] = {}
        sandbox = jinja2.sandbox.ImmutableSandboxedEnvironment()
        for name in self.awx.linked("job_templates", template, "credentials"):
            credential = self.awx.named("credentials", name)
            inputs = self.overrides.get(name, credential["inputs"])
            namespace: dict[str, object] = {key: value for key, value in inputs.items() if value}
            injectors = self.awx.objects["credential_types"][credential["credential_type"]]["injectors"]
            # that of several files is not emulated
            for label, text in injectors.get("file", {}).items():
                assert label == "template"
                path = folder / f"credential{credential['id']}"
                path.write_text(sandbox.from_string(text).render(**namespace))
                namespace["tower"] = {"filename": str(path)}
            for variable, text in injectors["env"].items():
                assert variable not in found
                found[variable] = sandbox.from_string(text).render(**namespace)
        return found

    def variables(self, template: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        """Those of the template, then the defaults of its survey, then what the launch gives."""
        questions = template["survey_spec"].get("spec", []) if template["survey_enabled"] else []
        defaults = {each["variable"]: each["default"] for each in questions if "default" in each}
        for question in questions:
            answer = given.get(question["variable"], question.get("default"))
            assert isinstance(answer, str)
            assert answer in question.get("choices", [answer])
        return {**json.loads(template["extra_vars"] or "{}"), **defaults, **given}

    def launch(self, name: str, given: dict[str, Any]) -> Job:
        template = self.awx.named("job_templates", name)
        number = len(self.done) + 1
        folder = self.folder / f"job{number}"
        folder.mkdir(parents=True)
        path = folder / "variables.json"
        path.write_text(json.dumps(self.variables(template, given)))
        done = subprocess.run(
            [
                str(BIN / "ansible-playbook"),
                str(PROJECT / template["playbook"]),
                *(["--check"] if template["job_type"] == "check" else []),
                *("-e", f"@{path}"),
            ],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "LC_ALL": "C.UTF-8",
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_SHOW_CUSTOM_STATS": "1",
                "AWX_PRIVATE_DATA_DIR": str(folder),
                "JOB_ID": str(number),
                **self.environment(template, folder),
            },
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        output = done.stdout + done.stderr
        stats = re.search(r"^\tRUN: (\{.*\})$", output, re.MULTILINE)
        job = Job(name, done.returncode != 0, output, json.loads(stats[1]) if stats else {})
        self.done.append(job)
        return job

    def launch_workflow(self, name: str, answers: dict[str, str]) -> list[str]:
        """Go through the nodes, and approve what asks for it.

        :return: the identifiers of the nodes that were reached.
        """
        workflow = self.awx.named("workflow_job_templates", name)
        defaults = {each["variable"]: each["default"] for each in workflow["survey_spec"]["spec"]}
        nodes = self.awx.objects["workflow_job_template_nodes"]
        mine = {key: node for key, node in nodes.items() if node["workflow_job_template"] == workflow["id"]}
        followers = [to for key, linked in self.awx.links.items() if key[0] == "workflow_job_template_nodes" for to in linked]
        (current,) = (key for key in mine if key not in followers)
        reached: list[str] = []
        artifacts: dict[str, Any] = {}
        while current:
            node = mine[current]
            reached.append(node["identifier"])
            failed = False
            if node["unified_job_template"] not in self.awx.objects["workflow_approval_templates"]:
                template = self.awx.objects["job_templates"][node["unified_job_template"]]
                # answers of the workflow win over what nodes have passed on
                job = self.launch(template["name"], {**artifacts, **defaults, **answers})
                artifacts, failed = {**artifacts, **job.artifacts}, job.failed
            links = self.awx.links.get(
                ("workflow_job_template_nodes", current, "failure_nodes" if failed else "success_nodes"), []
            )
            current = links[0] if links else 0
        return reached
