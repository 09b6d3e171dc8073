# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ansible-test sanity`` and ``ansible-test integration``."""

from __future__ import annotations

import functools
import json
import pathlib
import re
import typing as t

from tests.simulator.client import Simulator

from .cores import Core, interpreters, supported_cores, tested_core
from .shell import ROOT, Command, Finished, StepFailed, locked, notes, quiet, run_parallel
from .stage import shipped_files, staged, tracked_files

RAN = re.compile(r'^Running sanity test "(?P<test>[\w-]+)"(?: on Python (?P<python>[\d.]+))?', re.MULTILINE)
SKIPPED = re.compile(r"^WARNING: (?P<what>Skipping (?:sanity )?test .*)$", re.MULTILINE)
#: The only reason to skip that is accepted: an interpreter that this machine does not have.
NO_SUCH_PYTHON = re.compile(r"on Python (?P<python>[\d.]+) because it could not be found")


def sanity() -> None:
    """On the release that is in .venv, but for the test ``import``, which runs for each Python: see :func:`compatibility`."""
    core = tested_core()
    selection = ("--skip-test", "import")
    _run_sanity({f"ansible-core {core.version}": functools.partial(_sanity, core, shipped_files(), selection)})


def compatibility() -> None:
    """On the other supported releases, and what :func:`sanity` leaves out.

    The newest release also looks at the tests, which do not reach users.
    """
    cores = [core for core in supported_cores() if core != tested_core()]
    if not cores:
        raise StepFailed("no other supported ansible-core runs on the Pythons of this machine")
    # The job that takes longest begins, so that the cores of the machine are all in use until the end.
    work = {cores[-1]: tracked_files()}
    work.update((core, shipped_files()) for core in cores[:-1])
    jobs: dict[str, t.Callable[[Findings], str]] = {
        f"ansible-core {core.version}": functools.partial(_sanity, core, files, ()) for core, files in work.items()
    }
    core = tested_core()
    jobs[f"ansible-core {core.version}, import"] = functools.partial(_sanity, core, shipped_files(), ("--test", "import"))
    _run_sanity(jobs)


Findings = dict[str, list[str]]


def _run_sanity(jobs: dict[str, t.Callable[[Findings], str]]) -> None:
    ignores = sorted((ROOT / "tests" / "sanity").glob("ignore*"))
    if ignores:
        raise StepFailed(f"this collection ignores no sanity findings, but has {', '.join(path.name for path in ignores)}")
    print(f"Pythons: {', '.join(interpreters())}")
    found: Findings = {}
    try:
        run_parallel({name: functools.partial(job, found) for name, job in jobs.items()})
    except StepFailed:
        for line, versions in found.items():
            print(f"{line}  [{' '.join(sorted(versions))}]")
        raise


def _sanity(core: Core, files: list[str], selection: tuple[str, ...], found: Findings) -> str:
    core.prepare()
    # The home is shared by jobs for different tests only: ansible-test keeps an environment for each test there.
    with locked(core.directory / "".join(("lock", *selection[:2]))), staged(files) as root:
        _prove_that_files_are_seen(core, root)
        command: Command = [core.bin / "ansible-test", "sanity", "--color", "no", *selection]
        listed = quiet([*command, "--list-tests"], cwd=root, env=core.environment())
        result = quiet(command, cwd=root, env=core.environment())
    if result.status < 0:
        raise StepFailed(f"ansible-test was ended by signal {-result.status}")
    if result.status:
        # Most findings are the same on every release: they are printed once, after all jobs have ended.
        findings = _findings(result.output)
        for line in findings:
            found.setdefault(line, []).append(core.version.rpartition(".")[0])
        raise StepFailed(f"{len(findings)} lines, see below")
    return _summary(result, listed, len(files))


def _summary(result: Finished, listed: Finished, files: int) -> str:
    """What ran.

    :raises StepFailed: if something did not run that should have.
    """
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
    if "import" in ran and None in pythons:
        raise StepFailed(f"the import test ran on no Python\n{result.output}")
    imports = f", import on Python {' '.join(pythons)}" if pythons else ""
    return f"{result.seconds:5.1f} s, {len(ran)} tests of {files} files{imports}"


def _prove_that_files_are_seen(core: Core, root: pathlib.Path) -> None:
    """A staging mistake makes ansible-test pass over an empty collection: it has to find a fault that is put there."""
    fault = root / "plugins" / "module_utils" / "staged.py"
    fault.parent.mkdir(parents=True, exist_ok=True)
    fault.write_bytes(b"#\r\n")
    command: Command = [core.bin / "ansible-test", "sanity", "--test", "line-endings", "--color", "no"]
    # jobs that begin at the same time would otherwise make the environment of this one test at the same time
    with locked(core.directory / "lock-line-endings"):
        result = quiet(command, cwd=root, env=core.environment())
    fault.unlink()
    if fault.name not in result.output:
        raise StepFailed(f"ansible-test does not see the staged files\n{result.output}")


def _findings(output: str) -> list[str]:
    """The lines of a failed run that name a fault, or all lines if none does."""
    fault = re.compile(r"ERROR: \S+:\d+:|FATAL: Command|\w+Error\b")
    return [line for line in output.splitlines() if fault.match(line)] or output.splitlines()


def integration() -> None:
    """On the oldest and the newest supported release."""
    targets = sorted(path.name for path in (ROOT / "tests" / "integration" / "targets").glob("*") if (path / "tasks").is_dir())
    hidden = {name for name in targets if "hidden" in _aliases(name)}
    wanted = [name for name in targets if name not in hidden]
    if not wanted:
        raise StepFailed("there are no targets in tests/integration/targets")
    cores = supported_cores()
    if not cores:
        raise StepFailed("no supported ansible-core runs on the Pythons of this machine")
    ends = dict.fromkeys([cores[0], cores[-1]])
    run_parallel({f"ansible-core {core.version}": functools.partial(_integration, core, wanted) for core in ends})


def _aliases(target: str) -> list[str]:
    path = ROOT / "tests" / "integration" / "targets" / target / "aliases"
    return path.read_text().splitlines() if path.exists() else []


def _integration(core: Core, wanted: list[str]) -> str:
    core.prepare()
    command: Command = [core.bin / "ansible-test", "integration", "--color", "no", *wanted]
    # In a home of its own: sanity tests may be running in the other one, and change what they find there.
    home = core.directory / "integration"
    with locked(home / "lock"), staged() as root, Simulator.start() as simulator:
        # JSON is YAML; ansible-test gives every target the variables of this file.
        config = root / "tests" / "integration" / "integration_config.yml"
        config.write_text(json.dumps({"simulator": simulator.info}))
        result = quiet(command, cwd=root, env=core.environment(home))
    missed = set(wanted) - set(re.findall(r"^Running (\S+) integration test", result.output, re.MULTILINE))
    if result.status or missed:
        raise StepFailed(f"{result.output}\n{f'not run: {sorted(missed)}' if missed else 'a target failed, see above'}")
    tasks = sum(map(int, re.findall(r" ok=(\d+)", result.output)))
    return f"{result.seconds:5.1f} s, {len(wanted)} targets, {tasks} tasks"
