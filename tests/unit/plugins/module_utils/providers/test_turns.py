# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done by one target at a time: another one waits for it no longer than until its own deadline."""

from __future__ import annotations

import contextlib
import random
import threading
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import CONNECTION
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel, HttpClient, RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Services
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.auth import CONNECTION_SPEC
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.published_sites import PublishedSites
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.studio import Studio
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.common import Directory
from tests.unit.plugins.support.lab import validated

STUDIO = "http://127.0.0.1:9/studio"


@contextlib.contextmanager
def held(lock: t.Any) -> t.Iterator[None]:
    """A lock that another thread has."""
    taken, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            over.wait(60)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert taken.wait(20)
    try:
        yield
    finally:
        over.set()
        thread.join(20)


def failure_of(work: t.Callable[[], object]) -> SyncError | None:
    """What some work raises, which must end."""
    raised: list[SyncError] = []

    def run() -> None:
        try:
            work()
        except SyncError as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    return raised[0] if raised else None


def new_studio() -> Studio:
    given = {"api_url": STUDIO, "allow_http": True, "username": "admin", "password": "canary", "auth_method": "session"}
    options = validated(CONNECTION + CONNECTION_SPEC, given)
    studio = Studio(options, Services(SystemClock(), Redactor(), random.Random(1), lambda text: None))
    studio._auth.use_session()
    return studio


def short(client: HttpClient) -> Channel:
    return client.channel(Deadline(client.clock, 0.2), RequestCount())


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_session_of_studio(signed_in: bool) -> None:
    studio = new_studio()
    studio._signed_in = signed_in
    with contextlib.closing(studio.client), held(studio._lock):
        error = failure_of(lambda: studio.get(short(studio.client), "/api/2/publish/status"))
    assert error is not None and error.code == "timed_out"


def test_the_list_of_published_sites() -> None:
    sites = PublishedSites()
    with held(sites._lock):
        error = failure_of(lambda: sites.has("a", [], Deadline(SystemClock(), 0.2)))
    assert error is not None and error.code == "timed_out"


def test_what_many_applications_have_in_common() -> None:
    directory, client = Directory({"organization": "Agency", "server": "web"}), new_studio().client
    with contextlib.closing(client), held(directory._lock):
        error = failure_of(lambda: directory.organization(short(client)))
    assert error is not None and error.code == "timed_out"


def test_a_target_whose_time_is_over_fails_no_other_one() -> None:
    directory, client = Directory({"organization": "5", "server": "web"}), new_studio().client
    asked: list[float] = []

    def ask() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise SyncError("timed_out", "the time for this target is over")
        return "found"

    with contextlib.closing(client):
        channel = client.channel(Deadline(client.clock, 900), RequestCount())
        with pytest.raises(SyncError):
            directory._once("servers", channel, ask)
        assert [directory._once("servers", channel, ask) for _target in range(2)] == ["found"] * 2
    assert len(asked) == 2


def test_a_lock_that_is_free_is_held_and_given_back() -> None:
    lock = threading.Lock()
    with Deadline(SystemClock(), 900).holding(lock):
        assert lock.locked()
    assert not lock.locked()
