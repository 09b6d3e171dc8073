# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bills of materials in CycloneDX: what the collection runs on, and what it is developed with."""

from __future__ import annotations

import json
import pathlib
import tempfile
import typing as t

import yaml

from .requirements import CORE, FILES, RUNTIME, audit_programs, entries, pins
from .shell import ROOT, run


def write_sboms(directory: pathlib.Path) -> list[pathlib.Path]:
    """Write both, checked against the schema of CycloneDX.

    That of the collection has the versions that are tested; the collection itself states lower bounds only.

    :returns: their paths.
    """
    directory.mkdir(parents=True, exist_ok=True)
    development = dict.fromkeys(line for name in FILES for line in entries(name).values())
    return [
        _write(directory / "runtime.cdx.json", pins("dev", "ansible-core", *CORE, *RUNTIME)),
        _write(directory / "development.cdx.json", development),
    ]


def _write(path: pathlib.Path, requirements: t.Iterable[str]) -> pathlib.Path:
    program = audit_programs() / "cyclonedx-py"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(requirements))
        file.flush()
        run([program, "requirements", "--validate", "--output-reproducible", "--of", "JSON", "-o", path, file.name])
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    made = json.loads(path.read_text())
    # what all of it is for
    made["metadata"]["component"] = {
        "type": "library",
        "bom-ref": "root-component",
        "name": f"{galaxy['namespace']}.{galaxy['name']}",
        "version": galaxy["version"],
    }
    path.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n")
    return path


if __name__ == "__main__":
    for written in write_sboms(ROOT / "dist" / "sbom"):
        print(f"wrote {written.relative_to(ROOT)}")
