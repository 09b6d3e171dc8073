# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated ServerAvatar as the tests of serveravatar_restore see it: what it was sent, and what production serves."""

from __future__ import annotations

from typing import Any

from tests.simulator.client import wait_until

from ...conftest import Outcome
from ..server import PACE, Service

RESTORE, SYNC, BACKUP = "serveravatar_restore", "serveravatar_staging_sync", "serveravatar_backup"
#: an old backup of the shop (and an even older and a newer one), and one of the blog
SHOP, OLDER, NEWER, BLOG = 305, 301, 309, 302
PATH = f"/organizations/5/backups/{SHOP}/restore"


class Server(Service):
    """The emulated service as the tests of restores see it."""

    def options(self, backups: Any = SHOP, **more: Any) -> dict[str, Any]:
        return {**self.place, **PACE, "backups": backups, **more}

    def syncing(self, **more: Any) -> dict[str, Any]:
        return {**self.place, **PACE, "applications": "shop", **more}

    def fault(self, kind: str, **rule: Any) -> None:
        """Something happens to the next restore."""
        self.simulator.fault(kind, part="serveravatar", request_kind="mutate", path_regex="/restore$", **rule)

    def restores(self, application: int = 88) -> list[int]:
        """The backups whose restore to an application was accepted."""
        return [each["backup"] for each in self.truth(application)["restores"]]

    def begin(self, backup: int) -> None:
        """Somebody else restores a backup."""
        self.control("POST", f"/backups/{backup}/restore")

    def finish(self, backup: int = SHOP) -> None:
        """The restore of a backup ends well."""
        self.control("POST", f"/backups/{backup}/finish")

    def wait_for_looks(self, count: int = 3) -> None:
        """Wait until the list of backups was looked at so often."""
        before = self.looks
        wait_until(lambda: self.looks >= before + count)

    @property
    def production(self) -> str:
        """The release that the shop serves."""
        return str(self.truth()["production"])

    @property
    def looks(self) -> int:
        """How many pages of backups were asked for."""
        return len(self.simulator.requests(path=r"/organizations/5/backups(\?|$)"))


def decision(outcome: Outcome) -> list[Any]:
    return [outcome.only[key] for key in ("action", "state", "changed", "changed_basis")]
