# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be set while the part runs: PUT /parts/plm/knobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..framework import Knobs

Profile = Literal["touchdb", "pouchdb", "couchdb1", "couchdb2"]
Outcome = Literal["completed", "error", "failed", "never", "stuck-triggered", "flapping"]


@dataclass
class PlmKnobs(Knobs):
    """A synchronizer takes the settings of its POST along; what is set later concerns later ones."""

    prefix: str = "/api/media-manager/v0"  # of the desktop application; the standalone server's /v0 works as well

    # The database behind the server:
    # touchdb   states are written with the document, so push and pull run one after the other
    # pouchdb   states come a moment after the document, so the server takes push for finished: both run at once, and
    #           sync.completed is announced right away, without their states
    # couchdb1  like touchdb; "error" is retried first (flapping)
    # couchdb2  like pouchdb, and there is no "triggered" at all; "error" is called "failed"
    profile: Profile = "touchdb"

    document_seconds: float = 0.02  # until the server has written the first document: all states absent
    blip_seconds: float = 0.05  # pouchdb: until a document gets its first state
    push_seconds: float = 0.15
    push_outcome: Outcome = "completed"
    gap_seconds: float | None = None  # push done and pull not begun; None: until the server's next look at the push
    pull_seconds: float = 0.15
    pull_outcome: Outcome = "completed"
    announce_seconds: float | None = None  # between the end of pull and sync.completed; None: until its next look at the pull
    # The server looks at a replication at once, and again after 1, 2, 4, 8 and then always 7.5 times this: 2 s on a real server.
    poll_seconds: float = 0.1

    flap_seconds: float = 0.05  # each try, and the first pause, of "flapping"; pauses double
    flap_retries: int = 3
    flap_end: Literal["completed", "error"] = "error"

    # What a POST gets while another synchronizer is at work; "auto": stateless, with touchdb
    # independent, with pouchdb pull_runs: the push stays stateless for ever, the pull runs; and an earlier synchronizer whose
    # pull would begin meanwhile never gets a state for its pull
    duplicates: Literal["auto", "stateless", "pull_runs", "independent"] = "auto"

    db_hung: bool = False  # no state is ever answered; a POST is, and leads to nothing (inferred)
    db_down: bool = False  # every state of every id reads "error"; a POST is answered and leads to nothing
    # the server was started without a remote to synchronize with: below /v0 it fails, the desktop application never answers
    no_remote: bool = False
    hang_seconds: float = 60.0  # index, PUT and DELETE never answer; this is when the emulator hangs up
    restart_seconds: float = 3.0  # how long POST /restart takes, in which connections are refused
    crash_on_bad_subscribe: bool = False  # as the source suggests: an unexpected frame ends the process; see POST /restart
