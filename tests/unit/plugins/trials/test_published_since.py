# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody publishes between the reset of a site and the look at its branches: the reset has not failed by that."""

from __future__ import annotations

import pathlib
import random
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.record import Record
from tests.unit.plugins.support.trials.controller import Controller
from tests.unit.plugins.support.trials.crafter import StudioSystem
from tests.unit.plugins.support.trials.wire import Answered, Asked
from tests.unit.plugins.support.trials.world import World


def reset(tmp_path: pathlib.Path, does: t.Callable[[StudioSystem], None]) -> Record:
    """The record of a task.

    :param does: what happens to the branches by the time at which Studio says OK.
    """
    world = World(random.Random(1))

    class Site(StudioSystem):
        def trigger(self, asked: Asked | None) -> Answered:
            does(self)
            return Answered(200, {"message": "OK"})

    system = Site(world, with_repository=True)
    controller = Controller(world, str(tmp_path / "ledger.sqlite3"))
    controller.begin("1")
    world.run()
    assert system.commits >= 2
    return controller.ended[0]


def publish_to_live(site: StudioSystem) -> None:
    site.staging, site.live = site.live, 7


def publish_to_staging(site: StudioSystem) -> None:
    site.staging = 7


def do_nothing(site: StudioSystem) -> None:
    pass


@pytest.mark.parametrize("does", [publish_to_live, publish_to_staging])
def test_it_has_succeeded_and_a_warning_says_what_is_there_now(
    tmp_path: pathlib.Path, does: t.Callable[[StudioSystem], None]
) -> None:
    record = reset(tmp_path, does)
    assert (record.state, record.changed, record.changed_basis, record.failure) == ("succeeded", True, "observed", None)
    (warning,) = record.warnings
    assert "somebody has published since" in warning


def test_staging_that_has_not_moved_is_a_failure(tmp_path: pathlib.Path) -> None:
    record = reset(tmp_path, do_nothing)
    assert (record.state, record.failure and record.failure.code, record.warnings) == ("failed", "run_failed", [])
