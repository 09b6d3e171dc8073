# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller of a trial: its ledger, its tasks, and how it dies."""

from __future__ import annotations

import contextlib
import math
import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, wrap_unexpected
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._core.stop import Stopped, StopSignal
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._http.transport import send_tracker
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.lifecycle import Lifecycle
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Services
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.steps import Look, Looked, Step, Steps, take
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import settings_of, sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._operations.task import Context
from ansible_collections.lockstep.sync.plugins.module_utils._operations.unfinished import interrupted_record
from ansible_collections.lockstep.sync.plugins.module_utils._state.lease import expiry
from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from ansible_collections.lockstep.sync.plugins.module_utils._state.store import PATIENCE, Result, Store, Work, date
from tests.unit.plugins.support.lab import validated

from .wire import Wire
from .world import World


class Killed(BaseException):
    """SIGKILL: nothing that the process would still do has an effect."""


class MortalStore:
    """The database as a controller sees it, which may die before and after each transaction."""

    def __init__(self, store: Store, controller: Controller) -> None:
        self.location = store.location
        self._store = store
        self._controller = controller

    def write(self, work: Work[Result], seconds: float = PATIENCE) -> Result:
        return self._mortal(lambda: self._store.write(work, seconds))

    def read(self, work: Work[Result], seconds: float = PATIENCE) -> Result:
        return self._mortal(lambda: self._store.read(work, seconds))

    def _mortal(self, transaction: t.Callable[[], Result]) -> Result:
        self._controller.burn()
        result = transaction()
        self._controller.burn()
        return result

    def keeping_connections(self) -> contextlib.AbstractContextManager[None]:
        return self._store.keeping_connections()

    def close(self) -> None:
        self._store.close()


class ControllerLedger(RunLedger):
    """A ledger whose leases belong to a process of the trial."""

    owner: ProcessIdentity

    def _own_lease(self, now: t.Any) -> tuple[str, str, str]:
        return self._holder, self.owner.to_json(), date(expiry(now))


class Controller:
    """A process that has one task at a time.

    :param host: controllers of one host know of each other whether they have died.
    """

    def __init__(self, world: World, location: str, host: str = "a") -> None:
        self.world = world
        self.location = location
        self.host = host
        self.number = next(world.numbers)
        self.ledger = ControllerLedger(location, world.clock)
        self.ledger.owner = ProcessIdentity("trial", host, self.number, "", host)
        self.ledger._store = MortalStore(self.ledger._store, self)
        self.is_dead = False
        #: how many moments at which it can die are left to it
        self.fuse = math.inf
        #: whether it does not even keep its leases, as the process of a paused machine
        self.is_paused = False
        self.stop = StopSignal()
        self.record: Record | None = None
        self.release = ""
        self.due_at = 0.0
        self._steps: Steps[None] | None = None
        self._step: Step | None = None
        #: the records of its tasks that have ended
        self.ended: list[Record] = []
        world.controllers.append(self)

    def __str__(self) -> str:
        return f"controller {self.number} on {self.host}"

    @property
    def has_task(self) -> bool:
        return self._steps is not None

    @property
    def is_busy(self) -> bool:
        """Whether there is something for it to do, now or later."""
        return self.has_task and not self.is_paused

    @property
    def beats(self) -> bool:
        return self.is_busy and not self.is_dead

    # -- death -------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """:raises Killed: it is dead."""
        if self.is_dead:
            raise Killed

    def burn(self) -> None:
        """Note a moment at which it may die.

        :raises Killed: it is dead.
        """
        self.check()
        if self.burns():
            self.die()
            raise Killed

    def burns(self) -> bool:
        """Whether it dies now, once what it does has been done."""
        if self.world.at_work and self.world.at_work[-1] is self:
            self.fuse -= 1
        return self.fuse <= 0

    def die(self) -> None:
        self.world.note(f"{self} is killed")
        self.is_dead = True
        self.world.dead.add(self.number)
        steps = self._steps
        self._steps = None
        if steps is not None and self not in self.world.at_work:
            with contextlib.suppress(Killed):
                steps.throw(Killed())

    def terminate(self) -> None:
        """SIGTERM while it waits: its task ends with a report, and so does the process."""
        if self._steps is None or self in self.world.at_work or self.record is None:
            return
        self.world.note(f"{self} is terminated")
        self.stop.set()
        with self._working(), contextlib.suppress(Stopped, Killed, StopIteration, SyncError):
            self._steps.throw(Stopped())
        if not self.is_dead:
            self._end(interrupted_record(self.record))
            self.is_dead = True
            self.world.dead.add(self.number)

    # -- tasks -------------------------------------------------------------------------------------------------------

    def begin(self, release: str, **options: t.Any) -> None:
        """Begin a task."""
        world, system = self.world, self.world.system
        given = validated(sync_spec(system.provider), {**system.options(), "release": release, **options})
        services = Services(world.clock, Redactor(), world.chance, lambda text: None)  # type: ignore[arg-type]
        provider = system.new_provider(given, services)
        wire = Wire(self)
        provider.client.send = wire.send  # type: ignore[method-assign]
        settings = settings_of(given, provider, Context(clock=world.clock, environ={}))
        self.record = record = Record(provider.names()[0], provider.name, progress="waiting")
        self.release = release
        system.asked_at.setdefault(release, world.elapsed)
        self.due_at = world.elapsed

        def steps() -> Steps[None]:
            with wrap_unexpected():
                channel = provider.client.channel(Deadline(world.clock, settings.wait_timeout), RequestCount(), self.stop)
                target = provider.resolve(record.target, channel)
                yield from Lifecycle(provider, self.ledger, settings, services, target, record, channel).steps()

        self._steps = steps()
        self._step = None
        world.note(f"{self} begins a task for release {release}")

    @contextlib.contextmanager
    def _working(self) -> t.Iterator[None]:
        # what belongs to a thread elsewhere belongs to a controller here
        outer = dict(vars(send_tracker))
        vars(send_tracker).clear()
        self.world.at_work.append(self)
        try:
            yield
        finally:
            self.world.at_work.pop()
            vars(send_tracker).clear()
            vars(send_tracker).update(outer)

    def step(self) -> None:
        """Do what is to be done up to the next moment that has to be waited for."""
        assert self._steps is not None
        assert self.record is not None
        steps, record = self._steps, self.record
        with self._working():
            try:
                looked: Looked | None = None
                if isinstance(self._step, Look):
                    looked = take(self._step, self.world.clock)
                self._step = steps.send(looked)
                self.due_at = max(self.world.elapsed, getattr(self._step, "at", 0.0) - 1000.0)
                return
            except Killed:
                return
            except StopIteration:
                pass
            except SyncError as error:
                record.fail(error)
            except Stopped:
                self._end(interrupted_record(record))
                return
        self._end(record)

    def _end(self, record: Record) -> None:
        self._steps = None
        self.ended.append(record)
        code = record.failure.code if record.failure else ""
        self.world.note(f"{self} ends: {record.action} {record.state} {code} ({record.reason})")
        self.world.system.judge(self, record)
