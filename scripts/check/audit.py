# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Known faults: patterns in the code that is shipped, and published advisories about the packages of the environments."""

from __future__ import annotations

import pathlib
import re

from .requirements import FILES, audit_programs
from .sbom import write_sboms
from .shell import CACHE, StepFailed, notes, quiet

#: how pip-audit fails where the service that knows the advisories cannot be reached
UNREACHABLE = re.compile(r"ConnectionError|NameResolutionError|Max retries exceeded|ProxyError|ConnectTimeout")


def audit() -> None:
    programs = audit_programs()
    found = [_patterns(programs), *(_advisories(programs, f"requirements-{name}.txt") for name in FILES)]
    write_sboms(CACHE / "sbom")
    found = [problem for problem in found if problem]
    if found:
        raise StepFailed("; ".join(found))


def _patterns(programs: pathlib.Path) -> str:
    """What bandit finds in the code, with the settings in pyproject.toml."""
    done = quiet([programs / "bandit", "--quiet", "--recursive", "--configfile", "pyproject.toml", "plugins"])
    if done.status:
        print(done.output, flush=True)
        return f"bandit returned {done.status}"
    print("bandit finds nothing in plugins", flush=True)
    return ""


def _advisories(programs: pathlib.Path, file: str) -> str:
    """What is wrong with the packages in a file; a note where that cannot be found out."""
    options = ["--vulnerability-service", "osv", "--no-deps", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = quiet([programs / "pip-audit", *options, "--requirement", file])
    if done.status and UNREACHABLE.search(done.output):
        remark = f"{file} was not compared with advisories: the service that pip-audit asks (OSV) cannot be reached from here"
        print(remark, flush=True)
        notes.append(remark)
        return ""
    print(f"pip-audit of {file}:\n{done.output}", flush=True)
    return f"pip-audit of {file} returned {done.status}" if done.status else ""
