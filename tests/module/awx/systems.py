# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job templates of both playbooks: their variables, the credentials, and what the emulated systems saw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.simulator.client import Simulator

from ..dns_reconciliation.playbook import Server as DnsServer
from ..staging_promotion.playbook import SHOP, Server as StagingServer
from .job import INVENTORY, Awx, Container, Ended, Job

LEDGER = "LOCKSTEP_LEDGER"


class Template:
    """What both have: a ledger and reports on the volume that all jobs share."""

    playbook: str
    prefix: str
    usual: dict[str, Any]
    credentials: dict[str, str]

    def __init__(self, awx: Awx) -> None:
        self.awx = awx
        self.ledger = awx.volume / "ledger.sqlite3"

    def start(
        self,
        *arguments: str,
        survey: dict[str, Any] | None = None,
        credentials: dict[str, str] | None = None,
        timeout: int = 0,
        container: Container | None = None,
        inventory: Mapping[str, Any] = INVENTORY,
        **variables: Any,
    ) -> Job:
        """:param survey: variables of the role without its prefix, as users enter them.
        :param variables: those of the job template, likewise; None leaves out one of the usual ones.
        """
        report = self.awx.volume / f"report{len(self.awx.jobs) + 1}.json"
        given = {"report_path": str(report), **self.usual, **variables}
        return self.awx.start(
            self.playbook,
            {self.prefix + name: value for name, value in given.items() if value is not None},
            *arguments,
            survey={self.prefix + name: value for name, value in (survey or {}).items()},
            credentials={**self.credentials, LEDGER: str(self.ledger), **(credentials or {})},
            timeout=timeout,
            container=container,
            inventory=inventory,
        )

    def __call__(self, *arguments: str, **variables: Any) -> Ended:
        return self.start(*arguments, **variables).finish()

    def report(self, number: int = 0) -> dict[str, Any]:
        """:param number: of the job, the first is 1; the last one without it."""
        found: dict[str, Any] = json.loads(self.report_text(".json", number))
        return found

    def report_text(self, suffix: str = ".md", number: int = 0) -> str:
        return (self.awx.volume / f"report{number or len(self.awx.jobs)}{suffix}").read_text()


class Promotions(Template):
    """A promotion of one application."""

    playbook = "promote_staging"
    prefix = "staging_promotion_"

    def __init__(self, simulator: Simulator, awx: Awx) -> None:
        super().__init__(awx)
        self.server = StagingServer(simulator)
        target = self.server.target()
        del target["options"]["api_token"]
        quick = {"verify_interval": 0.1, "verify_timeout": 3}
        self.usual = {"release": "r1", "targets": [target], **quick}
        self.credentials = {"SERVERAVATAR_API_TOKEN": self.server.token}

    @property
    def syncs(self) -> int:
        return self.server.syncs(SHOP)


class Zones(Template):
    """A reconciliation of zones."""

    playbook = "reconcile_dns"
    prefix = "dns_reconciliation_"

    def __init__(self, simulator: Simulator, awx: Awx) -> None:
        super().__init__(awx)
        self.server = DnsServer(simulator)
        self.usual = {"backend": self.server.backend}
        login = self.server.login
        self.credentials = {
            "VINYLDNS_API_URL": login["api_url"],
            "VINYLDNS_ACCESS_KEY_ID": login["access_key"],
            "VINYLDNS_SECRET_ACCESS_KEY": login["secret_key"],
        }

    def add_drifted(self, *names: str) -> None:
        self.server.add(*names)
        for name in names:
            self.server.drift(name)
