# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A model of a PLM Media Manager, by docs/reference/plm.md#4 to #6: push, then pull, and no way to find a run but by its id."""

from __future__ import annotations

import typing as t

from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm.provider import PLM

from .system import Ending, System, TrueRun
from .wire import Answered, Asked
from .world import World

#: seconds until a run shows any state, and between its push and its pull
LONGEST_DELAY = 5.0
LONGEST_GAP = 16.0


class MediaSystem(System):
    provider = PLM

    def __init__(self, world: World, **kwargs: t.Any) -> None:
        super().__init__(world, **kwargs)
        self.halves: dict[int, list[str | None]] = {}
        self.database_is_down = False

    def options(self) -> dict[str, t.Any]:
        return {"api_url": "https://plm.trial/v0"}

    # -- the API -----------------------------------------------------------------------------------------------------

    def observe(self, asked: Asked) -> Answered:
        identifier = asked.path.rpartition("/")[2]
        push, pull = next((states for number, states in self.halves.items() if _id(number) == identifier), [None, None])
        if self.database_is_down:
            push = pull = "error"
        overall = None
        if push == pull == "completed":
            overall = "completed"
        elif "error" in (push, pull):
            overall = "error"
        elif "triggered" in (push, pull):
            overall = "triggered"
        body = {"id": identifier, "push": {"id": "p", **_state(push)}, "pull": {"id": "q", **_state(pull)}, **_state(overall)}
        return Answered(body={"status": 0, "synchronizer": body})

    def trigger(self, asked: Asked | None) -> Answered:
        run = self.start(asked)
        self.halves[run.id] = [None, None]
        ignored = any(states[0] == "triggered" for states in self.halves.values())
        self.world.at(self.world.chance.uniform(0, LONGEST_DELAY), lambda: self._push(run, ignored))
        body = {"id": _id(run.id), "state": "triggered", "push": {"id": "p"}, "pull": {"id": "q"}}
        return Answered(body={"status": 0, "synchronizer": body})

    # -- what happens ------------------------------------------------------------------------------------------------

    def _push(self, run: TrueRun, ignored: bool) -> None:
        if ignored:
            # the database ignores the second one at a time
            self.end(run, "lost")
            return
        self.halves[run.id][0] = "triggered"
        self.world.at(self.duration() / 2, lambda: self._half_ended(run, self.ending()))

    def _half_ended(self, run: TrueRun, ending: Ending) -> None:
        if ending == "failed":
            self.halves[run.id][0] = "error"
            self.end(run, "failed")
            return
        self.halves[run.id][0] = "completed"
        self.world.at(self.world.chance.uniform(0, LONGEST_GAP), lambda: self._pull(run))

    def _pull(self, run: TrueRun) -> None:
        self.halves[run.id][1] = "triggered"
        self.world.at(self.duration() / 2, lambda: self._end(run, self.ending()))

    def _end(self, run: TrueRun, ending: Ending) -> None:
        self.halves[run.id][1] = "completed" if ending == "succeeded" else "error"
        self.end(run, ending)

    def restart(self) -> None:
        """The database goes on with what it has; a pull that was not created yet never will be."""
        self.world.forget_events()
        for run in self.runs:
            push, pull = self.halves[run.id]
            if run.state == "running" and pull == "triggered":
                self.world.at(self.duration(), lambda run=run: self._end(run, self.ending()))  # type: ignore[misc]
            elif run.state == "running":
                self.halves[run.id][0] = push and "completed"
                self.end(run, "lost")

    # -- the truth ---------------------------------------------------------------------------------------------------

    def shows(self, run: TrueRun) -> bool:
        # by its id only, which the ledger of the controller has if its reply arrived
        if run.asked is None:
            return False
        store = run.asked.controller.ledger._store
        found = vars(store)["_store"].read(lambda db: db.query("SELECT handle FROM runs WHERE handle IS NOT NULL"))
        return any(f'"{_id(run.id)}"' in str(row[0]) for row in found)

    def named(self, handle: t.Mapping[str, t.Any]) -> list[TrueRun]:
        return [run for run in self.runs if _id(run.id) == handle.get("synchronizer")]


def _id(number: int) -> str:
    return f"$p{number}+q{number}"


def _state(word: str | None) -> dict[str, str]:
    return {} if word is None else {"state": word}
