# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication documents and their states over time.

A synchronizer is planned completely when it is posted: two documents of the database with the times at which their states
change.  Reading a state is then looking at the clock, which makes short timings exact whatever the load of the machine is.
"""

from __future__ import annotations

import itertools
import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from .knobs import Outcome, PlmKnobs

ENDED = ("completed", "error", "failed")
PARALLEL = ("pouchdb", "couchdb2")  # the server sees no state at its first look and goes on at once

#: pauses between the server's own looks at a replication, in units of the first one, and all later ones
WAITS, LATER_WAIT = (1.0, 2.0, 4.0, 8.0), 7.5

Change = tuple[float, str | None]


@dataclass
class Document:
    """One document of the ``_replicator`` database; without changes it has no state for ever, as if it did not exist."""

    id: str
    created: float = math.inf
    changes: list[Change] = field(default_factory=list)
    active_until: float = -math.inf

    def state(self, now: float) -> str | None:
        current = None
        for when, state in self.changes:
            if when <= now:
                current = state
        return current

    def first_end(self) -> float:
        """When somebody who waits for it stops waiting."""
        return min((when for when, state in self.changes if state in ENDED), default=math.inf)

    def drop(self) -> None:
        self.created, self.changes, self.active_until = math.inf, [], -math.inf

    def force(self, state: str, now: float) -> None:
        self.created = min(self.created, now)
        self.changes = [change for change in self.changes if change[0] < now] + [(now, state)]
        self.active_until = now


@dataclass
class Synchronizer:
    push: Document
    pull: Document
    posted: float
    announced: float = math.inf  # when sync.completed is sent; never: infinity

    @property
    def id(self) -> str:
        return f"${self.push.id}+{self.pull.id}"

    def active(self, now: float) -> bool:
        return now < max(self.push.active_until, self.pull.active_until)

    def yield_to(self, later: Synchronizer) -> None:
        """The database ignores a pull that begins while that of a later synchronizer is at work.

        The server finds no state of it, and so takes it for finished.
        """
        if later.posted < self.pull.created < math.inf and later.pull.created <= self.pull.created < later.pull.active_until:
            self.announced = self.pull.created
            self.pull.drop()


def overall(push: str | None, pull: str | None) -> str | None:
    """The server's own rule; its order matters."""
    if push == pull == "completed":
        return "completed"
    for state in ("error", "triggered"):
        if state in (push, pull):
            return state
    return None


def plan(knobs: PlmKnobs, now: float, others_active: bool) -> Synchronizer:
    """Everything that will happen to a synchronizer posted now."""
    push_outcome, pull_outcome = _outcomes(knobs, others_active)
    sync = Synchronizer(Document(str(uuid.uuid4())), Document(str(uuid.uuid4())), posted=now)
    if knobs.db_down or knobs.db_hung:
        return sync
    begin = now + knobs.document_seconds
    _run(sync.push, knobs, push_outcome, begin, knobs.push_seconds)
    pull_at = _after(sync.push, knobs, begin, push_outcome, knobs.gap_seconds)
    if math.isfinite(pull_at):
        _run(sync.pull, knobs, pull_outcome, pull_at, knobs.pull_seconds)
        sync.announced = _after(sync.pull, knobs, pull_at, pull_outcome, knobs.announce_seconds)
    return sync


def duplicate_mode(knobs: PlmKnobs) -> str:
    """What a POST gets while another synchronizer is at work."""
    if knobs.duplicates != "auto":
        return knobs.duplicates
    return {"touchdb": "independent", "pouchdb": "pull_runs"}.get(knobs.profile, "stateless")


def _outcomes(knobs: PlmKnobs, others_active: bool) -> tuple[Outcome, Outcome]:
    mode = duplicate_mode(knobs)
    if not others_active or mode == "independent":
        return knobs.push_outcome, knobs.pull_outcome
    return "never", "never" if mode == "stateless" else knobs.pull_outcome


def _after(document: Document, knobs: PlmKnobs, created: float, outcome: Outcome, pause: float | None) -> float:
    """When the server takes the next step after this document: at the first of its looks that finds no replication at work.

    :param pause: after the end, instead of the next look.
    """
    if knobs.profile in PARALLEL or outcome == "never":
        return created
    end = document.first_end()
    if pause is not None or not math.isfinite(end) or knobs.poll_seconds <= 0:
        return end + (pause or 0.0)
    return next(look for look in _looks(created, knobs.poll_seconds) if document.state(look) in ENDED)


def _looks(begin: float, unit: float) -> Iterator[float]:
    """When the server looks at a document that it has written."""
    yield begin
    for wait in itertools.chain(WAITS, itertools.repeat(LATER_WAIT)):
        begin += wait * unit
        yield begin


def _run(document: Document, knobs: PlmKnobs, outcome: Outcome, created: float, seconds: float) -> None:
    document.created = created
    begin = created + (knobs.blip_seconds if knobs.profile == "pouchdb" else 0.0)
    running = None if knobs.profile == "couchdb2" else "triggered"
    if outcome == "never":
        return
    document.changes.append((begin, running))
    document.active_until = math.inf
    if outcome == "flapping" or (outcome == "error" and knobs.profile == "couchdb1"):
        _flap(document, knobs, outcome, begin, seconds)
    elif outcome != "stuck-triggered":
        document.changes.append((begin + seconds, _word(knobs, outcome)))
        document.active_until = begin + seconds


def _flap(document: Document, knobs: PlmKnobs, outcome: Outcome, begin: float, seconds: float) -> None:
    """Fail after ``seconds``, then be tried again and again, until the database gives up or it works."""
    when, pause = begin + seconds, knobs.flap_seconds
    for _retry in range(knobs.flap_retries):
        document.changes += [(when, "error"), (when + pause, "triggered")]
        when += pause + knobs.flap_seconds
        pause *= 2
    document.changes.append((when, "error" if outcome == "error" else knobs.flap_end))
    document.active_until = when


def _word(knobs: PlmKnobs, outcome: str) -> str:
    return "failed" if outcome == "error" and knobs.profile == "couchdb2" else outcome
