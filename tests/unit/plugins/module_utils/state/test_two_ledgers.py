# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controllers that have a ledger each know of each other by the server only: they may both trigger, and both say the truth."""

from __future__ import annotations

import collections
import json
import pathlib
import random
import time
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from tests.conftest import Repeats
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.controllers import new_controller, serve_controllers
from tests.unit.plugins.support.mirrors import TOKEN, Mirror, Mirrors
from tests.unit.plugins.support.processes import Process

#: pairs that are at work at the same time
AT_ONCE = 20


def test_of_each_pair_with_two_ledgers_both_end_well_and_say_who_triggered(
    serve: Serve, tmp_path: pathlib.Path, repeats: Repeats, record_property: t.Callable[[str, object], None]
) -> None:
    pairs, rng = repeats(10, 40, 1000), random.Random(1129)
    service = Mirrors(SystemClock())
    service.duration = 4.0
    names = [f"mirror-{number}" for number in range(pairs)]
    service.mirrors = {str(number): Mirror(str(number), name) for number, name in enumerate(names)}
    web = serve(service.respond)
    common = {"api_url": web.url, "token": TOKEN, "poll_min_interval": 0.05, "release": "1", "wait_timeout": 120}
    controllers = Process(serve_controllers)
    assert controllers.line() == "ready"
    actions: dict[str, list[str]] = collections.defaultdict(list)
    for first in range(0, pairs, AT_ONCE):
        at_once = names[first : first + AT_ONCE]
        for hostname in ("automation-job-101", "automation-job-102"):
            for name in at_once:
                home = tmp_path / name / hostname
                options = {**common, "mirrors": [name], "ledger": str(home / "ledger.sqlite3")}
                controllers.go_on(new_controller(options, hostname, home))
            time.sleep(rng.uniform(0, 2.0))
        for _line in range(2 * len(at_once)):
            line = json.loads(controllers.line())
            assert (line["state"], line["failure"]) == ("succeeded", None)
            actions[line["target"]].append(line["action"])
    assert controllers.end() == 0
    sent = collections.Counter(request.path.split("/")[2] for request in web.log if request.method == "POST")
    claimed = {number: actions[name].count("triggered") for number, name in enumerate(names)}
    assert {str(number): count for number, count in claimed.items()} == dict(sent)
    assert {tuple(sorted(both)) for both in actions.values()} <= {("joined", "triggered"), ("triggered", "triggered")}
    record_property("pairs", pairs)
    record_property("doubled", sum(count == 2 for count in claimed.values()))
    print(f"{pairs} pairs, {sum(count == 2 for count in claimed.values())} of which have triggered twice")
