# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages show as plain text: made again from the numbers in it, or read by the program that it is for."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import pathlib
import re
import shutil
import subprocess
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._operations.progress import Progress
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_table import promotion_table
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_table import reconciliation_table

Report = dict[str, t.Any]


def cells(line: str) -> list[str | None]:
    """The columns of a line of a table; a hyphen stands for nothing."""
    return [None if cell == "-" else cell for cell in re.split(r"  +", line)]


def differences(shown: list[str], made: list[str]) -> list[str]:
    return [f"{line!r} is not in it as it would be made" for line in shown if line not in made] or (
        [] if shown == made else ["its lines are in another order"]
    )


def problems_of_zones(text: str) -> list[str]:
    """What is wrong with a table of role dns_reconciliation."""
    shown = text.splitlines()
    rows = [dict(zip(("zone", "action", "+", "~", "-", "guard", "digest", "verdict"), cells(line))) for line in shown[1:-1]]
    zones = [_zone(row) for row in rows]
    total = {name: sum(zone["drift"].get(name, 0) for zone in zones) for name in ("creates", "updates", "deletes")}
    return differences(shown, reconciliation_table({"zones": zones, "summary": total}))


def _zone(row: dict[str, str | None]) -> Report:
    counts = {name: int(row[sign] or 0) for name, sign in (("creates", "+"), ("updates", "~"), ("deletes", "-"))}
    guards = [{"rule": rule} for rule in (row["guard"] or "").split(",") if rule not in ("", "ok")]
    drift = {**counts, "digest": row["digest"] or "", "in_sync": row["digest"] is None}
    return {"zone": row["zone"], "action": row["action"], "verdict": row["verdict"], "guards": guards, "drift": drift}


def problems_of_targets(text: str) -> list[str]:
    """What is wrong with a table of role staging_promotion."""
    shown = text.splitlines()
    total = re.fullmatch(r"\d+ targets?, release (.*), digest (\w+)", shown[-1])
    assert total, shown[-1]
    columns = ("name", "provider", "action", "backup", "guard", "verify", "verdict")
    rows = [dict(zip(columns, cells(line))) for line in shown[1:-1]]
    targets = [
        {
            "name": row["name"],
            "provider": row["provider"],
            "plan": {"action": row["action"]},
            "backup": {"state": row["backup"]},
            "checks": [{"name": name, "ok": name == "ok"} for name in (row["guard"] or "").split(",")],
            "verdict": row["verdict"],
        }
        for row in rows
    ]
    return differences(shown, promotion_table({"targets": targets, "release": total[1], "digest": total[2]}))


def problems_of_progress(text: str) -> list[str]:
    """What is wrong with lines of the progress of a task, each with what Ansible has before it."""
    return [line for line in text.splitlines() if line.partition("] ")[2] not in _possible_progress(line)]


def _possible_progress(line: str) -> list[str]:
    """What there would be instead of a line; seconds are rounded, so that there are several."""
    found = {name: int(number) for number, name in re.findall(r"(\d+) (of|failed|in flight|at work|s\b)(?! left)", line)}
    total, ended = re.search(r" of (\d+) ", line), re.search(r"until (\d\d):(\d\d):(\d\d) UTC", line)
    if not total or not ended:
        # a single target
        name = line.partition("] ")[2].partition(", ")[0]
        progress = Progress(1)
        with progress.of(lambda: name):
            return [progress.line(found["s"])]
    hours, minutes, seconds = map(int, ended.groups())
    end = dt.datetime(2026, 1, 1, hours, minutes, seconds, tzinfo=dt.timezone.utc)
    lines = []
    for tenth in range(-5, 5):
        elapsed = found["s"] + tenth / 10
        moment = end - dt.timedelta(seconds=(int(total[1]) - found["of"]) * elapsed / found["of"])
        progress = Progress(int(total[1]), now=functools.partial(moment.replace, fold=0))
        lines.append(_line(progress, found, elapsed))
    return lines


def _line(progress: Progress, found: dict[str, int], elapsed: float) -> str:
    for number in range(found["of"]):
        with progress.of(functools.partial(str, number), functools.partial(bool, number < found.get("failed", 0))):
            pass
    with contextlib.ExitStack() as stack:
        for number in range(found["in flight"] + found["at work"]):
            in_flight = functools.partial(bool, number < found["in flight"])
            stack.enter_context(progress.of(functools.partial(str, number), lambda: False, in_flight))
        return progress.line(elapsed)


def problems_of_bind(text: str, folder: pathlib.Path) -> list[str]:
    """What named-checkconf says of a part of a configuration; a key that it leaves out is added."""
    named = set(re.findall(r'key "?([\w.]+?)"?\s*[;{]', text))
    defined = set(re.findall(r'^key "?([\w.]+?)"? \{', text, re.MULTILINE))
    keys = "".join(f'key "{name}" {{ algorithm hmac-sha256; secret "…"; }};\n' for name in sorted(named - defined))
    path = folder / "named.conf"
    path.write_text((keys + text).replace("…", "c2VjcmV0"), encoding="utf-8")
    program = shutil.which("named-checkconf", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/sbin:/bin")
    assert program, "BIND is missing: scripts/install-bind"
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [done.stdout + done.stderr]


def problems_of_architecture(text: str, root: pathlib.Path) -> list[str]:
    """Folders that an overview names and that do not exist."""
    folders = {path.name for path in (root / "plugins").rglob("*") if path.is_dir()}
    named = ["".join(names) for names in re.findall(r"plugins/(\w+)|\b(_[a-z]+)", text)]
    return [name for name in named if name not in folders]
