# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""How a task is stopped: by a signal handler that takes no lock, and by a main thread that is never interrupted in the middle.

A handler runs between any two instructions of the main thread, so it must not take a lock that this thread may hold, and an
exception raised in it may leave a lock of a library taken for ever. So the handler sets a flag and writes to a pipe. The main
thread waits for that pipe, notices the flag, and only then sets the event that the other threads wait for.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import typing as t

#: seconds; the system takes no longer time-outs than some days
_LONGEST = 86400.0


class Interrupted(BaseException):
    """The task is being stopped (SIGTERM, for example by AWX). Raised in the thread that waits for the others."""


class Stopped(BaseException):
    """The same, raised in a thread that would pause, or send a trigger, once the task is being stopped."""


class StopSignal:
    """Whether a task is to stop; shared by all of its threads.

    The pipe is never closed as long as a thread may write to it: it ends with the object.
    """

    def __init__(self) -> None:
        self._requested = False
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._pipe: _Pipe | None = None

    def open(self) -> int:
        """Make the pipe; call it before there are other threads.

        :returns: the file descriptor that wakes :meth:`wait`, as :func:`signal.set_wakeup_fd` takes it.
        """
        if self._pipe is None:
            self._pipe = _Pipe()
        return self._pipe.writer

    def request(self) -> None:
        """Ask the task to stop. Takes no lock, so that a signal handler may call it."""
        self._requested = True
        self.wake()

    def wake(self) -> None:
        """Have :meth:`wait` look at its conditions again. Takes no lock."""
        if self._pipe is not None:
            self._pipe.write()

    def set(self) -> None:
        """Stop the task: no pause goes on, and no trigger is sent any more. Not for signal handlers."""
        with self._lock:
            self._event.set()
        self.wake()

    def is_set(self) -> bool:
        return self._requested or self._event.is_set()

    def wait(self, seconds: float | None = None, until: t.Callable[[], bool] = lambda: False) -> bool:
        """Wait in the thread that signals interrupt, until ``until()`` is true or the task is to stop.

        :param seconds: at most so long.
        :returns: whether the task is to stop; if so, it is stopped.
        """
        self.open()
        pipe = t.cast(_Pipe, self._pipe)
        end = None if seconds is None else time.monotonic() + seconds
        while not self.is_set() and not until():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            pipe.read(left)
        if self._requested:
            self.set()
        return self._event.is_set()

    def pause(self, seconds: float) -> bool:
        """Pause in any thread.

        :returns: whether the task is to stop.
        """
        if threading.current_thread() is threading.main_thread():
            return self.wait(seconds)
        return self._event.wait(seconds)

    def check(self) -> None:
        """Do nothing, unless the task has been stopped.

        :raises Stopped: it has been.
        """
        if self._event.is_set():
            raise Stopped

    @contextlib.contextmanager
    def before_trigger(self) -> t.Iterator[None]:
        """Note within the ``with`` statement that a trigger is about to be sent.

        Either that is done before the task stops, and its report knows of the trigger, or the trigger is not sent.

        :raises Stopped: the task has been stopped.
        """
        with self._lock:
            self.check()
            yield


class _Pipe:
    """A pipe that carries nothing but the fact that something has happened; it belongs to the process that made it."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        for end in (self._reader, self.writer):
            os.set_blocking(end, False)

    def __del__(self) -> None:
        os.close(self._reader)
        os.close(self.writer)

    def write(self) -> None:
        # a full pipe wakes the reader as well
        with contextlib.suppress(BlockingIOError):
            os.write(self.writer, b"\0")

    def read(self, seconds: float | None) -> None:
        """Wait until something has happened, and forget it."""
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        poll.poll(None if seconds is None else min(seconds, _LONGEST) * 1000)
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass
