# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every molecule scenario."""

from __future__ import annotations

import pathlib
import re
import tempfile

from .lint import lint_playbooks
from .shell import ROOT, VENV_BIN, StepFailed, environment, run

RECAP = re.compile(r"^(?P<scenario>[\w-]+) *: actions=\d+ .*failed=(?P<failed>\d+)$", re.MULTILINE)


def molecule() -> None:
    scenarios = {path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml")}
    if not scenarios - {"default"}:
        raise StepFailed("there are no scenarios in extensions/molecule")
    lint_playbooks("extensions/molecule")
    # In a fresh home: molecule keeps state there, and would use a server of an earlier run that is no longer there.
    with tempfile.TemporaryDirectory(prefix="lockstep-molecule-") as home:
        env = environment(home=pathlib.Path(home))
        try:
            output = run([VENV_BIN / "molecule", "test", "--all", "--report"], env=env)
        except StepFailed:
            # If the cleanup of a scenario fails as well, molecule leaves the simulator running.
            run([VENV_BIN / "molecule", "destroy", "--scenario-name", "default"], env=env)
            raise
    recap = {match["scenario"]: match["failed"] for match in RECAP.finditer(output)}
    passed = {scenario for scenario, failed in recap.items() if failed == "0"}
    if scenarios - passed:
        raise StepFailed(f"failed or not run: {', '.join(sorted(scenarios - passed))}")
