# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Crafter Studio: the published branch ``staging`` is reset to ``live`` (docs/reference/crafter.md).

The call is synchronous, and no API shows the branches. So the published repository is the only evidence before the call, after
it, and if its response is lost. Without access to the repository, only the response of Studio is known.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import typing as t

from ..._core.clock import isoformat, parse_iso
from ..._core.errors import Ambiguous, SyncError, invalid_option
from ..._core.options import ArgumentSpec, Options, list_of_names
from ..._http.client import Channel
from ..._http.response import Response
from ..._lifecycle.poll import PollPolicy, Reading
from ..._lifecycle.provider import Capabilities, Effect, Observation, Provider, Run, Services, Target
from .api import (
    ENDPOINTS,
    QUEUED,
    RESET,
    SYNC,
    Publisher,
    Queue,
    Site,
    busy_reason,
    check_site,
    choose_endpoint,
    error_text_and_code,
)
from .auth import CONNECTION_SPEC
from .git import OPTION, Comparison, Repository
from .studio import Studio

#: The address may contain a password, so Ansible must not show it.
REPOSITORY_SPEC = ArgumentSpec({OPTION: {"type": "str", "no_log": True}})

SYNC_SPEC = REPOSITORY_SPEC + ArgumentSpec(
    {
        "sites": {"type": "list", "elements": "str", "required": True, "aliases": ["site", "site_id"]},
        "environment": {"type": "str", "default": "staging"},
        "endpoint": {"type": "str", "choices": ["auto", SYNC, RESET], "default": "auto"},
        "require_staging_enabled": {"type": "bool", "default": True},
    },
    texts=("sites", "environment"),
)

#: how many paths a record names, and a diff shows
MAX_PATHS = 1000
_LOG = "Look into the log of Studio."

DELIVERY_CAVEAT = (
    "Delivery nodes do not notice that staging was reset: their deployer pulls and merges, and the branch moved without a"
    " commit (craftersoftware/craftercms issue 4086). Have the staging target of the delivery deleted and created again, or"
    " its repository cloned anew. Studio itself goes on to show items as staged."
)


@dataclasses.dataclass(frozen=True)
class SiteEvidence:
    """What was observed before a trigger."""

    staging: str
    live: str
    endpoint: str
    published: bool | None = None
    targets: tuple[str, ...] | None = None
    before: Comparison | None = None


class Crafter(Provider):
    """Sites of one Studio."""

    name = "crafter"
    capabilities = Capabilities(run_id=False)
    connection_spec = CONNECTION_SPEC
    sync_spec = SYNC_SPEC

    def __init__(self, options: Options, services: Services) -> None:
        super().__init__(options, services)
        self.repository = open_repository(options, services)
        self.environment = (options.get("environment") or "staging").strip()
        if options.get("environment") is not None and not self.environment:
            raise invalid_option("environment", options["environment"], "is empty", "Give the name of the staging branch.")
        self.studio = Studio(options, services)
        self.client = self.studio.client
        self.address = self.client.settings.base_url

    def names(self) -> list[str]:
        return [check_site(name) for name in list_of_names(self.options, "sites")]

    def resolve(self, name: str, channel: Channel) -> Target:
        version = self.studio.version(channel)
        endpoint = choose_endpoint(self.options["endpoint"], version)
        if endpoint == SYNC and version is not None:
            self.services.warn(
                f"endpoint sync-staging was documented, and no release of Crafter Studio has it; this one is {version}. Unless"
                " somebody added it there, the call fails with endpoint_missing. Set endpoint to auto."
            )
        self.studio.check_exists(channel, name)
        return Target(name, name, endpoint)

    def from_handle(self, handle: t.Mapping[str, t.Any]) -> Target:
        if not isinstance(handle.get("site"), str) or handle.get("endpoint") not in ENDPOINTS:
            raise invalid_option("handles", dict(handle), "is not a handle of Crafter", "Pass the handle of a record unchanged.")
        return Target(check_site(handle["site"]), handle["site"], handle["endpoint"])

    # -- evidence ----------------------------------------------------------------------------------------------------

    def observe(self, target: Target, channel: Channel) -> Observation:
        endpoint = t.cast(str, target.data)
        site = self.studio.site(channel, target.id)
        if endpoint == RESET and self.environment != site.staging:
            # the server would ignore the option and reset its own staging branch
            remedy = f"Set environment to {site.staging}."
            problem = f"is not the staging branch of site {target.id}, which is {site.staging}"
            raise invalid_option("environment", self.environment, problem, remedy)
        publisher = self.studio.publisher(channel, target.id)
        queue = self.studio.queue(channel, target.id, site.targets)
        evidence = SiteEvidence(self.environment, site.live, endpoint, site.published, site.targets)
        observation = Observation(
            reason="the content of the branches is unknown, as Studio does not show it; set published_repo to have them compared",
            obstacle=self._obstacle(target, site, publisher),
            detail={"endpoint": endpoint, "environment": self.environment, "publisher": _publisher_detail(publisher, queue)},
            data=evidence,
        )
        self._warn_about(target, publisher, queue)
        if site.published is False:
            return observation
        if self.repository is not None:
            compared = self.repository.compare(target.id, self.environment, site.live, channel.deadline)
            observation.data = dataclasses.replace(evidence, before=compared)
            _apply(compared, target, site, observation)
            if compared.staging is not None and not compared.in_sync and compared.live is not None:
                tag = self.repository.tag_of(target.id, compared.staging, channel.deadline)
                observation.detail["lost"]["tag"] = tag
        else:
            self._note_items(target, channel, observation)
        busy = busy_reason(publisher, queue)
        if busy and observation.in_sync:
            # what is seen now does not last: the plan is made again when it is over
            observation.in_sync, observation.reason = False, f"{observation.reason}, but {busy}"
        return observation

    def _warn_about(self, target: Target, publisher: Publisher, queue: Queue | None) -> None:
        if publisher.state == "stopped":
            self.services.warn(f"{target.name}: its publisher is stopped. Staging is reset nevertheless.")
        elif publisher.status == QUEUED and queue is None:
            self.services.warn(
                f"{target.name}: packages are queued, and whether one is due cannot be seen. The account needs the permission"
                " get_publishing_queue for that. If one is published after the reset, staging differs from live again."
            )

    def _obstacle(self, target: Target, site: Site, publisher: Publisher) -> SyncError | None:
        """What the server does not check, or reports by an exception only (docs/reference/crafter.md#1.3)."""
        if site.published is False:
            return never_published(target.id)
        if self.options["require_staging_enabled"] and site.enabled is False:
            return SyncError(
                "staging_disabled",
                f"site {target.id} has no staging target: enable-staging-environment is not true in its site-config.xml",
                "Enable staging for the site, or set require_staging_enabled to false to reset the branch nevertheless.",
            )
        return publish_failed(target.id) if publisher.state == "error" else None

    def _note_items(self, target: Target, channel: Channel, observation: Observation) -> None:
        """Add the items that Studio lists as staged and not live. No evidence, as a reset does not change the list."""
        paths = self.studio.staged_not_live(channel, target.id)
        if paths is None:
            return
        observation.detail["staged_not_live"] = paths[:MAX_PATHS]
        shown = "".join(f"{path}\n" for path in paths[:MAX_PATHS])
        observation.diff = {
            "before_header": f"{target.id}: staged and not live, as far as Studio knows",
            "after_header": f"{target.id}: after the reset",
            "before": shown,
            "after": "",
        }

    def still_valid(self, target: Target, observation: Observation, channel: Channel) -> bool:
        """Wait until nothing is being published, and check whether the evidence still holds afterwards.

        The server would block the call until then, but its state cannot be observed meanwhile.
        """
        evidence = t.cast(SiteEvidence, observation.data)
        if self._wait_for_publisher(target, evidence, channel):
            return False
        return evidence.before is None or self._refs(target, evidence, channel).refs == evidence.before.refs

    def _wait_for_publisher(self, target: Target, evidence: SiteEvidence, channel: Channel) -> bool:
        """Whether it was necessary to wait."""
        clock = self.services.clock
        policy = PollPolicy(self.options["poll_min_interval"], self.options["poll_max_interval"])
        started, waited = clock.monotonic(), False
        while True:
            busy = busy_reason(self.studio.publisher(channel, target.id), self.studio.queue(channel, target.id, evidence.targets))
            if not busy:
                return waited
            pause = policy.delay(clock.monotonic() - started, self.services.rng.random())
            if not channel.deadline.allows(pause):
                raise SyncError(
                    "busy",
                    f"site {target.id} was busy until wait_timeout ({channel.deadline.seconds:g} s): {busy}; nothing was reset",
                    "Run the task again when it is idle, or raise wait_timeout. If it stays so, look at the publishing queue.",
                )
            channel.deadline.sleep(pause)
            waited = True

    def _refs(self, target: Target, evidence: SiteEvidence, channel: Channel) -> Comparison:
        repository = t.cast(Repository, self.repository)
        return repository.refs(target.id, evidence.staging, evidence.live, channel.deadline)

    # -- the run -----------------------------------------------------------------------------------------------------

    def trigger(self, target: Target, observation: Observation, channel: Channel) -> Run:
        evidence = t.cast(SiteEvidence, observation.data)

        def definite(response: Response) -> SyncError | None:
            return refused_before_reset(response, target.id, evidence) or self._nothing_moved(response, target, evidence, channel)

        body = {"site_id": target.id}
        if evidence.endpoint == SYNC:
            body["environment"] = evidence.staging
        # the branches show sooner than a response that hangs what was done
        patience = None if evidence.before is None else t.cast(float, self.options["request_timeout"])
        try:
            response = self.studio.post(channel, ENDPOINTS[evidence.endpoint], body, definite, patience)
        except Ambiguous:
            with contextlib.suppress(SyncError):
                # the call waits for the same lock as publishing, and is done after it
                self._wait_for_publisher(target, evidence, channel)
            raise
        if error_text_and_code(response)[0] != "OK":
            raise Ambiguous(f"{response.describe()} says: {response.excerpt()}, and not OK", response.status)
        now = response.server_now or self.services.clock.now()
        return self._run(target, observation.snapshot, now)

    def _nothing_moved(self, response: Response, target: Target, evidence: SiteEvidence, channel: Channel) -> SyncError | None:
        """The failure that Studio reports, if the branches show that nothing was moved; else ``None``."""
        text = error_text_and_code(response)[0] or ""
        if evidence.before is None or response.status != 500 or not text.startswith("Internal server error"):
            return None
        try:
            after = self._refs(target, evidence, channel)
        except SyncError:
            return None
        if after.refs != evidence.before.refs:
            return None
        message = f"Studio failed to reset staging of site {target.id}, and did not change it: {response.excerpt()}"
        return SyncError("server_error", message, _LOG, response.status)

    def _run(self, target: Target, snapshot: t.Mapping[str, t.Any], finished_at: dt.datetime) -> Run:
        """A finished reset. One that is not finished cannot be found, so it has no handle."""
        handle = {
            "provider": self.name,
            "address": self.address,
            "site": target.id,
            "environment": self.environment,
            "endpoint": target.data,
            "finished_at": isoformat(finished_at),
        }
        if "staging" in snapshot:
            handle["staging_before"] = snapshot["staging"]
        return Run(handle, reading=self.read(handle, None))

    def can_find(self) -> bool:
        return self.repository is not None

    def find(self, target: Target, snapshot: t.Mapping[str, t.Any], channel: Channel) -> Run | None:
        if "staging" not in snapshot:
            return None
        evidence = SiteEvidence(self.environment, snapshot["live_branch"], t.cast(str, target.data))
        refs = self._refs(target, evidence, channel)
        moved = refs.same_commit and refs.staging != snapshot["staging"]
        return self._run(target, snapshot, self.services.clock.now()) if moved else None

    def read(self, handle: t.Mapping[str, t.Any], channel: Channel | None) -> Reading:
        # synchronous: there is a handle only after Studio answered OK, or after the branch was seen to have moved
        return Reading("succeeded", "OK", finished_at=parse_iso(handle.get("finished_at")))

    def verify(self, target: Target, observation: Observation | None, run: Run, reading: Reading, channel: Channel) -> Effect:
        evidence = t.cast("SiteEvidence | None", observation.data if observation else None)
        if evidence is None or evidence.before is None:
            self.services.warn(DELIVERY_CAVEAT)
            return Effect(True, "assumed", "Studio reset staging to live; it does not show whether that changed anything")
        after = self._settled_refs(target, evidence, channel)
        # a run that was interrupted may have moved the branch before the evidence for this one was gathered
        before = {**evidence.before.refs, "staging": run.handle.get("staging_before", evidence.before.staging)}
        changed = after.staging != before["staging"]
        detail = {"refs": {"before": before, "after": after.refs}}
        if changed:
            self.services.warn(DELIVERY_CAVEAT)
        if after.in_sync:
            what = (
                f"staging is at {_short(after.staging)}, as live is" if changed else "staging was already at the commit of live"
            )
            return Effect(changed, "observed", what, detail, detail)
        if changed and after.staging is not None:
            # Studio reported success, and staging has left its old commit
            places = f"staging is at {_short(after.staging)}, live at {_short(after.live)}"
            what = f"staging was reset, and somebody has published since: {places}"
            warning = f"{target.name}: {what}. Run the task again if staging is to be as live is."
            return Effect(True, "observed", what, detail, detail, warnings=(warning,))
        failure = SyncError(
            "run_failed",
            f"Studio said OK, but the staging branch of site {target.id} is not what live is in published_repo",
            "Check that published_repo is the repository of this Studio and not a copy that is updated later.",
        )
        return Effect(changed, "observed", detail=detail, compact_detail=detail, failure=failure)

    def _settled_refs(self, target: Target, evidence: SiteEvidence, channel: Channel) -> Comparison:
        """The branches after the reset; a copy of the repository may take a moment."""
        clock = self.services.clock
        started = clock.monotonic()
        end = min(started + self.options["settle_grace"], channel.deadline.at)
        policy = PollPolicy(self.options["poll_min_interval"], self.options["poll_max_interval"])
        while True:
            refs = self._refs(target, evidence, channel)
            now = clock.monotonic()
            if refs.same_commit:
                return refs
            if now >= end:
                # somebody may have published to both meanwhile, which makes two commits of one tree
                repository = t.cast(Repository, self.repository)
                return repository.compare(target.id, evidence.staging, evidence.live, channel.deadline)
            clock.sleep(min(policy.delay(now - started, self.services.rng.random()), end - now))


def open_repository(options: Options, services: Services) -> Repository | None:
    """The published repository of the options.

    :raises SyncError: ``invalid_option``.
    """
    value = options.get(OPTION)
    if value is None:
        return None
    repository = Repository(value, services.clock, services.redactor)
    if len(options.get("sites") or ()) != 1 and not repository.for_any_site:
        remedy = "Write {site} in place of the id of the site."
        raise SyncError("invalid_option", f"option {OPTION}: it names one repository, and there are several sites", remedy)
    return repository


def _apply(compared: Comparison, target: Target, site: Site, observation: Observation) -> None:
    """What the comparison of the branches means for the plan."""
    observation.snapshot = {**compared.refs, "live_branch": site.live}
    observation.detail["refs"] = {"before": compared.refs}
    observation.compact_detail["refs"] = {"before": compared.refs}
    if compared.live is None:
        message = f"the published repository of site {target.id} has no branch {site.live}"
        remedy = "Publish the site to live first, and check published_repo."
        observation.obstacle = observation.obstacle or SyncError("not_found", message, remedy)
        return
    observation.in_sync = compared.in_sync
    if compared.in_sync:
        how = "are the same commit" if compared.same_commit else "have the same content"
        observation.reason = f"staging and live {how} ({_short(compared.live)})"
        return
    changes = compared.changes
    if compared.staging is None:
        observation.reason = "there is no staging branch; it will be created from live"
    else:
        observation.reason = f"{len(changes)} path{'s differ' if len(changes) != 1 else ' differs'} between staging and live"
    lost = [item for item in changes if item.staging is not None]
    only_live = [item.path for item in changes if item.staging is None]
    added = sum(item.live is None for item in lost)
    counts = {"added": added, "modified": len(lost) - added}
    observation.detail["lost"] = {**counts, "paths": [item.path for item in lost[:MAX_PATHS]], "tag": None}
    observation.detail["only_live"] = {"count": len(only_live), "paths": only_live[:MAX_PATHS]}
    observation.compact_detail.update(lost=counts, only_live={"count": len(only_live)})
    observation.diff = {
        "before_header": f"{target.id}: staging",
        "after_header": f"{target.id}: staging after the reset",
        "before": _listing((item.path, item.staging) for item in changes[:MAX_PATHS]),
        "after": _listing((item.path, item.live) for item in changes[:MAX_PATHS]),
    }


def _publisher_detail(publisher: Publisher, queue: Queue | None) -> dict[str, t.Any]:
    """The publisher, and what waits for it: null where that cannot be read."""
    packages = None if queue is None else {"running": queue.running, "due": queue.due, "scheduled": queue.scheduled}
    return {**publisher.as_detail(), "packages": packages}


def _listing(entries: t.Iterable[tuple[str, str | None]]) -> str:
    return "".join(f"{path} {_short(blob)}\n" for path, blob in entries if blob)


def _short(identifier: str | None) -> str:
    return (identifier or "")[:12]


def refused_before_reset(response: Response, site: str, evidence: SiteEvidence) -> SyncError | None:
    """The failure behind a 5xx response that proves that no branch was moved; ``None`` if the response proves nothing.

    Studio opens the repository, checks out live, deletes staging and creates it again, in this order, and puts the exception
    that ended it into the response (docs/reference/crafter.md#1.2, #1.3). Three exceptions can only occur before the deletion:
    there is no repository (unless it is known to exist); live cannot be checked out; staging cannot be deleted. The contract
    ``sync-staging`` did not check out live, so there the second one occurs after the deletion. Any other exception, the
    published text without one, and a 5xx that is not from the script may come from any step: ambiguous.
    """
    text = error_text_and_code(response)[0] or ""
    if response.status != 500 or not text.startswith("Internal server error"):
        return None
    if "NullPointerException" in text and evidence.published is not True:
        return never_published(site, 500)
    if "RefNotFoundException" in text and evidence.endpoint == RESET:
        message = f"the published repository of site {site} has no branch {evidence.live}"
        return SyncError("not_found", message, "Publish the site to live first.", 500)
    if "CannotDeleteCurrentBranchException" in text:
        message = f"staging of site {site} is checked out in its published repository, so it cannot be reset"
        return SyncError("server_error", message, "Check another branch out there (git checkout live).", 500)
    return None


def never_published(site: str, http_status: int | None = None) -> SyncError:
    message = f"site {site} was never published, so it has no published repository"
    return SyncError("not_found", message, "Publish the site to live first.", http_status)


def publish_failed(site: str) -> SyncError:
    return SyncError(
        "run_failed",
        f"the publisher of site {site} is in the state error: a publish has failed and may have changed its branches in part",
        "Look at the publishing queue and the log of Studio, then start the publisher again.",
    )
