# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others on this machine see of a playbook at its highest verbosity: its output, its files, the arguments of all processes.

The secrets are options. One in the environment of the playbook is in that of all its processes, which only this user can read.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from .awx.leaks import files_below, leaks
from .test_secret_positions import PACE, Echo
from .test_verbose_output import Playbook

Json = dict[str, Any]
CANARY = "Zq7&canary=x%41+/<y>'Zq"
TSIG = "WnE3L2NhbmFyeS1vZi10c2lnLXp6eno="
#: a search that has a process of its own
SLOW = "(a|b)+c"


class Watcher:
    """Looks at the arguments and the environments of all processes until it is stopped."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self.secrets = [secret.encode() for secret in secrets]
        self.found: set[str] = set()
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            for path in (*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")):
                with contextlib.suppress(OSError):
                    content = path.read_bytes()
                    if b"ansible" in content:
                        self.seen.add(f"{path}")
                    self.found |= {f"{secret!r} in {path}: {content[:200]!r}" for secret in self.secrets if secret in content}


@pytest.fixture
def playbook(tmp_path: Path, environment: dict[str, str]) -> Playbook:
    return Playbook(tmp_path, environment)


def tasks(address: str, folder: Path) -> Iterator[Json]:
    """Each in the process of its worker, and as a module process."""
    web = {"api_url": address, "allow_http": True}
    report = {**PACE, "report_path": str(folder / "report.json"), "ledger": str(folder / "ledger.sqlite3")}
    vinyldns = {**web, "access_key": "a", "secret_key": CANARY, "zones": ["example.com."]}
    backend = {"server": "127.0.0.1", "port": 9, "tsig_name": "k.", "tsig_secret": TSIG}
    probe = {"url": f"{address}/x", "regex": SLOW, "request_headers": {"X-Key": CANARY}, "allow_http": True}
    modules: list[tuple[str, Json]] = [
        ("vinyldns_zone_sync", {**vinyldns, **report, "backend": backend}),
        ("http_probe", {"probes": [probe], "timeout": 0}),
    ]
    for number, (name, options) in enumerate(modules):
        for way, more in (("here", {}), ("later", {"async": 120, "poll": 1})):
            task = {f"lockstep.sync.{name}": options, "register": f"{way}{number}", "ignore_errors": True, **more}
            yield {**task, "diff": True, "name": f"{name} {way}"}


@pytest.mark.long
def test_no_secret_is_in_sight(playbook: Playbook, tmp_path: Path) -> None:
    secrets = (CANARY, TSIG)
    echo = Echo(CANARY)
    kept = tmp_path / "kept"
    kept.mkdir()
    try:
        with Watcher(secrets) as watcher:
            output, results = playbook.run([*tasks(echo.web.url, kept)])
    finally:
        echo.web.stop()
    assert len(results) == 4 and all(result["failed"] for result in results.values())
    assert not [result for result in results.values() if "internal error" in json.dumps(result)]
    assert len(echo.web.log) >= 4
    # it did look: at the playbook and its workers at least
    assert len(watcher.seen) >= 4
    assert watcher.found == set()
    shown = [(Path("output"), output.encode()), (Path("results"), json.dumps(results).encode())]
    # the playbook itself is what the user wrote
    left = [(path, content) for path, content in files_below(tmp_path) if path.name != "play.json"]
    assert leaks([*shown, *left], secrets) == []
