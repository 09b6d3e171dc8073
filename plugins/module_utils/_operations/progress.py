# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The progress of a task, in lines for the console."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t

from .._lifecycle.poll import PollPolicy

#: Shows a line on the console.
Show = t.Callable[[str], None]

#: The longer a task lasts, the fewer lines are shown: after 2 s, and after 15 minutes every 30 s.
PACE = PollPolicy(min_interval=2.0, max_interval=30.0)

#: up to how many targets that are being worked on are named
NAMED = 3


class Progress:
    """Counts what is done of the work on many targets. Threads may note and read at the same time.

    :param total: how many there are.
    :param done: in a word, what has become of those that are done.
    """

    def __init__(self, total: int, done: str = "done") -> None:
        self._total = total
        self._word = done
        self._lock = threading.Lock()
        self._done = 0
        self._failed = 0
        self._at_work: dict[int, t.Callable[[], str]] = {}

    @contextlib.contextmanager
    def of(self, describe: t.Callable[[], str], failed: t.Callable[[], bool] = lambda: False) -> t.Iterator[None]:
        """Work on one target.

        :param describe: its name, and what is known of it by now.
        :param failed: whether it has failed; asked when it is done.
        """
        key = id(describe)
        with self._lock:
            self._at_work[key] = describe
        try:
            yield
        finally:
            with self._lock:
                del self._at_work[key]
                self._done += 1
                self._failed += failed()

    def line(self, elapsed: float) -> str:
        """All of it in one line.

        :param elapsed: seconds since the work began.
        """
        with self._lock:
            parts = [f"{self._done} of {self._total} {self._word}"] if self._total != 1 else []
            parts += [f"{self._failed} failed"] if self._failed else []
            at_work = list(self._at_work.values())
        parts += [describe() for describe in at_work] if len(at_work) <= NAMED else [f"{len(at_work)} at work"]
        return ", ".join([*parts, f"{elapsed:.0f} s"])


@contextlib.contextmanager
def ticking(line: t.Callable[[float], str], show: Show | None, pace: PollPolicy = PACE) -> t.Iterator[None]:
    """Show a line now and then, for as long as the ``with`` statement lasts.

    :param line: makes it, given the seconds since the beginning.
    :param show: ``None`` where no lines are wanted.
    """
    if show is None:
        yield
        return
    over = threading.Event()

    def tick() -> None:
        began = time.monotonic()
        # the middle of the jitter, which only matters among many
        while not over.wait(pace.delay(time.monotonic() - began, 0.5)):
            show(line(time.monotonic() - began))

    thread = threading.Thread(target=tick, name="lockstep-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
