# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The supported ansible-core releases, each with a Python of this machine that can run it."""

from __future__ import annotations

import dataclasses
import functools
import glob
import os
import pathlib
import re
import shutil
import subprocess

from .requirements import CORE, RUNTIME, SIMULATOR, install, pins
from .shell import CACHE, ROOT, StepFailed, environment, locked, notes, quiet

PIN = re.compile(r"(?P<pin>ansible-core==(?P<version>[\w.]+)(?: --hash=sha256:[0-9a-f]{64})+)\s*# python (?P<pythons>[\d. ]+)$")
#: what a release needs in another version than .venv has
OTHER = re.compile(r"(?P<pin>(?P<name>[\w.-]+)==[\w.]+(?: --hash=sha256:[0-9a-f]{64})+)\s*# ansible-core (?P<version>[\w.]+)$")

#: The oldest Python 3 that any supported ansible-core looks for.
OLDEST_MINOR = 8

GET_PIP = """\
# Used instead of the bootstrap script that ansible-test would download: pip comes from the wheel that the interpreter bundles.
# Unpacking the wheel installs it, some seconds faster than ensurepip, which is used if the wheel is not found.
import ensurepip
import pathlib
import sysconfig
import zipfile

# Debian and Fedora keep the wheels of their own Python elsewhere.
bundled = pathlib.Path(ensurepip.__file__).parent / "_bundled"
wheels = sorted(bundled.glob("pip-*.whl")) or sorted(pathlib.Path("/usr/share/python-wheels").glob("pip-*.whl"))
if wheels:
    zipfile.ZipFile(wheels[-1]).extractall(sysconfig.get_path("purelib"))
else:
    ensurepip.bootstrap(upgrade=True, default_pip=True)
"""


@functools.cache
def interpreters() -> dict[str, pathlib.Path]:
    """Every Python on this machine that can be started, by its minor version, oldest first."""
    home = pathlib.Path.home()
    managed = (
        f"{os.environ.get('PYENV_ROOT', home / '.pyenv')}/versions/*/bin/python3.*",
        f"{home}/.local/share/uv/python/*/bin/python3.*",
    )
    search_path = environment(path=())["PATH"]
    candidates = [found for minor in range(OLDEST_MINOR, 20) if (found := shutil.which(f"python3.{minor}", path=search_path))]
    for pattern in managed:
        candidates += [path for path in sorted(glob.glob(pattern), reverse=True) if re.search(r"/python3\.\d+$", path)]
    report = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    working: dict[str, pathlib.Path] = {}
    for candidate in candidates:
        try:
            version = subprocess.check_output([candidate, "-c", report], text=True, stderr=subprocess.DEVNULL).strip()
        except (OSError, subprocess.CalledProcessError):
            continue
        if int(version.partition(".")[2]) >= OLDEST_MINOR:
            working.setdefault(version, pathlib.Path(candidate))
    return dict(sorted(working.items(), key=lambda item: tuple(map(int, item[0].split(".")))))


@dataclasses.dataclass(frozen=True)
class Core:
    """One release of ansible-core and the interpreter to run it with."""

    version: str
    interpreter: pathlib.Path
    #: its requirement, with the hashes of its files
    pin: str

    @property
    def directory(self) -> pathlib.Path:
        return CACHE / "cores" / self.version

    @property
    def bin(self) -> pathlib.Path:
        return self.directory / "venv" / "bin"

    def environment(self, home: pathlib.Path | None = None) -> dict[str, str]:
        """With a home of its own, and every interpreter of this machine for the tests that use several."""
        path = [self.bin, *dict.fromkeys(path.parent for path in interpreters().values())]
        return environment(home=home or self.directory / "home", path=path, PIP_NO_COMPILE="1")

    def prepare(self) -> None:
        """Create the virtual environment, unless it is there."""
        others = {match["name"]: match["pin"] for match in _listed(OTHER) if match["version"] == self.version}
        needed = [name for name in (*CORE, *RUNTIME, *SIMULATOR) if name not in others]
        packages = [self.pin, *others.values(), *pins("dev", *needed)]
        wanted = "\n".join([*packages, f"python {self.interpreter}"])
        stamp = self.directory / "installed"
        with locked(self.directory.parent / f"{self.version}.lock"):
            if stamp.exists() and stamp.read_text() == wanted and quiet([self.bin / "python", "-c", ""]).status == 0:
                return
            shutil.rmtree(self.directory, ignore_errors=True)
            subprocess.run([self.interpreter, "-m", "venv", "--without-pip", self.directory / "venv"], check=True)
            install(self.bin / "python", packages)
            self._replace_get_pip()
            stamp.write_text(wanted)

    def _replace_get_pip(self) -> None:
        (source,) = self.directory.glob("venv/lib/python3*/site-packages/ansible_test/_internal/python_requirements.py")
        cache = self.directory / "home" / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True)
        for version in re.findall(r"pip=['\"]([\d.]+)['\"]", source.read_text()):
            (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP)


def _listed(form: re.Pattern[str]) -> list[re.Match[str]]:
    return [*filter(None, map(form.match, (ROOT / "requirements-cores.txt").read_text().splitlines()))]


def tested_core() -> Core:
    """The release that is in .venv, and that all tests run with."""
    (pin,) = pins("dev", "ansible-core")
    version = pin.split()[0].partition("==")[2]
    core = next((core for core in supported_cores() if core.version == version), None)
    if core is None:
        raise StepFailed(f"no Python of this machine runs ansible-core {version} of requirements-cores.txt")
    return core


@functools.cache
def supported_cores() -> tuple[Core, ...]:
    """The releases of requirements-cores.txt that this machine can run, oldest first; a note names the others."""
    cores = []
    for match in _listed(PIN):
        usable = [python for python in match["pythons"].split() if python in interpreters()]
        if usable:
            cores.append(Core(match["version"], interpreters()[usable[0]], match["pin"]))
        else:
            notes.append(f"ansible-core {match['version']} was not run: it needs Python {' or '.join(match['pythons'].split())}")
    return tuple(cores)
