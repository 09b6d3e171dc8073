# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.simulator --json``: serve until terminated."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .parts import PARTS
from .server import Simulation

PARENT_POLL_SECONDS = 0.5


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.simulator", description="Emulate the systems that lockstep.sync talks to.")
    parser.add_argument("--json", action="store_true", help="print one JSON line with all addresses and credentials")
    parser.add_argument("--part", action="append", choices=list(PARTS), help="start only this part (repeatable)")
    parser.add_argument("--dns", choices=("auto", "bind", "embedded"), default="auto", help="the authoritative DNS server")
    parser.add_argument("--pid-file", type=Path, help="write the process id here; removed at the end")
    parser.add_argument("--ready-file", type=Path, help="write the JSON line here once everything answers; removed at the end")
    parser.add_argument("--watch-parent", action="store_true", help="end when the parent process has gone")
    return parser.parse_args(arguments)


@contextmanager
def announced(options: argparse.Namespace, info: dict[str, Any]) -> Iterator[None]:
    """Write the ready file, and remove it at the end."""
    line = json.dumps(info)
    files = {options.pid_file: str(os.getpid()), options.ready_file: line}
    for path, text in files.items():
        if path is not None:
            _write_at_once(path, text + "\n")
    try:
        print(line if options.json else _pretty(info), flush=True)
        yield
    finally:
        for path in files:
            if path is not None:
                path.unlink(missing_ok=True)


def _write_at_once(path: Path, text: str) -> None:
    """A reader that sees the file sees all of it.  Owner only: the line holds (simulated) credentials."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.touch(mode=0o600)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _pretty(info: dict[str, Any]) -> str:
    return json.dumps(info, indent=2) + "\nPress Ctrl-C to end."


async def serve(options: argparse.Namespace) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    watcher = loop.create_task(_watch_parent(stopping)) if options.watch_parent else None
    simulation = Simulation(options.part or (), dns=options.dns)
    try:
        info = await simulation.start()
        with announced(options, info):
            await stopping.wait()
    finally:
        if watcher is not None:
            watcher.cancel()
        await simulation.stop()


async def _watch_parent(stopping: asyncio.Event) -> None:
    """A killed test run must not leave a simulator behind."""
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(PARENT_POLL_SECONDS)
    stopping.set()


def main() -> int:
    # Big zone transfers run in threads; shorter switch intervals keep request latency low meanwhile.
    sys.setswitchinterval(0.001)
    asyncio.run(serve(parse_arguments()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
