# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site that a request of API 2 names, and what the releases of 4.0 say about one that they do not have.

Their database compares ids without regard to case, and their files do not (docs/reference/crafter.md#4.1).
"""

from __future__ import annotations

import dataclasses
import uuid

from ..framework import Abort
from .answers import INTERNAL_FAILURE, OK, SITE_NOT_FOUND, UNAUTHORIZED, Outcome, invalid_field
from .model import Site
from .releases import Release
from .studio import Studio


@dataclasses.dataclass(frozen=True)
class Operation:
    """What a request does, as far as it matters for sites that are not there.

    :param field: the name of the site in the refusal of 4.0.5.
    :param unknown: the answer of 4.0.5 to an unknown site.
    :param early_unknown: that of releases before it; the answer is the same where this is absent.
    :param any_case: whether releases before it find a site by another spelling of its id.
    """

    field: str = "siteId"
    unknown: Outcome = SITE_NOT_FOUND
    early_unknown: Outcome | None = None
    any_case: bool = False

    def unknown_in(self, release: Release) -> Outcome:
        if not release.is_4_0:
            return SITE_NOT_FOUND
        return self.unknown if release.since("4.0.5") else self.early_unknown or self.unknown


STATUS = Operation("getPublishingStatus.siteId", any_case=True)
TARGETS = Operation("getAvailablePublishingTargets.siteId", any_case=True)
INITIAL_PUBLISH = Operation("hasInitialPublish.siteId")
CONFIGURATION = Operation("getConfiguration.siteId", INTERNAL_FAILURE, OK, any_case=True)
PACKAGES = Operation("getPublishingPackages.siteId", UNAUTHORIZED, SITE_NOT_FOUND)
ITEM_STATES = Operation("getItemStates.siteId", UNAUTHORIZED)
ITEM = Operation("getItemByPath.siteId", INTERNAL_FAILURE, SITE_NOT_FOUND)
PUBLISH_ITEMS = Operation(unknown=INTERNAL_FAILURE, early_unknown=SITE_NOT_FOUND)
OTHER = Operation()


def find_site(studio: Studio, site_id: object, operation: Operation = OTHER) -> Site:
    """The site.

    :raises Abort: there is none of that id.
    """
    if isinstance(site_id, str) and site_id in studio.sites:
        return studio.sites[site_id]
    release = studio.release
    found = alike(studio, site_id)
    if found is None or not release.is_4_0:
        raise _no_site(operation.unknown_in(release))
    if release.since("4.0.5"):
        raise invalid_field(operation.field, "Value is not a valid site ID")
    if operation.any_case:
        return found
    raise UNAUTHORIZED.abort()


def alike(studio: Studio, site_id: object) -> Site | None:
    """The site whose id differs in case only."""
    return next((site for name, site in studio.sites.items() if name.casefold() == str(site_id).casefold()), None)


def _no_site(outcome: Outcome) -> Abort:
    return outcome.abort(content=None) if outcome.code == OK.code else outcome.abort()


def check_package_id(release: Release, value: str) -> None:
    """Refuse the id of a package that is no UUID, as 4.0 does."""
    if not release.is_4_0 or _is_uuid(value):
        return
    if release.since("4.0.5"):
        remedy = "Failed to convert value of type 'java.lang.String' to required type 'java.util.UUID'; nested exception is"
        raise invalid_field("packageId", f"{remedy} java.lang.IllegalArgumentException: Invalid UUID string: {value}")
    nothing = dict.fromkeys(("id", "siteId", "environment", "state", "schedule", "approver", "comment", "items"))
    raise OK.abort(package=nothing)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
