# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every molecule scenario."""

from __future__ import annotations

import pathlib
import re
import tempfile

from .shell import ROOT, VENV_BIN, StepFailed, environment, notes, run

RECAP = re.compile(r"^(?P<scenario>[\w-]+) *: actions=\d+ .*failed=(?P<failed>\d+)$", re.MULTILINE)


def molecule() -> None:
    scenarios = {path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml")}
    if not scenarios - {"default"}:
        raise StepFailed("there are no scenarios in extensions/molecule")
    try:
        _run_all(scenarios)
    except StepFailed as failure:
        # See pytests.py for why.
        _run_all(scenarios)
        notes.append(f"unsteady: molecule passed when it was run again ({failure})")


def _run_all(scenarios: set[str]) -> None:
    # What molecule remembers of earlier runs is in its home; a fresh one cannot take a stale server for the right one.
    with tempfile.TemporaryDirectory(prefix="lockstep-molecule-") as home:
        env = environment(home=pathlib.Path(home))
        try:
            output = run([VENV_BIN / "molecule", "test", "--all", "--report"], env=env)
        except StepFailed:
            # Molecule leaves its server running when a scenario's cleanup fails, too.
            run([VENV_BIN / "molecule", "destroy", "--scenario-name", "default"], env=env)
            raise
    recap = {match["scenario"]: match["failed"] for match in RECAP.finditer(output)}
    passed = {scenario for scenario, failed in recap.items() if failed == "0"}
    if scenarios - passed:
        raise StepFailed(f"not run to a good end: {', '.join(sorted(scenarios - passed))}")
