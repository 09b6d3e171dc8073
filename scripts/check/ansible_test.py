# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ansible-test sanity`` on every supported ansible-core, and ``ansible-test integration``."""

from __future__ import annotations

import functools
import pathlib
import re

from .cores import Core, interpreters, supported_cores
from .shell import ROOT, Command, StepFailed, locked, notes, quiet, side_by_side
from .stage import staged

RAN = re.compile(r'^Running sanity test "(?P<test>[\w-]+)"(?: on Python (?P<python>[\d.]+))?', re.MULTILINE)
SKIPPED = re.compile(r"^WARNING: (?P<what>Skipping (?:sanity )?test .*)$", re.MULTILINE)
#: The one reason to skip that is no fault: an interpreter that this machine does not have.
NO_SUCH_PYTHON = re.compile(r"on Python (?P<python>[\d.]+) because it could not be found")


def sanity() -> None:
    cores = supported_cores()
    if not cores:
        raise StepFailed("no supported ansible-core runs on the Pythons of this machine")
    ignores = sorted((ROOT / "tests" / "sanity").glob("ignore*"))
    if ignores:
        raise StepFailed(f"this collection ignores no sanity findings, but has {', '.join(path.name for path in ignores)}")
    print(f"Pythons: {', '.join(interpreters())}")
    side_by_side({f"ansible-core {core.version}": functools.partial(_sanity, core) for core in cores})


def _sanity(core: Core) -> str:
    core.prepare()
    with locked(core.directory / "lock"), staged() as root:
        _prove_that_files_are_seen(core, root)
        listed = quiet([core.bin / "ansible-test", "sanity", "--list-tests", "--color", "no"], cwd=root, env=core.environment())
        result = quiet([core.bin / "ansible-test", "sanity", "--color", "no"], cwd=root, env=core.environment())
    if result.status:
        raise StepFailed(_findings(result.output))

    ran = {match["test"] for match in RAN.finditer(result.output)}
    expected = {line for line in listed.output.splitlines() if re.fullmatch(r"[a-z0-9-]+", line)}
    if not expected or expected - ran:
        raise StepFailed(f"not run: {', '.join(sorted(expected - ran)) or 'anything'}\n{result.output}")
    for what in {match["what"] for match in SKIPPED.finditer(result.output)}:
        absent = NO_SUCH_PYTHON.search(what)
        if not absent or absent["python"] in interpreters():
            raise StepFailed(f"{what}\n{result.output}")
        note = f"sanity tests were not run on Python {absent['python']}: there is none on this machine"
        if note not in notes:
            notes.append(note)
    pythons = [match["python"] for match in RAN.finditer(result.output) if match["test"] == "import"]
    if not pythons:
        raise StepFailed(f"the import test ran on no Python\n{result.output}")
    return f"{result.seconds:5.1f} s, {len(ran)} tests, import on Python {' '.join(pythons)}"


def _prove_that_files_are_seen(core: Core, root: pathlib.Path) -> None:
    """A staging mistake makes ansible-test pass over an empty collection: it has to find a fault that is put there."""
    fault = root / "plugins" / "module_utils" / "staged.py"
    fault.parent.mkdir(parents=True, exist_ok=True)
    fault.write_bytes(b"#\r\n")
    command: Command = [core.bin / "ansible-test", "sanity", "--test", "line-endings", "--color", "no"]
    result = quiet(command, cwd=root, env=core.environment())
    fault.unlink()
    if fault.name not in result.output:
        raise StepFailed(f"ansible-test does not see the staged files\n{result.output}")


def _findings(output: str) -> str:
    """The part of a failed run that tells what is wrong: without the tests that passed and what pip said."""
    noise = r"(Running sanity test|Installing|Collecting|Downloading|Using cached|Looking in|Processing|Successfully|\s)"
    lines = [line for line in output.splitlines() if line.strip() and not re.match(noise, line)]
    return "\n".join(lines) or output


def integration() -> None:
    targets = sorted(path.name for path in (ROOT / "tests" / "integration" / "targets").glob("*") if (path / "tasks").is_dir())
    hidden = {name for name in targets if "hidden" in _aliases(name)}
    wanted = [name for name in targets if name not in hidden]
    if not wanted:
        raise StepFailed("there are no targets in tests/integration/targets")
    cores = supported_cores()
    # The oldest and the newest: what they agree on, those between have not been seen to do otherwise.
    for core in dict.fromkeys([cores[0], cores[-1]]):
        _integration(core, wanted)


def _aliases(target: str) -> list[str]:
    path = ROOT / "tests" / "integration" / "targets" / target / "aliases"
    return path.read_text().split() if path.exists() else []


def _integration(core: Core, wanted: list[str]) -> None:
    core.prepare()
    command: Command = [core.bin / "ansible-test", "integration", "--color", "no", *wanted]
    with locked(core.directory / "lock"), staged() as root:
        result = quiet(command, cwd=root, env=core.environment())
    ran = set(re.findall(r"^Running (\S+) integration test", result.output, re.MULTILINE))
    if result.status or set(wanted) - ran:
        print(result.output)
        missed = ", ".join(sorted(set(wanted) - ran))
        raise StepFailed(f"ansible-core {core.version}: {f'not run: {missed}' if missed else 'a target failed, see above'}")
    ok = sum(map(int, re.findall(r" ok=(\d+)", result.output)))
    print(f"ansible-core {core.version}: {result.seconds:.1f} s, {len(wanted)} targets, {ok} tasks", flush=True)
