# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the upstream systems of trials have in common: runs, what is known of them, and whether controllers say the truth."""

from __future__ import annotations

import abc
import dataclasses
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import Options
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Provider, Services
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record

from .wire import Answered, Asked
from .world import World

if t.TYPE_CHECKING:
    from .controller import Controller

#: ``lost``: it never ends, or nothing shows its end
Ending = t.Literal["running", "succeeded", "failed", "lost"]


@dataclasses.dataclass(eq=False)
class TrueRun:
    """A run of the system, and the whole truth about it.

    :param asked: the request that started it; ``None`` for one of somebody else.
    """

    id: int
    asked: Asked | None
    began: float
    state: Ending = "running"


class System(abc.ABC):
    """An upstream system with one target.

    :param durations: the shortest and the longest run in seconds.
    :param failing: probability that a run fails.
    """

    provider: t.ClassVar[type[Provider]]

    def __init__(self, world: World, durations: tuple[float, float] = (0.0, 60.0), failing: float = 0.15) -> None:
        self.world = world
        self.durations = durations
        self.failing = failing
        self.is_offline = False
        self.runs: list[TrueRun] = []
        #: when each release was asked for first
        self.asked_at: dict[str, float] = {}
        world.system = self

    # -- what each system does for itself ----------------------------------------------------------------------------

    @abc.abstractmethod
    def options(self) -> dict[str, t.Any]:
        """Options of a task."""

    @abc.abstractmethod
    def observe(self, asked: Asked) -> Answered:
        """Answer a request that changes nothing."""

    @abc.abstractmethod
    def trigger(self, asked: Asked | None) -> Answered:
        """Answer a trigger: of a controller, or of somebody else (``None``)."""

    @abc.abstractmethod
    def shows(self, run: TrueRun) -> bool:
        """Whether there is a record of a run, at the system or in the ledger, by which it can be found."""

    @abc.abstractmethod
    def named(self, handle: t.Mapping[str, t.Any]) -> list[TrueRun]:
        """The runs that a handle may mean."""

    @abc.abstractmethod
    def restart(self) -> None:
        """The process of the system ends and begins again."""

    def change(self) -> None:  # noqa: B027 (most systems do not know what is new)
        """There is something new to sync."""

    def make_peace(self) -> None:  # noqa: B027 (likewise)
        """Nothing that somebody else has done stands in the way of a sync any more."""

    def new_provider(self, options: Options, services: Services) -> Provider:
        return self.provider(options, services)

    # -- the same for all --------------------------------------------------------------------------------------------

    def receive(self, asked: Asked) -> Answered:
        if not asked.is_trigger:
            return self.observe(asked)
        before = len(self.runs)
        answered = self.trigger(asked)
        self.world.note(f"request {asked.number} of {asked.controller} is a trigger: HTTP {answered.status}")
        if asked.repeats and len(self.runs) > before:
            self.world.violated(f"request {asked.number} is a second trigger of release {asked.release}: {asked.repeats}")
        return answered

    def repeated_by(self, controller: Controller) -> str:
        """What a trigger would do once more that a controller sends now: runs that have a record. Empty if there are none.

        They are those that controllers with the same ledger have started for the same release, and that have not failed.
        """
        known = [
            run
            for run in self.runs
            if run.asked is not None
            and run.asked.release == controller.release
            and run.asked.controller.location == controller.location
            and run.state in ("running", "succeeded")
            and self.shows(run)
        ]
        return ", ".join(f"run {run.id} of request {run.asked.number if run.asked else '?'}, {run.state}" for run in known)

    def start(self, asked: Asked | None) -> TrueRun:
        run = TrueRun(len(self.runs) + 1, asked, self.world.elapsed)
        self.runs.append(run)
        self.world.note(f"run {run.id} begins, of {asked.number if asked else 'somebody else'}")
        return run

    def end(self, run: TrueRun, state: Ending) -> None:
        run.state = state
        self.world.note(f"run {run.id} is {state}")

    def duration(self) -> float:
        return self.world.chance.uniform(*self.durations)

    def ending(self) -> Ending:
        return "failed" if self.world.chance.random() < self.failing else "succeeded"

    def judge(self, controller: Controller, record: Record) -> None:
        """Compare what a task says with the truth."""
        failure = record.failure
        if failure is not None and failure.code == "internal_error":
            self.world.violated(f"internal error: {failure.message}: {failure.traceback_text}")
        runs = self.named(record.handle) if record.handle else []
        if record.state == "succeeded" and not any(run.state == "succeeded" for run in runs):
            self.world.violated(f"false success: {record.handle}: {[run.state for run in runs]}")
        is_failed = record.state == "failed" or (failure is not None and failure.code == "run_failed")
        if is_failed and not any(run.state in ("failed", "lost") for run in runs):
            self.world.violated(f"false failure: {record.handle}: {[run.state for run in runs]}: {record.reason}")
        if record.action == "skipped" and f"release {controller.release} was already" in record.reason:
            # one of somebody else brings it as well
            since = self.asked_at[controller.release]
            if not any(run.began >= since and run.state == "succeeded" for run in self.runs):
                self.world.violated(f"skipped without a run of release {controller.release}: {record.reason}")
