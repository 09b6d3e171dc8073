# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The sites of a Studio 3.1 that have a published repository, which only its list of sites shows."""

from __future__ import annotations

import threading
import typing as t

from ..._core.deadline import Deadline


class PublishedSites:
    """What the list has shown. Threads may use it at the same time: those that need the same list wait for the first one.

    A site that has a published repository keeps it (docs/reference/crafter.md#4.1), so what is seen of one is remembered. Whether
    one without has come to have it is looked up anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: set[str] = set()

    def has(self, site: str, pages: t.Iterable[t.Mapping[str, object]], deadline: Deadline) -> bool | None:
        """Whether a site has a published repository; ``None`` if the list does not say it.

        :param pages: reads the list as far as needed: by the id of a site, whether it has one.
        :param deadline: until when to wait for others that read it.
        """
        with deadline.holding(self._lock):
            if site in self._seen:
                return True
            for page in pages:
                self._seen.update(found for found, created in page.items() if created)
                if site in page:
                    return None if page[site] is None else bool(page[site])
        return None
