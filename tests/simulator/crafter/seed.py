# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The users, tokens and sites that are there from the start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .accounts import Token
from .model import Site, User
from .publishing import Submission, publish
from .studio import Studio

USERS = (
    User("admin", "studio-Adm1n-pass", "System", "Administrator"),
    User("publisher", "studio-Publ1sh-pass", "Pat", "Publisher", role="publisher"),
    User("member", "studio-Memb3r-pass", "Mo", "Member", role="author", sites=frozenset({"mysite", "second"})),
    User("visitor", "studio-Vis1tor-pass", "Vic", "Visitor", role="author", sites=frozenset()),
)

TOKENS = tuple(
    Token(f"eyJhbGciOiJkaXIifQ..seeded-{user.username}.c3R1ZGlvLXRva2Vu.dGFn", user, "seeded", number)
    for number, user in enumerate(USERS, start=1)
)

HOME = "/site/website/index.xml"
ABOUT = "/site/website/about/index.xml"
OFFERS = "/site/website/offers/index.xml"
STYLE = "/static-assets/css/main.css"

FIRST_CONTENT: dict[str, str | None] = {
    HOME: "<page><title>Home</title></page>\n",
    ABOUT: "<page><title>About us</title></page>\n",
    STYLE: "body { color: black; }\n",
}
STAGED_CONTENT: dict[str, str | None] = {
    HOME: "<page><title>Summer sale</title></page>\n",
    OFFERS: "<page><title>Offers</title></page>\n",
}

FIRST_PUBLISH = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
STAGED_PUBLISH = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """A site to be made.  ``drift``: staging is ``ahead`` of live, of ``equal`` content, or the ``same`` commit."""

    staging_enabled: bool | None = True
    staging_branch: str | None = None
    live_branch: str | None = None
    published: bool = True
    drift: str = "equal"

    def __post_init__(self) -> None:
        if self.drift not in ("ahead", "equal", "same"):
            raise ValueError(f"drift {self.drift!r} is none of ahead, equal, same")


SITES = {
    "mysite": Plan(drift="ahead"),
    "second": Plan(),
    "nostaging": Plan(staging_enabled=None),
    "unpublished": Plan(published=False),
    "qasite": Plan(staging_branch="qa", drift="ahead"),
    "identical": Plan(drift="same"),
}


async def make_site(studio: Studio, site_id: str, plan: Plan) -> Site:
    """By the same operations as ever: edit the sandbox, publish, edit, publish to staging."""
    site = studio.add_site(site_id)
    site.staging_enabled = plan.staging_enabled
    site.staging_branch, site.live_branch = plan.staging_branch, plan.live_branch
    site.edit(FIRST_CONTENT)
    if not plan.published:
        return site
    staging, live = studio.staging_branch(site), studio.live_branch(site)
    await publish(studio, site, Submission(live, list(site.items), "admin", "initial publish", FIRST_PUBLISH))
    if plan.drift == "ahead":
        site.edit(STAGED_CONTENT)
        await publish(studio, site, Submission(staging, list(STAGED_CONTENT), "admin", "for review", STAGED_PUBLISH))
    elif plan.drift == "same":
        await asyncio.to_thread(studio.repository(site).reset_staging, staging, live)
    return site


async def make_sites(studio: Studio, site_ids: list[str], plan: Plan, prepare: Callable[[Site], None] | None = None) -> None:
    """Many sites alike."""
    first = await make_site(studio, site_ids[0], plan)
    if prepare is not None:
        prepare(first)
    for site_id in site_ids[1:]:
        await asyncio.to_thread(studio.clone_site, first, site_id)


async def make_seed_sites(studio: Studio) -> None:
    for site_id, plan in SITES.items():
        await make_site(studio, site_id, plan)
