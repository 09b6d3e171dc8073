# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The progress of a task, in lines for the console."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import threading
import time
import typing as t

from .._core.texts import one_line
from .._lifecycle.poll import PollPolicy

#: Shows a line on the console.
Show = t.Callable[[str], None]

#: The longer a task lasts, the fewer lines are shown if nothing changes: after 2 s, and after 15 minutes every 30 s.
PACE = PollPolicy(min_interval=2.0, max_interval=30.0)
#: seconds after which a line is shown if something has changed
CHANGED = 5.0
#: targets that have to be done before it is said how long the others will take
ENOUGH = 5

#: Up to how many targets that are being worked on are named, and how long what is said of them may be together: a line of a
#: terminal has the host and the counts, too. A single one is always named.
NAMED, NAMED_CHARACTERS = 3, 44


class Progress:
    """Counts what is done of the work on many targets. Threads may note and read at the same time.

    :param total: how many there are.
    :param done: in a word, what has become of those that are done.
    :param now: the time of day in UTC; without it, nothing is said of what is left.
    """

    def __init__(self, total: int, done: str = "done", now: t.Callable[[], dt.datetime] | None = None) -> None:
        self._total = total
        self._word = done
        self._now = now
        self._lock = threading.Lock()
        self._done = 0
        self._failed = 0
        self._at_work: dict[int, _AtWork] = {}

    @contextlib.contextmanager
    def of(
        self,
        describe: t.Callable[[], str],
        failed: t.Callable[[], bool] = lambda: False,
        in_flight: t.Callable[[], bool] = lambda: False,
    ) -> t.Iterator[None]:
        """Work on one target.

        :param describe: its name, and what is known of it by now.
        :param failed: whether it has failed; asked when it is done.
        :param in_flight: whether its run is waited for.
        """
        key = id(describe)
        with self._lock:
            self._at_work[key] = _AtWork(describe, in_flight)
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
        return ", ".join([*self.parts(), f"{elapsed:.0f} s", *self._outlook(elapsed)])

    def parts(self) -> list[str]:
        """What differs when something has changed: counts, and the names of a few."""
        with self._lock:
            parts = [f"{self._done} of {self._total} {self._word}"] if self._total != 1 else []
            parts += [f"{self._failed} failed"] if self._failed else []
            at_work = list(self._at_work.values())
            waiting = self._total - self._done - len(at_work)
        named = [each.describe() for each in at_work] if len(at_work) <= NAMED else []
        if len(named) == len(at_work) and (len(named) < 2 or len(", ".join(named)) <= NAMED_CHARACTERS):
            return [*parts, *named]
        in_flight = sum(1 for each in at_work if each.in_flight())
        parts += [f"{in_flight} in flight"] if in_flight else []
        parts += [f"{len(at_work) - in_flight} at work"] if in_flight < len(at_work) else []
        return [*parts, f"{waiting} waiting"] if waiting and self._now is not None else parts

    def _outlook(self, elapsed: float) -> list[str]:
        """How long the rest will take, if it goes on like this, and until when."""
        left = self._total - self._done
        if self._now is None or self._done < ENOUGH or not left:
            return []
        seconds = left * elapsed / self._done
        return [f"about {seconds:.0f} s left, until {self._now() + dt.timedelta(seconds=seconds):%H:%M:%S} UTC"]


@dataclasses.dataclass(frozen=True)
class _AtWork:
    describe: t.Callable[[], str]
    in_flight: t.Callable[[], bool]


@contextlib.contextmanager
def ticking(
    line: t.Callable[[float], str],
    show: Show | None,
    state: t.Callable[[], object] = lambda: None,
    pace: PollPolicy = PACE,
    changed: float = CHANGED,
) -> t.Iterator[None]:
    """Show a line now and then, for as long as the ``with`` statement lasts.

    :param line: makes it, given the seconds since the beginning.
    :param show: ``None`` where no lines are wanted.
    :param state: differs when something has changed.
    :param pace: how often a line is shown if nothing has.
    :param changed: seconds between two lines if something has.
    """
    if show is None:
        yield
        return
    over = threading.Event()

    def tick() -> None:
        began = shown_at = time.monotonic()
        shown: object = None
        while not over.wait(pace.min_interval):
            now = time.monotonic()
            found = state()
            # the middle of the jitter, which only matters among many
            pause = pace.delay(now - began, 0.5)
            if now - shown_at >= (min(changed, pause) if found != shown else pause) - pace.min_interval / 2:
                shown, shown_at = found, now
                show(one_line(line(now - began)))

    thread = threading.Thread(target=tick, name="lockstep-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
