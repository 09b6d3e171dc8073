# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be set while the emulator runs.  Defaults are those of a shipped installation, except where a comment says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..framework import Knobs


@dataclass
class VinylKnobs(Knobs):
    sync_delay_ms: int = 10_000  # the shipped configurations; without one it is 600 000
    max_zone_size: int = 60_000  # records, not record sets

    # The queue.  The original looks every 0.25 s; tests should not have to wait for that.
    poll_interval: float = 0.02
    queue_latency: float = 0.0  # seconds before a message can be taken from the queue at all
    batch_size: int = 10  # messages taken at once and worked off one after the other
    workers: int = 4  # batches at the same time
    processing_disabled: bool = False

    # The work.
    sync_duration: float = 0.0  # extra seconds between "Syncing" and the transfer
    write_gap: float = 0.0  # seconds between saving a zone and saving its change: they are not one transaction
    transfer_timeout: float = 20.0  # the original waits 15 minutes
    stuck_syncing: bool = False  # the process dies in the middle: neither zone nor change ever leaves its state
    fail_syncs: str | None = None  # every sync fails with this text
    failed_with_message: bool = False  # store the reason in systemMessage, as a proposed change of the original would

    # Looks.
    expose_keys: bool = True  # no encryption at rest (the docker default): zone JSON holds plain TSIG secrets
    collation: Literal["case_insensitive", "binary"] = "case_insensitive"  # of the unique index on record set names
    lossy_paging: bool = True  # order record sets by full name but continue by relative name
    shuffled_ties: bool = True  # record set changes of one moment come in another order on each page, so that pages overlap
    color: str = "green"

    # Rules of the installation (see policy.py).  The shipped ones allow a few names of the test data only.
    approved_name_servers: list[str] = field(default_factory=lambda: [".*"])  # regular expressions
    email_domains: list[str] = field(default_factory=list)  # "*" stands for anything; none at all: every domain
    email_dots: int = 10  # dots after the @; shipped: 2
    high_value_domains: list[str] = field(default_factory=lambda: ["high-value-domain.*"])
    high_value_addresses: list[str] = field(default_factory=list)
    shared_approved_types: list[str] = field(default_factory=lambda: ["A", "AAAA", "CNAME", "PTR", "TXT"])
    dotted_hosts: list[dict[str, Any]] = field(default_factory=list)  # of {"zone", "users", "groups", "types", "dots"}
