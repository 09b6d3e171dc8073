# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What the lifecycle of a target waits for.

A lifecycle is a generator. Between two ``yield`` it sends requests and decides, and it yields what it has to wait for. So what
drives it decides what is done meanwhile; :func:`drive` waits.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._core.clock import Clock
from .._core.deadline import Deadline
from .._core.errors import SyncError, wrap_unexpected
from .._http.client import Channel
from .poll import Reading
from .provider import Provider

Result = t.TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Pause:
    """Go on at this moment of the monotonic clock.

    :param deadline: of the target.
    """

    at: float
    deadline: Deadline


@dataclasses.dataclass(frozen=True)
class Look:
    """Go on with what a look at a run shows, taken at this moment of the monotonic clock.

    :param early: seconds by which it may be taken earlier, together with others.
    """

    provider: Provider
    handle: t.Mapping[str, t.Any]
    channel: Channel
    at: float
    early: float = 0.0

    @property
    def deadline(self) -> Deadline:
        return self.channel.deadline


@dataclasses.dataclass(frozen=True)
class Admission:
    """Go on as soon as one more target may be at work; it counts as such until its lifecycle has ended."""


@dataclasses.dataclass(frozen=True)
class Looked:
    """What a look showed.

    :param sent: when it was started.
    :param received: when its answer was there.
    """

    sent: float
    received: float
    seen: Reading | SyncError


Step = t.Union[Pause, Look, Admission]
#: The steps of a lifecycle, up to a result. After a :class:`Look`, what it showed is sent into the generator.
Steps = t.Generator[Step, t.Optional[Looked], Result]


def pause(seconds: float, deadline: Deadline) -> Steps[None]:
    """Pause, but never past the deadline."""
    yield Pause(deadline.clock.monotonic() + min(seconds, deadline.remaining()), deadline)


def look(provider: Provider, handle: t.Mapping[str, t.Any], channel: Channel, at: float, early: float) -> Steps[Looked]:
    """What a look at a run shows, see :class:`Look`."""
    return t.cast(Looked, (yield Look(provider, handle, channel, at, early)))


def without_traceback(error: SyncError) -> SyncError:
    """The same, without the frames that it was raised in, and with them the bodies of responses, for as long as it is kept."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


def take(step: Look, clock: Clock) -> Looked:
    """Take a look now."""
    sent = clock.monotonic()
    seen: Reading | SyncError
    try:
        with wrap_unexpected():
            seen = step.provider.read(step.handle, step.channel)
    except SyncError as error:
        seen = without_traceback(error)
    return Looked(sent, clock.monotonic(), seen)


def drive(steps: Steps[Result], clock: Clock) -> Result:
    """Go through one lifecycle alone, waiting in this thread."""
    answer: Looked | None = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            return t.cast(Result, end.value)
        answer = None
        if isinstance(step, Look):
            clock.sleep(step.at - clock.monotonic())
            answer = take(step, clock)
        elif isinstance(step, Pause):
            clock.sleep(step.at - clock.monotonic())
