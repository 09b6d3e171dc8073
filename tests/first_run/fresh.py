# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python environment as a newcomer has it: with ansible-core alone at first.

Its packages are links to those of the environment that runs the tests, so that it takes no time and no network.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: what a command of Ansible does, as pip would write it
COMMAND = """#!{python}
import sys
from {module} import main
sys.exit(main())
"""

COMMANDS = {"ansible": "ansible.cli.adhoc", "ansible-playbook": "ansible.cli.playbook"}


class FreshEnvironment:
    """An environment with ansible-core, in which nothing else is installed.

    :param directory: where it is made.
    """

    def __init__(self, directory: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
        self.bin = directory / "bin"
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        self._site = directory / "lib" / version / "site-packages"
        self.install("ansible-core")
        for name, module in COMMANDS.items():
            script = self.bin / name
            script.write_text(COMMAND.format(python=self.bin / "python", module=module))
            script.chmod(0o755)

    def install(self, name: str) -> None:
        """Have a package and what it requires."""
        distribution = importlib.metadata.distribution(name)
        for entry in _top_levels(distribution):
            source, target = Path(sysconfig.get_path("purelib"), entry), self._site / entry
            if source.exists() and not target.exists():
                target.symlink_to(source)
        for requirement in distribution.requires or ():
            if ";" not in requirement:
                self.install(re.match(r"[\w.-]+", requirement)[0])  # type: ignore[index]

    def install_collection(self) -> None:
        """Have this collection where ansible-galaxy would put it, for this environment."""
        target = self._site / "ansible_collections" / "lockstep" / "sync"
        target.parent.mkdir(parents=True)
        target.symlink_to(ROOT)


def _top_levels(distribution: importlib.metadata.Distribution) -> set[str]:
    """The files and directories of a package that lie directly in site-packages."""
    parts = {path.parts[0] for path in distribution.files or ()}
    return {part for part in parts if part not in {"..", "__pycache__"}}
