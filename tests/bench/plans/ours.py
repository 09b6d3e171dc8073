# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes one plan as the module does, with pages of a file instead of an API, and prints what it cost."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Target
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.evidence import DriftEvaluator


class FileChannel:
    """Answers as a channel to the API would."""

    def __init__(self, path: str) -> None:
        self.deadline = Deadline(SystemClock(), 900.0)
        self._file = open(path, "rb")  # noqa: SIM115  # as long as the process
        self._count = self._counted()

    def observe(self, path: str, params: dict[str, Any] | None = None) -> Response:
        if path.endswith("/recordsetcount"):
            return Response("GET", path, 200, {}, b'{"count": %d}' % self._count)
        self._file.seek(int((params or {}).get("startFrom") or 0))
        return Response("GET", path, 200, {}, self._file.readline())

    def _counted(self) -> int:
        return sum(line.count(b'"zoneId"') for line in self._file)


def main() -> None:
    order = json.loads(sys.argv[1])
    backend = {name: order[name] for name in ("server", "port", "tsig_name", "tsig_secret", "tsig_algorithm")}
    channel: Any = FileChannel(order["pages"])
    begun = time.process_time()
    evaluator = DriftEvaluator.from_options({"backend": backend, "drift": "axfr", "request_timeout": 30.0, "max_parallel": 8})
    drift = evaluator.gather(Target("zone-1", order["zone"]), channel).drift
    spent = time.process_time() - begun
    # not ru_maxrss, which a process inherits from the one that starts it
    status = Path("/proc/self/status").read_text().splitlines()
    rss = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    assert drift is not None
    print(json.dumps({"cpu": spent, "rss": rss, "changes": len(drift.changes), "record_sets": drift.stored_total}))


if __name__ == "__main__":
    main()
